package cases

import (
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/policy"
)

// Action is something to be done that a review of a case came to.
type Action struct {
	What     int          `json:"what"`  // text
	Owner    string       `json:"owner"` // id of a person
	By       calendar.Day `json:"by"`
	Done     time.Time    `json:"done,omitzero"`
	DoneBy   string       `json:"done_by,omitempty"`
	Note     int          `json:"note,omitempty"`    // text: what was done
	Reminded calendar.Day `json:"reminded,omitzero"` // last day on which people were told of it
}

// Overdue reports whether an action is not done and its day is over.
func (a Action) Overdue(today calendar.Day) bool { return a.Done.IsZero() && a.By.Before(today) }

// Bounds of the actions of a case.
const (
	maxActions = 50
	soon       = 3 // days before its own on which an owner is told
)

// actions takes the actions a review came to.
func (d *deciding) actions() error {
	if len(d.Actions)+len(d.e.Actions) > maxActions {
		return refuse("actions_invalid", "A case has at most 50 actions.", "Put several into one.")
	}
	for _, a := range d.e.Actions {
		if a.What == 0 || a.Owner == "" || a.By.IsZero() || a.By.Before(d.today()) {
			return refuse("actions_invalid", "An action says what is done, by whom, and by which day ahead.", "Correct it and send it again.")
		}
	}
	d.Actions = append(slices.Clone(d.Actions), d.e.Actions...)
	return nil
}

// did takes that an action was done: its owner says so, or somebody who decides.
func (d *deciding) did() error {
	at := d.e.Action - 1
	if at < 0 || at >= len(d.Actions) {
		if err := d.mayDecide(); err != nil {
			return err
		}
		return fault.Refuse(fault.NotFound, "action_unknown", "The case has no such action.", "Look at the case as it is now.")
	}
	a := &d.Actions[at]
	if !d.e.By.is(a.Owner) {
		if err := d.mayDecide(); err != nil {
			return err
		}
	}
	if a.Done.IsZero() {
		a.Done, a.DoneBy, a.Note = d.now, d.e.By.ID, d.e.Text
		d.record("action_done")
	}
	return nil
}

// remindActions tells owners of what is due soon, once, and of what is overdue once a week, with those who decide.
func (d *deciding) remindActions() {
	for i := range d.Actions {
		if at := d.actionDue(d.Actions[i]); !at.IsZero() && !d.now.Before(at) {
			d.Actions[i].Reminded = d.today()
			d.effects = append(d.effects, Effect{Do: DoAction, Action: i + 1})
		}
	}
}

// actionDue is when people are told of an action next; zero for never.
func (d *deciding) actionDue(a Action) time.Time {
	switch {
	case !a.Done.IsZero():
		return time.Time{}
	case a.Reminded.IsZero():
		return calendar.AddDays(a.By, -soon-1).End(d.rules.Zone)
	case !a.By.Before(a.Reminded):
		return a.By.End(d.rules.Zone)
	}
	return calendar.AddDays(a.Reminded, reminding-1).End(d.rules.Zone)
}

// remind writes to the owner of an action, and to those who decide where it is overdue.
func (t *turn) remind(n int) error {
	a := t.after.Actions[n-1]
	to := slices.DeleteFunc(owners(t.s.Policy, []string{a.Owner}, t.now), t.concerned)
	if a.Overdue(calendar.Date(t.now, t.s.Rules.Zone)) || len(to) == 0 {
		for _, p := range t.deciders("") {
			if !slices.ContainsFunc(to, func(o policy.Person) bool { return o.ID == p.ID }) {
				to = append(to, p)
			}
		}
	}
	return t.say(sayAction, "action/"+strconv.Itoa(n), to, letters.Vars{"by": a.By.String()})
}
