package register

import (
	"fmt"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// acted is something a review came to.
type acted struct {
	What   string    `json:"what"`
	Owner  string    `json:"owner"`
	By     string    `json:"by"` // a day
	Done   time.Time `json:"done,omitzero"`
	DoneBy string    `json:"done_by,omitempty"`
	Note   string    `json:"note,omitempty"`
}

// held is a hold that keeps the case, or did.
type held struct {
	By         string    `json:"by"` // both
	At         time.Time `json:"at"`
	Reason     string    `json:"reason"`
	AskAgain   string    `json:"ask_again"` // a day
	Settled    time.Time `json:"settled,omitzero"`
	LiftBy     string    `json:"lift_by,omitempty"` // both
	LiftReason string    `json:"lift_reason,omitempty"`
	Lifted     time.Time `json:"lifted,omitzero"`
}

// filing is a report with what stood in its place before.
func (f File) filing(clock string, one cases.Filing) filed {
	r := filed{Clock: clock, At: one.At, By: f.person(one.By), Reference: f.Case.Text(one.Reference), Late: f.Case.Text(one.Reasons), Wrong: f.Case.Text(one.Wrong)}
	if w := one.Withdrawn; w != nil {
		r.Withdrawn = &taken{w.At, f.person(w.By), f.Case.Text(w.Text), w.Stands}
	}
	for _, earlier := range one.Earlier {
		r.Earlier = append(r.Earlier, f.filing(clock, earlier))
	}
	return r
}

// ended fills in what a case came to, and what keeps it.
func (f File) ended(r *record) {
	c := f.Case
	for _, a := range c.Actions {
		r.Actions = append(r.Actions, acted{c.Text(a.What), f.person(a.Owner), a.By.String(), a.Done, f.person(a.DoneBy), c.Text(a.Note)})
	}
	for _, h := range c.Holds {
		r.Holds = append(r.Holds, held{f.both(h.By, h.Second), h.At, c.Text(h.Reason), h.Until.String(), h.Settled, f.both(h.LiftBy, h.LiftSecond), c.Text(h.LiftReason), h.Lifted})
	}
}

// reported are the rows of a report, and of what stood in its place before.
func (f File) reported(l language, one filed) [][]string {
	when := f.at(one.At)
	if one.Wrong != "" {
		when += " (" + l.w("noted_wrongly") + ": " + one.Wrong + ")"
	}
	if w := one.Withdrawn; w != nil {
		what := l.w("withdrawn")
		if w.Stands {
			what = l.w("stands")
		}
		when += " (" + what + ": " + join(f.at(w.At), w.By, w.Text) + ")"
	}
	var rows [][]string
	for _, earlier := range one.Earlier {
		rows = append(rows, f.reported(l, earlier)...)
	}
	return append(rows, []string{f.lawIn(l, one.Clock), when, one.By, one.Reference, one.Late})
}

// actions are what a review came to, for people.
func (f File) actions(l language, r record) section {
	s := section{Title: l.w("actions"), Head: l.all("what", "who", "due", "done")}
	for _, a := range r.Actions {
		done := "-"
		if !a.Done.IsZero() {
			done = join(f.at(a.Done), a.DoneBy, a.Note)
		}
		s.Rows = append(s.Rows, []string{a.What, a.Owner, a.By, done})
	}
	return s
}

// holds are what keeps the case from being deleted, or did.
func (f File) holds(l language, r record) section {
	s := section{Title: l.w("holds"), Head: l.all("reason", "by", "when", "lifted")}
	for _, h := range r.Holds {
		when := f.at(h.At) + ", " + l.w("waits")
		if !h.Settled.IsZero() {
			when = f.at(h.Settled) + fmt.Sprintf(", %s %s", l.w("again"), h.AskAgain)
		}
		lifted := "-"
		if h.LiftBy != "" {
			at := l.w("waits")
			if !h.Lifted.IsZero() {
				at = f.at(h.Lifted)
			}
			lifted = join(h.LiftReason, h.LiftBy, at)
		}
		s.Rows = append(s.Rows, []string{h.Reason, h.By, when, lifted})
	}
	return s
}
