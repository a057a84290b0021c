package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/severity"
)

// Score is what a breach came to, and what speaks for a notice.
type Score struct {
	SE, DPC, EI, CB    string
	Level              string // key
	Authority, Persons bool
	Flags              []string // keys
	Triggers           []Trigger
	Flips              []Flip
	Closest            Closest
	By                 string
	Reasons            string
	Unproven           []string // keys
	Without            string   // key: what speaks for a notice without those; "" where nothing more does
}

// Trigger is one that holds.
type Trigger struct {
	Why  string // key
	Asks string // key
}

// Flip is an answer that, were it another, would change what comes of the score.
type Flip struct {
	What, From, To string
	Then           string
}

// Closest is the published case that resembles this one most. Its title is English.
type Closest struct {
	Case, Title        string
	Authority, Persons bool
	Differs            []string // keys
}

// Inputs is the form of a score: every value the method knows.
type Inputs struct {
	Classes       []Part
	Identifiers   []Part
	Circumstances []Part
	Raised        Part
	Facts         []Choice // labels are keys
	Evidence      []Choice // of what has to be shown; labels are keys
	// Was is what the last score was made of, as a form has it.
	Was Form
}

// Filled is a form of a score as it is shown: as it was sent, or as the last score was made.
func (i Inputs) Filled(sent Form) Form {
	if sent.Open() {
		return sent
	}
	return i.Was
}

// Part is one value of the score.
type Part struct {
	Name   string // of the field
	Label  string // key
	Holds  string // key: what belongs to it
	Base   string // value that needs no reason; "" where none does
	Values []Choice
}

// raised are the values EI may be raised to.
var raised = []severity.Quarters{2, 3, 4}

func (r Reader) score(c cases.Read) (*Score, Inputs) {
	in := inputs()
	if c.Score == nil {
		return nil, in
	}
	in.Was = Form{Values: was(c.Score.Input, c.Text(c.Score.Why))}
	got := c.Score.Score
	s := &Score{
		SE: got.SE.String(), DPC: got.DPC.String(), EI: got.EI.String(), CB: got.CB.String(), Level: "level." + string(got.Level),
		Authority: got.Presumption.Authority, Persons: got.Presumption.Persons, By: r.Say("by.one", r.Person(c.Score.By), r.At(c.Score.At)), Reasons: c.Text(c.Score.Why),
		Closest: Closest{got.Closest.Case, got.Closest.Title, got.Closest.Authority, got.Closest.Persons, nil},
	}
	for _, f := range got.Flags {
		s.Flags = append(s.Flags, "flag."+string(f))
	}
	for _, name := range got.Unproven {
		s.Unproven = append(s.Unproven, "unproven."+name)
	}
	if w := got.Without; w != nil && w.Persons {
		s.Without = "unproven.without.persons"
	} else if w != nil {
		s.Without = "unproven.without.authority"
	}
	for _, t := range got.Triggers {
		s.Triggers = append(s.Triggers, Trigger{"trigger." + t.ID, "asks." + t.Asks})
	}
	for _, name := range got.Closest.Differs {
		s.Closest.Differs = append(s.Closest.Differs, inputKey(name))
	}
	for _, f := range got.Flips {
		s.Flips = append(s.Flips, Flip{r.Say(inputKey(f.Input)), r.answer(f.From), r.answer(f.To), r.then(f.After)})
	}
	return s, in
}

// inputKey is the text of a part of the input, such as cb.malicious or facts.bank_data.
func inputKey(name string) string {
	if fact, is := strings.CutPrefix(name, "facts."); is {
		return "fact." + fact
	}
	return "in." + name
}

// answer writes a value of an input: a number, or yes, no and unknown in words.
func (r Reader) answer(value string) string { return r.known("value.", value) }

func (r Reader) then(a severity.After) string {
	tell := "then.nobody"
	switch {
	case a.Presumption.Persons:
		tell = "then.persons"
	case a.Presumption.Authority:
		tell = "then.authority"
	}
	return r.Say("then", r.Say("level."+string(a.Level)), a.SE.String(), r.Say(tell))
}

// inputs are the parts of a score as a form has them.
func inputs() Inputs {
	in := Inputs{Raised: Part{Name: "ei_raised", Label: "in.ei_raised"}}
	list := func(name, values string, all []severity.Text) (choices []Choice) {
		for _, one := range all {
			choices = append(choices, Choice{one.Value.String(), values + name + "." + one.Value.String()})
		}
		return choices
	}
	for _, class := range severity.Classes() {
		values, base, _ := severity.ValuesOfClass(class)
		in.Classes = append(in.Classes, Part{"dpc." + string(class), "in.dpc." + string(class), "holds." + string(class), base.String(), list(string(class), "is.", values)})
	}
	for _, name := range severity.Identifiers() {
		in.Identifiers = append(in.Identifiers, Part{Name: "ei." + name, Label: "in.ei." + name, Values: list(name, "is.", severity.ValuesOf(name))})
	}
	for _, name := range severity.Circumstances() {
		in.Circumstances = append(in.Circumstances, Part{Name: "cb." + name, Label: "in.cb." + name, Values: list(name, "is.", severity.ValuesOf(name))})
	}
	for _, q := range raised {
		in.Raised.Values = append(in.Raised.Values, Choice{q.String(), ""})
	}
	names, _ := severity.Facts()
	for _, name := range names {
		in.Facts = append(in.Facts, Choice{name, "fact." + name})
	}
	for _, name := range severity.Provable() {
		in.Evidence = append(in.Evidence, Choice{"evidence." + name, "in.evidence." + name})
	}
	return in
}

