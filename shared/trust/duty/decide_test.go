package duty

import (
	"slices"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/notice"
)

// ask asks for something and returns the task's id.
func (w *world) ask(duty, who, about string) string {
	w.t.Helper()
	t, err := w.Ask(w.t.Context(), duty, w.Person(who), about, w.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return t.ID
}

// What an examination speaks against is refused by either side, what waits by the second person: decided, and kept.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newStrictWorld(t)
	w.tick()
	infected := w.ask("scan", "dan", "evil 1")
	w.review(infected, "ada", Turned, "duty_not_done")
	w.send(Arrived{Type: "scan.finished", Request: "evil 1", Failed: true})
	if n, to := w.notices(notice.DutyFailed); n != 1 || !slices.Equal(to, []string{"ada", "bob"}) {
		t.Errorf("%d notices, to %v", n, to)
	}
	w.Advance(20 * dayLong)
	w.tick() // it is overdue
	w.shows("B2", record.Broken)
	w.review(infected, "dan", Turned, "role_missing")
	w.review("access", "dan", Turned, "verdict_invalid")
	for range 2 {
		if task := w.review(infected, "ada", Turned, ""); task.State != Refused || task.Reviewer != "ada" || task.Finding != "" {
			t.Fatalf("refused it is %+v", task)
		}
	}
	w.review(infected, "bob", Turned, "duty_reviewed")
	asked, proofs := w.of("scan", record.Case)[0], w.of("scan", record.Review)
	if len(proofs) != 1 || proofs[0].Result.State != record.Kept || proofs[0].Facts["decision"] != "refused" || proofs[0].Facts["event"] != "settled" ||
		proofs[0].Refs[0] != (record.Ref{Rel: "decides", ID: asked.ID()}) || len(proofs[0].Subjects) != 2 || len(w.of("scan", record.Remediation)) != 1 {
		t.Errorf("decided by %+v", proofs)
	}
	w.shows("B2", record.Kept)
	if n, to := w.notices(notice.DutyRefused); n != 1 || !slices.Equal(to, []string{"dan"}) {
		t.Errorf("%d notices of the refusal, to %v", n, to)
	}
	// Nothing that comes later opens it, until somebody asks again.
	w.send(Arrived{Type: "scan.finished", Request: "evil 1"})
	w.send(Arrived{Type: "scan.finished", Request: "evil 1", Failed: true})
	w.tick()
	if task := w.task(infected); task.State != Refused {
		t.Errorf("later it is %+v", task)
	}
	if again := w.task(w.ask("scan", "dan", "EVIL 1")); again.ID != infected || again.State != Open || again.Cycle != 2 || len(again.Failed(mustDuty(t, w, "scan"))) > 0 {
		t.Errorf("asked for again it is %+v", again)
	}
	// The second person refuses what waits for her; who asked does not.
	fine := w.ask("scan", "bob", "fine 2")
	w.send(Arrived{Type: "scan.finished", Request: "fine 2"})
	w.review(fine, "ada", Turned, "role_missing")
	w.review(fine, "bob", Turned, "review_self")
	other := w.ask("scan", "dan", "fine 3")
	w.send(Arrived{Type: "scan.finished", Request: "fine 3"})
	if task := w.review(other, "bob", Turned, ""); task.State != Refused || !task.InForce(w.Now()) {
		t.Errorf("refused it is %+v", task)
	}
	// A restore that failed is owed all the same.
	owed := w.ask("giveback", "dan", "the calendar")
	w.send(Arrived{Type: "backup.restored", Request: "the calendar", Failed: true})
	w.review(owed, "ada", Turned, "duty_not_done")
}

// What was cleared and turns out bad is a finding until it is cleared anew, or refused.
func TestClearedThenBad(t *testing.T) {
	t.Parallel()
	w := newStrictWorld(t)
	w.tick()
	id := w.ask("scan", "dan", "vim 9")
	w.send(Arrived{Type: "scan.finished", Request: "vim 9"})
	if task := w.review(id, "bob", Approved, ""); task.Expires.IsZero() {
		t.Fatal("cleared it stays for ever")
	}
	w.send(Arrived{Type: "scan.finished", Request: "Vim 9", Failed: true})
	if task := w.task(id); task.State != Overdue || !task.Expires.IsZero() || len(w.of("scan", record.Finding)) != 1 {
		t.Fatalf("found bad it is %+v", task)
	}
	w.shows("B2", record.Broken)
	if _, err := w.Withdraw(t.Context(), id, w.by("dan"), w.Now()); fault.CodeOf(err) != "own_matter" {
		t.Errorf("who has it says alone that it is gone: %v", err)
	}
	w.review(id, "ada", Turned, "")
	if healed := w.of("scan", record.Remediation); len(healed) != 1 {
		t.Errorf("refused, and %d findings closed", len(healed))
	}
	w.shows("B2", record.Kept)
}

// Whoever asked takes it back, and nobody else.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	w := newStrictWorld(t)
	w.tick()
	id := w.ask("scan", "dan", "vim 9")
	withdraw := func(id, who string, cycle int, want string) Task {
		t.Helper()
		task, err := w.Withdraw(t.Context(), id, By{Person: w.Person(who), Cycle: cycle}, w.Now())
		if fault.CodeOf(err) != want {
			t.Errorf("%s withdraws %s: %v, want %q", who, id, err, want)
		}
		return task
	}
	withdraw(id, "ada", 0, "not_asker")
	withdraw(id, "dan", 7, "duty_moved")
	withdraw("review", "ada", 0, "duty_unknown")
	withdraw("scan~none", "ada", 0, "duty_unknown")
	w.Advance(20 * dayLong)
	w.tick()
	for range 2 {
		if task := withdraw(id, "dan", 1, ""); task.State != Withdrawn || task.Finding != "" {
			t.Fatalf("withdrawn it is %+v", task)
		}
	}
	proofs := w.of("scan", record.Attestation)
	if len(proofs) != 1 || proofs[0].Result.State != record.Kept || proofs[0].Facts["decision"] != "withdrawn" || len(proofs[0].Subjects) != 1 || len(w.of("scan", record.Remediation)) != 1 {
		t.Errorf("decided by %+v", proofs)
	}
	w.shows("B2", record.Kept)
	if !proofs[0].Source.Observed.Equal(w.Now()) {
		t.Errorf("observed at %s", proofs[0].Source.Observed)
	}
	w.review(id, "bob", Turned, "duty_reviewed")
	if again := w.task(w.ask("scan", "dan", "vim 9")); again.State != Open || again.Cycle != 2 {
		t.Errorf("asked for again it is %+v", again)
	}
	waiting := w.ask("scan", "dan", "emacs")
	w.send(Arrived{Type: "scan.finished", Request: "emacs"})
	if task := withdraw(waiting, "dan", 0, ""); task.State != Withdrawn {
		t.Errorf("what waited is %+v", task)
	}
	cleared := w.ask("scan", "dan", "ed")
	w.send(Arrived{Type: "scan.finished", Request: "ed"})
	w.review(cleared, "bob", Approved, "")
	withdraw(cleared, "dan", 0, "duty_reviewed")
}

// What was refused files no certificate.
func TestRefusedCertificate(t *testing.T) {
	t.Parallel()
	d := machineOf(t, "clear")
	d.Certificates = []string{"A4"}
	for state, want := range map[State]int{Reviewed: 2, Refused: 1} {
		if got := d.settled(Task{Nonce: "n", Cycle: 1, State: state, Reviewer: "bob", DoneAt: start, Settled: start}, nil, marks{}, start); len(got) != want {
			t.Errorf("%s: %+v", state, got)
		}
	}
}
