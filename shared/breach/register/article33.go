package register

import (
	"slices"
	"strings"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// Point is one of what article 33(3) and (5) of the GDPR want said.
type Point struct {
	Key   string `json:"key"`
	Value string `json:"value"` // in words where it is not known
	Known bool   `json:"known"`
}

// Keys are the points of article 33, in order. Every dossier has each of them.
func Keys() []string {
	return []string{"role", "authority", "phase", "nature", "subject_categories", "subject_count", "record_categories", "record_count", "contact", "consequences", "measures", "delay_reasons"}
}

// points are those of a case in a language.
func (f File) points(l language) []Point {
	said := map[string]string{
		"role": l.each(f.roles()), "authority": f.authorities(), "phase": l.w(f.phase()),
		"nature": f.natureIn(l), "subject_categories": f.written("subjects", string(l)), "record_categories": f.categories(l),
		"subject_count": f.countedIn(l, people), "record_count": f.countedIn(l, records), "contact": f.Policy.Contact,
		"consequences": f.written("consequences", string(l)), "measures": f.written("measures", string(l)), "delay_reasons": f.delay(l),
	}
	if f.tenant != "" { // its own to say, as the controller
		said["authority"], said["phase"], said["delay_reasons"] = l.w("for_controller"), l.w("for_controller"), l.w("for_controller")
	}
	var all []Point
	for _, key := range Keys() {
		p := Point{Key: key, Value: strings.TrimSpace(said[key])}
		if p.Known = p.Value != ""; !p.Known {
			p.Value = l.w("not_known")
		}
		all = append(all, p)
	}
	return all
}

// countedIn is the total of all tracks in a language; where all of it does not apply, with the reasons.
func (f File) countedIn(l language, of func(cases.Track) cases.Count) string {
	sum, partly := total(f.Case.Tracks, of)
	if sum.How == cases.NotApplicable {
		return l.inapplicable(strings.Join(f.reasons(f.Case.Tracks, of, false), "; "))
	}
	return l.counted(sum, partly)
}

// authorities are those the company reports to, the one that leads first.
func (f File) authorities() string {
	var all []string
	for _, a := range f.Policy.Authorities {
		if a.Lead {
			all = append([]string{a.Name}, all...)
		} else {
			all = append(all, a.Name)
		}
	}
	return join(all...)
}

// phase is that of the report to the authority.
func (f File) phase() string {
	first := !f.Case.Filed[authorityClock].At.IsZero()
	switch {
	case first && f.Case.Ending == cases.NotABreach:
		return "withdrawal"
	case first && !f.Case.Filed["cnil_followup"].At.IsZero():
		return "follow_up"
	case first:
		return "initial"
	}
	return "not_filed"
}

func (f File) natureIn(l language) string {
	text := f.written("nature", string(l))
	if text == "" {
		text = f.Case.Text(f.Case.Summary)
	}
	if f.Case.Score != nil {
		var parts []string
		for _, part := range nature(f.Case.Score.Input) {
			parts = append(parts, l.w(strings.ReplaceAll(strings.ReplaceAll(part, ",", ""), " ", "_")))
		}
		text = strings.TrimSpace(text + " (" + join(parts...) + ")")
	}
	return text
}

func (f File) categories(l language) string {
	text := f.written("records", string(l))
	if f.Case.Score == nil {
		return text
	}
	var classes []string
	for class := range f.Case.Score.Input.DPC {
		classes = append(classes, l.w("class_"+string(class)))
	}
	slices.Sort(classes)
	return join(text, join(classes...))
}

// delay are the reasons of a late report; that there is none is said as well.
func (f File) delay(l language) string {
	filing := f.Case.Filed[authorityClock]
	if reasons := f.Case.Text(filing.Reasons); reasons != "" {
		return reasons
	}
	for _, c := range f.clocks() {
		switch {
		case c.ID != authorityClock:
		case c.Status == clock.Overdue, c.Status == clock.Late:
			return ""
		case !filing.At.IsZero():
			return l.w("in_time")
		}
	}
	return l.w("none_needed")
}

// clocks are those of the case as they stand.
func (f File) clocks() []clock.Clock { return cases.Clocks(f.Case.Case, f.Policy.Rules, f.Now) }

// Format is how a file is written.
type Format string

// The formats.
const (
	AsJSON     Format = "json"
	AsMarkdown Format = "md"
	AsHTML     Format = "html"
)

// Formats returns all formats.
func Formats() []Format { return []Format{AsJSON, AsMarkdown, AsHTML} }

func badFormat() error {
	return fault.Refuse(fault.Invalid, "format_invalid", "There is no such format.", "Use json, md or html.")
}
