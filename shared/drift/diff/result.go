package diff

import (
	"cmp"
	"fmt"
	"strings"
)

// Class says what sort of difference it is.
type Class string

// The classes.
const (
	Changed      Class = "changed"       // a field is another than Terraform wants
	Missing      Class = "missing"       // what Terraform knows is not there
	Unmanaged    Class = "unmanaged"     // what is there Terraform does not know
	Extra        Class = "extra"         // a member nobody wanted, where Terraform says all of them
	StaleDesired Class = "stale-desired" // it is as it was applied last, and the code wants it otherwise: nobody applied that yet
	Undetermined Class = "undetermined"  // nobody can say
)

// Finding is one difference.
type Finding struct {
	Key       string    `json:"key"`               // of the resource
	Type      string    `json:"type"`              // of Cloud Asset Inventory
	Address   string    `json:"address,omitempty"` // in Terraform
	Class     Class     `json:"class"`
	Field     string    `json:"field,omitempty"`
	Want      string    `json:"want,omitempty"` // as the rule writes it; "" for nothing
	Got       string    `json:"got,omitempty"`
	Secret    bool      `json:"secret,omitempty"` // Want and Got are digests
	Direction Direction `json:"direction,omitempty"`
	Severity  severity  `json:"severity"`
	Data      string    `json:"data,omitempty"` // what the resource holds, for which the severity is one step more
	Why       string    `json:"why,omitempty"`  // of Undetermined: one of the words below, or a sentence of who else compares
}

// Why nobody can say.
const (
	Unnamed     = "unnamed"      // the state does not say what it is about
	Unlisted    = "unlisted"     // not all of its type was read there
	Unread      = "unread"       // only who may use it was
	UsersUnread = "users-unread" // who may use it was not
	Shape       = "shape"        // a value is of a shape nobody expected
)

var whys = map[string]string{
	Unnamed: "the state does not say what it is about, in a shape that is known", Unlisted: "not all of this type was read there: perhaps it may not be listed",
	Unread: "the resource itself was not read, only who may use it", UsersUnread: "who may use it was not read", Shape: "the value is of a shape nobody expected",
}

// About is what a difference is about: an address of Terraform and a field. What Terraform does not know has none: the class.
func (f Finding) About() string {
	return cmp.Or(strings.TrimSpace(f.Address+" "+f.Field), string(f.Class))
}

// Same is what tells a difference apart from others of its asset, whatever Terraform calls that tomorrow: a resource is renamed
// there without anything having changed. What has no key goes by its address, "" here.
func (f Finding) Same() string {
	switch {
	case f.Key == "" || f.Address == "":
		return ""
	case strings.HasPrefix(f.Field, "iam "):
		return "terraform " + f.Field + " " + f.Want
	}
	return "terraform " + cmp.Or(f.Field, string(Missing))
}

// Place takes an address of Terraform's from what follows it, a field mostly, behind a space. A space in the key of an instance
// divides nothing.
func Place(text string) (address, field string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// Reason is why nobody can say, for people.
func (f Finding) Reason() string { return cmp.Or(whys[f.Why], f.Why) }

// Gap is what nobody compared.
type Gap struct {
	Type  string `json:"type"`            // of Terraform
	Field string `json:"field,omitempty"` // "" for all of the type
	Count int    `json:"count"`           // of resources it stands in
}

// Result is a comparison.
type Result struct {
	Findings []Finding      `json:"findings"`
	Gaps     []Gap          `json:"gaps"`
	Compared map[string]int `json:"compared"` // resources, by type of Terraform
	Other    map[string]int `json:"other,omitempty"`
}

// pending tells what is as it was applied last from what somebody changed.
func (r *Result) pending(before *comparison) {
	differs := map[string]bool{}
	for _, f := range before.result.Findings {
		differs[f.place()] = true
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case f.Class == Undetermined || differs[f.place()]:
		case f.Class == Missing || strings.HasPrefix(f.Field, "iam ") || before.known[f.Key]:
			if f.Class == Missing {
				f.Severity, f.Data = medium, "" // nothing was there that could be worse now
			}
			f.Class = StaleDesired
		}
	}
}

// place is where two comparisons with the same assets find the same difference.
func (f Finding) place() string {
	at := f.Key + "\x00" + f.Field + "\x00" + f.Got
	if strings.HasPrefix(f.Field, "iam ") {
		at += "\x00" + f.Want
	}
	return at
}

// String is a finding in one line, for people.
func (f Finding) String() string {
	name := f.Address
	if name == "" {
		name = f.Key
	}
	switch f.Class {
	case Missing:
		return name + ": is not there"
	case Unmanaged:
		return name + ": Terraform does not know it"
	case StaleDesired:
		return strings.TrimSuffix(fmt.Sprintf("%s: %s", name, f.Field), ": ") + ": the code wants it otherwise, and was not applied"
	case Undetermined:
		return strings.TrimSuffix(name+" "+f.Field, " ") + ": could not tell, " + f.Reason()
	}
	return fmt.Sprintf("%s: %s: %s instead of %s (%s)", name, f.Field, shown(f.Got), shown(f.Want), f.Direction)
}

func shown(s string) string {
	if s == "" {
		return "nothing"
	}
	return strings.ReplaceAll(s, "\n", ", ")
}
