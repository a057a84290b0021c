package calendar

import (
	"fmt"
	"time"
)

// Day is a calendar date without a zone, such as the last day of a contract. The zero Day means "no date".
// Days compare with ==.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// Date returns the local date of t in loc.
func Date(t time.Time, loc *time.Location) Day {
	y, m, d := t.In(loc).Date()
	return Day{y, m, d}
}

// ParseDay reads a date YYYY-MM-DD (ISO 8601, section 5.2.2.1). Errors: another form, or a date that does not exist.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("reading %.20q as a date: not YYYY-MM-DD, or no such day", s)
	}
	return Date(t, time.UTC), nil
}

// String returns YYYY-MM-DD, or "" for the zero Day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// IsZero reports whether d is the zero Day.
func (d Day) IsZero() bool { return d == Day{} }

// Before reports whether d is an earlier date than other.
func (d Day) Before(other Day) bool { return d.wall() < other.wall() }

// End returns the first instant after the day in loc, in UTC: a person employed until d may work until End. For a
// date the zone left out it is the transition that left it out.
func (d Day) End(loc *time.Location) time.Time { return wallTime(d.wall()+daySeconds, loc) }

// MarshalText returns the form of String.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form of ParseDay.
func (d *Day) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDay(string(text))
	return err
}

// wall returns the day's midnight as seconds since 1970 on the local clock.
func (d Day) wall() int64 {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix()
}
