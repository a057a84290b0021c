package cases

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Decision is whether somebody is told, by two people: the first proposes, the second agrees. "No" is a decision as well,
// and is looked at again.
type Decision struct {
	Subject  string       `json:"subject"` // SA, Persons, Breach, a tenant, or a clock of IsReport: whether it applies
	Yes      bool         `json:"yes"`
	Reason   int          `json:"reason,omitempty"` // text; always of a "no"
	By       string       `json:"by"`
	DPO      bool         `json:"dpo,omitempty"` // one of the two is the data protection officer
	At       time.Time    `json:"at"`
	Second   string       `json:"second,omitempty"`
	Agreed   int          `json:"agreed,omitempty"` // text of the second
	Settled  time.Time    `json:"settled,omitzero"`
	Again    calendar.Day `json:"again,omitzero"`     // of a "no"
	Looked   calendar.Day `json:"looked,omitzero"`    // last day on which people were told to look again
	Below    bool         `json:"below,omitempty"`    // "no" where score or triggers speak for a notice
	Blind    bool         `json:"blind,omitempty"`    // decided before there was a score
	Incident bool         `json:"incident,omitempty"` // of Breach: something happened, and to no personal data
	// Exception is the letter of article 34(3) of the GDPR a "no" to Persons rests on; "" for none.
	Exception string `json:"exception,omitempty"`
	Replaced  bool   `json:"replaced,omitempty"`
	Why       string `json:"why,omitempty"` // of Replaced: withdrawn, decided, score
}

