package declarebreach

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// reviewed is a review with the actions it came to. An owner is somebody of the policy.
func (k *desk) reviewed(b Lessons) (cases.Event, cases.Words, error) {
	e, words := cases.Event{What: cases.Review}, said(b.Text)
	for _, a := range b.Actions {
		owner, known := k.Policy.PersonByID(a.Owner)
		if !known || !owner.Active(k.Clock.Now()) {
			return e, words, fault.Refuse(fault.Invalid, "actions_invalid", "The owner of an action is nobody in people.yaml.", "Use the id of somebody who is there.")
		}
		e.Actions = append(e.Actions, cases.Action{Owner: owner.ID, By: a.By})
		words.Actions = append(words.Actions, strings.TrimSpace(a.What))
	}
	return e, words, nil
}

func acted(b Done) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Did, Action: b.Action}, said(b.Note), nil
}

func preserved(b Preservation) (cases.Event, cases.Words, error) {
	return cases.Event{What: cases.Preserve, Yes: b.Keep, Again: b.Until}, said(b.Reason), nil
}

// afterwards fills in what follows the end of a case.
func (k *desk) afterwards(told *Whole, c cases.Read, today calendar.Day) {
	for i := range c.Actions {
		told.Actions = append(told.Actions, action(c, i, today))
	}
	for _, s := range c.Signals {
		told.Signals = append(told.Signals, Signal{s.At, c.Text(s.Text)})
	}
	for _, one := range c.Rated {
		told.Rated = append(told.Rated, Scored{Score: one.Score, By: one.By, At: one.At, Reasons: c.Text(one.Why)})
	}
	for _, one := range c.Reviews {
		told.Reviews = append(told.Reviews, Lesson{one.At, c.Text(one.Lessons)})
	}
	if h := c.Held(); h != nil {
		told.Hold = &Hold{h.By, h.Second, h.At, c.Text(h.Reason), h.Until, h.LiftBy, c.Text(h.LiftReason)}
	}
	told.Expires = c.Expires(k.Breach.Rules)
}

// overdueAction reports whether a case has an action that is overdue.
func overdueAction(c cases.Case, today calendar.Day) bool {
	return slices.ContainsFunc(c.Actions, func(a cases.Action) bool { return a.Overdue(today) })
}

// filing is a report with what stood there before.
func filing(c cases.Read, f cases.Filing) Filed {
	told := Filed{At: f.At, By: f.By, Reference: c.Text(f.Reference), Late: c.Text(f.Reasons), Wrong: c.Text(f.Wrong)}
	if w := f.Withdrawn; w != nil {
		told.Withdrawn = &Withdrawn{w.At, w.By, c.Text(w.Text), w.Stands}
	}
	for _, one := range f.Earlier {
		told.Earlier = append(told.Earlier, filing(c, one))
	}
	return told
}

// readReview reads a review with the lines of its actions; a line nobody wrote in is none.
func readReview(_ *desk, f url.Values) (b Lessons, err error) {
	b.Text = unix(f.Get("text"))
	for n := range page.ActionLines {
		line := "action" + strconv.Itoa(n+1)
		a := NewAction{What: unix(f.Get(line)), Owner: f.Get(line + ".owner")}
		if a.What == "" {
			continue
		}
		if a.By, err = day(f, line+".by"); err != nil {
			return b, err
		}
		b.Actions = append(b.Actions, a)
	}
	return b, nil
}

func readAction(_ *desk, f url.Values) (Done, error) {
	n, err := strconv.Atoi(f.Get("action"))
	if err != nil {
		n = 0 // there is none
	}
	return Done{n, unix(f.Get("note"))}, nil
}

func readHold(_ *desk, f url.Values) (b Preservation, err error) {
	b = Preservation{Keep: f.Get("keep") == "yes", Reason: unix(f.Get("reason"))}
	b.Until, err = day(f, "until")
	return b, err
}

// day reads a day of a form; zero for an empty field.
func day(f url.Values, name string) (calendar.Day, error) {
	text := strings.TrimSpace(f.Get(name))
	if text == "" {
		return calendar.Day{}, nil
	}
	d, err := calendar.ParseDay(text)
	if err != nil {
		return d, about(name, fault.Refuse(fault.Invalid, "time_invalid", "This is not a day.", "Write it as 2026-03-03."))
	}
	return d, nil
}
