package duty

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// What is due before somebody's first day and comes after it is late, though it is there in the end.
func TestLate(t *testing.T) {
	t.Parallel()
	w := newStrictWorld(t)
	w.tick()
	for _, person := range []string{"ada", "dan"} {
		w.send(Arrived{Type: "person.screened", Person: person, At: start.AddDate(-1, 0, 0)})
		w.send(Arrived{Type: "person.nda", Person: person})
	}
	w.review("screen~dan", "bob", Approved, "")
	if n := len(w.of("screen", record.Finding)) + len(w.of("secrecy", record.Finding)); n > 0 || w.task("screen~dan").Late || w.task("secrecy~dan").Late {
		t.Fatalf("in time, and %d findings", n)
	}
	w.shows("B5", record.Unknown) // two of four
	w.Advance(20 * time.Hour)     // the next morning: the first day is over, the time to do it is not
	w.send(Arrived{Type: "person.screened", Person: "cleo"})
	task, findings := w.task("screen~cleo"), w.of("screen", record.Finding)
	if !task.Late || !task.Waiting() || len(findings) != 1 || task.Finding != findings[0].ID() || findings[0].Result.State != record.Broken || findings[0].Facts["event"] != "late" {
		t.Fatalf("late it is %+v, found %+v", task, findings)
	}
	if want := at("2026-03-03T23:00:00Z"); !findings[0].Source.Observed.Equal(want) {
		t.Errorf("out of order since %s, want %s", findings[0].Source.Observed, want)
	}
	w.shows("B4", record.Broken)
	w.review("screen~cleo", "bob", Approved, "")
	proofs := w.of("screen", record.Review)
	if last := proofs[len(proofs)-1]; last.Facts["late"] != "true" || len(w.of("screen", record.Remediation)) != 1 {
		t.Errorf("looked at: %+v", last)
	}
	// Where nobody looks at it, the finding is there and closed.
	w.send(Arrived{Type: "person.nda", Person: "cleo"})
	found, healed := w.of("secrecy", record.Finding), w.of("secrecy", record.Remediation)
	if len(found) != 1 || len(healed) != 1 || healed[0].Refs[0].ID != found[0].ID() || w.task("secrecy~cleo").Finding != "" {
		t.Errorf("found %+v, healed %+v", found, healed)
	}
	// What was overdue is one finding, and late too; what is shown anew later is not.
	w.Advance(3 * dayLong)
	w.tick()
	w.Advance(40 * dayLong) // long enough for the next count
	w.tick()
	counts := w.of("screen", record.Observation)
	if last := counts[len(counts)-1]; last.Facts["event"] != "counted" || last.Facts["late"] != "true" {
		t.Errorf("counted %+v", last)
	}
	before := len(w.of("secrecy", record.Finding))
	w.send(Arrived{Type: "person.nda", Person: "bob"})
	if n := len(w.of("secrecy", record.Finding)); n != before || !w.task("secrecy~bob").Late {
		t.Errorf("%d findings after %d", n, before)
	}
	w.send(Arrived{Type: "person.screened", Person: "dan", Failed: true})
	w.send(Arrived{Type: "person.screened", Person: "dan"})
	if task := w.task("screen~dan"); task.Late || !task.Waiting() {
		t.Errorf("screened anew it is %+v", task)
	}
}