// was is an input as the form has it, so that a second score begins where the first ended.
func was(in severity.Input, reasons string) url.Values {
	f := url.Values{}
	for class, rating := range in.DPC {
		f.Set("dpc."+string(class), rating.Value.String())
	}
	for name, value := range in.EI {
		f.Set("ei."+name, value.String())
	}
	if in.Raised != nil {
		f.Set("ei_raised", in.Raised.Value.String())
	}
	for name, value := range map[string]severity.Quarters{"confidentiality": in.CB.Confidentiality, "integrity": in.CB.Integrity, "availability": in.CB.Availability, "malicious": in.CB.Malicious} {
		f.Set("cb."+name, value.String())
	}
	if in.People != nil {
		f.Set("people", strconv.FormatInt(*in.People, 10))
	}
	for name, set := range map[string]bool{"unintelligible": in.Unintelligible, "key_compromised": in.KeyCompromised} {
		if set {
			f.Set(name, "yes")
		}
	}
	f["fact"] = slices.Clone(in.Facts)
	// Reasons are kept in lines that begin with what they are of.
	for line := range strings.SplitSeq(strings.TrimSpace(reasons), "\n") {
		if of, reason, found := strings.Cut(line, ": "); found && strings.HasPrefix(of, "evidence.") {
			f.Set(of, reason)
		} else if found && of == "ei" {
			f.Set("ei_raised.reason", reason)
		} else if found {
			f.Set("dpc."+of+".reason", reason)
		}
	}
	return f
}

// ReadInputs is the input a form holds. What is no number is kept as one the method refuses.
func ReadInputs(f url.Values) severity.Input {
	in := severity.Input{DPC: map[severity.Class]severity.Rating{}, EI: map[string]severity.Quarters{}, Unintelligible: f.Get("unintelligible") != "", KeyCompromised: f.Get("key_compromised") != "", Facts: f["fact"]}
	for _, class := range severity.Classes() {
		if value := f.Get("dpc." + string(class)); value != "" {
			in.DPC[class] = severity.Rating{Value: quarters(value), Reason: strings.TrimSpace(f.Get("dpc." + string(class) + ".reason"))}
		}
	}
	for _, name := range severity.Identifiers() {
		if value := f.Get("ei." + name); value != "" {
			in.EI[name] = quarters(value)
		}
	}
	if value := f.Get("ei_raised"); value != "" {
		in.Raised = &severity.Rating{Value: quarters(value), Reason: strings.TrimSpace(f.Get("ei_raised.reason"))}
	}
	in.CB = severity.Circumstance{Confidentiality: quarters(f.Get("cb.confidentiality")), Integrity: quarters(f.Get("cb.integrity")), Availability: quarters(f.Get("cb.availability")), Malicious: quarters(f.Get("cb.malicious"))}
	for _, name := range severity.Provable() {
		proof := severity.Proof{Reference: strings.TrimSpace(f.Get("evidence." + name + ".reference")), Note: strings.TrimSpace(f.Get("evidence." + name + ".note"))}
		if proof != (severity.Proof{}) {
			if in.Evidence == nil {
				in.Evidence = map[string]severity.Proof{}
			}
			in.Evidence[name] = proof
		}
	}
	if people := strings.TrimSpace(f.Get("people")); people != "" {
		n, err := strconv.ParseInt(people, 10, 64)
		if err != nil {
			n = -1
		}
		in.People = &n
	}
	return in
}

func quarters(text string) severity.Quarters {
	var q severity.Quarters
	if q.UnmarshalJSON([]byte(text)) != nil {
		return -1
	}
	return q
}

// InputField is the field of the form a refusal of an input is about; "" where it names none.
func InputField(detail string) string {
	_, after, found := strings.Cut(detail, "mistake: ")
	if !found {
		return ""
	}
	field, what, _ := strings.Cut(after, " ")
	switch {
	case field == "dpc":
		return "dpc.simple"
	case field == "ei":
		return "ei.full_name"
	case strings.HasPrefix(field, "evidence."):
		return field + ".reference"
	case strings.Contains(what, "reason"):
		return field + ".reason"
	}
	return field
}