// decision returns the one of a subject that counts, nil for none.
func (c *Case) decision(subject string) *Decision {
	for i := len(c.Decisions) - 1; i >= 0; i-- {
		d := &c.Decisions[i]
		if d.Subject == subject && !d.Replaced && !d.Settled.IsZero() {
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

// settled are the decisions that count, by subject.
func (c *Case) settled() map[string]*Decision {
	by := map[string]*Decision{}
	for i := range c.Decisions {
		if d := &c.Decisions[i]; !d.Replaced && !d.Settled.IsZero() {
			by[d.Subject] = d
		}
	}
	return by
}

// Decided returns what two people decided about a subject; decided is false while they have not.
func (c *Case) Decided(subject string) (yes, decided bool) {
	d := c.decision(subject)
	return d != nil && d.Yes, d != nil
}

// Undecided are the subjects without a decision by two.
func (c *Case) Undecided() []string {
	settled := c.settled()
	return slices.DeleteFunc(c.Subjects(), func(s string) bool { return settled[s] != nil })
}

// answer takes what one person thinks of a subject: her proposal, or her agreement with another's.
func (d *deciding) answer() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	subjects, err := d.answered()
	if err != nil {
		return err
	}
	if e := d.e.Exception; e != "" && (d.e.Yes || d.e.Subject != Persons || !slices.Contains([]string{"a", "b", "c"}, e)) {
		return refuse("exception_invalid", "Letters a, b and c of article 34(3) are exceptions from telling the persons, and nothing else.", "Send one of them with a \"no\" to persons, or leave it out.")
	}
	if !d.e.Yes && d.e.Text == 0 {
		return refuse("reason_missing", "A \"no\" has a reason.", "Say why no risk is likely, or why the tenant is not concerned.")
	}
	if missing := d.Leans(d.e.Subject); !d.e.Yes && len(subjects) > 0 && len(missing) > 0 {
		return evidenceMissing(missing)
	}
	waiting := map[string]*Decision{}
	for i := range d.Decisions {
		if one := &d.Decisions[i]; !one.Replaced && one.Settled.IsZero() {
			waiting[one.Subject] = one
		}
	}
	var proposed, settled []string
	for _, subject := range subjects {
		switch one := waiting[subject]; {
		case d.agrees(one) && one.By == d.e.By.ID: // she alone is not two
		case d.agrees(one) && d.e.By.is(one.By):
			return samePerson()
		case d.agrees(one):
			if err := d.settle(one); err != nil {
				return err
			}
			settled = append(settled, subject)
		default:
			if one != nil {
				one.Replaced, one.Why = true, "withdrawn"
			}
			proposed = append(proposed, subject)
		}
	}
	return d.concluded(proposed, settled)
}

// agrees reports whether an answer says what a proposal does. Who leaves out the exception of the law agrees to the one there
// is.
func (d *deciding) agrees(p *Decision) bool {
	return p != nil && p.Yes == d.e.Yes && p.Incident == d.e.Incident && (d.e.Exception == "" || d.e.Exception == p.Exception)
}

// answered are the subjects of an answer that are not decided so already.
func (d *deciding) answered() ([]string, error) {
	subject := d.e.Subject
	if subject == Breach {
		if d.e.Yes {
			return nil, refuse("subject_invalid", "That it is a breach is found by triage.", "Confirm the suspicion instead.")
		}
		return []string{Breach}, d.from(Suspected, Open)
	}
	if err := d.from(Open); err != nil {
		return nil, err
	}
	if subject == Tenants {
		return slices.DeleteFunc(d.Undecided(), func(s string) bool { return s == SA || s == Persons }), nil
	}
	_, running := d.clock(subject)
	if report := running && IsReport(subject); !report && !slices.Contains(d.Subjects(), subject) {
		return nil, refuse("subject_invalid", "There is nothing to decide about that subject in this case.", "Use sa, persons, tenants, a tenant of the case, or one of its legal clocks.")
	}
	if d.agrees(d.decision(subject)) {
		return nil, nil
	}
	return []string{subject}, nil
}

// concluded adds the proposals, and says once what came of an answer, about however many it was.
func (d *deciding) concluded(proposed, settled []string) error {
	again := calendar.Day{}
	if !d.e.Yes {
		if again = d.e.Again; again.IsZero() || again.Before(d.today()) {
			again = calendar.AddDays(d.today(), d.rules.AgainDays)
		}
	}
	for _, subject := range proposed {
		d.Decisions = append(d.Decisions, Decision{
			Subject: subject, Yes: d.e.Yes, Reason: d.e.Text, By: d.e.By.ID, DPO: d.e.By.Has(policy.DPO), At: d.now, Again: again, Below: d.below(subject, d.e.Yes),
			Incident: d.e.Incident, Exception: d.e.Exception,
		})
	}
	d.forget()
	if len(proposed) > 0 {
		d.record("proposed")
		d.tell("proposed", d.e.By.ID)
	}
	if len(settled) > 0 {
		d.record("decided")
	}
	if slices.Contains(settled, Breach) {
		d.Incident = d.e.Incident
		d.end(NotABreach)
	}
	return nil
}

// maxReplaced bounds the decisions and proposals that count no more: all of them are on record.
const maxReplaced = 200

// forget leaves out the oldest of those that count no more, so that the case fits its document for ever.
func (d *deciding) forget() {
	replaced := 0
	for _, one := range d.Decisions {
		if one.Replaced {
			replaced++
		}
	}
	d.Decisions = slices.DeleteFunc(d.Decisions, func(one Decision) bool {
		replaced--
		return one.Replaced && replaced >= maxReplaced
	})
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
	case IsReport(subject) && !IsContract(subject):
		return d.Score != nil && d.Score.Score.Presumption.Authority
	case subject == Breach:
		// What somebody was certain of is taken back no more easily than a notice is left out.
		return d.State == Open && (d.Score == nil || d.Score.Score.Presumption.Authority || len(d.Leans(SA)) > 0)
	}
	return false
}

// Leans returns what has to be shown before it can be decided that the authority, or the persons, are not told: those of
// severity.Provable that the score speaks against a notice by, and that are only said.
func (c *Case) Leans(subject string) []string {
	if c.Score == nil {
		return nil
	}
	missing, without := c.Score.Input.Unproven()
	with := c.Score.Score.Presumption
	if subject == SA && without.Authority && !with.Authority || subject == Persons && without.Persons && !with.Persons {
		return missing
	}
	return nil
}

// settle makes a proposal count.
func (d *deciding) settle(p *Decision) error {
	dpo := p.DPO || d.e.By.Has(policy.DPO)
	below := d.below(p.Subject, p.Yes)
	if below && !dpo {
		return refuse("dpo_needed", "Score or triggers speak for a notice. Against them, one of the two is the data protection officer.", "Ask the data protection officer to agree, or decide for a notice.")
	}
	if old := d.decision(p.Subject); old != nil {
		old.Replaced, old.Why = true, "decided"
	}
	p.Second, p.Settled, p.Agreed, p.DPO, p.Below = d.e.By.ID, d.now, d.e.Text, dpo, below
	p.Blind = d.Score == nil
	return nil
}

// rescored has people decide again where a new score speaks for a notice they decided against, or does so but for what it
// only says. A lower score changes nothing that was decided.
func (d *deciding) rescored() {
	again := false
	for i := range d.Decisions {
		no := &d.Decisions[i]
		if no.Replaced || no.Settled.IsZero() || no.Yes || no.Below && !no.Blind {
			continue
		}
		if notified := no.Subject == SA || no.Subject == Persons || IsReport(no.Subject); notified && (d.below(no.Subject, false) || len(d.Leans(no.Subject)) > 0) {
			no.Replaced, no.Why = true, "score"
			again = true
		}
	}
	if again {
		d.record("reopened")
		d.tell("again", "")
	}
}

// samePerson refuses the agreement of somebody who proposed it herself, under another address.
func samePerson() error {
	return fault.Refuse(fault.Denied, "same_person", "Who proposed it and you are, or look like, one person under two addresses: two people decide.", "Ask somebody else; where you are two, have names and addresses in people.yaml that tell you apart.")
}

// evidenceMissing refuses a "no" that rests on what nothing shows.
func evidenceMissing(missing []string) error {
	names := strings.Join(missing, " and ")
	return fault.Refuse(fault.Conflict, "evidence_missing", "The score speaks against telling only because it says "+names+", and nothing shows that.",
		"Score again with evidence."+strings.Join(missing, " and evidence.")+": in \"reference\" where a person finds what shows it, in \"note\" what it shows. Or decide to tell.")
}

func refuse(code, detail, next string) error {
	return fault.Refuse(fault.Invalid, code, detail, next)
}
