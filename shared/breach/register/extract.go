package register

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
)

// Extract returns what one tenant may see of a case: its own numbers, clocks, decision, notices and what became of them, and
// the instants of the breach. What the company wrote and promised for itself, its score, its own reports, what belongs to
// nobody known, texts in languages never sent to it, and everything of another tenant are left out. A text of a notice that names another tenant is withheld.
func Extract(f File, tenant string) File {
	others := f.others(tenant)
	own := cases.Case{
		V: f.Case.V, ID: f.Case.ID, Number: f.Case.Number, State: f.Case.State, Ending: f.Case.Ending, Exercise: f.Case.Exercise,
		Declared: f.Case.Declared, Since: f.Case.Since, Times: f.Case.Times, Bound: f.Case.Bound, Closed: f.Case.Closed,
	}
	f.Policy.Rules.Contracts = nil // with whom else the company has one is its own business
	if f.Case.Bound != nil {
		bound := *f.Case.Bound
		bound.Contracts = nil
		own.Bound = &bound
	}
	// Its clocks run from when its processor was aware; when the company was, of its own data, is the company's business.
	own.Times.Aware, own.Times.ProcessorAware = f.Case.Times.AwareAs(cases.Processor), time.Time{}
	own.Details = cases.Details{Certainty: f.Case.Details.Certainty, Origin: f.Case.Details.Origin, Intent: f.Case.Details.Intent}
	for _, name := range []string{"occurrence", "origin", "intent"} { // that it does not apply; the reason is the company's text
		if _, not := f.Case.Details.Not[name]; not {
			if own.Details.Not == nil {
				own.Details.Not = map[string]int{}
			}
			own.Details.Not[name] = 0
		}
	}
	for _, m := range f.moves() {
		own.Moves = append(own.Moves, cases.Move{From: m.From, To: m.To, At: m.At})
	}
	own.Tracks = slices.DeleteFunc(slices.Clone(f.Case.Tracks), func(t cases.Track) bool { return t.ID != tenant || t.Role != cases.Processor })
	for i := range own.Tracks {
		own.Tracks[i].Earlier = nil // who corrected what, and what one thought before, is the company's own
	}
	for _, d := range f.Case.Decisions {
		if d.Subject == tenant {
			own.Decisions = append(own.Decisions, cases.Decision{Subject: tenant, Yes: d.Yes, At: d.At, Settled: d.Settled, Second: d.Second, By: d.By, Replaced: d.Replaced})
		}
	}
	// What else the company promised itself, and what it called that, is its own business.
	if by, promised := f.Case.Promises[notice.NextUpdate]; promised {
		own.Promises = map[string]time.Time{notice.NextUpdate: by}
		own.Pledged = map[string]time.Time{notice.NextUpdate: f.Case.Pledged[notice.NextUpdate]}
		if done := f.Case.Kept[notice.NextUpdate]; !done.IsZero() {
			own.Kept = map[string]time.Time{notice.NextUpdate: done}
		}
	}
	f.Case = cases.Read{Case: own}
	f.Notices, f.tenant = f.sentTo(tenant, others), tenant
	return f
}

// moves are how the instant came about from which the clocks of tenants run.
func (f File) moves() []cases.Move {
	if f.Case.Times.ProcessorAware.IsZero() {
		return f.Case.Moves
	}
	var all []cases.Move
	for i, m := range f.Case.Moves {
		if i == 0 || m.As == cases.Processor {
			all = append(all, m)
		}
	}
	return all
}

// sentTo are the notices that went to a tenant, as it was written to.
func (f File) sentTo(tenant string, others []string) (all []Sent) {
	for _, n := range f.Notices {
		mine := slices.DeleteFunc(slices.Clone(n.Deliveries), func(d notice.Delivery) bool { return d.Tenant != tenant })
		if len(mine) == 0 || n.Kind == notice.Persons {
			continue
		}
		kept := Sent{Notice: notice.Notice{
			ID: n.ID, Case: n.Case, N: n.N, Kind: n.Kind, State: n.State, Version: n.Version, Written: n.Written, Hash: n.Hash, Agreed: n.Agreed, Glass: n.Glass,
		}, Deliveries: mine}
		kept.Draft = notice.Draft{Kind: n.Draft.Kind, Version: n.Draft.Version, Texts: withheld(n.Draft.Texts, mine, others)}
		if texts, has := n.Draft.Tenants[tenant]; has {
			kept.Draft.Tenants = map[string]map[string]map[string]string{tenant: withheld(texts, mine, others)}
		}
		all = append(all, kept)
	}
	return all
}

// withheld leaves out texts in languages in which nothing was sent to the tenant, and those that name another.
func withheld(texts map[string]map[string]string, mine []notice.Delivery, others []string) map[string]map[string]string {
	kept := map[string]map[string]string{}
	for language, by := range texts {
		if !slices.ContainsFunc(mine, func(d notice.Delivery) bool { return d.Language == language }) {
			continue
		}
		kept[language] = map[string]string{}
		for name, text := range by {
			if !names(text, others) {
				kept[language][name] = text
			}
		}
	}
	return kept
}

// others are the names, ids and domains of every tenant but one, of the policy and of the case.
func (f File) others(tenant string) (all []string) {
	mine, _ := f.Company.Tenant(tenant)
	for _, t := range f.Company.Tenants {
		if t.ID != tenant {
			all = append(append(all, t.ID, t.Name), t.Domains...)
		}
	}
	for _, t := range f.Case.Tracks {
		if t.ID != tenant && t.ID != cases.Own {
			all = append(all, t.ID)
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" || s == mine.Name || slices.Contains(mine.Domains, s) })
}

// names reports whether one of some names stands in a text as words of its own, whatever the case of letters.
func names(text string, all []string) bool {
	plain := spaced(text)
	return slices.ContainsFunc(all, func(name string) bool { return strings.Contains(plain, spaced(name)) })
}

// spaced is a text in small letters, every run of other signs a single space.
func spaced(text string) string { return notice.Spaced(strings.ToLower(text)) }
