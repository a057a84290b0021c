package duty

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/notice"
	"ostiary.internal/shared/trust/promise"
)

// more are duties whose evidence may fail, and two that are owed before somebody's first day.
const more = duties + `
  - {id: access, what: Look at access., owner_role: security, every: P90D, evidence: [{type: review.done, about: access}], second: employee, promises: [B1]}
  - {id: scan, what: Scan it., owner_role: security, on: software, evidence: [scan.finished], second: manager, promises: [B2]}
  - {id: giveback, what: Restore it., owner_role: security, on: restore, evidence: [backup.restored], second: manager, promises: [B3]}
  - {id: screen, what: Screen., owner_role: security, on: joining, within: P1D, evidence: [person.screened], second: manager, promises: [B4]}
  - {id: secrecy, what: Sign., owner_role: security, on: joining, within: P1D, evidence: [person.nda], promises: [B5]}
`

const morePromises = `promises:
  - {id: B1, text: {en: We look.}, check: audit-calendar, severity: high, kept_by: [{duty: access}]}
  - {id: B2, text: {en: We scan.}, check: software-clearance, severity: high, kept_by: [{duty: scan}]}
  - {id: B3, text: {en: We give back.}, check: restore, severity: high, kept_by: [{duty: giveback}]}
  - {id: B4, text: {en: We screen.}, check: people-register, severity: high, kept_by: [{duty: screen}]}
  - {id: B5, text: {en: We sign.}, check: people-register, severity: high, kept_by: [{duty: secrecy}]}
`

func newStrictWorld(t *testing.T) *world {
	t.Helper()
	all := files(more)
	all["promises/b.yaml"] = morePromises
	return newWorldOf(t, all)
}

// shows fails unless a promise is in a state, for whoever reads the evidence.
func (w *world) shows(id string, want record.State) {
	w.t.Helper()
	l := promise.NewLedger(promise.NewRegister(w.Rig.Policy, w.Rules.Register()))
	alive := record.New(record.Run, promise.LogControl, "alive")
	alive.Run, alive.Source.Observed, alive.Source.Collected = 1, w.Now(), w.Now()
	for i, r := range append(w.Records(), alive) {
		if err := l.Add(int64(i), r); err != nil {
			w.t.Fatal(err)
		}
	}
	if got := promise.State(l, id, w.Now()); got.State != want {
		w.t.Errorf("%s is shown as %s, %s; want %s", id, got.State, got.Reason, want)
	}
}

// of returns the records of a duty, in the order they came.
func (w *world) of(duty string, kinds ...record.Kind) []record.Record {
	return slices.DeleteFunc(w.Records(), func(r record.Record) bool { return r.Control != duty || !slices.Contains(kinds, r.Kind) })
}

