package statement

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk/desktest"
	"ostiary.internal/shared/trust/notice"
	"ostiary.internal/shared/trust/promise"
)

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
	*desktest.Rig
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Rig: desktest.New(t, map[string]string{"people.yaml": people, "promises/a.yaml": promises}, Collection())}
	var err error
	if w.Service, err = New(w.Rig.Desk); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) sign(t *testing.T, person, id, hash, until string) (Statement, error) {
	t.Helper()
	end, _ := ReadUntil(until, w.Rig.Policy.Company.Location())
	return w.Sign(t.Context(), id, hash, end, w.Person(person), w.Now())
}

func (w *world) hash(id string) string {
	p, _ := w.Rig.Policy.Promise(id)
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
		if _, err := w.sign(t, c.person, c.id, c.hash, c.until); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if len(w.Records()) > 0 {
		t.Fatalf("refused, and %d records", len(w.Records()))
	}
	first, err := w.sign(t, "bob", "S1", hash, "2027-03-03")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.sign(t, "bob", "S1", hash, "2027-03-03T23:00:00Z"); err != nil || again.Record != first.Record || len(w.Records()) != 1 {
		t.Errorf("signed again: %+v, %v, %d records", again, err, len(w.Records()))
	}
	r := w.Records()[0]
	p, _ := w.Rig.Policy.Promise("S1")
	if r.Kind != record.Attestation || r.Control != Control || r.PromiseText != hash || r.Facts["role"] != "owner" || r.Result.State != record.Attested ||
		!r.Expires.Equal(first.Until) || len(r.Subjects) != 1 || r.ID() != first.Record || !first.InForce(p, desktest.Start) || first.InForce(p, first.Until) {
		t.Errorf("the evidence is %+v", r)
	}
	second, err := w.sign(t, "ada", "S1", hash, "2026-06-30")
	if err != nil || second.Record == first.Record || second.Role != policy.Security || len(w.Records()) != 2 {
		t.Errorf("another signer: %+v, %v", second, err)
	}
	p.Text.EN = "We care a lot."
	if second.InForce(p, desktest.Start) {
		t.Error("a text that changed is signed")
	}
}

func TestReminder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.sign(t, "bob", "S1", w.hash("S1"), "2027-03-03"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ day, want int }{{300, 0}, {340, 1}, {341, 1}, {400, 1}} {
		if err := w.Clock.Set(desktest.Start.AddDate(0, 0, c.day)); err != nil {
			t.Fatal(err)
		}
		if err := w.Tick(t.Context(), w.Now()); err != nil {
			t.Fatal(err)
		}
		if len(w.Told()) != c.want {
			t.Errorf("after %d days: %d reminders, want %d", c.day, len(w.Told()), c.want)
		}
	}
	if n := w.Told()[0]; n.Kind != notice.StatementExpires || len(n.To) != 2 || n.What("fr") != "S1: We care." {
		t.Errorf("the reminder is %+v", n)
	}
}

// A store that fails at any call leaves nothing, or the whole.
func TestDeath(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		w := newWorld(t)
		w.Fail = storetest.FailNth(n)
		_, err := w.sign(t, "bob", "S1", w.hash("S1"), "2027-03-03")
		if err == nil && n > 5 {
			return
		}
		if _, err := w.sign(t, "bob", "S1", w.hash("S1"), "2027-03-03"); err != nil {
			t.Fatal(err)
		}
		w.Advance(time.Minute)
		w.Sweep()
		ids := map[string]bool{}
		for _, r := range w.Records() {
			ids[r.ID()] = true
		}
		if len(ids) != 1 {
			t.Errorf("failed at call %d: %d records", n, len(ids))
		}
	}
}
