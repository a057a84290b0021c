// Package clock says by when whom is to be told of a personal data breach.
//
// # What it promises
//
// Laws and contracts are rows of a data file (clocks.yaml), each with the days it is in force. A clock is computed from
// stored instants whenever somebody looks, so that no missed tick loses anything: what should have been said meanwhile is
// said once, by its highest mark. Hours are elapsed time, across nights, weekends, holidays and changes of the clocks.
// Two instants are published: Target, exactly so many hours after the start, by which everything here is measured, and
// Outer, by the rule that the hour of the event is not counted (Regulation (EEC, Euratom) 1182/71, article 3(1)), for
// information alone.
//
// # What it does not do
//
// It does not say whether a notice is due, nor when somebody was aware: people do. A clock without hours in the law
// ("without undue delay") has no Target, and an internal one is never shown as the law's.
package clock

import (
	"fmt"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// Start names the instant a period runs from. It is stored.
type Start string

// The starts.
const (
	Aware          Start = "aware"           // reasonable certainty that personal data was compromised (EDPB guidelines 9/2022)
	ProcessorAware Start = "processor_aware" // the same, of us as a processor
	Told           Start = "told"            // our notice reached the controller
	HighRisk       Start = "high_risk"       // two people decided that a high risk is likely
	Classified     Start = "classified"      // as a major incident
	Submitted      Start = "submitted"       // the report of another row
)

// Binding says who sets a clock. It is stored.
type Binding string

// The bindings.
const (
	Law         Binding = "law"
	Contract    Binding = "contract"
	Internal    Binding = "internal"    // the company's own aim
	Information Binding = "information" // somebody else's clock
)

// Row is one clock of the data file.
type Row struct {
	ID      string
	Who     string // has the duty
	To      string // is to be told
	Law     string
	Start   Start
	After   string           // of Submitted: whose report
	Within  *calendar.Period // nil: no period, "without undue delay", or the contract's
	Cap     *Cap
	Repeats bool // several reports may be made: the first meets it, the last starts what comes after it
	Noon    bool // an end on a free day moves to noon of the next working day
	Binding Binding
	From    calendar.Day // in force
	Until   calendar.Day // last day in force; zero: still is
	Certain bool         // read in the source, not from general knowledge
	Note    string

	contract bool // Within is the contract's
}

// Cap ends a period earlier.
type Cap struct {
	Start  Start
	Within calendar.Period
}

// Facts are the instants a breach has, and what the row leaves to a tenant, a contract or a company. A zero instant is
// not known yet.
type Facts struct {
	At        map[Start]time.Time  // but Submitted
	Submitted map[string]time.Time // reports, by row
	Met       map[string]time.Time // when the duty of a row was done; of most rows the same as Submitted
	Ended     time.Time            // no breach after all: every clock stands still
	Hours     int                  // of the contract; 0: it names none
	Business  *Business            // of the contract, where its hours count in business hours alone; nil: they count through
	Zone      *time.Location       // of whoever has the duty; nil for UTC
	Country   string               // for public holidays; "" for weekends alone
	Exempt    bool                 // from the move to noon: a credit institution, a trading venue and the like
}

// Status says how a clock stands. It is stored.
type Status string

// The statuses.
const (
	Waiting Status = "waiting" // what starts it has not happened
	Open    Status = "open"    // it runs, and the law gives no hours
	Running Status = "running"
	Overdue Status = "overdue"
	Met     Status = "met"
	Late    Status = "late" // done after Target: the reasons go with it
	Stopped Status = "stopped"
)

// Clock is a row for one breach, as it stands. Times are UTC.
type Clock struct {
	ID      string    `json:"id"`
	Binding Binding   `json:"binding"`
	Status  Status    `json:"status"`
	Start   time.Time `json:"start,omitzero"`
	Target  time.Time `json:"target,omitzero"` // zero where there are no hours
	Outer   time.Time `json:"outer,omitzero"`  // of periods in hours
	Done    time.Time `json:"done,omitzero"`
}

// Of computes a clock. Errors are Invalid: a row of the contract with hours out of range.
func Of(r Row, f Facts, now time.Time) (Clock, error) {
	c := Clock{ID: r.ID, Binding: r.Binding, Status: Waiting, Done: f.Met[r.ID].UTC()}
	if f.Met[r.ID].IsZero() {
		c.Done = f.Submitted[r.ID].UTC()
	}
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	start := f.At[r.Start]
	if r.Start == Submitted {
		start = f.Submitted[r.After]
	}
	within := r.Within
	if r.contract && f.Hours != 0 {
		if f.Hours < 1 || f.Hours > MaxHours {
			return c, fault.New(fault.Invalid, "computing clock %s: a contract of %d hours; it is 1 to %d", r.ID, f.Hours, MaxHours)
		}
		within = &calendar.Period{Clock: time.Duration(f.Hours) * time.Hour}
	}
	if !start.IsZero() {
		c.Start = start.UTC()
		if within != nil && r.contract && f.Business != nil {
			var err error
			if c.Target, err = f.Business.ends(start, time.Duration(f.Hours)*time.Hour); err != nil {
				return c, err
			}
		} else if within != nil {
			c.Target, c.Outer = ends(start, *within, zone)
		}
	}
	if r.Cap != nil {
		capped(&c, f.At[r.Cap.Start], r.Cap.Within, zone)
	}
	if r.Noon && !f.Exempt && !c.Target.IsZero() {
		c.Target = noon(c.Target, f.Country, zone)
		if !c.Outer.IsZero() && c.Outer.Before(c.Target) {
			c.Outer = c.Target // noon of a working day is an instant, however one counts the hours before
		}
	}
	c.Status = status(c, f, now)
	return c, nil
}

// MaxHours is the longest a contract may give.
const MaxHours = 24 * 90

func ends(start time.Time, within calendar.Period, zone *time.Location) (target, outer time.Time) {
	target = within.Add(start, zone)
	if exact, ok := within.Exact(); ok && exact%time.Hour == 0 {
		outer = calendar.Hours(start, int(exact/time.Hour), zone)
	}
	return target, outer
}

// capped ends a clock that runs with a second period, unless what starts the first came after it: then it was in nobody's
// power to meet.
func capped(c *Clock, start time.Time, within calendar.Period, zone *time.Location) {
	if start.IsZero() || c.Start.IsZero() {
		return
	}
	if target, outer := ends(start, within, zone); !c.Start.After(target) && target.Before(c.Target) {
		c.Target, c.Outer = target, outer
	}
}

// noon moves an end on a free day to noon of the next working day.
func noon(t time.Time, country string, zone *time.Location) time.Time {
	h, _ := calendar.HolidaysOf(country) // unknown: weekends alone, which is never later
	day := calendar.Date(t, zone)
	if next := calendar.NextWorkingDay(day, h); next != day {
		return time.Date(next.Year, next.Month, next.Day, 12, 0, 0, 0, zone).UTC()
	}
	return t
}

func status(c Clock, f Facts, now time.Time) Status {
	switch {
	case !c.Done.IsZero() && !c.Target.IsZero() && c.Done.After(c.Target):
		return Late
	case !c.Done.IsZero():
		return Met
	case !f.Ended.IsZero():
		return Stopped
	case c.Start.IsZero():
		return Waiting
	case c.Target.IsZero():
		return Open
	case now.After(c.Target):
		return Overdue
	}
	return Running
}

// Promised is the clock of something that was promised by a day or an instant, such as a complement or the next update.
func Promised(id string, since, by, done, ended, now time.Time) Clock {
	c := Clock{ID: id, Binding: Internal, Start: since.UTC(), Target: by.UTC(), Done: done.UTC()}
	c.Status = status(c, Facts{Ended: ended}, now)
	return c
}

// Ahead is how far an instant somebody gives may be before our clock.
const Ahead = 2 * time.Minute

// CheckAware refuses an instant of awareness that cannot be: code aware_invalid. occurred is the earliest the breach can
// have begun, zero for unknown.
func CheckAware(aware, occurred, now time.Time) error {
	refuse := func(what, next string) error {
		return fault.Refuse(fault.Invalid, "aware_invalid", what, next)
	}
	switch {
	case aware.IsZero():
		return refuse("The time of awareness is missing.", "Give it with its offset, such as 2026-03-03T10:00:00+01:00.")
	case aware.After(now.Add(Ahead)):
		return refuse("The time of awareness lies ahead.", "Give the time at which somebody was reasonably certain, with its offset.")
	case aware.Before(occurred):
		return refuse("Nobody can be aware of a breach before it began.", "Correct the time of awareness, or since when it went on.")
	}
	return nil
}

// Remaining is what is left until Target, negative when it has passed, as people say it: 3 h 05 min.
func (c Clock) Remaining(now time.Time) string {
	left := c.Target.Sub(now)
	sign := ""
	if left < 0 {
		left, sign = -left, "-"
	}
	return fmt.Sprintf("%s%d h %02d min", sign, int(left.Hours()), int(left.Minutes())%60)
}
