package declarebreach

import (
	"time"

	"ostiary.internal/functions/breach/internal/page"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
)

// listedTo is a case in the list as somebody may read it.
func (k *desk) listedTo(c cases.Case, who caller.Staff, now time.Time) Listed {
	if k.sees(c, who) {
		return k.listed(c, now)
	}
	brief := Listed{ID: c.ID, Number: c.Number, State: string(c.State), Ending: string(c.Ending), Exercise: c.Exercise, Declared: c.Declared}
	if c.By == who.ID {
		brief.By = c.By
	}
	return brief
}

// wholeTo is a case as somebody may read it: who may not look at it, what she declared, and what is hers to do.
func (k *desk) wholeTo(c cases.Read, who caller.Staff, now time.Time) Whole {
	if k.sees(c.Case, who) {
		return k.whole(c, now)
	}
	brief := Whole{Listed: k.listedTo(c.Case, who, now)}
	if c.By == who.ID {
		brief.Summary = c.Text(c.Summary)
	}
	today := calendar.Date(now, k.Breach.Rules.Zone)
	for i, a := range c.Actions {
		if a.Owner == who.ID {
			brief.Actions = append(brief.Actions, action(c, i, today))
		}
	}
	return brief
}

// action is something a review came to, as it stands.
func action(c cases.Read, i int, today calendar.Day) Action {
	a := c.Actions[i]
	return Action{i + 1, c.Text(a.What), a.Owner, a.By, a.Overdue(today), a.Done, a.DoneBy, c.Text(a.Note)}
}

// lookers are those who may look at a case, as people look for them.
func (k *desk) lookers(c cases.Case) (all []page.Choice) {
	now := k.Clock.Now()
	for _, p := range k.Policy.People {
		if p.Active(now) && k.sees(c, caller.Staff{Person: p}) {
			all = append(all, page.Choice{Value: p.ID, Label: p.Name})
		}
	}
	return all
}
