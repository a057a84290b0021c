package severity

import (
	"maps"
	"slices"
)

// Presumption says what score and triggers speak for: a notice to the supervisory authority (GDPR, article 33), and one
// to the persons (article 34). False is not "no": then it is for two people to say why no risk is likely.
type Presumption struct {
	Authority bool `json:"authority"`
	Persons   bool `json:"persons"`
}

// Trigger is one that holds.
type Trigger struct {
	ID   string `json:"id"`
	Asks string `json:"asks"` // authority or persons
	Why  string `json:"why"`
}

// Score is what an Input comes to.
type Score struct {
	DPC         Quarters    `json:"dpc"`
	EI          Quarters    `json:"ei"`
	CB          Quarters    `json:"cb"`
	SE          Quarters    `json:"se"` // 0.25 to 6
	Level       Level       `json:"level"`
	Flags       []Flag      `json:"flags"`
	Triggers    []Trigger   `json:"triggers"`
	Presumption Presumption `json:"presumption"`
	Unproven    []string    `json:"unproven,omitempty"` // of Provable: said, and no evidence is attached
	// Without is what is presumed without all of Unproven, where that is more: nobody may lean on them.
	Without *Presumption `json:"without_unproven,omitempty"`
	Flips   []Flip       `json:"flips"`
	Closest Closest      `json:"closest"`
}

// Of scores a checked Input.
func Of(in Input) Score {
	s := in.score()
	var without Presumption
	if s.Unproven, without = in.Unproven(); without != s.Presumption {
		s.Without = &without
	}
	s.Flips = flips(in, s)
	s.Closest = closest(in, s)
	return s
}

func (in Input) score() Score {
	s := Score{EI: in.identified(), Flags: []Flag{}, Triggers: []Trigger{}}
	for _, r := range in.DPC {
		s.DPC = max(s.DPC, r.Value)
	}
	if in.Raised != nil {
		s.EI = max(s.EI, in.Raised.Value)
	}
	for _, name := range Circumstances() {
		s.CB += *in.CB.part(name)
	}
	s.SE = s.DPC*s.EI/4 + s.CB // DPC is whole
	s.Level = level(s.SE)
	s.Flags = in.flags()
	for _, t := range triggers.Triggers {
		if in.meets(t.When) {
			s.Triggers = append(s.Triggers, Trigger{t.ID, t.Asks, t.Why})
		}
	}
	asks := func(whom string) bool {
		return slices.ContainsFunc(s.Triggers, func(t Trigger) bool { return t.Asks == whom })
	}
	s.Presumption.Persons = s.SE >= bandFrom(High) || asks("persons")
	s.Presumption.Authority = s.SE >= bandFrom(Medium) || asks("authority") || s.Presumption.Persons
	return s
}

func level(se Quarters) (l Level) {
	for _, b := range enisa.Bands {
		if se >= bandFrom(b.Level) {
			l = b.Level
		}
	}
	return l
}

func bandFrom(l Level) Quarters {
	for _, b := range enisa.Bands {
		if b.Level == l {
			q, err := parseQuarters(b.From)
			if err != nil {
				panic(err) // the file is part of the program
			}
			return q
		}
	}
	panic("there is no band " + l)
}

// many is the number of people above which they are flagged.
const many = 100

func (in Input) flags() []Flag {
	flags := []Flag{}
	switch {
	case in.People == nil:
		flags = append(flags, PeopleUnknown)
	case *in.People > many:
		flags = append(flags, Over100)
	}
	switch {
	case in.KeyCompromised:
		flags = append(flags, KeyCompromised)
	case in.Unintelligible:
		flags = append(flags, Unintelligible)
	}
	return flags
}

// readable reports whether whoever has the data can make anything of it.
func (in Input) readable() bool {
	return (!in.Unintelligible || in.KeyCompromised) && !in.says(trusted)
}

func (in Input) meets(c condition) bool {
	for _, holds := range []bool{
		!c.Readable || in.readable(),
		!c.Malicious || in.CB.Malicious > 0,
		in.CB.Confidentiality >= c.Confidentiality,
		in.CB.Availability >= c.Availability,
		c.PeopleOver == 0 || in.People != nil && *in.People > c.PeopleOver,
		c.Identifier == "" || in.EI[c.Identifier] >= max(c.EI, 1),
		c.Class == "" || in.DPC[c.Class].Value >= Quarters(4*c.DPC),
		c.Fact == "" || slices.Contains(in.Facts, c.Fact),
	} {
		if !holds {
			return false
		}
	}
	return true
}

// clone returns an Input that shares nothing with in.
func (in Input) clone() Input {
	in.DPC, in.EI, in.Facts, in.Evidence = maps.Clone(in.DPC), maps.Clone(in.EI), slices.Clone(in.Facts), maps.Clone(in.Evidence)
	return in
}
