package register

import (
	"cmp"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// detailed fills in what people said beside times, numbers and decisions, over what follows from the score.
func (f File) detailed(r *Row) {
	f.rated(r)
	d := f.Case.Details
	r.Occurrence, r.Origin, r.Discovered = word(d.Certainty), word(d.Origin), f.discovered()
	if d.Intent != "" {
		r.Cause = string(d.Intent)
	}
	r.Systems, r.Police, r.Authorities = known(f.Case.Text(d.Systems)), known(f.Case.Text(d.Police)), known(f.Case.Text(d.Others))
	if before := f.Case.Text(d.Before); before != "" {
		r.Protection = strings.TrimPrefix(r.Protection+"; ", Unknown+"; ") + before
	}
	r.Earlier = append([]string{}, d.Earlier...)
	if f.tracked(cases.Processor) {
		r.Processor = f.Case.Times.AwareAs(cases.Processor)
	}
	if no := f.decision(cases.Persons); no != nil {
		r.Exception = letter(no.Exception)
	}
	for _, a := range f.Case.Actions {
		r.Actions = append(r.Actions, f.Case.Text(a.What)+", "+f.person(a.Owner)+", by "+a.By.String()+", done "+stamp(a.Done))
	}
}

// word is one that is stored, Unknown where nobody said it.
func word[T ~string](w T) string { return cmp.Or(string(w), Unknown) }

// letter is how an exception of article 34 is quoted.
func letter(l string) string {
	if l == "" {
		return ""
	}
	return "34(3)(" + l + ")"
}

// discovered says by whom a breach was found: as people said, or as it was declared.
func (f File) discovered() string {
	switch {
	case f.Case.Details.Found != "":
		return string(f.Case.Details.Found)
	case f.Case.By == "":
		return string(cases.ByDetection)
	}
	return string(cases.ByStaff)
}

// tracked reports whether the company has a role for some of the data.
func (f File) tracked(role cases.Role) bool {
	for _, t := range f.Case.Tracks {
		if t.Role == role {
			return true
		}
	}
	return false
}

// recalled says when a report was taken back and under which reference, or why it stands; "" for neither.
func (f File) recalled(one cases.Filing) string {
	switch w := one.Withdrawn; {
	case w == nil:
		return ""
	case w.Stands:
		return "not: " + f.Case.Text(w.Text)
	default:
		return strings.TrimSpace(stamp(w.At) + " " + f.Case.Text(w.Text))
	}
}

// stated are the details of a case as programs read them; what is left out is not known.
type stated struct {
	Occurrence string   `json:"occurrence,omitempty"`
	Discovered string   `json:"discovered,omitempty"`
	Origin     string   `json:"origin,omitempty"`
	Intent     string   `json:"intent,omitempty"`
	Systems    string   `json:"systems,omitempty"`
	Before     string   `json:"measures_before,omitempty"`
	Police     string   `json:"police,omitempty"`
	Others     string   `json:"other_authorities,omitempty"`
	Earlier    []string `json:"earlier_incidents,omitempty"`
}

func (f File) stated() stated {
	d := f.Case.Details
	return stated{string(d.Certainty), string(d.Found), string(d.Origin), string(d.Intent), f.Case.Text(d.Systems), f.Case.Text(d.Before), f.Case.Text(d.Police), f.Case.Text(d.Others), d.Earlier}
}

// taken is what became of a report about what was no breach.
type taken struct {
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Text   string    `json:"text,omitempty"` // the authority's reference, or why it stands
	Stands bool      `json:"stands,omitempty"`
}

// facts are the details for people. Of an extract there are those a tenant may read.
func (f File) facts(l language, r record) section {
	s := section{Title: l.w("facts"), Head: l.all("what", "says")}
	d := r.Details
	for _, one := range []struct{ key, value string }{
		{"occurrence", spelled(l, "fact_", d.Occurrence)}, {"discovered", spelled(l, "found_", d.Discovered)}, {"origin", spelled(l, "origin_", d.Origin)}, {"intent", spelled(l, "intent_", d.Intent)},
		{"systems", d.Systems}, {"measures_before", d.Before}, {"police", d.Police}, {"other_authorities", d.Others}, {"earlier", join(d.Earlier...)},
	} {
		if one.value != "" || r.For == "" {
			s.Rows = append(s.Rows, []string{l.w(one.key), cmp.Or(one.value, l.w("not_known"))})
		}
	}
	return s
}

// spelled is a stored word in a language; "" for none.
func spelled(l language, prefix, w string) string {
	if w == "" {
		return ""
	}
	return l.w(prefix + w)
}
