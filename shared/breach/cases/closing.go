package cases

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Unfinished is what a notice of a case waits for.
type Unfinished string

// What a notice may wait for when its case is to be closed.
const (
	Unreviewed  Unfinished = "unreviewed"  // one person approved it alone, and nobody looked at it
	InDoubt     Unfinished = "in_doubt"    // it may not have arrived
	OnItsWay    Unfinished = "on_its_way"  // it is being sent, or nobody answered yet
	Uncorrected Unfinished = "uncorrected" // it is to put right, or take back, what was told, and nobody agreed to it
)

// Pending is a notice that waits for something.
type Pending struct {
	Notice int // its number
	What   Unfinished
}

// Left is something that is to be done before a case may be closed.
type Left struct {
	Code   string // a word of lefts, or of Unfinished
	Notice int    // of Unfinished: its number
}

// lefts say what is left, and what to do about it; what stands for a number names a notice.
var lefts = map[string][2]string{
	"tracks":      {"nobody said whose data is concerned", "Say whose data it is."},
	"unmapped":    {"affected domains or accounts belong to no known tenant", "Find out whose they are."},
	"decisions":   {"not all is decided by two people", "Decide what is open."},
	"report":      {"the report to the authority is not on record", "Make it on the portal, and note it."},
	"reports":     {"a report the law may want is neither on record nor decided against by two people", "Note it, or decide that it does not apply."},
	"persons":     {"that the persons were told is not on record", "Tell them, and note it on the notice to them."},
	"told":        {"a tenant has not been told", "Write and approve the notice, or call the tenant and say so at its delivery."},
	"promises":    {"something that was promised is not done", "Do it, and say so."},
	"unreviewed":  {"notice %d was approved by one person alone, and nobody has looked at it", "Have another person look at notice %d."},
	"in_doubt":    {"notice %d may not have arrived everywhere", "Ask who got notice %d, and say so at its deliveries."},
	"on_its_way":  {"notice %d is still on its way", "Wait until it is known what became of notice %d."},
	"uncorrected": {"notice %d is to put right what was told, and nobody has agreed to it", "Have another person approve notice %d, or let it expire."},
}

// close ends a case of which everything is settled.
func (d *deciding) close() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if d.State == Closed {
		return nil
	}
	if err := d.from(Open); err != nil {
		return err
	}
	left := d.Unsettled(d.rules, d.e.Pending, d.now)
	if len(left) == 0 {
		d.end(Handled)
		return nil
	}
	var what, next []string
	for _, l := range left {
		what, next = append(what, l.say(0)), append(next, l.say(1))
	}
	return fault.Refuse(fault.Conflict, "case_unsettled", "The case cannot be closed: "+strings.Join(what, "; ")+".", strings.Join(next, " "))
}

func (l Left) say(part int) string {
	text := lefts[l.Code][part]
	if l.Notice > 0 {
		return fmt.Sprintf(text, l.Notice)
	}
	return text
}

// Unsettled is what is to be done before a case may be closed, in order; none for nothing. pending are what its notices wait
// for.
func (c *Case) Unsettled(r Rules, pending []Pending, now time.Time) (left []Left) {
	add := func(is bool, code string) {
		if is {
			left = append(left, Left{Code: code})
		}
	}
	settled := c.settled()
	yes := func(subject string) bool { return settled[subject] != nil && settled[subject].Yes }
	add(c.Undescribed(), "tracks")
	add(c.Unmapped > 0, "unmapped")
	add(len(c.Undecided()) > 0, "decisions")
	add(yes(SA) && !c.Reported("gdpr_33_1"), "report")
	add(slices.ContainsFunc(Clocks(*c, r, now), OwesReport), "reports")
	add(yes(Persons) && c.Kept[Persons].IsZero(), "persons")
	add(slices.ContainsFunc(c.Tracks, func(t Track) bool { return t.Role == Processor && yes(t.ID) && t.Told.IsZero() }), "told")
	kept := true
	for name := range c.Promises {
		kept = kept && !c.Kept[name].IsZero()
	}
	add(!kept, "promises")
	for _, p := range pending {
		left = append(left, Left{string(p.What), p.Notice})
	}
	return left
}
