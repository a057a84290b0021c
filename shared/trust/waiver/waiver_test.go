package waiver

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/notice"
)

var start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

const people = `people:
  - {id: ada, email: ada@acme.example, name: Ada, roles: [employee, security], zone: Europe/Paris, language: en}
  - {id: bob, email: bob@acme.example, name: Bob, roles: [employee, owner], zone: Europe/Paris, language: fr}
  - {id: dan, email: dan@acme.example, name: Dan, roles: [employee], zone: Europe/Paris, language: de}
`

const promises = `promises:
  - {id: S1, text: {en: We care.}, check: attestation-desk, severity: info, kept_by: [{statement: [owner, security]}]}
  - {id: S2, text: {en: We watch.}, check: watch, severity: info, kept_by: [{records: watch}]}
`

type world struct {
	*Service
	t       *testing.T
	clock   *clock.Manual
	fail    storetest.Fault
	mu      sync.Mutex
	records []record.Record
	told    []notice.Notice
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(start)}
	raw, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection(), Collection()}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	faulty := storetest.Faulty(storetest.Twice(raw), func(p storetest.Point, n int) error {
		if w.fail != nil {
			return w.fail(p, n)
		}
		return nil
	})
	p, problems, err := policy.Load(fstest.MapFS{
		"acme/company.yaml":    {Data: []byte(`company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en]}`)},
		"acme/people.yaml":     {Data: []byte(people)},
		"acme/promises/a.yaml": {Data: []byte(promises)},
	}, "acme")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	box := outbox.New(faulty, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: func(_ context.Context, e outbox.Entry) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		r, err := record.Parse(e.Data)
		w.records = append(w.records, r)
		return err
	}})
	w.Service, err = New(Config{Store: faulty, Box: box, Policy: p, Digest: "sha256:" + p.Digest,
		Commit: func(_ context.Context, person string, _ time.Time) (record.Subject, error) {
			return record.Subject{Type: "person", C: record.Commitment([]byte("a salt of sixteen bytes"), "person", person)}, nil
		},
		Notify: func(_ *outbox.Batch, n notice.Notice) error {
			if len(w.told) == 0 || w.told[len(w.told)-1].Key != n.Key {
				w.told = append(w.told, n)
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) person(id string) policy.Person {
	p, _ := w.Policy.PersonByID(id)
	return p
}

func (w *world) ask(person string, q Request) (Waiver, error) {
	w.t.Helper()
	return w.Ask(w.t.Context(), q, w.person(person), w.clock.Now())
}

func TestTwoPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fine := Request{Promise: "S2", Reason: "migration", Note: "until the new one runs", Until: start.AddDate(0, 0, 30)}
	for name, c := range map[string]struct {
		person string
		change func(*Request)
		code   string
	}{
		"another role":      {"dan", func(*Request) {}, "role_missing"},
		"no such promise":   {"ada", func(q *Request) { q.Promise = "Z9" }, "promise_unknown"},
		"no such reason":    {"ada", func(q *Request) { q.Reason = "because" }, "reason_invalid"},
		"two lines":         {"ada", func(q *Request) { q.Note = "a\nb" }, "note_invalid"},
		"over":              {"ada", func(q *Request) { q.Until = start }, "until_invalid"},
		"91 days":           {"ada", func(q *Request) { q.Until = start.AddDate(0, 0, 91) }, "until_invalid"},
		"no end whatsoever": {"ada", func(q *Request) { q.Until = time.Time{} }, "until_invalid"},
	} {
		q := fine
		c.change(&q)
		if _, err := w.ask(c.person, q); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	asked, err := w.ask("ada", fine)
	if err != nil || len(w.told) != 1 || len(w.told[0].To) != 1 || w.told[0].To[0] != "bob" {
		t.Fatal(asked, err, w.told)
	}
	if again, err := w.ask("ada", fine); err != nil || again.ID != asked.ID || len(w.told) != 1 {
		t.Errorf("asked again: %+v, %v, %d notices", again, err, len(w.told))
	}
	for _, c := range []struct{ id, person, code string }{
		{asked.ID, "ada", "waiver_self"}, {asked.ID, "dan", "role_missing"}, {"nothing", "bob", "waiver_unknown"}, {"../x", "bob", "waiver_unknown"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bob", "waiver_unknown"},
	} {
		if _, err := w.Approve(t.Context(), c.id, w.person(c.person), start); fault.CodeOf(err) != c.code {
			t.Errorf("%s approves %s: %v, want %s", c.person, c.id, err, c.code)
		}
	}
	if len(w.records) > 0 {
		t.Fatal("in force before the second person agreed")
	}
	for range 2 {
		if got, err := w.Approve(t.Context(), asked.ID, w.person("bob"), start); err != nil || !got.InForce(start) || got.InForce(got.Until) {
			t.Fatal(got, err)
		}
	}
	if len(w.records) != 1 {
		t.Fatalf("%d records", len(w.records))
	}
	if r := w.records[0]; r.Kind != record.Waiver || r.Result.State != record.Excepted || len(r.Subjects) != 2 || r.Subjects[0].C == r.Subjects[1].C ||
		!r.Expires.Equal(fine.Until) || r.Facts["reason"] != "migration" || r.Promises[0] != "S2" {
		t.Errorf("the evidence is %+v", r)
	}
	if again, err := w.ask("ada", fine); err != nil || again.State != Approved {
		t.Errorf("asked again when approved: %+v, %v", again, err)
	}
	list, err := w.List(t.Context(), start)
	if after, _ := w.List(t.Context(), fine.Until); err != nil || len(list) != 1 || len(after) != 0 {
		t.Errorf("%d listed, %d after its end, %v", len(list), len(after), err)
	}
}

// What nobody approves in a week lapses, and may be asked for again.
func TestLapse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := Request{Promise: "S2", Reason: "incident", Until: start.AddDate(0, 0, 30)}
	asked, err := w.ask("ada", q)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.clock.Set(start.Add(AskLife)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Approve(t.Context(), asked.ID, w.person("bob"), w.clock.Now()); fault.CodeOf(err) != "waiver_unknown" {
		t.Errorf("approved after a week: %v", err)
	}
	if again, err := w.ask("ada", q); err != nil || !again.Waiting(w.clock.Now()) || len(w.told) != 2 {
		t.Errorf("asked anew: %+v, %v", again, err)
	}
	if _, err := w.Approve(t.Context(), asked.ID, w.person("bob"), w.clock.Now()); err != nil {
		t.Error(err)
	}
}

// A store that fails at any call leaves nothing, or the whole.
func TestDeath(t *testing.T) {
	t.Parallel()
	for n := 1; n < 40; n++ {
		w := newWorld(t)
		w.fail = storetest.FailNth(n)
		q := Request{Promise: "S2", Reason: "incident", Until: start.AddDate(0, 0, 30)}
		var asked Waiver
		for err := error(fault.New(fault.Transient, "not asked yet")); err != nil; {
			asked, err = w.ask("ada", q)
		}
		for range 2 {
			_, _ = w.Approve(t.Context(), asked.ID, w.person("bob"), start)
		}
		w.fail = nil
		if err := w.clock.Set(start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, r := range w.records {
			ids[r.ID()] = true
		}
		if got, err := w.Approve(t.Context(), asked.ID, w.person("bob"), start); err != nil || len(ids) != 1 || !ids[got.Record] {
			t.Errorf("failed at call %d: %v, %d records", n, err, len(ids))
		}
	}
}
