package register

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// detailed fills in what people said beside times, numbers and decisions, over what follows from the score.
func (f File) detailed(r *Row) {
	f.rated(r)
	d := f.Case.Details
	r.Occurrence, r.Origin, r.Discovered = known(f.said("occurrence")), known(f.said("origin")), f.discovered()
	if intent := f.said("intent"); intent != "" {
		r.Cause = intent
	}
	r.Systems, r.Police, r.Authorities = known(f.said("systems")), known(f.said("police")), known(f.said("others"))
	if before := f.said("before"); before != "" {
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

// said is what people said of a detail, or why it does not apply; "" where nobody said either.
func (f File) said(name string) string {
	d := f.Case.Details
	if why, not := d.Not[name]; not {
		return inapplicable(f.Case.Text(why))
	}
	return cmp.Or(d.Word(name), f.Case.Text(d.Text(name)))
}

// letter is how an exception of article 34 is quoted.
func letter(l string) string {
	if l == "" {
		return ""
	}
	return "34(3)(" + l + ")"
}

// discovered says by whom a breach was found: as people said, or as it was declared.
func (f File) discovered() string {
	found := f.said("found")
	switch {
	case found != "":
		return found
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
	// Not are those that do not apply, by the names above, each with its reason.
	Not map[string]string `json:"not_applicable,omitempty"`
}

// statedAs are the names of stated for those of cases.DetailFields that are called otherwise.
var statedAs = map[string]string{"found": "discovered", "before": "measures_before", "others": "other_authorities"}

func (f File) stated() stated {
	d := f.Case.Details
	s := stated{string(d.Certainty), string(d.Found), string(d.Origin), string(d.Intent), f.Case.Text(d.Systems), f.Case.Text(d.Before), f.Case.Text(d.Police), f.Case.Text(d.Others), d.Earlier, nil}
	for name, why := range d.Not {
		if s.Not == nil {
			s.Not = map[string]string{}
		}
		s.Not[cmp.Or(statedAs[name], name)] = f.Case.Text(why)
	}
	return s
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
		if why, not := d.Not[one.key]; not {
			one.value = l.inapplicable(why)
		}
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

// recount is what was said of counts until somebody corrected it.
type recount struct {
	People  number    `json:"people"`
	Records number    `json:"records"`
	By      string    `json:"corrected_by"`
	At      time.Time `json:"corrected_at"`
}

func (f File) recounts(t cases.Track) (all []recount) {
	for _, e := range t.Earlier {
		all = append(all, recount{f.numberOf(e.People), f.numberOf(e.Records), f.person(e.By), e.At})
	}
	return all
}

// corrected are the corrections of counts, as lines.
func (f File) corrected(l language, t tracked) (lines []string) {
	for _, e := range t.Earlier {
		lines = append(lines, fmt.Sprintf(l.w("recounted"), t.Name, l.number(e.People), l.number(e.Records), join(e.By, f.at(e.At))))
	}
	return lines
}
