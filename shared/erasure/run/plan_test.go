package run_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func digest(t *testing.T, p run.Plan, j run.Job) string {
	t.Helper()
	d, err := p.Digest(j)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What is approved names the round and, without naming her, whose data it is; the engine holds what it has on record
// against it.
func TestDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	first := w.plan(job(1))
	approved := digest(t, first, job(1))
	if again := w.plan(job(1)); digest(t, again, job(1)) != approved {
		t.Error("the same round has another digest")
	}
	if got, err := w.engine().Approved(t.Context(), job(1)); err != nil || got != approved {
		t.Errorf("on record %q, %v, want %q", got, err, approved)
	}
	held := job(1)
	held.Holds = []run.Hold{{Entry: "notes", Until: forever}}
	second := w.plan(job(2))
	if digest(t, second, job(2)) == approved || digest(t, first, held) == approved || digest(t, first, job(2)) == approved {
		t.Error("another round, or another hold, has the same digest")
	}
	if got, err := w.engine().Approved(t.Context(), job(3)); err != nil || got != digest(t, second, job(2)) {
		t.Errorf("of the newest plan %q, %v", got, err)
	}
	other := job(1)
	other.Request, other.IDs = "r2", []datamap.Identifier{{Kind: "uid", Value: "u10", Verified: true}}
	if p := w.plan(other); p.Subject == first.Subject || p.Subject == "" || strings.Contains(fmt.Sprint(p), "u10") {
		t.Errorf("the plan says whose data it is: %v", p)
	}
	if got, err := w.engine().Approved(t.Context(), run.Job{Request: "r7", Round: 1}); err != nil || got != "" {
		t.Errorf("of no plan %q, %v", got, err)
	}
}

// The identifiers of a plan are those that are erased by, whatever the request says by then.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.plan(job(1))
	j := job(1)
	j.IDs = []datamap.Identifier{{Kind: "uid", Value: "u10", Verified: true}}
	w.execute(j)
	if got := w.people.export("acme"); strings.Count(got, "uid:u10 ") != 1 || strings.Contains(got, "sessions/acme-u1-") {
		t.Errorf("left:\n%s", got)
	}
}

func TestOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("strict: true\n", "strict: true\nowners: {entry: users, identifier: uid, from: uid, where: role, is: owner}\n")
	w.fill(1)
	owns := func(id string) (bool, bool) {
		j := job(1)
		j.Request = id
		s := w.plan(j).Summary("")
		return s.Owner, s.Last
	}
	if owner, last := owns("r1"); owner || last {
		t.Error("she is none")
	}
	w.people.put("users", "acme-1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z", "role", "owner")
	w.people.put("users", "elsewhere", "tenant", "twin", "uid", "u5", "role", "owner")
	if owner, last := owns("r2"); !owner || !last {
		t.Error("she is the last")
	}
	w.people.put("users", "other", "uid", "u2", "role", "owner")
	if owner, last := owns("r3"); !owner || last {
		t.Error("there is another")
	}
	values := 0
	w.people.fail = func(call string) error {
		if strings.HasPrefix(call, "values") {
			if values++; values > 2 {
				return fault.New(fault.Denied, "no")
			}
		}
		return nil
	}
	j := job(1)
	j.Request = "r4"
	if s := w.plan(j).Summary(""); s.Last || s.Owner || s.Blind == 0 || !s.Own {
		t.Errorf("nobody can tell: a person looks, and nobody is told that she is the last: %+v", s)
	}
}

// Counting a tenant's items to tell how many of them a plan is about ends with the time, goes on where it stood, and does
// without a store that does not answer.
func TestShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("tenant_percent: 20", "tenant_percent: 1")
	w.fill(20)
	for i := range 3_000 {
		w.people.put("sessions", fmt.Sprintf("x%04d", i), "uid", "u9")
	}
	w.people.fail = func(call string) error {
		if call == "find usage" {
			return fault.New(fault.Denied, "no")
		}
		return w.clock.Set(w.clock.Now().Add(time.Second))
	}
	w.people.reads = map[string]int{}
	rounds := 0
	for {
		p, done, err := w.engine().Plan(t.Context(), job(1), w.clock.Now().Add(5*time.Second))
		if err != nil && !errors.Is(err, run.ErrLater) {
			t.Fatal(err)
		}
		if done {
			if p.Share != 0 {
				t.Errorf("%d percent of more than 3,000", p.Share)
			}
			break
		}
		if rounds++; rounds > 1_000 {
			t.Fatal("never done")
		}
	}
	for ref, n := range w.people.reads {
		if strings.HasPrefix(ref, "sessions/x") && n > 1 {
			t.Fatalf("%s was read %d times", ref, n)
		}
	}
	if rounds < 3 {
		t.Errorf("done in %d calls", rounds)
	}
}

// What a receipt says adds up over rounds.
func TestReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	j := w.erased(job(1))
	w.people.put("sessions", "late", "uid", "u1")
	w.search(j, 1)
	j.Round = 2
	w.execute(j)
	w.search(j, 1)
	r, err := w.engine().Account(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range r.Entries {
		got = append(got, fmt.Sprintf("%s %s found %d erased %d anonymised %d kept %d foreign %d %s", e.Entry, e.Action, e.Found, e.Erased, e.Anonymised, e.Kept, e.Foreign, e.Open))
	}
	for _, want := range []string{
		"sessions delete found 4 erased 4 anonymised 0 kept 0 foreign 3 ", "usage anonymise found 1 erased 0 anonymised 1 kept 0 foreign 1 ",
		"invoices retain found 2 erased 1 anonymised 0 kept 1 foreign 2 ",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if len(r.Passes) != 1 || r.Passes[0].N != 1 || len(r.Passes[0].Entries) != len(r.Entries) || len(r.Traces) != 1 || r.Map == "" {
		t.Errorf("passes %+v, traces %+v", r.Passes, r.Traces)
	}
	// A search that is made each day leaves nothing of those before it.
	for round := 3; round < 10; round++ {
		j.Round = round
		w.search(j, 2)
	}
	if docs, err := w.store.Query(t.Context(), store.Query{Collection: "jobs", Limit: 100}); err != nil || len(docs) > 7 {
		t.Errorf("%d documents are kept, %v", len(docs), err)
	}
	parts, err := run.Parts(t.Context(), w.store, "r1")
	for _, p := range parts {
		if err != nil || p.Phase == run.Searching && p.Round < 9 {
			t.Fatalf("%+v is left, %v", p, err)
		}
	}
	if err := w.engine().Forget(t.Context(), "r1"); err != nil {
		t.Fatal(err)
	}
	for _, c := range ofRequests() {
		if docs, err := w.store.Query(t.Context(), store.Query{Collection: c.Name, Limit: 10}); err != nil || len(docs) > 0 {
			t.Errorf("%s keeps %d documents, %v", c.Name, len(docs), err)
		}
	}
}
