package proof

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

var (
	noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	due  = calendar.Day{Year: 2026, Month: time.April, Day: 3}
)

const id = "aaaaaaaaaaaaaaaa"

func newMaker(t *testing.T) *Maker {
	t.Helper()
	clk := clock.NewManual(noon.Add(time.Hour))
	s, err := memory.New(store.Options{Schema: append(append(store.Schema{outbox.Collection()}, receipt.Collection()...), request.Collection()...), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: func(context.Context, outbox.Entry) error { return nil }})
	r := request.Request{V: 1, ID: id, Nonce: "cccccccccccccccccccc", Deadline: request.Deadline{Due: due, Conservative: due, NoticeBy: due}}
	if err := s.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(request.Requests, id, r) }); err != nil {
		t.Fatal(err)
	}
	return &Maker{
		Store: s, Clock: clk, Book: &receipt.Book{Store: s, Box: box}, Mark: []byte(strings.Repeat("m", 32)),
		Map: &datamap.Map{
			Entries: []*datamap.Entry{{ID: "users", Group: &datamap.Group{Fields: []string{"car_park"}}, Fields: []datamap.Field{{Field: "minutes", Do: datamap.DoAggregate}}}},
			Strict:  true, Outside: []datamap.Outside{{What: "Logs, kept by ops@firm.example", Days: 30}}, Backups: []datamap.Backup{{Class: "daily-7", Days: 7}, {Class: "monthly", Days: 35}},
		},
		Others: func(context.Context, string) ([]receipt.Grant, []receipt.Recipient, error) {
			return []receipt.Grant{{Provider: "google", Outcome: receipt.GrantRevoked, Items: 1}}, nil, nil
		},
	}
}

// work is a request that owes its first receipt, and what the engine says of it.
func work() (request.Work, run.Report) {
	digest := strings.Repeat("0", 64)
	w := request.Work{
		Request: id, Tenant: "acme", State: request.Retained, Kind: request.Person, Map: digest, Plan: digest, Received: noon.Add(-time.Hour), Executed: noon, Owed: 1,
		Identifiers: []request.Identifier{{Kind: "email", Value: "ada@firm.example"}, {Kind: "uid", Value: "user-4711"}}, Deadline: request.Deadline{Due: due, Conservative: due},
		Outcome: request.Outcome{Kept: []request.Kept{{Entry: "invoices", Items: 2, Ground: "statute", Citation: "HGB 257", Until: due}}, Purge: []request.Tail{{Class: "pitr", By: due}, {Class: "daily-7", By: due}}},
	}
	pass := run.Pass{N: 1, At: noon.Add(time.Minute), Entries: []run.Entry{{ID: "users"}, {ID: "invoices", Count: run.Count{Kept: 2}}}}
	r := run.Report{
		Map: digest, Passes: []run.Pass{pass},
		Entries: []run.EntryCount{{Entry: "users", Action: datamap.Delete, Found: 1, Erased: 1}, {Entry: "invoices", Action: datamap.RetainIt, Found: 2, Kept: 2}},
		Traces:  []run.Trace{{Entry: "users", Traces: erasure.Traces{Rewind: time.Hour}}, {Entry: "invoices"}},
	}
	return w, r
}

