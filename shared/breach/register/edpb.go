package register

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/severity"
)

// EDPBVersion is the form the map follows. It was adopted for consultation; portals of the authorities rule until it is
// final, and after.
const EDPBVersion = "EDPB common template for breach notification, draft 1.0 of 10 June 2026"

// asked are what the form wants and a case does not hold: whoever files says it.
var asked = []string{"reporting_function", "incident_type", "subject_kinds_coded", "data_kinds_coded", "impact_kinds", "communication_to_all", "attachments"}

// EDPB returns what is known of a case under the names of the EDPB's draft form; nil is what nobody said yet. It is marked a
// draft, and is there to be read beside a portal's own form: it files nothing.
func EDPB(f File) map[string]any {
	c := f.Case
	m := map[string]any{
		"template": EDPBVersion, "draft": true, "exercise": c.Exercise,
		"notification_type": f.phase(), "completeness": complete(f.points("en")), "internal_reference": c.Number,
		"earlier_reference": text(c.Text(c.Filed[authorityClock].Reference)),
		"controller":        map[string]any{"name": f.Company.Company.Name, "country": f.Company.Company.Country, "size": nil, "sector_nace": nil},
		"contact":           f.Policy.Contact,
		"role":              f.roles(), "other_parties": f.parties(),
		"occurrence":    map[string]any{"from": instant(c.Times.OccurredFrom), "to": instant(c.Times.OccurredTo), "ongoing": c.Times.Contained.IsZero(), "estimated": f.estimated()},
		"discovery":     map[string]any{"at": instant(c.Times.Detected), "how": cmp.Or(howFound[f.discovered()], f.discovered()), "aware_at": instant(c.Times.Aware)},
		"late_reasons":  text(c.Text(c.Filed[authorityClock].Reasons)),
		"description":   text(c.Text(c.Summary)),
		"subject_kinds": text(f.written("subjects", "en")), "subject_count": f.number(c.Tracks, people),
		"record_kinds": text(f.written("records", "en")), "record_count": f.number(c.Tracks, records),
		"impact": text(f.written("consequences", "en")), "measures_after": text(f.written("measures", "en")),
		"communication_to_subjects": f.communication(), "communication_text": text(f.written("advice", "en")),
		"lead_authority": f.lead(), "other_authorities": f.elsewhere(), "countries": f.countries(), "counts_per_country": f.byCountry(), "prevention_measures": text(c.Text(c.Lessons)),
		"police": text(f.said("police")), "measures_in_place": text(f.said("before")), "cause": f.cause(), "systems": text(f.said("systems")),
		"communication_means": text(f.means()), "related_incidents": c.Details.Earlier,
	}
	for _, key := range asked {
		m[key] = nil
	}
	f.scored(m)
	var open []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if m[key] == nil {
			open = append(open, key)
		}
	}
	m["open"] = open
	return m
}

// scored fills in what follows from the score: the subtypes match the method's circumstances.
func (f File) scored(m map[string]any) {
	for _, key := range []string{"confidentiality", "integrity", "availability", "unintelligible", "malicious", "data_kinds", "severity", "risk", "risk_method", "vulnerable_subjects"} {
		m[key] = nil
	}
	if f.Case.Score == nil {
		return
	}
	in, s := f.Case.Score.Input, f.Case.Score.Score
	m["confidentiality"] = pick(in.CB.Confidentiality, "exposed, no evidence of unlawful processing", "known recipients", "unknown recipients")
	m["integrity"] = pick(in.CB.Integrity, "no", "altered, recoverable", "altered, not recoverable")
	m["availability"] = pick(in.CB.Availability, "no", "temporary", "lost for good")
	m["unintelligible"] = map[bool]string{true: "yes", false: "no"}[in.Unintelligible]
	if in.KeyCompromised {
		m["unintelligible"] = "subvertible"
	}
	m["malicious"] = in.CB.Malicious > 0
	m["data_kinds"] = slices.Sorted(maps.Keys(in.DPC))
	m["severity"] = map[severity.Level]string{severity.Low: "minor", severity.Medium: "moderate", severity.High: "severe", severity.VeryHigh: "severe"}[s.Level]
	m["risk_method"] = severity.Source()
	m["vulnerable_subjects"] = slices.Contains(in.Facts, "vulnerable_persons")
	m["risk"] = "more information needed"
	if sa := f.decision(cases.SA); sa != nil {
		m["risk"] = map[bool]string{true: "risk", false: "unlikely"}[sa.Yes]
	}
	if p := f.decision(cases.Persons); p != nil && p.Yes {
		m["risk"] = "high risk"
	}
}

func pick(q severity.Quarters, none, some, all string) string {
	return map[severity.Quarters]string{0: none, 1: some, 2: all}[q]
}

// howFound is by whom a breach was found, in the words of the form.
var howFound = map[string]string{
	"staff": "a person of ours", "detection": "own detection", "processor": "processor", "person": "data subject", "third_party": "third party", "press": "press",
}

// estimated says whether the time of the occurrence is; nil where nobody said.
func (f File) estimated() any {
	switch f.Case.Details.Certainty {
	case cases.Exact:
		return false
	case cases.Estimate:
		return true
	}
	return text(f.said("occurrence"))
}

// cause is where it comes from and whether somebody meant it; nil where nobody said either.
func (f File) cause() any {
	origin, intent := f.said("origin"), f.said("intent")
	if origin == "" && intent == "" {
		return nil
	}
	return known(origin) + ", " + known(intent)
}

// means are how the persons were told.
func (f File) means() (means string) {
	for _, n := range f.Notices {
		if n.Means != "" {
			means = n.Means
		}
	}
	return means
}

// parties are those the company processes for, where it does.
func (f File) parties() (all []string) {
	for _, t := range f.Case.Tracks {
		if t.Role == cases.Processor {
			all = append(all, f.name(t.ID))
		}
	}
	return all
}

// communication says how far telling the persons is (section on article 34).
func (f File) communication() any {
	switch d := f.decision(cases.Persons); {
	case d == nil:
		return nil
	case !d.Yes && d.Exception != "":
		return "no, article " + letter(d.Exception) + ": " + f.Case.Text(d.Reason)
	case !d.Yes:
		return "no: " + f.Case.Text(d.Reason)
	case !f.Case.Kept[cases.Persons].IsZero():
		return "yes"
	}
	return "planned"
}

func (f File) lead() any {
	for _, a := range f.Policy.Authorities {
		if a.Lead {
			return a.Name
		}
	}
	return nil
}

// elsewhere are reports under other laws.
func (f File) elsewhere() (all []string) {
	for _, id := range slices.Sorted(maps.Keys(f.Case.Filed)) {
		if id != authorityClock {
			all = append(all, id)
		}
	}
	return all
}

func complete(all []Point) string {
	if slices.ContainsFunc(all, func(p Point) bool { return !p.Known }) {
		return "incomplete"
	}
	return "complete"
}

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func text(s string) any {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return s
}

// number is the total of tracks; in words where something does not apply, nil where nobody knows.
func (f File) number(tracks []cases.Track, of func(cases.Track) cases.Count) any {
	sum, partly := total(tracks, of)
	switch {
	case len(f.reasons(tracks, of, false)) > 0:
		return f.counted(tracks, of)
	case sum.How == cases.Unknown:
		return nil
	}
	return map[string]any{"n": sum.N, "how": sum.How, "more_unknown": partly}
}
