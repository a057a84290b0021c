package severity

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Rating is how a class of data was scored. A value other than the base of its class has its reason.
type Rating struct {
	Value  Quarters `json:"value" required:"true"`
	Reason string   `json:"reason,omitempty"` // at most MaxReason bytes
}

// Circumstance is CB by its parts.
type Circumstance struct {
	Confidentiality Quarters `json:"confidentiality" required:"true"`
	Integrity       Quarters `json:"integrity" required:"true"`
	Availability    Quarters `json:"availability" required:"true"`
	Malicious       Quarters `json:"malicious" required:"true"`
}

// part returns a part by its name.
func (c *Circumstance) part(name string) *Quarters {
	switch name {
	case "confidentiality":
		return &c.Confidentiality
	case "integrity":
		return &c.Integrity
	case "availability":
		return &c.Availability
	}
	return &c.Malicious
}

// Input is what a breach is scored from. The values each part may take are those of the method.
type Input struct {
	DPC map[Class]Rating    `json:"dpc" required:"true"` // the classes among the data, each scored for itself
	EI  map[string]Quarters `json:"ei" required:"true"`  // what people are told apart by, by Identifiers
	// Raised is EI where the identifiers together tell people apart better than each of them; it has its reason.
	Raised         *Rating      `json:"ei_raised,omitempty"`
	CB             Circumstance `json:"cb" required:"true"`
	People         *int64       `json:"people"` // null: not known
	Unintelligible bool         `json:"unintelligible"`
	KeyCompromised bool         `json:"key_compromised"`
	Facts          []string     `json:"facts,omitempty"` // those of Facts that hold
	// Evidence is what shows each of Provable, by its name. Without it they count in a score, and stand under Unproven.
	Evidence map[string]Proof `json:"evidence,omitempty"`
}

// Proof is where a person finds what shows something.
type Proof struct {
	Reference string `json:"reference" required:"true"` // of a document, a record, a message; at most MaxReason bytes
	Note      string `json:"note,omitempty"`            // what it shows; at most MaxReason bytes
}

// trusted is the fact that whoever got the data can be trusted with it.
const trusted = "trusted_recipient"

// Provable are the answers that speak against a notice. A tick says them; that nobody is told rests on what shows them.
func Provable() []string { return []string{string(Unintelligible), trusted} }

// says reports whether an Input says one of Provable.
func (in Input) says(name string) bool {
	return name == string(Unintelligible) && in.Unintelligible || slices.Contains(in.Facts, name)
}

// Unproven returns those of Provable that an Input says and shows nothing for, and what is presumed without them.
func (in Input) Unproven() (names []string, without Presumption) {
	proven := in.clone()
	for _, name := range Provable() {
		if _, shown := in.Evidence[name]; shown || !in.says(name) {
			continue
		}
		names = append(names, name)
		proven.Unintelligible = proven.Unintelligible && name != string(Unintelligible)
		proven.Facts = slices.DeleteFunc(proven.Facts, func(fact string) bool { return fact == name })
	}
	return names, proven.score().Presumption
}

// Bounds of an Input.
const (
	MaxInput  = 64 << 10
	MaxReason = 2_000
	maxDepth  = 8
)

// Read reads an Input as JSON and checks it. Errors are Invalid, code input_invalid, and say which member is wrong and
// what it may be; they repeat nothing of a reason.
func Read(data []byte) (Input, error) {
	var in Input
	if len(data) > MaxInput {
		return in, invalid("", fmt.Sprintf("has more than %d bytes", MaxInput), "Shorten the reasons.")
	}
	if _, err := strictjson.Decode(data, maxDepth, &in); err != nil {
		return in, invalid("", err.Error(), "Correct it: members are dpc, ei, ei_raised, cb, people, unintelligible, key_compromised, facts, evidence.")
	}
	return in, in.Check()
}

