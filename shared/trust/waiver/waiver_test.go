package waiver

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/trust/desk/desktest"
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

func (w *world) ask(t *testing.T, person string, q Request) (Waiver, error) {
	t.Helper()
	return w.Ask(t.Context(), q, w.Person(person), w.Now())
}

func TestTwoPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fine := Request{Promise: "S2", Reason: "migration", Note: "until the new one runs", Until: desktest.Start.AddDate(0, 0, 30)}
	for name, c := range map[string]struct {
		person string
		change func(*Request)
		code   string
	}{
		"another role":      {"dan", func(*Request) {}, "role_missing"},
		"no such promise":   {"ada", func(q *Request) { q.Promise = "Z9" }, "promise_unknown"},
		"no such reason":    {"ada", func(q *Request) { q.Reason = "because" }, "reason_invalid"},
		"two lines":         {"ada", func(q *Request) { q.Note = "a\nb" }, "note_invalid"},
		"over":              {"ada", func(q *Request) { q.Until = desktest.Start }, "until_invalid"},
		"91 days":           {"ada", func(q *Request) { q.Until = desktest.Start.AddDate(0, 0, 91) }, "until_invalid"},
		"no end whatsoever": {"ada", func(q *Request) { q.Until = time.Time{} }, "until_invalid"},
	} {
		q := fine
		c.change(&q)
		if _, err := w.ask(t, c.person, q); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	asked, err := w.ask(t, "ada", fine)
	if err != nil || len(w.Told()) != 1 || len(w.Told()[0].To) != 1 || w.Told()[0].To[0] != "bob" {
		t.Fatal(asked, err, w.Told())
	}
	if again, err := w.ask(t, "ada", fine); err != nil || again.ID != asked.ID || len(w.Told()) != 1 {
		t.Errorf("asked again: %+v, %v, %d notices", again, err, len(w.Told()))
	}
	for _, c := range []struct{ id, person, code string }{
		{asked.ID, "ada", "waiver_self"}, {asked.ID, "dan", "role_missing"}, {"nothing", "bob", "waiver_unknown"}, {"../x", "bob", "waiver_unknown"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bob", "waiver_unknown"},
	} {
		if _, err := w.Approve(t.Context(), c.id, w.Person(c.person), desktest.Start); fault.CodeOf(err) != c.code {
			t.Errorf("%s approves %s: %v, want %s", c.person, c.id, err, c.code)
		}
	}
	if len(w.Records()) > 0 {
		t.Fatal("in force before the second person agreed")
	}
	for range 2 {
		if got, err := w.Approve(t.Context(), asked.ID, w.Person("bob"), desktest.Start); err != nil || !got.InForce(desktest.Start) || got.InForce(got.Until) {
			t.Fatal(got, err)
		}
	}
	if len(w.Records()) != 1 {
		t.Fatalf("%d records", len(w.Records()))
	}
	if r := w.Records()[0]; r.Kind != record.Waiver || r.Result.State != record.Excepted || len(r.Subjects) != 2 || r.Subjects[0].C == r.Subjects[1].C ||
		!r.Expires.Equal(fine.Until) || r.Facts["reason"] != "migration" || r.Promises[0] != "S2" {
		t.Errorf("the evidence is %+v", r)
	}
	if again, err := w.ask(t, "ada", fine); err != nil || again.State != Approved {
		t.Errorf("asked again when approved: %+v, %v", again, err)
	}
	list, err := w.List(t.Context(), desktest.Start)
	if after, _ := w.List(t.Context(), fine.Until); err != nil || len(list) != 1 || len(after) != 0 {
		t.Errorf("%d listed, %d after its end, %v", len(list), len(after), err)
	}
}

// One of the three is enough to end an exception: at once, on record, and for whoever computes states from the records.
func TestEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := Request{Promise: "S2", Reason: "migration", Until: desktest.Start.AddDate(0, 0, 30)}
	asked, err := w.ask(t, "ada", q)
	if err != nil {
		t.Fatal(err)
	}
	end := func(id, person, code string) Waiver {
		t.Helper()
		got, err := w.End(t.Context(), id, w.Person(person), w.Now())
		if fault.CodeOf(err) != code || code == "" && err != nil {
			t.Errorf("%s ends it: %v, want %q", person, err, code)
		}
		return got
	}
	end(asked.ID, "bob", "waiver_waiting")
	if _, err := w.Approve(t.Context(), asked.ID, w.Person("bob"), w.Now()); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	end(asked.ID, "dan", "role_missing")
	end("../x", "ada", "waiver_unknown")
	for _, person := range []string{"ada", "ada", "bob"} {
		if got := end(asked.ID, person, ""); got.State != Ended || got.InForce(w.Now()) || got.Ender != "ada" || !got.Ended.Equal(w.Now()) {
			t.Errorf("ended: %+v", got)
		}
	}
	records := w.Records()
	if len(records) != 2 || records[1].Kind != record.Remediation || records[1].Control != Control || len(records[1].Subjects) != 1 || records[1].Refs[0] != (record.Ref{Rel: "closes", ID: records[0].ID()}) {
		t.Fatalf("recorded: %+v", records)
	}
	ledger := promise.NewLedger(promise.NewRegister(w.Rig.Policy, nil))
	tells := func(kind record.Kind, control string, result record.State) record.Record {
		r := record.New(kind, control, "x", "S2")
		r.Source.Type, r.Source.Observed, r.Source.Collected, r.Result.State = "tick", w.Now(), w.Now(), result
		return r
	}
	sealed, run := tells(record.Run, promise.LogControl, record.Kept), tells(record.Run, "watch", record.Kept)
	sealed.Run, run.Run, run.Population = 1, 1, &record.Population{Expected: 1, Seen: 1}
	for i, r := range []record.Record{run, sealed, tells(record.Finding, "watch", record.Broken), records[0], records[1]} {
		if err := ledger.Add(int64(i), r); err != nil {
			t.Fatal(err)
		}
		want := []record.State{"", record.Kept, record.Broken, record.Excepted, record.Broken}[i]
		if got := promise.State(ledger, "S2", w.Now()).State; want != "" && got != want {
			t.Errorf("after record %d the promise is %s, want %s", i, got, want)
		}
	}
	if list, err := w.List(t.Context(), w.Now()); err != nil || len(list) > 0 {
		t.Errorf("listed: %v, %v", list, err)
	}
	if again, err := w.ask(t, "ada", q); err != nil || again.State != Asked {
		t.Errorf("asked anew: %+v, %v", again, err)
	}
	w.Advance(40 * 24 * time.Hour)
	end(asked.ID, "bob", "waiver_unknown")
}

