// Package proof makes the receipt of a request of what the request, the engine and the data map know.
//
// It promises that a receipt says what the searches found, and no more: its state is computed from them, never copied from
// the request; that it is made once for each number the request owes, whoever dies meanwhile; and that it holds no
// identifier: one that turns up in it anywhere refuses it, unless it is a word that stands in everybody's. It signs nothing.
package proof

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/store"
)

// Maker makes receipts. Every field is needed.
type Maker struct {
	Store store.Store // of the control
	Clock clock.Clock
	Book  *receipt.Book
	Map   *datamap.Map
	Mark  []byte // secret: makes the commitment to a tenant, the same in all its receipts
	// Others returns what became of third parties.
	Others func(ctx context.Context, request string) ([]receipt.Grant, []receipt.Recipient, error)
}

// Issue makes the receipt that a request owes, if it was not made before: run.Clerk calls it.
func (m *Maker) Issue(ctx context.Context, w request.Work, report run.Report) error {
	var r request.Request
	if err := m.Store.Get(ctx, request.Requests, w.Request, &r); err != nil {
		return err
	}
	draft := m.draft(w, report)
	if w.Kind == request.Person {
		// As the records of the request have it: who holds the receipt finds them in the log.
		draft.Subject = record.Commitment([]byte(r.Nonce), "request", r.ID)
	}
	var err error
	if draft.Grants, draft.Recipients, err = m.Others(ctx, w.Request); err != nil {
		return err
	}
	draft.Issued = m.Clock.Now() // the rows are not younger
	if last := len(draft.Verify) - 1; last >= 0 && draft.Issued.Before(draft.Verify[last].At) {
		draft.Issued = draft.Verify[last].At
	}
	draft.State = draft.Outcome()
	_, err = m.Book.Issue(ctx, w.Owed, draft, m.telling(w.Identifiers)...)
	return err
}

var word = regexp.MustCompile(`^[A-Za-z]{1,15}$`)

// telling are the identifiers that would tell of the person wherever they stood. One that is a word, or part of a name in the
// data map, stands in receipts of everybody: it would only keep hers from ever being made.
func (m *Maker) telling(ids []request.Identifier) (values []string) {
	names := m.names()
	for _, id := range ids {
		within := func(name string) bool { return strings.Contains(strings.ToLower(name), strings.ToLower(id.Value)) }
		if !word.MatchString(id.Value) && !slices.ContainsFunc(names, within) {
			values = append(values, id.Value)
		}
	}
	return values
}

// names are the ids of the data map, and its fields, that a receipt may hold.
func (m *Maker) names() (all []string) {
	for _, e := range m.Map.Entries {
		all = append(all, e.ID)
		if e.Group != nil {
			all = append(all, e.Group.Fields...)
		}
		for _, f := range e.Fields {
			all = append(all, f.Field)
		}
	}
	for _, b := range m.Map.Backups {
		all = append(all, b.Class)
	}
	for _, r := range m.Map.Recipients {
		all = append(all, r.ID)
	}
	for _, p := range m.Map.Providers {
		all = append(all, p.ID)
	}
	return all
}

// Tenant is the commitment that stands for a tenant in its receipts.
func Tenant(mark []byte, tenant string) string {
	return record.Commitment(mark, "receipts of tenant", tenant)
}

func (m *Maker) draft(w request.Work, report run.Report) receipt.Receipt {
	d := receipt.Receipt{
		Request: w.Request, Kind: receipt.Kind(w.Kind), Tenant: Tenant(m.Mark, w.Tenant), Received: w.Received, Executed: w.Executed, Map: report.Map, Plan: w.Plan,
		Deadline: receipt.Deadline{Due: w.Deadline.Due, Conservative: w.Deadline.Conservative, Months: 1}, Strict: receipt.No,
	}
	if d.Executed.Before(d.Received) {
		d.Received = d.Executed // by the clock of a controller, who said when it was told
	}
	if !w.Handed.IsZero() {
		d.Copy = &receipt.Copy{Handed: w.Handed}
	}
	if w.Extended {
		d.Deadline.Months = 3
	}
	if m.Map.Strict {
		d.Strict = receipt.Yes
	}
	for _, e := range report.Entries {
		d.Entries = append(d.Entries, receipt.Entry{
			Entry: e.Entry, Action: string(e.Action), Found: e.Found, Erased: e.Erased, Anonymised: e.Anonymised, Gone: e.Gone, Foreign: e.Foreign, Open: e.Open, Rows: m.rows(e),
		})
	}
	d.Retained, d.Settled = retained(w, report), settled(w)
	d.Unsearched = w.Unsearched
	d.Verify = searches(report, d.Executed)
	for _, tail := range w.Outcome.Purge {
		d.Backups = append(d.Backups, receipt.Backup{Class: tail.Class, By: tail.By})
	}
	d.Outside = m.outside(w, report)
	for _, t := range report.Traces {
		trace := receipt.Trace{Entry: t.Entry, Rewind: int64(t.Rewind / time.Second), SoftDelete: int64(t.SoftDelete / time.Second)}
		for _, what := range t.Unknown {
			trace.Unknown = append(trace.Unknown, receipt.Plain(what))
		}
		if trace.Rewind > 0 || trace.SoftDelete > 0 || len(trace.Unknown) > 0 {
			d.Traces = append(d.Traces, trace)
		}
	}
	return d
}

