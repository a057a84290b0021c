package promise_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

// TestExceptedFinding: two people of a control let a finding of its own be, until a day, and nothing else.
func TestExceptedFinding(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		control string
		people  int
		until   time.Duration
		tell    func(s *story, waiver record.Record)
		later   time.Duration
		want    string
	}{
		"two people":                {"drift", 2, 30 * day, nil, 0, "excepted: waiver"},
		"one":                       {"drift", 1, 30 * day, nil, 0, "broken: finding"},
		"for too long":              {"drift", 2, 91 * day, nil, 0, "broken: finding"},
		"another control":           {"elsewhere", 2, 30 * day, nil, 0, "broken: finding"},
		"it is over":                {"drift", 2, 10 * time.Minute, nil, 10 * time.Minute, "broken: finding"},
		"it is not over":            {"drift", 2, 10 * time.Minute, nil, 9 * time.Minute, "excepted: waiver"},
		"another finding":           {"drift", 2, 30 * day, func(s *story, _ record.Record) { s.wrong("drift", start, "A1") }, 0, "broken: finding"},
		"taken back":                {"drift", 2, 30 * day, func(s *story, w record.Record) { s.closes(record.Remediation, "drift", start, w) }, 0, "broken: finding"},
		"taken back by another one": {"drift", 2, 30 * day, func(s *story, w record.Record) { s.closes(record.Remediation, "elsewhere", start, w) }, 0, "excepted: waiver"},
		"the promise itself is measured broken": {"drift", 2, 30 * day, func(s *story, _ record.Record) {
			s.observe("database-exposure", start, "A1").Result = record.Result{State: record.Broken}
		}, 0, "broken: failed"},
	} {
		reg := register()
		s := good(reg)
		found := *s.wrong("drift", start.Add(-time.Minute), "A1")
		w := s.waive(start, start.Add(c.until), c.people, "A1")
		w.Control, w.Refs = c.control, []record.Ref{{Rel: "excepts", ID: found.ID()}}
		if c.tell != nil {
			c.tell(s, *w)
		}
		l := fold(t, reg, s.records)
		got := promise.State(l, "A1", start.Add(c.later))
		if text := string(got.State) + ": " + string(got.Reason); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
		if got.State == record.Excepted && (got.Waiver == "" || got.Findings != 0 || !got.Until.Equal(start.Add(c.until))) {
			t.Errorf("%s: %+v", name, got)
		}
		if fixed := s.closes(record.Remediation, "drift", start, found); got.State == record.Excepted {
			if s := promise.State(fold(t, reg, s.records), "A1", start); s.State != record.Kept || fixed == nil {
				t.Errorf("%s: healed, and %s", name, s.State)
			}
		}
	}
}