// What nobody approves in a week lapses, and may be asked for again.
func TestLapse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := Request{Promise: "S2", Reason: "incident", Until: desktest.Start.AddDate(0, 0, 30)}
	asked, err := w.ask(t, "ada", q)
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(AskLife)
	if _, err := w.Approve(t.Context(), asked.ID, w.Person("bob"), w.Now()); fault.CodeOf(err) != "waiver_unknown" {
		t.Errorf("approved after a week: %v", err)
	}
	if again, err := w.ask(t, "ada", q); err != nil || !again.Waiting(w.Now()) || len(w.Told()) != 2 {
		t.Errorf("asked anew: %+v, %v", again, err)
	}
	if _, err := w.Approve(t.Context(), asked.ID, w.Person("bob"), w.Now()); err != nil {
		t.Error(err)
	}
}

// A store that fails at any call leaves nothing, or the whole.
func TestDeath(t *testing.T) {
	t.Parallel()
	for n := 1; n < 40; n++ {
		w := newWorld(t)
		w.Fail = storetest.FailNth(n)
		q := Request{Promise: "S2", Reason: "incident", Until: desktest.Start.AddDate(0, 0, 30)}
		var asked Waiver
		for err := error(fault.New(fault.Transient, "not asked yet")); err != nil; {
			asked, err = w.ask(t, "ada", q)
		}
		for range 2 {
			_, _ = w.Approve(t.Context(), asked.ID, w.Person("bob"), desktest.Start)
		}
		w.Advance(time.Minute)
		w.Sweep()
		ids := map[string]bool{}
		for _, r := range w.Records() {
			ids[r.ID()] = true
		}
		if got, err := w.Approve(t.Context(), asked.ID, w.Person("bob"), desktest.Start); err != nil || len(ids) != 1 || !ids[got.Record] {
			t.Errorf("failed at call %d: %v, %d records", n, err, len(ids))
		}
	}
}