func TestIssue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*request.Work, *run.Report)
		state  receipt.State
		check  func(receipt.Receipt) bool
	}{
		{"retained", func(*request.Work, *run.Report) {}, receipt.Retained, func(r receipt.Receipt) bool {
			return r.Retained[0].Items == 2 && r.Backups[0].Class == "pitr" && len(r.Traces) == 1 && r.Traces[0].Rewind == 3600 && r.Grants[0].Items == 1 &&
				r.Strict == receipt.Yes && r.Deadline.Months == 1 && r.Outside[0].What == "Logs, kept by ops at firm.example" &&
				r.Subject == record.Commitment([]byte("cccccccccccccccccccc"), "request", id) && r.Tenant == Tenant([]byte(strings.Repeat("m", 32)), "acme")
		}},
		{"the request says more than the search", func(w *request.Work, r *run.Report) {
			w.State, w.Outcome.Kept = request.Completed, nil
		}, receipt.Partial, nil},
		{"something is left", func(_ *request.Work, r *run.Report) { r.Passes[0].Entries[0].Count.Left = 1 }, receipt.Partial, nil},
		{"an entry was not searched", func(_ *request.Work, r *run.Report) { r.Passes[0].Entries[0].Why = "denied" }, receipt.Partial, nil},
		{"an entry is open", func(_ *request.Work, r *run.Report) { r.Entries[0].Open = "held" }, receipt.Partial, nil},
		{"a place nobody mapped", func(_ *request.Work, r *run.Report) { r.Passes[0].Unmapped = 1 }, receipt.Partial, nil},
		{"held by two people", func(w *request.Work, r *run.Report) {
			w.Holds = []request.Hold{{Entry: "users", Ground: "art17-3-e", Citation: "typed by somebody", Until: due}}
			r.Entries[0].Kept, r.Passes[0].Entries[0].Count.Kept = 1, 1
		}, receipt.Retained, func(r receipt.Receipt) bool {
			return len(r.Retained) == 2 && r.Retained[1].Items == 1 && r.Retained[1].Citation == ""
		}},
		{"a copy first", func(w *request.Work, _ *run.Report) { w.Handed = due }, receipt.Retained, func(r receipt.Receipt) bool { return r.Copy != nil && r.Copy.Handed == due }},
		{"done in another region, as a person says", func(w *request.Work, r *run.Report) {
			r.Passes[0].Entries[0].Why, w.Answers = "region", []request.Answer{{Entry: "users", Why: request.Region, By: "dan", At: noon, Reference: "receipt-77"}}
		}, receipt.Retained, func(r receipt.Receipt) bool {
			return r.Entries[0].Open == "" && len(r.Settled) == 1 && r.Settled[0] == receipt.Settled{At: noon, Entry: "users", Reference: "receipt-77", Why: receipt.Elsewhere}
		}},
		{"searched by a clock that was set back", func(_ *request.Work, r *run.Report) {
			r.Passes[0].At = noon.Add(-2 * time.Second)
			r.Passes = append(r.Passes, r.Passes[0])
			r.Passes[1].At = noon.Add(2 * time.Hour)
		}, receipt.Retained, func(r receipt.Receipt) bool {
			return r.Verify[0].At.Equal(noon) && r.Verify[1].At.Equal(noon.Add(2*time.Hour)) && r.Issued.Equal(noon.Add(2*time.Hour))
		}},
		{"extended", func(w *request.Work, _ *run.Report) { w.Extended = true }, receipt.Retained, func(r receipt.Receipt) bool { return r.Deadline.Months == 3 }},
		{"told of by a clock that is ahead", func(w *request.Work, _ *run.Report) { w.Received = noon.Add(3 * time.Minute) }, receipt.Retained, func(r receipt.Receipt) bool { return r.Received.Equal(noon) }},
		{"she is called what data is", func(w *request.Work, _ *run.Report) {
			w.Identifiers = []request.Identifier{{Kind: "uid", Value: "delete"}, {Kind: "uid", Value: "invoices"}, {Kind: "uid", Value: "Retain"}, {Kind: "uid", Value: "daily-7"}}
		}, receipt.Retained, nil},
		{"another map by now", func(_ *request.Work, r *run.Report) { r.Map = strings.Repeat("1", 64) }, receipt.Retained, func(r receipt.Receipt) bool { return r.Map == strings.Repeat("1", 64) }},
		{"nobody a restore would find", func(_ *request.Work, r *run.Report) { r.Unsuppressed = true }, receipt.Retained, func(r receipt.Receipt) bool {
			return len(r.Outside) == 2 && r.Outside[1].Days == 35 && strings.Contains(r.Outside[1].What, "by hand")
		}},
		{"what was anonymised counts as before", func(w *request.Work, r *run.Report) {
			r.Entries[0] = run.EntryCount{Entry: "users", Action: datamap.Anonymise, Found: 3, Anonymised: 3, Sought: 3, Stood: 3, Same: 3}
			w.Identifiers = append(w.Identifiers, request.Identifier{Kind: "uid", Value: "car_park"}) // that is a field's name
		}, receipt.Retained, func(r receipt.Receipt) bool {
			rows := r.Entries[0].Rows
			return r.Entries[0].Kept() && slices.Equal(rows.By, []string{"car_park"}) && slices.Equal(rows.Uncounted, []string{"minutes"}) && r.Entries[1].Rows == nil
		}},
		{"not all of it could be counted", func(_ *request.Work, r *run.Report) {
			r.Entries[0] = run.EntryCount{Entry: "users", Action: datamap.Anonymise, Found: 3, Anonymised: 3, Sought: 2, Stood: 2, Same: 2}
		}, receipt.Retained, func(r receipt.Receipt) bool {
			return !r.Entries[0].Kept() && r.Entries[0].Anonymised == 3 && r.Entries[0].Rows.Before == 2
		}},
		{"an account", func(w *request.Work, _ *run.Report) { w.Kind, w.Identifiers = request.Account, nil }, receipt.Retained, func(r receipt.Receipt) bool { return r.Subject == "" }},
	} {
		m := newMaker(t)
		w, report := work()
		c.change(&w, &report)
		for range 2 { // the second time nothing is made
			if err := m.Issue(t.Context(), w, report); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		r, err := m.Book.Made(t.Context(), id, 1)
		if err != nil || r.State != c.state || r.Seq != 1 || c.check != nil && !c.check(r) {
			t.Errorf("%s: %s, %v\n%+v", c.name, r.State, err, r)
		}
	}
}

