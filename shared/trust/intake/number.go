package intake

import (
	"path"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// Number is a number that a suite or a scan was made to find, named as the promises that limit it do.
type Number struct {
	Measured *string `json:"measured" enum:"cost,dup_nonce,fields,hits,min_len,overlap,roles" doc:"which parameter of a promise value is the number for; needed where a promise limits one of these"`
	Value    *int64  `json:"value" doc:"what was found; the worst of it all, never an average"`
}

// measures is the number, where there is one. Errors are refusals.
func (n Number) measures() ([]measure, error) {
	if (n.Measured == nil) != (n.Value == nil) {
		return nil, invalid("measured and value: one is there without the other.")
	}
	if n.Measured == nil {
		return nil, nil
	}
	return []measure{{[]string{*n.Measured}, *n.Measured, "==", held(given(n.Value), whole)}}, nil
}

// among measures what was found against a promise that lists what may be: names, or patterns such as image/*.
func among(found []string) []measure {
	if len(found) == 0 {
		return nil
	}
	return []measure{{[]string{"scopes", "content"}, "not_listed", "==", func(p policy.Param) (int64, int64, bool) {
		others := slices.DeleteFunc(slices.Clone(found), func(name string) bool {
			return slices.ContainsFunc(p.Values, func(listed string) bool { fits, _ := path.Match(listed, name); return fits })
		})
		return int64(len(others)), 0, p.Op == ""
	}}}
}

// says reads a parameter that has to list some words, and no other: 1, where it does.
func says(words ...string) func(policy.Param) (int64, bool) {
	return func(p policy.Param) (int64, bool) { return 1, p.Op == "" && slices.Equal(p.Values, words) }
}

// within measures whether an instant lies in a window of the week, such as "Sun 00:00-12:00 America/Los_Angeles".
func within(at time.Time) measure {
	return measure{[]string{"window"}, "in_window", "==", func(p policy.Param) (int64, int64, bool) {
		in, readable := inWindow(at, p)
		return truth(in), 1, readable
	}}
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

func inWindow(at time.Time, p policy.Param) (in, readable bool) {
	parts := strings.Fields(strings.Join(p.Values, ","))
	if len(parts) != 3 || p.Op != "" {
		return false, false
	}
	from, to, _ := strings.Cut(parts[1], "-")
	zone, err := calendar.Zone(parts[2])
	start, wrong := time.Parse("15:04", from)
	end, alsoWrong := time.Parse("15:04", to)
	day := slices.Index(weekdays, parts[0])
	if err != nil || wrong != nil || alsoWrong != nil || day < 0 || !start.Before(end) {
		return false, false
	}
	local := at.In(zone)
	clock := time.Date(start.Year(), start.Month(), start.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
	return int(local.Weekday()) == day && !clock.Before(start) && clock.Before(end), true
}
