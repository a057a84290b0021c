package cases

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Decision is whether somebody is told, by two people: the first proposes, the second agrees. "No" is a decision as well,
// and is looked at again.
type Decision struct {
	Subject  string       `json:"subject"` // SA, Persons, Breach, or a track
	Yes      bool         `json:"yes"`
	Reason   int          `json:"reason,omitempty"` // text; always of a "no"
	By       string       `json:"by"`
	DPO      bool         `json:"dpo,omitempty"` // one of the two is the data protection officer
	At       time.Time    `json:"at"`
	Second   string       `json:"second,omitempty"`
	Settled  time.Time    `json:"settled,omitzero"`
	Again    calendar.Day `json:"again,omitzero"`  // of a "no"
	Looked   calendar.Day `json:"looked,omitzero"` // last day on which people were told to look again
	Below    bool         `json:"below,omitempty"` // "no" where score or triggers speak for a notice
	Replaced bool         `json:"replaced,omitempty"`
	Why      string       `json:"why,omitempty"` // of Replaced: withdrawn, decided, score
}

// decision returns the one of a subject that counts or waits, nil for none. settled chooses among the two there may be:
// one that counts, and a newer one that waits to replace it.
func (c *Case) decision(subject string, settled bool) *Decision {
	for i := len(c.Decisions) - 1; i >= 0; i-- {
		d := &c.Decisions[i]
		if d.Subject == subject && !d.Replaced && d.Settled.IsZero() != settled {
			return d
		}
	}
	return nil
}

// Subjects are what has to be decided about a case, in order: authority and persons where the company is a controller, and
// each tenant it is a processor for.
func (c *Case) Subjects() []string {
	var all []string
	if c.controls() {
		all = append(all, SA, Persons)
	}
	for _, t := range c.Tracks {
		if t.Role == Processor {
			all = append(all, t.ID)
		}
	}
	return all
}

// Undecided are the subjects without a decision by two.
func (c *Case) Undecided() []string {
	return slices.DeleteFunc(c.Subjects(), func(s string) bool { return c.decision(s, true) != nil })
}

// answer takes what one person thinks of a subject: her proposal, or her agreement with another's.
func (d *deciding) answer() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	subject := d.e.Subject
	switch {
	case subject == Breach && d.e.Yes:
		return refuse("subject_invalid", "That it is a breach is found by triage.", "Confirm the suspicion instead.")
	case subject == Breach:
		if err := d.from(Suspected, Open); err != nil {
			return err
		}
	default:
		if err := d.from(Open); err != nil {
			return err
		}
		if !slices.Contains(d.Subjects(), subject) {
			return refuse("subject_invalid", "There is nothing to decide about that subject in this case.", "Use sa, persons, or a tenant of the case.")
		}
	}
	if !d.e.Yes && d.e.Text == 0 {
		return refuse("reason_missing", "A \"no\" has a reason.", "Say why no risk is likely, or why the tenant is not concerned.")
	}
	if now := d.decision(subject, true); now != nil && now.Yes == d.e.Yes {
		return nil // it is decided so
	}
	waiting := d.decision(subject, false)
	switch {
	case waiting == nil:
		d.propose(subject)
	case waiting.Yes != d.e.Yes:
		waiting.Replaced, waiting.Why = true, "withdrawn"
		d.propose(subject)
	case waiting.By == d.e.By.ID:
		return nil
	default:
		return d.settle(waiting)
	}
	return nil
}

func (d *deciding) propose(subject string) {
	again := calendar.Day{}
	if !d.e.Yes {
		if again = d.e.Again; again.IsZero() || again.Before(d.today()) {
			again = calendar.AddDays(d.today(), d.rules.AgainDays)
		}
	}
	d.Decisions = append(slices.Clone(d.Decisions), Decision{
		Subject: subject, Yes: d.e.Yes, Reason: d.e.Text, By: d.e.By.ID, DPO: d.e.By.Has(policy.DPO), At: d.now, Again: again, Below: d.below(subject, d.e.Yes),
	})
	d.record("proposed")
	d.tell("proposed", d.e.By.ID)
}

// below reports whether an answer is less than what score and triggers speak for. Without a score nobody can say that no
// risk is likely: then a "no" is below as well.
func (d *deciding) below(subject string, yes bool) bool {
	switch {
	case yes:
		return false
	case subject == SA:
		return d.Score == nil || d.Score.Score.Presumption.Authority
	case subject == Persons:
		return d.Score == nil || d.Score.Score.Presumption.Persons
	}
	return false
}

// settle makes a proposal count.
func (d *deciding) settle(p *Decision) error {
	dpo := p.DPO || d.e.By.Has(policy.DPO)
	below := d.below(p.Subject, p.Yes)
	if below && !dpo {
		return refuse("dpo_needed", "Score or triggers speak for a notice. Against them, one of the two is the data protection officer.", "Ask the data protection officer to agree, or decide for a notice.")
	}
	if old := d.decision(p.Subject, true); old != nil {
		old.Replaced, old.Why = true, "decided"
	}
	p.Second, p.Settled, p.DPO, p.Below = d.e.By.ID, d.now, dpo, below
	d.record("decided")
	if p.Subject == Breach {
		d.end(NotABreach)
	}
	return nil
}

// rescored has people decide again where a new score speaks for a notice they decided against. A lower score changes
// nothing that was decided.
func (d *deciding) rescored() {
	again := false
	for _, subject := range []string{SA, Persons} {
		if no := d.decision(subject, true); no != nil && !no.Yes && !no.Below && d.below(subject, false) {
			no.Replaced, no.Why = true, "score"
			again = true
		}
	}
	if again {
		d.record("reopened")
		d.tell("again", "")
	}
}

func refuse(code, detail, next string) error {
	return fault.Refuse(fault.Invalid, code, detail, next)
}