// TestNames: a receipt in which an identifier turns up is not made.
func TestNames(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	w, report := work()
	m.Map.Outside = []datamap.Outside{{What: "The file of USER-4711"}}
	if err := m.Issue(t.Context(), w, report); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "4711") {
		t.Errorf("%v", err)
	}
	if _, err := m.Book.Made(t.Context(), id, 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("it was made: %v", err)
	}
}

// TestApart: where somebody else asked for a person, her receipt names the entries of no tenant, which were left alone.
func TestApart(t *testing.T) {
	t.Parallel()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml":      {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Berlin\n  country: DE\n  languages: [en]\n")},
		"p/people.yaml":       {Data: []byte("people: []\n")},
		"p/promises/all.yaml": {Data: []byte("promises: []\n")},
		"p/datamap.yaml": {Data: []byte(`identifiers: [{id: uid}, {id: person, staff: true}]
entries:
  - {id: users, store: "firestore://p/d", place: users, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, directory: true, address: email, backup_class: none}
  - {id: login, store: "firestore://p/d", place: logins, region: europe-west1, role: controller, tenant: {global: "reviewed by dan, 2026-03-02"}, select: {equals: uid, of: uid}, action: delete, backup_class: none}
  - {id: own, store: "firestore://p/d", place: own, region: europe-west1, role: controller, tenant: {global: "reviewed by dan, 2026-03-02"}, select: {equals: person, of: person}, action: delete, backup_class: none}
`)},
	}, "p")
	if err != nil {
		t.Fatal(problems, err)
	}
	m := newMaker(t)
	var wrong []policy.Problem
	if m.Map, wrong = datamap.Read(p); m.Map == nil {
		t.Fatal(wrong, problems)
	}
	for name, c := range map[string]struct {
		change func(*request.Work)
		apart  bool
	}{
		"an administrator": {func(w *request.Work) { w.Requester = request.TenantAdmin }, true}, "herself": {func(w *request.Work) { w.Global = true }, false},
		"an owner, of all": {func(w *request.Work) { w.Kind = request.Account }, false},
	} {
		w, report := work()
		c.change(&w)
		all := m.draft(w, report).Outside
		if c.apart && (len(all) != 1 || all[0].What != "login"+alone) || !c.apart && len(all) != 0 {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// TestPublic: the receipt names where what was erased could be seen by anybody, as copies are out of reach.
func TestPublic(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	w, report := work()
	before := len(m.draft(w, report).Outside)
	w.Outcome.Public = []string{"the directory of people"}
	all := m.draft(w, report).Outside
	if len(all) != before+1 || all[before].What != copies+"the directory of people" {
		t.Errorf("%+v", all)
	}
}
