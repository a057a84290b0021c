package duty

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"ostiary.internal/shared/policy"
)

// Statement is the evidence of a person who says that it is done; a duty that names no evidence asks for it.
const Statement = "statement"

// machine are the types of machine evidence; those in personal are about one person, those in telling say what they are
// about (a course, what was checked, a review, what was scanned, who tested), those in answering what was asked for, and of these those in
// examining whether it is fit to be had. Those in working tell of a person's work.
var (
	machine = []string{"build.tested", "build.scanned", "release.deployed", "backup.completed", "backup.restored", "training.completed",
		"person.screened", "person.nda", "scan.finished", "pentest.report", "review.done", "endpoint.report", "uptime.report"}
	personal  = []string{"training.completed", "person.screened", "person.nda"}
	telling   = []string{"training.completed", "person.screened", "backup.restored", "scan.finished", "pentest.report", "review.done"}
	answering = []string{"backup.restored", "scan.finished"}
	examining = []string{"scan.finished"}
	working   = []string{"review.done"}
)

// Needed is one piece of evidence a duty needs.
type Needed struct {
	Type  string // Statement, or a type of machine evidence
	About string // one of the things it has to be about, as its source names them, in any case of letters; "" for whatever it is about
}

// String is the type, and behind it what the evidence has to be about.
func (n Needed) String() string { return strings.TrimSpace(n.Type + " " + strings.ToLower(n.About)) }

// Fits reports whether evidence of a type, about some things, is what is needed.
func (n Needed) Fits(eventType string, about ...string) bool {
	return n.Type == eventType && (n.About == "" || slices.ContainsFunc(about, func(one string) bool { return strings.EqualFold(n.About, one) }))
}

// UnmarshalYAML reads a type, or {type, about}.
func (n *Needed) UnmarshalYAML(node *yaml.Node) error {
	bad := policy.Mistake("is not evidence", "a type, or {type: such as training.completed, about: such as the name of the course}")
	if node.Kind == yaml.ScalarNode {
		n.Type = node.Value
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return bad
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		to := map[string]*string{"type": &n.Type, "about": &n.About}[node.Content[i].Value]
		if value := node.Content[i+1]; to == nil || *to != "" || value.Kind != yaml.ScalarNode || !isLine(value.Value) || len(value.Value) > maxAbout {
			return bad
		} else {
			*to = value.Value
		}
	}
	if n.Type == "" {
		return bad
	}
	return nil
}

// Hears reports whether the duty needs machine evidence of a type, whatever it has to be about.
func (d Duty) Hears(eventType string) bool {
	return slices.ContainsFunc(d.Machines(), func(n Needed) bool { return n.Type == eventType })
}

// Takes reports whether machine evidence of a type, about some things, counts for the duty. Evidence for a request has to
// be for what was asked for, besides.
func (d Duty) Takes(eventType string, about ...string) bool {
	return slices.ContainsFunc(d.Machines(), func(n Needed) bool { return n.Fits(eventType, about...) })
}

// ByHand reports whether a person has to say that it is done.
func (d Duty) ByHand() bool { return slices.Contains(d.Evidence, Needed{Type: Statement}) }

// worked reports whether somebody of the role that owes the duty has to do something for it: it is her word, or a machine
// tells of her work.
func (d Duty) worked() bool {
	return slices.ContainsFunc(d.Evidence, func(n Needed) bool { return n.Type == Statement || slices.Contains(working, n.Type) })
}

// Machines is the machine evidence the duty needs.
func (d Duty) Machines() []Needed {
	return slices.DeleteFunc(slices.Clone(d.Evidence), func(n Needed) bool { return n.Type == Statement })
}

// evidence checks what the duty needs, and refuses what could never be proven.
func (r *reader) evidence(key string, d *Duty) {
	if len(d.Evidence) == 0 {
		d.Evidence = []Needed{{Type: Statement}}
	}
	known := append([]string{Statement}, machine...)
	seen := map[string]bool{}
	for i, n := range d.Evidence {
		key := fmt.Sprintf("%s.evidence[%d]", key, i)
		switch {
		case !slices.Contains(known, n.Type):
			r.wrong(key, fmt.Sprintf("%.40q is not a type of evidence", n.Type)+policy.Meant(n.Type, known), strings.Join(known, ", "))
		case seen[n.String()]:
			r.wrong(key, fmt.Sprintf("%.40q is here twice", n), "each piece of evidence once")
		case n.About != "" && !slices.Contains(telling, n.Type):
			r.wrong(key, "never says what it is about", "about: with "+strings.Join(telling, ", "))
		case n.Type == Statement:
		case d.Requested() && !slices.Contains(answering, n.Type):
			r.wrong(key, "never says which request it is for", Statement+", "+strings.Join(answering, ", "))
		case !d.Requested() && d.Personal() && !slices.Contains(personal, n.Type):
			r.wrong(key, "never says which person it is about", Statement+", "+strings.Join(personal, ", "))
		}
		seen[n.String()] = true
	}
}
