// Package register makes of a case what has to be shown of it: its row in the register of breaches (GDPR, article 33(5)),
// its dossier, the part of it that one tenant may see, the fields of the EDPB's draft form, and the runbook of the company.
//
// # What it promises
//
// Everything is computed from the case, the notices and the policy as they are, by pure functions. A dossier has every point
// of article 33(3), and says of each that it is not known yet where nobody wrote it. An extract for a tenant holds neither
// the name nor a number of another. What people wrote stands in a table, a Markdown or an HTML file as text, and as nothing
// else. An exercise is in no register, and says on every page that it is one.
//
// # What it does not do
//
// It keeps nothing and files nothing. The case is the record, and the evidence log is its proof.
package register

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/policy"
)

// Sent is a notice of a case with what was written and what became of it.
type Sent struct {
	notice.Notice
	Draft      notice.Draft
	Means      string // of a notice to persons: how they were told, as somebody noted
	Deliveries []notice.Delivery
}

// File is a case with all that belongs to it.
type File struct {
	Case    cases.Read
	Policy  breach.Policy
	Company *policy.Policy
	Notices []Sent // in their order
	Now     time.Time

	tenant string // of an extract: whose
}

// name is what a track or a subject is called: the company's own, or the tenant's name.
func (f File) name(id string) string {
	if id == cases.Own {
		return f.Company.Company.Name
	}
	if t, known := f.Company.Tenant(id); known {
		return t.Name
	}
	return id
}

// person is what somebody is called; in an extract nobody is, that staff acted is enough there.
func (f File) person(id string) string {
	if id == "" || f.tenant != "" {
		return ""
	}
	if p, known := f.Company.PersonByID(id); known {
		return p.Name
	}
	return id
}

// both names the two who decided something.
func (f File) both(a, b string) string {
	return join(f.person(a), f.person(b))
}

// join puts commas between what is not empty.
func join(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), ", ")
}

// zone is the company's.
func (f File) zone() *time.Location {
	if f.Policy.Rules.Zone == nil {
		return time.UTC
	}
	return f.Policy.Rules.Zone
}

// written returns what two people agreed to say last under a name in a notice, in a language where they did, in English or any other
// where they did not; "" where nobody wrote it. Of an extract, what was written for the tenant goes before what was written
// for all, in whatever language: the one for all may count others as well.
func (f File) written(name, language string) string {
	for _, n := range slices.Backward(f.Notices) {
		if n.State != notice.Approved && n.State != notice.Sent {
			continue // a draft speaks for nobody
		}
		for _, texts := range []map[string]map[string]string{n.Draft.Tenants[f.tenant], n.Draft.Texts} {
			for _, l := range []string{language, "en", "fr", "de"} {
				if text := strings.TrimSpace(texts[l][name]); text != "" && text != notice.NotKnown {
					return text
				}
			}
		}
	}
	return ""
}

// decision is the one that counts for a subject; nil while there is none.
func (f File) decision(subject string) *cases.Decision {
	for i, d := range slices.Backward(f.Case.Decisions) {
		if d.Subject == subject && !d.Replaced && !d.Settled.IsZero() {
			return &f.Case.Decisions[i]
		}
	}
	return nil
}

// total adds the counts of tracks. It is exact only where each of them is, and unknown where none is known.
func total(tracks []cases.Track, of func(cases.Track) cases.Count) (sum cases.Count, partly bool) {
	sum.How = cases.Exact
	known, open := 0, 0
	for _, t := range tracks {
		switch c := of(t); c.How {
		case cases.Unknown:
			open++
		case cases.NotApplicable:
		default:
			known, sum.N = known+1, sum.N+c.N
			if c.How == cases.Estimate {
				sum.How = cases.Estimate
			}
		}
	}
	switch {
	case known == 0 && open == 0 && len(tracks) > 0:
		return cases.Count{How: cases.NotApplicable}, false
	case known == 0:
		return cases.Count{How: cases.Unknown}, false
	}
	return sum, open > 0
}

// counted is the total of tracks in words, with the reason where something does not apply.
func (f File) counted(tracks []cases.Track, of func(cases.Track) cases.Count) string {
	sum, partly := total(tracks, of)
	reasons := f.reasons(tracks, of, sum.How != cases.NotApplicable)
	if sum.How == cases.NotApplicable {
		return inapplicable(strings.Join(reasons, "; "))
	}
	return strings.Join(append([]string{counted(sum, partly)}, reasons...), "; ")
}

// reasons are those for which counts of tracks do not apply, each once; named says of whom.
func (f File) reasons(tracks []cases.Track, of func(cases.Track) cases.Count, named bool) (all []string) {
	for _, t := range tracks {
		why := f.Case.Text(of(t).Why)
		if why == "" {
			continue
		}
		if named {
			why = f.name(t.ID) + ": " + inapplicable(why)
		}
		if !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	return all
}

// inapplicable says that something does not apply, and why where that is known.
func inapplicable(why string) string { return strings.TrimSuffix("not applicable: "+why, ": ") }

func people(t cases.Track) cases.Count  { return t.People }
func records(t cases.Track) cases.Count { return t.Records }

// roles are what the company is for the data of a case, each once.
func (f File) roles() []string {
	var all []string
	for _, t := range f.Case.Tracks {
		all = append(all, string(t.Role))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// country is where those whose data a track is are, as far as it is known: where the tenant is, or the company.
func (f File) country(t cases.Track) string {
	if t.ID == cases.Own {
		return f.Company.Company.Country
	}
	tenant, _ := f.Company.Tenant(t.ID)
	return tenant.Country
}

// byCountry are the numbers of people, country by country.
func (f File) byCountry() []string {
	all := []string{}
	for _, country := range f.countries() {
		there := slices.DeleteFunc(slices.Clone(f.Case.Tracks), func(t cases.Track) bool { return f.country(t) != country })
		all = append(all, country+": "+f.counted(there, people))
	}
	return all
}

// countries are those of the tenants concerned, and the company's own where it decides about data.
func (f File) countries() []string {
	var all []string
	for _, t := range f.Case.Tracks {
		if country := f.country(t); country != "" {
			all = append(all, country)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// kind says what a case turned out to be.
func (f File) kind() string {
	switch {
	case f.Case.Ending == cases.NotABreach && f.Case.Incident:
		return "incident"
	case f.Case.Ending == cases.NotABreach:
		return string(cases.NotABreach)
	case f.Case.State == cases.Suspected:
		return "suspicion"
	}
	return "breach"
}

// sorted returns notices in their order.
func sorted(all []Sent) []Sent {
	return slices.SortedFunc(slices.Values(all), func(a, b Sent) int { return cmp.Compare(a.N, b.N) })
}
