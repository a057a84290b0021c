package statement

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
	"ostiary.internal/shared/trust/promise"
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

func (w *world) sign(person, id, hash, until string) (Statement, error) {
	w.t.Helper()
	p, _ := w.Policy.PersonByID(person)
	end, _ := ReadUntil(until, w.Policy.Company.Location())
	return w.Sign(w.t.Context(), id, hash, end, p, w.clock.Now())
}

func (w *world) hash(id string) string {
	p, _ := w.Policy.Promise(id)
	return promise.TextHash(p.Text)
}

func TestSign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hash := w.hash("S1")
	for name, c := range map[string]struct{ person, id, hash, until, code string }{
		"no such promise":     {"bob", "Z1", hash, "2027-03-03", "promise_unknown"},
		"nobody signs it":     {"bob", "S2", w.hash("S2"), "2027-03-03", "promise_unknown"},
		"another role":        {"dan", "S1", hash, "2027-03-03", "role_missing"},
		"another text":        {"bob", "S1", record.Digest([]byte("We cared.")), "2027-03-03", "text_changed"},
		"no text":             {"bob", "S1", "", "2027-03-03", "text_changed"},
		"the end is past":     {"bob", "S1", hash, "2026-03-02", "until_invalid"},
		"the end is far away": {"bob", "S1", hash, "2027-03-05", "until_invalid"},
		"no end":              {"bob", "S1", hash, "next year", "until_invalid"},
		"no such day":         {"bob", "S1", hash, "2027-02-30", "until_invalid"},
	} {
		if _, err := w.sign(c.person, c.id, c.hash, c.until); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if len(w.records) > 0 {
		t.Fatalf("refused, and %d records", len(w.records))
	}
	first, err := w.sign("bob", "S1", hash, "2027-03-03")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.sign("bob", "S1", hash, "2027-03-03T23:00:00Z"); err != nil || again.Record != first.Record || len(w.records) != 1 {
		t.Errorf("signed again: %+v, %v, %d records", again, err, len(w.records))
	}
	r := w.records[0]
	p, _ := w.Policy.Promise("S1")
	if r.Kind != record.Attestation || r.Control != Control || r.PromiseText != hash || r.Facts["role"] != "owner" || r.Result.State != record.Attested ||
		!r.Expires.Equal(first.Until) || len(r.Subjects) != 1 || r.ID() != first.Record || !first.InForce(p, start) || first.InForce(p, first.Until) {
		t.Errorf("the evidence is %+v", r)
	}
	second, err := w.sign("ada", "S1", hash, "2026-06-30")
	if err != nil || second.Record == first.Record || second.Role != policy.Security || len(w.records) != 2 {
		t.Errorf("another signer: %+v, %v", second, err)
	}
	p.Text.EN = "We care a lot."
	if second.InForce(p, start) {
		t.Error("a text that changed is signed")
	}
}

func TestReminder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.sign("bob", "S1", w.hash("S1"), "2027-03-03"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ day, want int }{{300, 0}, {340, 1}, {341, 1}, {400, 1}} {
		if err := w.clock.Set(start.AddDate(0, 0, c.day)); err != nil {
			t.Fatal(err)
		}
		if err := w.Tick(t.Context(), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if len(w.told) != c.want {
			t.Errorf("after %d days: %d reminders, want %d", c.day, len(w.told), c.want)
		}
	}
	if n := w.told[0]; n.Kind != notice.StatementExpires || len(n.To) != 2 || n.What("fr") != "S1: We care." {
		t.Errorf("the reminder is %+v", n)
	}
}

// A store that fails at any call leaves nothing, or the whole.
func TestDeath(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		w := newWorld(t)
		w.fail = storetest.FailNth(n)
		_, err := w.sign("bob", "S1", w.hash("S1"), "2027-03-03")
		if err == nil && n > 5 {
			return
		}
		if _, err := w.sign("bob", "S1", w.hash("S1"), "2027-03-03"); err != nil {
			t.Fatal(err)
		}
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
		if len(ids) != 1 {
			t.Errorf("failed at call %d: %d records", n, len(ids))
		}
	}
}
