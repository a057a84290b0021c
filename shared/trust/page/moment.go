package page

import (
	"fmt"
	"strconv"
	"time"
)

// Moment is a time as a page shows it; zero for none.
type Moment struct {
	ISO  string // RFC 3339, for programs
	Full string // "3 March 2026, 08:55 UTC"
	Day  string // "3 March 2026"
	Ago  string // "4 min ago", "in 3 days"
}

var months = map[string][12]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

// moment writes a time in UTC, as the log has it: readers sit everywhere.
func (w words) moment(t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	t = t.UTC()
	day := w.day(t)
	return Moment{ISO: t.Format(time.RFC3339), Day: day, Full: w.Text("time.full", day, t.Format("15:04")), Ago: w.ago(now.Sub(t))}
}

// day writes a calendar day with its year.
func (w words) day(t time.Time) string { return w.shortDay(t) + " " + strconv.Itoa(t.Year()) }

// shortDay writes a calendar day without its year.
func (w words) shortDay(t time.Time) string {
	number := strconv.Itoa(t.Day())
	switch {
	case w.Lang == "de":
		number += "."
	case w.Lang == "fr" && t.Day() == 1:
		number = "1er"
	}
	return number + " " + months[w.Lang][t.Month()-1]
}

// ago says how long something is past, or to come where d is negative.
func (w words) ago(d time.Duration) string {
	key := "time.past"
	if d < 0 {
		key, d = "time.coming", -d
	}
	if d < time.Minute {
		return w.Text("time.now")
	}
	return w.Text(key, w.about(d, "ago"))
}

const day = 24 * time.Hour

// about writes a span in its largest fitting unit, rounded down. The form is "ago" or "long": German declines.
func (w words) about(d time.Duration, form string) string {
	unit := func(name string, of time.Duration) string {
		n := int64(d / of)
		if n == 1 {
			return w.Text("unit."+name+"."+form+".one", w.number(n))
		}
		return w.Text("unit."+name+"."+form+".many", w.number(n))
	}
	switch {
	case d < time.Hour:
		return unit("minute", time.Minute)
	case d < 2*day:
		return unit("hour", time.Hour)
	case d < 90*day:
		return unit("day", day)
	}
	return unit("month", 30*day)
}

// span writes a length of time exactly enough to compare it with a limit: two units at most, "1 h 30 min".
func (w words) span(seconds int64) string {
	minus := ""
	if seconds < 0 {
		minus, seconds = "−", -seconds
	}
	units := []struct {
		name string
		of   int64
	}{{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}}
	for i, u := range units {
		n := seconds / u.of
		if n == 0 && i < len(units)-1 {
			continue
		}
		written := w.some(u.name, n)
		if rest := seconds % u.of; rest > 0 && n < 100 && i+1 < len(units) {
			if next := rest / units[i+1].of; next > 0 {
				written = fmt.Sprintf("%s %s", written, w.some(units[i+1].name, next))
			}
		}
		return minus + written
	}
	return ""
}

func (w words) some(unit string, n int64) string {
	form := ".long.many"
	if n == 1 {
		form = ".long.one"
	}
	return w.Text("unit."+unit+form, w.number(n))
}
