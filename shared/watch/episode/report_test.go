package episode

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/watch/notice"
)

// The report of the month names rules that are often wrong, and exceptions that nothing used; it is made once.
func TestReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	w.tick() // of a month in which nothing was watched
	day := 24 * time.Hour
	unused := w.except(Request{Kind: Suppression, Scope: Scope{Rule: "one", Actor: "mia@firm.example"}, Reason: "known-noise", Until: noon.Add(20 * day)})
	for i, reason := range []Reason{FalseAlarm, "deployment"} {
		at := time.Duration(i+1) * day
		w.to(at)
		w.ingest(act("e"+string(rune('1'+i)), "act", "ada", at))
		all, err := w.List(t.Context(), w.person("ada"), w.now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.answer(all[0].ID, "ada", Answer{Reason: reason}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.review(all[0].ID, "mia", Accept); err != nil {
			t.Fatal(err)
		}
	}
	w.ingest(act("e3", "look", "bob", 2*day))
	r, err := w.Report(t.Context(), noon, noon.Add(28*day), noon.Add(28*day))
	if err != nil || len(r.Rules) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	if one := r.Rules[1]; one.Rule != "one" || one.Episodes != 2 || one.Accepted != 2 || one.False != 1 || one.Precision() != 50 {
		t.Errorf("%+v", one)
	}
	if none := r.Rules[0]; none.Open != 1 || none.Precision() != 100 {
		t.Errorf("%+v", none)
	}
	if len(r.Reviews) != 1 || r.Reviews[0] != (Reviews{Person: "mia", Accepted: 2}) {
		t.Errorf("reviews %+v", r.Reviews)
	}
	if len(r.Expired) != 1 || r.Expired[0] != unused.ID || len(r.Unused) != 1 || r.Unused[0] != unused.ID {
		t.Errorf("%+v", r)
	}
	if n, _ := w.notices(notice.Report); n != 0 {
		t.Errorf("%d reports of a month without a control", n)
	}
	w.to(29 * day) // in April
	for range 3 {
		w.tick()
	}
	n, to := w.notices(notice.Report)
	if n != 1 || titles(to) != "sam sue" || w.of(record.Case, "report") != 1 {
		t.Errorf("%d reports to %v", n, to)
	}
}
