package duty

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/notice"
)

func TestCompanyDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	w.Advance(2 * dayLong)
	w.tick()
	w.tick()
	if n, to := w.notices(notice.DutyReminder); n != 1 || !slices.Equal(to, []string{"ada", "bob"}) {
		t.Errorf("%d reminders, the last to %v", n, to)
	}
	w.Advance(40 * dayLong)
	w.tick()
	findings := w.about("A1", record.Finding)
	if n, _ := w.notices(notice.DutyOverdue); len(findings) != 1 || findings[0].Result.State != record.Broken || findings[0].Control != "review" || n == 0 {
		t.Fatalf("overdue: %d findings, %d notices", len(findings), n)
	}
	if _, err := w.Done(t.Context(), "review", w.by("dan"), w.Now()); fault.CodeOf(err) != "role_missing" {
		t.Errorf("done by somebody without the role: %v", err)
	}
	if _, err := w.Done(t.Context(), "review", By{Person: w.Person("ada"), Ref: "two words"}, w.Now()); fault.CodeOf(err) != "reference_invalid" {
		t.Errorf("done with a sentence for a reference: %v", err)
	}
	for range 2 { // the second time changes nothing
		if task, err := w.Done(t.Context(), "review", w.by("ada"), w.Now()); err != nil || !task.Waiting() {
			t.Fatalf("done: %v, %v", task.State, err)
		}
	}
	if n, to := w.notices(notice.DutyReview); n != 1 || !slices.Equal(to, []string{"cleo"}) || len(w.about("A1", record.Review, record.Attestation, record.Observation, record.Remediation)) > 0 {
		t.Fatalf("%d notices for a review, to %v; or proven before it", n, to)
	}
	if _, err := w.Review(t.Context(), "review", w.by("ada"), Approved, w.Now()); fault.CodeOf(err) != "role_missing" {
		t.Errorf("reviewed by somebody without the role: %v", err)
	}
	if _, err := w.Review(t.Context(), "review", w.by("cleo"), Returned, w.Now()); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	if _, err := w.Done(t.Context(), "review", w.by("ada"), w.Now()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Review(t.Context(), "review", w.by("cleo"), Approved, w.Now()); err != nil {
			t.Fatal(err)
		}
	}
	proofs, healed := w.about("A1", record.Review), w.about("A1", record.Remediation)
	if len(proofs) != 1 || len(healed) != 1 || healed[0].Refs[0] != (record.Ref{Rel: "closes", ID: findings[0].ID()}) {
		t.Fatalf("reviewed: %d proofs, %v", len(proofs), healed)
	}
	if p := proofs[0]; p.Result.State != record.Attested || // two people say so, and nothing measured it
		!p.Expires.Equal(w.task("review").Valid) || len(p.Subjects) != 2 || p.Subjects[0].C == p.Subjects[1].C || p.Config == "" {
		t.Errorf("the proof is %+v", p)
	}
	if n, _ := w.notices(notice.DutyReview); n != 2 {
		t.Errorf("%d notices for two reviews", n)
	}
}

// A personal duty is kept when everybody's part is: before that the population is not whole.
func TestPersonalDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	for i, person := range []string{"ada", "bob", "cleo", "dan"} {
		w.Advance(time.Hour)
		duties, err := w.Evidence(t.Context(), Arrived{Type: "training.completed", Event: record.Digest([]byte(person)), Person: person, At: w.Now()}, w.Now())
		if err != nil || !slices.Equal(duties, []string{"train"}) {
			t.Fatal(duties, err)
		}
		proofs := w.about("A3", record.Observation)
		last, want := proofs[len(proofs)-1], record.Unknown
		if i == 3 {
			want = record.Kept
		}
		if len(proofs) != i+2 || last.Result.State != want || last.Population.Expected != 4 || last.Population.Seen != int64(i+1) || last.Subjects[0].Type != "person" {
			t.Fatalf("after %s: %d proofs, the last %+v", person, len(proofs), last)
		}
	}
	// Somebody leaves, unsigned: who is left makes the whole.
	for _, person := range []string{"ada", "bob", "cleo"} {
		_, err := w.Done(t.Context(), TaskID("nda", person), w.by("bob"), w.Now())
		if person == "bob" && fault.CodeOf(err) != "own_matter" || person != "bob" && err != nil {
			t.Fatal(person, err)
		}
	}
	w.Advance(10 * dayLong)
	w.tick()
	if n := len(w.about("A5", record.Finding)); n != 2 { // bob, dan
		t.Fatalf("%d findings", n)
	}
	w.Advance(150 * dayLong)
	w.tick()
	healed := w.about("A5", record.Remediation)
	proofs := w.about("A5", record.Attestation, record.Observation)
	if last := proofs[len(proofs)-1]; len(healed) != 1 || last.Kind != record.Observation || last.Population.Expected != 3 || last.Population.Seen != 2 {
		t.Errorf("after dan left: %d findings closed, the last proof %+v", len(healed), last)
	}
	if _, _, err := w.Get(t.Context(), "nda~dan", w.Now()); err != nil || w.task("nda~dan").State != Lapsed {
		t.Errorf("what dan owed: %v", err)
	}
	if duties, err := w.Evidence(t.Context(), Arrived{Type: "training.completed", Event: "sha256:x", Person: "dan"}, w.Now()); err != nil || len(duties) > 0 {
		t.Errorf("evidence about somebody who left counts for %v, %v", duties, err)
	}
}

func TestRequestedDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	if _, err := w.Ask(t.Context(), "review", w.Person("dan"), "vim 9", w.Now()); fault.CodeOf(err) != "duty_unknown" {
		t.Errorf("asked for what nobody asks for: %v", err)
	}
	for _, about := range []string{"", "  ", "two\nlines", strings.Repeat("x", 201)} {
		if _, err := w.Ask(t.Context(), "clear", w.Person("dan"), about, w.Now()); fault.CodeOf(err) != "about_invalid" {
			t.Errorf("asked for %q: %v", about, err)
		}
	}
	asked, err := w.Ask(t.Context(), "clear", w.Person("dan"), "vim 9", w.Now())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.Ask(t.Context(), "clear", w.Person("dan"), "VIM 9 ", w.Now()); err != nil || again.ID != asked.ID || again.Cycle != 1 {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	if n, to := w.notices(notice.DutyAsked); n != 1 || !slices.Equal(to, []string{"ada", "bob"}) {
		t.Errorf("%d notices, to %v", n, to)
	}
	for about, want := range map[string]int{"emacs": 0, "Vim 9": 1} {
		duties, err := w.Evidence(t.Context(), Arrived{Type: "scan.finished", Event: "sha256:1", Request: about, At: w.Now(), Promises: []string{"A2"}}, w.Now())
		if err != nil || len(duties) != want {
			t.Errorf("a scan of %s counts for %v, %v", about, duties, err)
		}
	}
	if duties, _ := w.Evidence(t.Context(), Arrived{Type: "scan.finished", Event: "sha256:2", Request: "vim 9", At: w.Now(), Promises: []string{"A1"}}, w.Now()); len(duties) > 0 {
		t.Errorf("a source that may not prove the promise counts for %v", duties)
	}
	w.Advance(time.Hour)
	if _, err := w.Done(t.Context(), asked.ID, w.by("ada"), w.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Review(t.Context(), asked.ID, w.by("bob"), Approved, w.Now()); err != nil {
		t.Fatal(err)
	}
	if proofs := w.about("A2", record.Review); len(proofs) != 1 || proofs[0].Result.State != record.Kept {
		t.Errorf("%d proofs", len(proofs))
	}
}

// Who wants everything at once is told to wait, and keeps what she asked for.
func TestAskingTooMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	ask := func(who string, n int) error {
		_, err := w.Ask(t.Context(), "clear", w.Person(who), fmt.Sprint("tool ", n), w.Now())
		return err
	}
	for n := range MostAsked {
		if err := ask("dan", n); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask("dan", MostAsked); fault.CodeOf(err) != "asked_too_much" || !fault.Is(err, fault.Exhausted) {
		t.Errorf("one more: %v", err)
	}
	if err := ask("dan", 1); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	if err := ask("cleo", 1); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	id := TaskID("clear", askID("dan", "tool 1"))
	if _, err := w.Evidence(t.Context(), Arrived{Type: "scan.finished", Event: "sha256:1", Request: "tool 1", At: w.Now()}, w.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Done(t.Context(), id, w.by("ada"), w.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Review(t.Context(), id, w.by("bob"), Approved, w.Now()); err != nil {
		t.Fatal(err)
	}
	if err := ask("dan", MostAsked); err != nil {
		t.Errorf("when one is decided: %v", err)
	}
	// All people together have an end too.
	for n := range mostOpen {
		task := w.terms(mustDuty(t, w, "clear")).begin(Task{ID: TaskID("clear", fmt.Sprintf("x%04d", n)), Asker: fmt.Sprint("p", n), Nonce: "n"}, w.Now())
		if err := w.Rig.Store.Tx(t.Context(), func(tx store.Tx) error { return tx.Put(Tasks, task.ID, task) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask("bob", 1); fault.CodeOf(err) != "asked_too_much" {
		t.Errorf("after %d of others: %v", mostOpen, err)
	}
}

func mustDuty(t *testing.T, w *world, id string) Duty {
	t.Helper()
	d, known := w.Rules.Duty(id)
	if !known {
		t.Fatalf("no duty %s", id)
	}
	return d
}

// A source settles a duty only when it may prove every promise of it; who may prove a sentence may prove its twins.
func TestWhatASourceMayProve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		may   []string
		about string
		want  int
	}{
		{[]string{"A8"}, "secure-coding", 1}, {[]string{"A9"}, "SECURE-CODING", 1}, {[]string{"A8", "A9", "A1"}, "secure-coding", 1},
		{[]string{"A1"}, "secure-coding", 0}, {[]string{"A8"}, "phishing", 0}, {[]string{"A8"}, "", 0},
	} {
		w := newWorld(t)
		w.tick()
		a := Arrived{Type: "training.completed", Event: "sha256:1", Person: "ada", About: []string{c.about}, Promises: c.may, At: w.Now()}
		if duties, err := w.Evidence(t.Context(), a, w.Now()); err != nil || len(duties) != c.want {
			t.Errorf("%s by a source for %v counts for %v, %v", c.about, c.may, duties, err)
		}
	}
	w := newWorld(t)
	w.tick()
	for _, d := range []string{"train", "code"} {
		a := Arrived{Type: "training.completed", Event: "sha256:1", Duty: d, Person: "ada", About: []string{"secure-coding"}, At: w.Now()}
		if duties, err := w.Evidence(t.Context(), a, w.Now()); err != nil || !slices.Equal(duties, []string{d}) {
			t.Errorf("for %s alone it counts for %v, %v", d, duties, err)
		}
	}
	for i, d := range w.Rules.Duties {
		if d.ID == "drill" {
			w.Rules.Duties[i].Promises = []string{"A1", "A6"}
		}
	}
	for want, may := range [][]string{{"A6"}, {"A1", "A6"}} {
		duties, err := w.Evidence(t.Context(), Arrived{Type: "backup.restored", Event: "sha256:1", Promises: may, At: w.Now()}, w.Now())
		if got := slices.Contains(duties, "drill"); err != nil || got != (want == 1) {
			t.Errorf("a source for %v settles %v, %v", may, duties, err)
		}
	}
}

// Opening the duty of everybody tells how many owe it; the count is taken again before it is too old to prove anything,
// and a company of nobody proves nothing.
func TestCensus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	w.tick()
	counts := w.about("A8", record.Observation)
	if len(counts) != 1 || counts[0].Result.State != record.Unknown || *counts[0].Population != (record.Population{Expected: 4}) || counts[0].Control != "code" || len(counts[0].Subjects) > 0 {
		t.Fatalf("opened: %+v", counts)
	}
	for _, person := range []string{"ada", "bob", "cleo", "dan"} {
		a := Arrived{Type: "training.completed", Event: record.Digest([]byte(person)), Person: person, About: []string{"secure-coding"}, At: w.Now()}
		if _, err := w.Evidence(t.Context(), a, w.Now()); err != nil {
			t.Fatal(err)
		}
	}
	before := len(w.about("A8", record.Observation))
	for day := range 60 {
		w.Advance(dayLong)
		w.tick()
		counts = w.about("A8", record.Observation)
		last := counts[len(counts)-1]
		if age := w.Now().Sub(last.Source.Observed); last.Result.State != record.Kept || age > 5*dayLong {
			t.Fatalf("on day %d the last count is %s old: %+v", day, age, last)
		}
	}
	if n := len(counts) - before; n > 13 {
		t.Errorf("%d counts in 60 days", n)
	}
	w.Rig.Policy.People = nil
	w.tick()
	counts = w.about("A8", record.Observation)
	if last := counts[len(counts)-1]; last.Population.Expected != 0 || last.Result.State != record.Unknown {
		t.Errorf("of nobody: %+v", last)
	}
}

// What leaves the policy is owed no more, and its finding ends with it; what comes back begins anew.
func TestPolicyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	w.Advance(40 * dayLong)
	w.tick()
	whole := w.Rules.Duties
	w.Rules.Duties = slices.DeleteFunc(slices.Clone(whole), func(d Duty) bool { return d.ID == "review" })
	w.tick()
	if _, _, err := w.Get(t.Context(), "review", w.Now()); fault.CodeOf(err) != "duty_unknown" {
		t.Errorf("a duty that is gone: %v", err)
	}
	findings := w.about("A1", record.Finding)
	closed := slices.ContainsFunc(w.Records(), func(r record.Record) bool {
		return r.Kind == record.Remediation && len(r.Refs) == 1 && r.Refs[0].ID == findings[0].ID()
	})
	if len(findings) != 1 || !closed {
		t.Errorf("%d findings, closed: %v", len(findings), closed)
	}
	w.Rules.Duties = whole
	w.tick()
	if back := w.task("review"); back.State != Open || back.Cycle != 2 || !back.Due.After(w.Now()) || back.Finding != "" {
		t.Errorf("back in the policy it is %+v", back)
	}
}

// A duty that files a certificate proves it as inherited.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	if _, err := w.Done(t.Context(), "partner", w.by("cleo"), w.Now()); fault.CodeOf(err) != "document_invalid" {
		t.Errorf("filed without a document: %v", err)
	}
	by, until := w.by("cleo"), at("2026-06-30T22:00:00Z")
	by.Document = issued(until)
	if _, err := w.Done(t.Context(), "partner", by, w.Now()); err != nil {
		t.Fatal(err)
	}
	proofs := w.about("A4", record.Attestation)
	if len(proofs) != 1 || proofs[0].Result.State != record.Inherited || proofs[0].Control != "partner" || proofs[0].Facts[record.Mechanism] != "certificate" || !proofs[0].Expires.Equal(until) {
		t.Errorf("filed: %+v", proofs)
	}
	if data, _ := proofs[0].Canonical(); strings.Contains(string(data), "4711") || strings.Contains(string(data), "Assurance") {
		t.Errorf("what somebody typed stands in the evidence: %s", data)
	}
}
