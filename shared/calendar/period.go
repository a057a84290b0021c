package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Period is an ISO 8601 duration (section 5.5.2.4) such as P1Y, P90D or PT24H: whole numbers, no sign, no
// fraction. Years, months and days are counted on the calendar; Clock is exact time. A week is seven days.
type Period struct {
	Years, Months, Days int
	Clock               time.Duration
}

// ParsePeriod reads an ISO 8601 duration. Each number has at most five digits. Errors: another form.
func ParsePeriod(s string) (Period, error) {
	bad := fmt.Errorf("reading %.20q as a period: not an ISO 8601 duration such as P1Y, P90D or PT24H", s)
	date, clock, timed := strings.Cut(strings.TrimPrefix(s, "P"), "T")
	if !strings.HasPrefix(s, "P") || date == "" && clock == "" || timed && clock == "" {
		return Period{}, bad
	}
	days, err := designated(date, "YMWD")
	if err != nil {
		return Period{}, bad
	}
	hours, err := designated(clock, "HMS")
	if err != nil {
		return Period{}, bad
	}
	return Period{
		Years: days['Y'], Months: days['M'], Days: days['W']*7 + days['D'],
		Clock: time.Duration(hours['H'])*time.Hour + time.Duration(hours['M'])*time.Minute +
			time.Duration(hours['S'])*time.Second,
	}, nil
}

// designated reads numbers each followed by one letter of order, the letters in that order.
func designated(s, order string) (map[byte]int, error) {
	values := map[byte]int{}
	for s != "" {
		end := strings.IndexAny(s, order)
		if end < 1 || end > 5 || strings.Trim(s[:end], "0123456789") != "" {
			return nil, strconv.ErrSyntax
		}
		n, err := strconv.Atoi(s[:end])
		if err != nil {
			return nil, err
		}
		values[s[end]] = n
		order = order[strings.IndexByte(order, s[end])+1:]
		s = s[end+1:]
	}
	return values, nil
}

// IsZero reports whether the period is of no length.
func (p Period) IsZero() bool { return p == Period{} }

// Exact returns the period's length where it does not depend on a calendar: no years, months or days.
func (p Period) Exact() (length time.Duration, ok bool) {
	return p.Clock, p.Years == 0 && p.Months == 0 && p.Days == 0
}

// Add returns the instant at which the period that began at t is over, in UTC. Years, months and days keep the
// local time of day in loc; where the last month has no such day, its last day counts (Regulation 1182/71,
// article 3(2)(c)). A local time that is skipped means the transition, one that happens twice its first
// occurrence. Clock is added last.
func (p Period) Add(t time.Time, loc *time.Location) time.Time {
	if length, exact := p.Exact(); exact {
		return t.Add(length).UTC()
	}
	local := t.In(loc)
	midnight := AddDays(AddMonths(Date(t, loc), 12*p.Years+p.Months), p.Days).wall()
	hour, minute, second := local.Clock()
	wall := midnight + int64(hour*3600+minute*60+second)
	return wallTime(wall, loc).Add(time.Duration(local.Nanosecond()) + p.Clock)
}

// String returns the shortest ISO 8601 form in the period's own units: P1Y6M, P90D, PT24H, PT0S.
func (p Period) String() string {
	var b strings.Builder
	b.WriteByte('P')
	part := func(n int64, letter byte) {
		if n != 0 {
			b.WriteString(strconv.FormatInt(n, 10))
			b.WriteByte(letter)
		}
	}
	part(int64(p.Years), 'Y')
	part(int64(p.Months), 'M')
	part(int64(p.Days), 'D')
	if p.Clock != 0 {
		b.WriteByte('T')
		part(int64(p.Clock/time.Hour), 'H')
		part(int64(p.Clock%time.Hour/time.Minute), 'M')
		part(int64(p.Clock%time.Minute/time.Second), 'S')
	}
	if b.Len() == 1 {
		return "PT0S"
	}
	return b.String()
}

// MarshalText returns the form of String.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the form of ParsePeriod.
func (p *Period) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePeriod(string(text))
	return err
}
