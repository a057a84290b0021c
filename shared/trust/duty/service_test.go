package duty

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/trust/notice"
)

const dayLong = 24 * time.Hour

func TestCompanyDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	w.advance(2 * dayLong)
	w.tick()
	w.tick()
	if n, to := w.notices(notice.DutyReminder); n != 1 || !slices.Equal(to, []string{"ada", "bob"}) {
		t.Errorf("%d reminders, the last to %v", n, to)
	}
	w.advance(40 * dayLong)
	w.tick()
	findings := w.about("A1", record.Finding)
	if n, _ := w.notices(notice.DutyOverdue); len(findings) != 1 || findings[0].Result.State != record.Broken || findings[0].Control != "review" || n == 0 {
		t.Fatalf("overdue: %d findings, %d notices", len(findings), n)
	}
	if _, err := w.Done(t.Context(), "review", w.by("dan"), w.now()); fault.CodeOf(err) != "role_missing" {
		t.Errorf("done by somebody without the role: %v", err)
	}
	if _, err := w.Done(t.Context(), "review", By{Person: w.person("ada"), Ref: "two words"}, w.now()); fault.CodeOf(err) != "reference_invalid" {
		t.Errorf("done with a sentence for a reference: %v", err)
	}
	for range 2 { // the second time changes nothing
		if task, err := w.Done(t.Context(), "review", w.by("ada"), w.now()); err != nil || !task.Waiting() {
			t.Fatalf("done: %v, %v", task.State, err)
		}
	}
	if n, to := w.notices(notice.DutyReview); n != 1 || !slices.Equal(to, []string{"cleo"}) || len(w.about("A1", record.Review, record.Attestation, record.Observation, record.Remediation)) > 0 {
		t.Fatalf("%d notices for a review, to %v; or proven before it", n, to)
	}
	if _, err := w.Review(t.Context(), "review", w.by("ada"), Approved, w.now()); fault.CodeOf(err) != "role_missing" {
		t.Errorf("reviewed by somebody without the role: %v", err)
	}
	if _, err := w.Review(t.Context(), "review", w.by("cleo"), Returned, w.now()); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	if _, err := w.Done(t.Context(), "review", w.by("ada"), w.now()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Review(t.Context(), "review", w.by("cleo"), Approved, w.now()); err != nil {
			t.Fatal(err)
		}
	}
	proofs, healed := w.about("A1", record.Review), w.about("A1", record.Remediation)
	if len(proofs) != 1 || len(healed) != 1 || healed[0].Refs[0] != (record.Ref{Rel: "closes", ID: findings[0].ID()}) {
		t.Fatalf("reviewed: %d proofs, %v", len(proofs), healed)
	}
	if p := proofs[0]; p.Result.State != record.Kept || !p.Expires.Equal(w.task("review").Valid) || len(p.Subjects) != 2 || p.Subjects[0].C == p.Subjects[1].C || p.Config == "" {
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
		w.advance(time.Hour)
		duties, err := w.Evidence(t.Context(), Arrived{Type: "training.completed", Event: record.Digest([]byte(person)), Person: person, At: w.now()}, w.now())
		if err != nil || !slices.Equal(duties, []string{"train"}) {
			t.Fatal(duties, err)
		}
		proofs := w.about("A3", record.Observation)
		last, want := proofs[len(proofs)-1], record.Unknown
		if i == 3 {
			want = record.Kept
		}
		if len(proofs) != i+1 || last.Result.State != want || last.Population.Expected != 4 || last.Population.Seen != int64(i+1) || last.Subjects[0].Type != "person" {
			t.Fatalf("after %s: %d proofs, the last %+v", person, len(proofs), last)
		}
	}
	// Somebody leaves, unsigned: who is left makes the whole.
	for _, person := range []string{"ada", "bob", "cleo"} {
		_, err := w.Done(t.Context(), TaskID("nda", person), w.by("bob"), w.now())
		if person == "bob" && fault.CodeOf(err) != "own_matter" || person != "bob" && err != nil {
			t.Fatal(person, err)
		}
	}
	w.advance(10 * dayLong)
	w.tick()
	if n := len(w.about("A5", record.Finding)); n != 2 { // bob, dan
		t.Fatalf("%d findings", n)
	}
	w.advance(150 * dayLong)
	w.tick()
	healed := w.about("A5", record.Remediation)
	proofs := w.about("A5", record.Attestation, record.Observation)
	if last := proofs[len(proofs)-1]; len(healed) != 1 || last.Kind != record.Observation || last.Population.Expected != 3 || last.Population.Seen != 2 {
		t.Errorf("after dan left: %d findings closed, the last proof %+v", len(healed), last)
	}
	if _, _, err := w.Get(t.Context(), "nda~dan", w.now()); err != nil || w.task("nda~dan").State != Lapsed {
		t.Errorf("what dan owed: %v", err)
	}
	if duties, err := w.Evidence(t.Context(), Arrived{Type: "training.completed", Event: "sha256:x", Person: "dan"}, w.now()); err != nil || len(duties) > 0 {
		t.Errorf("evidence about somebody who left counts for %v, %v", duties, err)
	}
}

func TestRequestedDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	if _, err := w.Ask(t.Context(), "review", w.person("dan"), "vim 9", w.now()); fault.CodeOf(err) != "duty_unknown" {
		t.Errorf("asked for what nobody asks for: %v", err)
	}
	for _, about := range []string{"", "  ", "two\nlines", strings.Repeat("x", 201)} {
		if _, err := w.Ask(t.Context(), "clear", w.person("dan"), about, w.now()); fault.CodeOf(err) != "about_invalid" {
			t.Errorf("asked for %q: %v", about, err)
		}
	}
	asked, err := w.Ask(t.Context(), "clear", w.person("dan"), "vim 9", w.now())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.Ask(t.Context(), "clear", w.person("dan"), "VIM 9 ", w.now()); err != nil || again.ID != asked.ID || again.Cycle != 1 {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	if n, to := w.notices(notice.DutyAsked); n != 1 || !slices.Equal(to, []string{"ada", "bob"}) {
		t.Errorf("%d notices, to %v", n, to)
	}
	for about, want := range map[string]int{"emacs": 0, "Vim 9": 1} {
		duties, err := w.Evidence(t.Context(), Arrived{Type: "scan.finished", Event: "sha256:1", About: about, At: w.now(), Promises: []string{"A2"}}, w.now())
		if err != nil || len(duties) != want {
			t.Errorf("a scan of %s counts for %v, %v", about, duties, err)
		}
	}
	if duties, _ := w.Evidence(t.Context(), Arrived{Type: "scan.finished", Event: "sha256:2", About: "vim 9", At: w.now(), Promises: []string{"A1"}}, w.now()); len(duties) > 0 {
		t.Errorf("a source that may not prove the promise counts for %v", duties)
	}
	w.advance(time.Hour)
	if _, err := w.Done(t.Context(), asked.ID, w.by("ada"), w.now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Review(t.Context(), asked.ID, w.by("bob"), Approved, w.now()); err != nil {
		t.Fatal(err)
	}
	if proofs := w.about("A2", record.Review); len(proofs) != 1 || proofs[0].Result.State != record.Kept {
		t.Errorf("%d proofs", len(proofs))
	}
}

// What leaves the policy is owed no more, and its finding ends with it; what comes back begins anew.
func TestPolicyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	w.advance(40 * dayLong)
	w.tick()
	whole := w.Rules.Duties
	w.Rules.Duties = slices.DeleteFunc(slices.Clone(whole), func(d Duty) bool { return d.ID == "review" })
	w.tick()
	if _, _, err := w.Get(t.Context(), "review", w.now()); fault.CodeOf(err) != "duty_unknown" {
		t.Errorf("a duty that is gone: %v", err)
	}
	findings := w.about("A1", record.Finding)
	closed := slices.ContainsFunc(w.order, func(r record.Record) bool {
		return r.Kind == record.Remediation && len(r.Refs) == 1 && r.Refs[0].ID == findings[0].ID()
	})
	if len(findings) != 1 || !closed {
		t.Errorf("%d findings, closed: %v", len(findings), closed)
	}
	w.Rules.Duties = whole
	w.tick()
	if back := w.task("review"); back.State != Open || back.Cycle != 2 || !back.Due.After(w.now()) || back.Finding != "" {
		t.Errorf("back in the policy it is %+v", back)
	}
}

// A duty that files a certificate proves it as inherited.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	if _, err := w.Done(t.Context(), "partner", w.by("cleo"), w.now()); err != nil {
		t.Fatal(err)
	}
	if proofs := w.about("A4", record.Attestation); len(proofs) != 1 || proofs[0].Result.State != record.Inherited || proofs[0].Control != "partner" || proofs[0].Expires.IsZero() {
		t.Errorf("filed: %+v", proofs)
	}
}

// Whatever call of the store fails, in whatever operation, doing it again ends in the same state and the same evidence.
func TestDeath(t *testing.T) {
	t.Parallel()
	var whole []string
	stride := max(3/require.Seeds(1), 1)
	for n := -1; ; n += stride {
		w := newWorld(t)
		w.left = n
		died := false
		again := func(fn func() error) {
			t.Helper()
			for range 3 {
				err := fn()
				if err == nil {
					return
				}
				if !errors.As(err, new(*fault.Error)) {
					t.Fatalf("killed after %d calls: %v", n, err)
				}
				died, w.left = true, -1
			}
			t.Fatalf("killed after %d calls, it never gets through", n)
		}
		again(func() error { return w.Tick(t.Context(), w.now()) })
		w.advance(40 * dayLong)
		again(func() error { return w.Tick(t.Context(), w.now()) })
		again(func() error { _, err := w.Done(t.Context(), "review", w.by("ada"), w.now()); return err })
		again(func() error { _, err := w.Review(t.Context(), "review", w.by("cleo"), Approved, w.now()); return err })
		again(func() error {
			_, err := w.Evidence(t.Context(), Arrived{Type: "backup.restored", Event: "sha256:1", At: w.now()}, w.now())
			return err
		})
		died = died || w.left == 0 // it died where nobody was told
		w.left = -1
		w.advance(2 * time.Hour)
		if _, err := w.Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := []string{string(w.task("review").State), string(w.task("drill").State)}
		for _, id := range []string{"A1", "A2", "A3", "A4", "A5", "A6"} {
			for _, kind := range []record.Kind{record.Finding, record.Remediation, record.Review, record.Observation} {
				got = append(got, id, string(kind), strings.Repeat("x", len(w.about(id, kind))))
			}
		}
		if n < 0 {
			whole, n = got, -stride
			continue
		}
		if !slices.Equal(got, whole) {
			t.Fatalf("killed after %d calls:\n%v\nwant\n%v", n, got, whole)
		}
		if !died {
			return
		}
	}
}

// Two people at once: one word counts.
func TestRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	answers := make(chan error, 2)
	for _, who := range []string{"ada", "bob"} {
		go func() {
			_, err := w.Done(t.Context(), "review", w.by(who), w.now())
			answers <- err
		}()
	}
	first, second := <-answers, <-answers
	if first == nil == (second == nil) || fault.CodeOf(errors.Join(first, second)) != "duty_done" {
		t.Errorf("%v, %v", first, second)
	}
}