// send takes machine evidence for one duty, an hour after what was sent before.
func (w *world) send(a Arrived) {
	w.t.Helper()
	w.Advance(time.Hour)
	if a.Event == "" {
		a.Event = record.Digest([]byte(w.Now().String()))
	}
	if a.At.IsZero() {
		a.At = w.Now()
	}
	if _, err := w.Evidence(w.t.Context(), a, w.Now()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) review(id, who string, v Verdict, want string) Task {
	w.t.Helper()
	t, err := w.Review(w.t.Context(), id, w.by(who), v, w.Now())
	if fault.CodeOf(err) != want {
		w.t.Errorf("%s says %s of %s: %v, want %q", who, v, id, err, want)
	}
	return t
}

// Who did a review through a tool is not the second person, and has to have the role that owes it.
func TestWhoseWork(t *testing.T) {
	t.Parallel()
	w := newStrictWorld(t)
	w.tick()
	for _, by := range []string{"", "dan", "nobody"} {
		if w.send(Arrived{Type: "review.done", About: []string{"access"}, By: by}); w.task("access").State != Open {
			t.Errorf("a review by %q counts: %+v", by, w.task("access"))
		}
	}
	w.send(Arrived{Type: "review.done", About: []string{"access"}, By: "bob"})
	if task := w.task("access"); !task.Waiting() || task.DoneBy != "bob" {
		t.Fatalf("reviewed by bob it is %+v", task)
	}
	if n, to := w.notices(notice.DutyReview); n != 1 || !slices.Equal(to, []string{"ada", "cleo", "dan"}) {
		t.Errorf("%d notices for the second person, to %v", n, to)
	}
	w.review("access", "bob", Approved, "review_self")
	w.review("access", "dan", Approved, "")
	proofs := w.of("access", record.Review)
	if len(proofs) != 1 || proofs[0].Result.State != record.Kept || len(proofs[0].Subjects) != 2 || proofs[0].Subjects[0].C == proofs[0].Subjects[1].C {
		t.Errorf("proven by %+v", proofs)
	}
	w.shows("B1", record.Kept)
}

// A bad result after a good one: what waited is to be done again, what was proven is a finding, and whoever has to do
// with it is told.
func TestBadResult(t *testing.T) {
	t.Parallel()
	w := newStrictWorld(t)
	w.tick()
	good := Arrived{Type: "review.done", About: []string{"access"}, By: "bob"}
	bad := good
	bad.Failed = true
	w.send(good)
	w.send(bad)
	if task := w.task("access"); task.State != Open || task.DoneBy != "" || len(task.Missing(mustDuty(t, w, "access"))) != 1 || len(task.Failed(mustDuty(t, w, "access"))) != 1 {
		t.Fatalf("what waited is %+v", task)
	}
	if n, to := w.notices(notice.DutyFailed); n != 1 || !slices.Equal(to, []string{"ada", "bob", "cleo", "dan"}) || len(w.of("access", record.Finding)) > 0 {
		t.Errorf("%d notices, to %v; or a finding where nothing was proven", n, to)
	}
	w.review("access", "dan", Approved, "duty_not_done")
	// What happened before it and comes late counts no more.
	old := good
	old.At = w.Now().Add(-30 * time.Minute)
	if w.send(old); w.task("access").State != Open {
		t.Error("what is older than the bad result counts")
	}
	w.send(good)
	w.review("access", "dan", Approved, "")
	w.send(bad)
	task, findings := w.task("access"), w.of("access", record.Finding)
	if task.State != Overdue || task.InForce(w.Now()) || len(findings) != 1 || findings[0].Result.State != record.Broken || findings[0].ID() != task.Finding {
		t.Fatalf("what was proven is %+v, found %+v", task, findings)
	}
	w.shows("B1", record.Broken)
	if n, _ := w.notices(notice.DutyFailed); n != 2 {
		t.Errorf("%d notices", n)
	}
	w.send(bad)
	if n := len(w.of("access", record.Finding)); n != 1 {
		t.Errorf("%d findings for one fault", n)
	}
	w.send(good)
	if len(w.of("access", record.Remediation)) != 0 {
		t.Error("healed before the second person looked")
	}
	w.shows("B1", record.Broken)
	w.review("access", "dan", Approved, "")
	healed := w.of("access", record.Remediation)
	if task := w.task("access"); !task.InForce(w.Now()) || len(healed) != 1 || healed[0].Refs[0].ID != findings[0].ID() {
		t.Errorf("put right it is %+v, healed by %+v", task, healed)
	}
	w.shows("B1", record.Kept)
}

// What a person says stands on the newest evidence, and a bad result is not forgotten before it is done.
func TestBadResultBeforeTheWord(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "exercise")
	task := d.begin(Task{ID: "exercise", Nonce: "n"}, start)
	task, _ = d.arrive(task, restored("e1", start.Add(time.Hour)), start.Add(time.Hour))
	bad := restored("e2", start.Add(2*time.Hour))
	bad.Failed = true
	task = d.fail(task, bad, start.Add(2*time.Hour))
	_, _, err := d.done(task, doing{by: "ada"}, start.Add(3*time.Hour))
	code(t, err, "evidence_missing")
	if again := d.fail(task, bad, start.Add(4*time.Hour)); !same(task, again) {
		t.Errorf("the same event again: %+v", again)
	}
	// Good and bad of one instant: the bad one counts, in whatever order they come.
	for _, first := range []bool{true, false} {
		fresh := d.begin(Task{ID: "exercise", Nonce: "n"}, start)
		if first {
			fresh = d.fail(fresh, bad, bad.At)
		}
		fresh, _ = d.arrive(fresh, restored("e3", bad.At), bad.At)
		if !first {
			fresh = d.fail(fresh, bad, bad.At)
		}
		if len(fresh.Missing(d.Duty)) != 1 {
			t.Errorf("bad first %v: %+v", first, fresh)
		}
	}
	task, _ = d.arrive(task, restored("e4", start.Add(5*time.Hour)), start.Add(5*time.Hour))
	task, _, err = d.done(task, doing{by: "ada"}, start.Add(6*time.Hour))
	if err != nil || !task.InForce(start.Add(6*time.Hour)) || len(task.Failed(d.Duty)) > 0 {
		t.Errorf("put right it is %+v, %v", task, err)
	}
}

// A fault of this year's work breaks what last year's still proves.
func TestBadResultAhead(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "drill")
	task, _ := d.arrive(d.begin(Task{ID: "drill", Nonce: "n"}, start), restored("e1", start), start)
	next := task.Valid.Add(-dayLong)
	task, _ = d.tick(task, next)
	bad := restored("e2", next)
	bad.Failed = true
	if task = d.fail(task, bad, next); task.InForce(next) || task.Finding == "" || task.State != Overdue || !task.Due.Equal(next) {
		t.Errorf("it is %+v", task)
	}
	if _, steps := d.tick(task, next); len(steps) > 0 {
		t.Errorf("Tick goes on with %v", steps)
	}
	task, _ = d.arrive(task, restored("e3", next.Add(time.Hour)), next.Add(time.Hour))
	if task.Finding != "" || !task.InForce(next.Add(time.Hour)) {
		t.Errorf("put right it is %+v", task)
	}
}

// Of several things the one that failed is to be shown again, and the others count on.
func TestOnePartFails(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "drill")
	d.Evidence = []Needed{{Type: "pentest.report", About: "network"}, {Type: "pentest.report", About: "application"}}
	test := func(event, about string, at time.Time) Arrived {
		return Arrived{Type: "pentest.report", Event: event, About: []string{about}, At: at}
	}
	task, _ := d.arrive(d.begin(Task{ID: "drill", Nonce: "n"}, start), test("e1", "network", start), start)
	later := start.Add(dayLong)
	if task, _ = d.arrive(task, test("e2", "application", later), later); !task.InForce(later) {
		t.Fatalf("both shown, it is %+v", task)
	}
	bad := test("e3", "application", later.Add(dayLong))
	bad.Failed = true
	if task = d.fail(task, bad, bad.At); task.InForce(bad.At) || len(task.Missing(d.Duty)) != 1 {
		t.Fatalf("one failed, it is %+v", task)
	}
	again := test("e4", "application", bad.At.Add(dayLong))
	if task, _ = d.arrive(task, again, again.At); !task.InForce(again.At) || !task.Valid.Equal(d.end(d.Every, start)) {
		t.Errorf("shown again, it is %+v", task)
	}
}
