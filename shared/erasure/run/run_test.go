package run_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

func (w *world) plan(j run.Job) run.Plan {
	w.t.Helper()
	var p run.Plan
	w.again(func() (done bool, err error) {
		p, done, err = w.engine().Plan(w.t.Context(), j, forever)
		return done, err
	})
	return p
}

func (w *world) execute(j run.Job) run.Execution {
	w.t.Helper()
	var x run.Execution
	w.again(func() (done bool, err error) {
		x, done, err = w.engine().Execute(w.t.Context(), j, forever)
		return done, err
	})
	return x
}

func (w *world) search(j run.Job, pass int) request.Outcome {
	w.t.Helper()
	var o request.Outcome
	w.again(func() (done bool, err error) {
		o, _, done, err = w.engine().Search(w.t.Context(), j, pass, forever)
		return done, err
	})
	return o
}

func left(entries []run.Entry) string {
	var text []string
	for _, e := range entries {
		text = append(text, fmt.Sprintf("%s %d/%d%s", e.ID, e.Count.Left, e.Count.Kept, e.Why))
	}
	return strings.Join(text, ", ")
}

func TestErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	twin := w.people.export("twin")
	p := w.plan(job(1))
	if got, want := left(p.Entries), "sessions 3/0, notes 1/0, usage 1/0, profiles 0/0, files 0/0, folders 0/0, invoices 1/1, users 1/0"; got != want {
		t.Errorf("planned %s, want %s", got, want)
	}
	digest, err := p.Digest(job(1))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Summary(digest); s.Items != 7 || s.Kept != 1 || !s.Own || s.Theirs || s.Share == 0 || s.Missing != 0 {
		t.Errorf("summary %+v", s)
	}
	x := w.execute(job(1))
	if want := (request.Totals{Erased: 6, Anonymised: 1}); x.Totals != want || len(x.Open) > 0 || x.Grown {
		t.Errorf("executed %+v, open %v, want %+v", x.Totals, x.Open, want)
	}
	o := w.search(job(1), 1)
	if o.Left != 0 || len(o.Open) > 0 || len(o.Kept) != 1 || o.Kept[0].Items != 1 || o.Kept[0].Until.String() != "2030-05-05" || o.Missing != 0 {
		t.Errorf("afterwards %+v", o)
	}
	if len(o.Purge) != 1 || o.Purge[0].By.String() != "2026-03-10" {
		t.Errorf("backups forget %+v", o.Purge)
	}
	if w.people.export("twin") != twin {
		t.Error("the twin tenant was touched")
	}
	if got := w.people.export("acme"); strings.Contains(got, "jo@") || strings.Contains(got, "Jo") || strings.Count(got, "uid:u10") != 3 || !strings.Contains(got, "invoices/acme-1map") {
		t.Errorf("left:\n%s", got)
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

// A walk reads what it found once to plan and once to erase, whatever its length; never from the start.
func TestReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1_000)
	j := job(1)
	w.plan(j)
	w.execute(j)
	for ref, n := range w.people.reads {
		if strings.HasPrefix(ref, "sessions/acme-u1-") && n > 2 {
			t.Fatalf("%s was read %d times", ref, n)
		}
	}
}

// Three deliveries at once walk each entry once.
func TestTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(900)
	w.plan(job(1))
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, _, err := w.engine().Execute(t.Context(), job(1), forever); err != nil && !fault.Is(err, fault.Transient) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if x := w.execute(job(1)); x.Totals.Erased != 903 || x.Totals.Gone != 0 {
		t.Errorf("executed %+v", x.Totals)
	}
}

// More than was planned is not erased by the plan.
func TestGrown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(100)
	w.plan(job(1))
	for i := range 30 {
		w.people.put("sessions", fmt.Sprintf("new-%d", i), "uid", "u1")
	}
	if x := w.execute(job(1)); !x.Grown {
		t.Fatalf("executed %+v", x)
	}
	if got := strings.Count(w.people.export("acme"), "uid:u1 "); got < 130 {
		t.Errorf("%d items are left of 133", got)
	}
	w.plan(job(2))
	if x := w.execute(job(2)); x.Grown || x.Totals.Erased != 133 {
		t.Errorf("after a new plan: %+v", x)
	}
}

