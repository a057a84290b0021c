package page

import (
	"slices"

	"ostiary.internal/shared/breach/cases"
)

// Left is something that keeps a case from being closed.
type Left struct {
	What string
	Path string // where it is done; "" for on this page
}

// unsettled says what has to be done before a case may be closed, as the case itself asks for it.
func (r Reader) unsettled(c cases.Case) (all []Left) {
	if c.State != cases.Open {
		return nil
	}
	for _, l := range c.Unsettled(r.Rules, r.Pending, r.Now) {
		one := Left{What: r.Say("unsettled." + l.Code)}
		if l.Notice > 0 {
			one = Left{r.Say("unsettled."+l.Code, l.Notice), noticePath(c.ID, l.Notice)}
		}
		all = append(all, one)
	}
	return all
}

// Triaged is what was found of a suspicion, and who has the next step.
type Triaged struct {
	Result string // key
	By, At string
	Owner  string
	Next   string
	Reason string
}

// Facts are what the register asks for beside times, numbers and decisions.
type Facts struct {
	All     []Fact
	Pick    []Pick // as a form has them
	Texts   []Text
	Earlier string // numbers, with commas
}

// Pick is a fact that is one of some words.
type Pick struct {
	Name    string // of the field
	Label   string // key
	Value   string // what is known; "" for nothing
	Why     string // of what does not apply
	Choices []Choice
}

// Text is a fact people write.
type Text struct {
	Name, Label string // Label is a key
	Value       string
}

// picks are the facts that are words, as the form of a case and that to declare with have them.
func picks(c cases.Read) []Pick {
	pick := func(name string, words ...string) Pick {
		p := Pick{Name: name, Label: "facts." + name, Value: c.Details.Word(name)}
		if why, not := c.Details.Not[name]; not {
			p.Value, p.Why = string(cases.NotApplicable), c.Text(why)
		}
		for _, w := range words {
			p.Choices = append(p.Choices, Choice{w, "facts." + name + "." + w})
		}
		return p
	}
	return []Pick{
		pick("occurrence", "exact", "estimate", "unknown"), pick("found", "staff", "detection", "processor", "person", "third_party", "press"),
		pick("origin", "internal", "external", "unknown"), pick("intent", "malicious", "accidental", "unknown"),
	}
}

func (r Reader) facts(p *Case, c cases.Read) {
	d := c.Details
	p.Facts.Pick = picks(c)
	for _, one := range p.Facts.Pick {
		f := Fact{Name: one.Label, Unknown: one.Value == ""}
		if why, not := d.Not[one.Name]; not {
			f.Value = r.not(c, why)
		} else if !f.Unknown {
			f.Value = r.Say(one.Label + "." + one.Value)
		}
		p.Facts.All = append(p.Facts.All, f)
	}
	for _, name := range cases.DetailTexts {
		text := c.Text(d.Text(name))
		p.Facts.Texts = append(p.Facts.Texts, Text{name, "facts." + name, text})
		if why, not := d.Not[name]; not {
			text = r.not(c, why)
		}
		p.Facts.All = append(p.Facts.All, Fact{"facts." + name, text, text == ""})
	}
	for i, number := range d.Earlier {
		if i > 0 {
			p.Facts.Earlier += ", "
		}
		p.Facts.Earlier += Group(number)
	}
	p.Facts.All = append(p.Facts.All, Fact{"facts.earlier", p.Facts.Earlier, p.Facts.Earlier == ""})
	p.Processor = slices.ContainsFunc(c.Tracks, func(t cases.Track) bool { return t.Role == cases.Processor })
	if f := c.Triage; f != nil {
		p.Triaged = &Triaged{"triage." + string(f.Result), r.Person(f.By), r.At(f.At), r.Person(f.Owner), c.Text(f.Next), c.Text(f.Reason)}
	}
	for _, id := range c.TakesBack() {
		p.TakeBack = append(p.TakeBack, Choice{id, r.clockName(id)})
	}
	if c.Ending == cases.NotABreach && c.Incident {
		p.State = "state.incident"
	}
}

// NewBrief is the page of a case for who may not look at cases: that it is there, what she wrote when she declared it, and
// what its review put down to her.
func (r Reader) NewBrief(c cases.Read) Case {
	p := Case{Brief: true, ID: c.ID, Number: Group(c.Number), Path: CasePath(c.ID), State: stateKey(c.Case), Exercise: c.Exercise, Most: r.Local(r.Now), Zone: r.Rules.Zone.String()}
	if c.By == r.Me.ID {
		p.Summary, p.Declared, p.MayMove, p.Open = c.Text(c.Summary), r.Say("case.declared", r.Person(c.By), r.At(c.Declared)), true, c.State == cases.Open
	}
	for i, a := range c.Actions {
		if a.Owner == r.Me.ID {
			p.Actions = append(p.Actions, r.action(c, i))
		}
	}
	return p
}

// newBriefItem is a case in the list of who may not look at it.
func (r Reader) newBriefItem(c cases.Case) Item {
	return Item{ID: c.ID, Number: Group(c.Number), Path: CasePath(c.ID), State: stateKey(c), Exercise: c.Exercise, Declared: r.Say("item.declared", r.At(c.Declared))}
}

// recounts are what was said of the counts of a track before, oldest first.
func (r Reader) recounts(c cases.Read, t cases.Track) (all []string) {
	for _, e := range t.Earlier {
		all = append(all, r.Say("tracks.earlier", r.count(c, e.People), r.count(c, e.Records), r.Person(e.By), r.At(e.At)))
	}
	return all
}