// outside is what no search reaches, or leaves alone.
func (m *Maker) outside(w request.Work, report run.Report) (all []receipt.Outside) {
	for _, o := range m.Map.Outside {
		all = append(all, receipt.Outside{What: receipt.Plain(o.What), Days: o.Days})
	}
	for _, entry := range m.apart(w) {
		all = append(all, receipt.Outside{What: receipt.Plain(entry + alone)})
	}
	for _, where := range w.Outcome.Public {
		all = append(all, receipt.Outside{What: receipt.Plain(copies + where)})
	}
	if report.Unsuppressed && len(m.Map.Backups) > 0 {
		all = append(all, receipt.Outside{What: byHand, Days: m.longest()})
	}
	return all
}

// alone is what a receipt says of data of no tenant where somebody else has asked for the person.
const alone = ": belongs to no tenant and was left alone, as only the person herself can have it erased"

// copies is what a receipt says of data that anybody could see, before where.
const copies = "copies that others made of what was public: "

// apart are the entries that a request leaves alone because somebody else than the person made it.
func (m *Maker) apart(w request.Work) (entries []string) {
	role := datamap.Controller
	switch {
	case w.Requester == request.Controller:
		role = datamap.Processor
	case w.Global || w.Kind != request.Person:
		return nil
	}
	for _, id := range m.Map.Unasked(role, nil) {
		if e, _ := m.Map.Entry(id); e.Tenant.Global != "" {
			entries = append(entries, id)
		}
	}
	return entries
}

// byHand is what a receipt says of backups where nothing recognises the person for good.
const byHand = "Backups: after a restore the person is not found by itself, as no lasting id of hers is known; somebody has to search by hand"

// longest is how many days the longest backup is kept.
func (m *Maker) longest() (days int) {
	for _, b := range m.Map.Backups {
		days = max(days, b.Days)
	}
	return days
}

// rows is what was counted of an entry's anonymised rows, and by which fields.
func (m *Maker) rows(c run.EntryCount) *receipt.Rows {
	if c.Anonymised == 0 {
		return nil
	}
	rows := &receipt.Rows{Before: c.Sought, After: c.Stood, Same: c.Same, Moved: c.Moved}
	at := slices.IndexFunc(m.Map.Entries, func(e *datamap.Entry) bool { return e.ID == c.Entry })
	if at < 0 {
		return rows
	}
	e := m.Map.Entries[at]
	if e.Group != nil {
		for _, field := range e.Group.Fields {
			rows.By = append(rows.By, receipt.Plain(field))
		}
	}
	for _, field := range e.Fields {
		if field.Do == datamap.DoAggregate {
			rows.Uncounted = append(rows.Uncounted, receipt.Plain(field.Field))
		}
	}
	return rows
}

// retained lists what stays: by the law, and what two people hold.
func retained(w request.Work, report run.Report) (all []receipt.Kept) {
	listed := map[string]bool{}
	for _, k := range w.Outcome.Kept {
		listed[k.Entry] = true
		all = append(all, receipt.Kept{Entry: k.Entry, Items: k.Items, Ground: string(k.Ground), Citation: receipt.Plain(k.Citation), Until: k.Until})
	}
	for _, h := range w.Holds {
		at := slices.IndexFunc(report.Entries, func(e run.EntryCount) bool { return e.Entry == h.Entry })
		if listed[h.Entry] || at < 0 {
			continue
		}
		listed[h.Entry] = true
		all = append(all, receipt.Kept{Entry: h.Entry, Items: report.Entries[at].Kept, Ground: string(h.Ground), Until: h.Until})
	}
	return all
}

// settled lists what people said of what no search could tell.
func settled(w request.Work) (all []receipt.Settled) {
	for _, a := range w.Answers {
		all = append(all, receipt.Settled{At: a.At, Entry: a.Entry, Reference: a.Reference, Why: a.Why})
	}
	return all
}

// searches are those of a request, none earlier than what came before it: clocks differ, and may be set back.
func searches(report run.Report, at time.Time) (all []receipt.Pass) {
	for i, p := range report.Passes {
		if p.At.Before(at) {
			p.At = at
		}
		at = p.At
		all = append(all, search(int64(i+1), p))
	}
	return all
}

// search is one search as a receipt has it.
func search(n int64, p run.Pass) receipt.Pass {
	out := receipt.Pass{N: n, At: p.At, Unmapped: p.Unmapped}
	for _, e := range p.Entries {
		if e.Why == "" {
			out.Searched++
		}
		if e.Count.Left > 0 {
			out.Left = append(out.Left, receipt.Items{Entry: e.ID, Items: e.Count.Left})
		}
		if e.Count.Kept > 0 {
			out.Kept = append(out.Kept, receipt.Items{Entry: e.ID, Items: e.Count.Kept})
		}
	}
	return out
}