// What comes late is found, erased and added up; who comes later with the same address keeps what is hers.
func TestLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	w.plan(job(1))
	w.execute(job(1))
	after := job(1)
	after.Executed = w.clock.Now()
	if o := w.search(after, 1); o.Left != 0 {
		t.Fatalf("left %+v", o)
	}
	if err := w.clock.Set(w.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now().Format(time.RFC3339)
	w.people.put("sessions", "late", "uid", "u1")
	w.people.put("notes", "late", "email", "jo@acme.example", "created", now)
	if o := w.search(after, 2); o.Left != 1 {
		t.Errorf("nobody came back: left %+v, want the session: whose the note is nobody can tell", o)
	}
	w.people.put("users", "back", "uid", "u77", "email", "jo@acme.example", "created", now)
	w.people.put("notes", "unknown", "email", "jo@acme.example")
	o := w.search(after, 3)
	if o.Left != 1 || len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "notes", Why: "review", Items: 1, Set: o.Open[0].Set}) {
		t.Errorf("somebody came back: %+v, want the session left and the undated note in doubt", o)
	}
	after.Round = 2
	if x := w.execute(after); x.Totals.Erased != 5+1 {
		t.Errorf("swept %+v", x.Totals)
	}
	if got := w.people.export("acme"); !strings.Contains(got, "users/back") || !strings.Contains(got, "notes/late") || !strings.Contains(got, "notes/unknown") || strings.Contains(got, "sessions/late") {
		t.Errorf("after the sweep:\n%s", got)
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	j := job(1)
	j.Holds = []run.Hold{{Entry: "sessions", Until: start.AddDate(0, 1, 0)}}
	if p := w.plan(j); p.Summary("").Kept != 3 {
		t.Errorf("planned %+v", p.Summary(""))
	}
	if x := w.execute(j); x.Totals.Erased != 3 {
		t.Errorf("executed %+v", x.Totals)
	}
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("left %+v", o)
	}
}

// Everything of a tenant goes when its account closes, and nothing of any other.
func TestAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	twin := w.people.export("twin")
	j := run.Job{Request: "r2", Round: 1, Tenant: "acme", Scope: run.Account}
	w.plan(j)
	w.execute(j)
	if o := w.search(j, 1); o.Left != 0 {
		t.Errorf("left %+v", o)
	}
	if got := w.people.export("acme"); strings.Count(got, "\n") != 1 { // the usage that is nobody's, the invoice of this decade
		t.Errorf("left:\n%s", got)
	}
	if w.people.export("twin") != twin {
		t.Error("the twin tenant was touched")
	}
}

func TestReaderCannotErase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Eraser = nil
	if _, _, err := w.engine().Execute(t.Context(), job(1), forever); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("got %v", err)
	}
}

// Nothing of the person lies open in what the engine keeps.
func TestNothingOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(400)
	w.people.fail = func(call string) error {
		if strings.HasPrefix(call, "erased sessions/acme-u1-00150") {
			return context.Canceled
		}
		return nil
	}
	w.plan(job(1))
	if _, done, _ := w.engine().Execute(t.Context(), job(1), forever); done {
		t.Fatal("it was not cut off")
	}
	for _, c := range run.Collection() {
		docs, err := w.store.Query(t.Context(), store.Query{Collection: c.Name, Limit: 100})
		if err != nil || len(docs) == 0 {
			t.Fatalf("%s: %d documents, %v", c.Name, len(docs), err)
		}
		for _, d := range docs {
			var all map[string]any
			if err := d.Decode(&all); err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprint(d.ID, all); strings.Contains(text, "jo@") || strings.Contains(text, "u1-") || strings.Contains(text, "sessions/") {
				t.Errorf("%s: %s", c.Name, text)
			}
		}
	}
}

var _ erasure.Store = (*people)(nil)

// Backups forget as late as the store itself says, where the map says sooner.
func TestTraces(t *testing.T) {
	t.Parallel()
	for kept, want := range map[time.Duration]string{time.Hour: "2026-03-10", 7 * 24 * time.Hour: "2026-03-10", 90*24*time.Hour - time.Minute: "2026-06-01"} {
		w := newWorld(t)
		w.fill(1)
		w.people.traces.SoftDelete = kept
		if o := w.search(w.erased(job(1)), 1); len(o.Purge) != 1 || o.Purge[0].By.String() != want {
			t.Errorf("of a store that keeps what was erased for %s: %+v, want %s", kept, o.Purge, want)
		}
	}
}
