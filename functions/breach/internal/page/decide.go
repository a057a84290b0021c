package page

import (
	"slices"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/policy"
)

// Subject is somebody who is told, or is not: the authority, the persons, a tenant, or whom a law names beside them.
type Subject struct {
	ID      string // what a form sends back
	Name    string
	Title   string // the question
	Answer  string // key; "" while it is not decided
	Yes     bool
	By      string // who decided
	Reason  string
	Again   string // day on which a "no" is looked at again
	Speaks  string // key: what score and triggers speak for; "" of tenants
	Waits   *Proposal
	Told    string
	Owed    bool   // of persons: nobody has said yet that they were told
	Changed string // key: why a decision no longer counts
	Letter  string // of a "no" to the persons: of article 34(3)
}

// Proposal is what one person thinks and another has to agree to.
type Proposal struct {
	Answer   string // key
	Yes      bool
	By, At   string
	Reason   string
	Letter   string // of article 34(3)
	Incident bool   // of breach: something happened, and to no personal data
	Mine     bool
	NeedDPO  bool   // only the data protection officer can be the second
	Who      string // names of those who can be
	May      bool   // the reader is one of them
}

// Tenants is what is decided about those a case concerns as a processor.
type Tenants struct {
	Rows             []Subject
	More             int
	Yes, No, Told    int
	Undecided, Waits int
	Choices          []Choice // labels are text
	Proposed         []Together
}

// Fresh reports whether nobody has said anything about a tenant yet.
func (t Tenants) Fresh() bool { return t.Yes+t.No+t.Waits == 0 }

// Together is one proposal for several tenants.
type Together struct {
	Proposal
	Count int
	Names string

	ids []string
}

// standing is what is decided about a subject.
type standing struct {
	counts, waits *cases.Decision // nil for none
	rescored      bool            // a decision no longer counts because of a new score
	told          time.Time
}

// standings looks through the decisions of a case once, however many tenants it concerns.
func standings(c cases.Case) map[string]standing {
	all := map[string]standing{}
	for i := range c.Decisions {
		d := &c.Decisions[i]
		s := all[d.Subject]
		switch {
		case d.Replaced:
			s.rescored = s.rescored || d.Why == "score"
		case d.Settled.IsZero():
			s.waits = d
		default:
			s.counts = d
		}
		all[d.Subject] = s
	}
	for i := range c.Tracks {
		s := all[c.Tracks[i].ID]
		s.told = c.Tracks[i].Told
		all[c.Tracks[i].ID] = s
	}
	return all
}

// yes reports whether two people decided that the subject is told.
func (s standing) yes() bool { return s.counts != nil && s.counts.Yes }

// decisions fills in what is decided and what waits.
func (r Reader) decisions(p *Case, c cases.Read, clocks []clock.Clock) {
	all := standings(c.Case)
	for _, id := range c.Subjects() {
		if id == cases.SA || id == cases.Persons {
			s := r.subject(c, id, all[id])
			s.Speaks = speaks(c.Case, id)
			if id == cases.Persons && s.Yes {
				s.Told, s.Owed = r.At(c.Kept[id]), c.Kept[id].IsZero()
			}
			p.Subjects = append(p.Subjects, s)
			continue
		}
		if p.Tenants == nil {
			p.Tenants = &Tenants{}
		}
		p.Tenants.add(r, r.subject(c, id, all[id]))
	}
	for _, one := range clocks {
		if is, known := all[one.ID]; cases.OwesReport(one) || known && cases.IsReport(one.ID) {
			p.Subjects = append(p.Subjects, r.subject(c, one.ID, is))
		}
	}
	if waiting := r.subject(c, cases.Breach, all[cases.Breach]); waiting.Waits != nil {
		p.Subjects = append(p.Subjects, waiting)
	}
	if m := c.Moving; m != nil {
		p.Moving = &Moving{As: string(m.As), To: r.At(m.To), From: r.At(m.From), By: r.Person(m.By), Reason: c.Text(m.Reason), Value: m.To.Format(time.RFC3339Nano),
			Mine: r.mine(m.By), Who: r.others([]string{m.By})}
	}
}

// add puts a tenant into the list; beyond so many they are counted, and those of one proposal stand together.
func (t *Tenants) add(r Reader, s Subject) {
	switch {
	case s.Answer == "":
		t.Undecided++
	case s.Yes:
		t.Yes++
	default:
		t.No++
	}
	if s.Told != "" {
		t.Told++
	}
	t.Choices = append(t.Choices, Choice{s.ID, s.Name})
	if w := s.Waits; w != nil {
		t.Waits++
		at := slices.IndexFunc(t.Proposed, func(o Together) bool { return o.Proposal == *w })
		if at < 0 {
			t.Proposed = append(t.Proposed, Together{Proposal: *w})
			at = len(t.Proposed) - 1
		}
		one := &t.Proposed[at]
		one.ids = append(one.ids, s.ID)
		switch one.Count++; {
		case one.Count == 1:
			one.Names = s.Name
		case one.Count <= most:
			one.Names += ", " + s.Name
		case one.Count == most+1:
			one.Names += " …"
		}
	}
	if len(t.Rows) >= shown {
		t.More++
		return
	}
	t.Rows = append(t.Rows, s)
}

// subject is one subject as it stands.
func (r Reader) subject(c cases.Read, id string, is standing) Subject {
	s := Subject{ID: id, Name: r.subjectName(id), Title: r.Sentence(r.Lang, "decide."+id), Told: r.At(is.told)}
	if s.Title == "" {
		s.Title = r.Say("decide.report", s.Name)
	}
	counts, waits := is.counts, is.waits
	if counts != nil {
		s.Answer, s.Yes, s.Reason, s.Again = "answer."+yes(counts.Yes), counts.Yes, c.Text(counts.Reason), r.Day(counts.Again)
		s.Letter = counts.Exception
		s.By = r.Say("by.two", r.Person(counts.By), r.Person(counts.Second), r.At(counts.Settled))
	}
	if waits != nil {
		p := &Proposal{Answer: "answer." + yes(waits.Yes), Yes: waits.Yes, By: r.Person(waits.By), At: r.At(waits.At), Reason: c.Text(waits.Reason), Letter: waits.Exception, Incident: waits.Incident, Mine: r.mine(waits.By)}
		p.NeedDPO = waits.Below && !waits.DPO
		if p.NeedDPO {
			p.Who, p.May = r.others([]string{waits.By}, policy.DPO), r.Me.Has(policy.DPO) && !p.Mine
		} else {
			p.Who, p.May = r.others([]string{waits.By}), r.May() && !p.Mine
		}
		s.Waits = p
	}
	if is.rescored && counts == nil {
		s.Changed = "decision.score"
	}
	return s
}

func (r Reader) subjectName(id string) string {
	switch id {
	case cases.SA, cases.Persons, cases.Breach:
		return r.Say("subject." + id)
	}
	if cases.IsReport(id) {
		return r.clockName(id)
	}
	return r.Tenant(id)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// speaks is what score and triggers speak for. Without a score nobody can say that no risk is likely.
func speaks(c cases.Case, subject string) string {
	switch {
	case c.Score == nil:
		return "speaks.none"
	case subject == cases.SA && c.Score.Score.Presumption.Authority, subject == cases.Persons && c.Score.Score.Presumption.Persons:
		return "speaks.yes"
	case len(c.Leans(subject)) > 0:
		return "speaks.unproven"
	}
	return "speaks.no"
}