// Check refuses what the method does not know. Its errors are those of Read.
func (in Input) Check() error {
	if len(in.DPC) == 0 {
		return invalid("dpc", "is empty", "Score at least one of: "+join(Classes())+".")
	}
	for _, class := range slices.Sorted(maps.Keys(in.DPC)) {
		if err := checkClass(class, in.DPC[class]); err != nil {
			return err
		}
	}
	if len(in.EI) == 0 {
		return invalid("ei", "is empty", "Score at least one of: "+strings.Join(Identifiers(), ", ")+".")
	}
	for _, name := range slices.Sorted(maps.Keys(in.EI)) {
		if _, known := enisa.EI[name]; !known {
			return invalid("ei."+clip(name), "is not known", "Use one of: "+strings.Join(Identifiers(), ", ")+"; what is not among them counts as code_alias_initials.")
		}
		if err := oneOf("ei."+name, in.EI[name], enisa.EI[name].values()); err != nil {
			return err
		}
	}
	if in.Raised != nil {
		if err := in.checkRaised(); err != nil {
			return err
		}
	}
	for _, name := range Circumstances() {
		if err := oneOf("cb."+name, *in.CB.part(name), enisa.CB[name].values()); err != nil {
			return err
		}
	}
	if in.People != nil && (*in.People < 0 || *in.People > 1e10) {
		return invalid("people", "is not a number of people", "Give a number from 0 on, or null where it is not known.")
	}
	for i, fact := range in.Facts {
		if _, known := triggers.Facts[fact]; !known || slices.Contains(in.Facts[:i], fact) {
			names, _ := Facts()
			return invalid("facts", fmt.Sprintf("has %q, which is not known, or is there twice", clip(fact)), "Use those of: "+strings.Join(names, ", ")+".")
		}
	}
	return in.checkEvidence()
}

func (in Input) checkEvidence() error {
	for _, name := range slices.Sorted(maps.Keys(in.Evidence)) {
		at := "evidence." + clip(name)
		switch p := in.Evidence[name]; {
		case !slices.Contains(Provable(), name):
			return invalid(at, "is not known", "Evidence is for: "+strings.Join(Provable(), ", ")+".")
		case !in.says(name):
			return invalid(at, "shows what the input does not say", "Say it as well, or leave its evidence out.")
		case strings.TrimSpace(p.Reference) == "" || len(p.Reference) > MaxReason || len(p.Note) > MaxReason:
			return invalid(at, fmt.Sprintf("has no reference, or one of its texts has more than %d bytes", MaxReason), "Say in \"reference\" where a person finds what shows it.")
		}
	}
	return nil
}

func checkClass(class Class, r Rating) error {
	row, known := enisa.DPC[class]
	at := "dpc." + clip(string(class))
	if !known {
		return invalid(at, "is not known", "Use one of: "+join(Classes())+".")
	}
	if err := oneOf(at, r.Value, row.Values.values()); err != nil {
		return err
	}
	if len(r.Reason) > MaxReason {
		return invalid(at, fmt.Sprintf("has a reason of more than %d bytes", MaxReason), "Shorten it.")
	}
	if int(r.Value) != row.Base*4 && strings.TrimSpace(r.Reason) == "" {
		return invalid(at, fmt.Sprintf("is not %d, the base of its class, and has no reason", row.Base), "Say why in \"reason\".")
	}
	return nil
}

func (in Input) checkRaised() error {
	highest := in.identified()
	switch r := in.Raised; {
	case r.Value != 1 && r.Value != 2 && r.Value != 3 && r.Value != 4 || r.Value <= highest:
		return invalid("ei_raised", "is not above the highest of ei", fmt.Sprintf("Give one of 0.5, 0.75, 1 above %s, or leave it out.", highest))
	case strings.TrimSpace(r.Reason) == "" || len(r.Reason) > MaxReason:
		return invalid("ei_raised", fmt.Sprintf("has no reason, or one of more than %d bytes", MaxReason), "Say what the identifiers tell together.")
	}
	return nil
}

// identified is the highest of the identifiers.
func (in Input) identified() (highest Quarters) {
	for _, q := range in.EI {
		highest = max(highest, q)
	}
	return highest
}

func oneOf(at string, q Quarters, values []Quarters) error {
	if slices.Contains(values, q) {
		return nil
	}
	return invalid(at, "is "+q.String()+", which the method does not allow", "Allowed: "+allowed(values)+".")
}

func invalid(at, what, next string) error {
	text := what
	if at != "" {
		text = "has a mistake: " + at + " " + what
	}
	return fault.Refuse(fault.Invalid, "input_invalid", "The input "+text+".", next)
}

// clip shortens a name somebody gave.
func clip(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

func join(classes []Class) string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}
