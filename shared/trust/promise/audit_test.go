package promise_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// TestNeverKeptWithout: ways in which somebody might have a promise read as kept, or as excepted, without the evidence of it.
func TestNeverKeptWithout(t *testing.T) {
	t.Parallel()
	reg := register()
	fed := func(r *record.Record) { r.Facts = map[string]string{record.Needs: string(record.Observation)} }
	broken := func(r *record.Record) {
		r.Result, r.Expires = record.Result{State: record.Broken}, time.Time{}
	}
	for name, c := range map[string]struct {
		tell func(s *story)
		want string
	}{
		"a check that is fed beats, and what it was told is not in the log": {func(s *story) {
			fed(s.run("otp-gate", start, "O1"))
		}, "unknown: no proof"},
		"what it was told is about another promise": {func(s *story) {
			fed(s.run("otp-gate", start, "O1"))
			s.observe("otp-gate", start, "A1")
		}, "unknown: no proof"},
		"it is there": {func(s *story) {
			fed(s.run("otp-gate", start, "O1"))
			s.observe("otp-gate", start, "O1")
		}, "kept"},
		"it was told that something is broken, and beats on": {func(s *story) {
			broken(s.observe("otp-gate", start.Add(-time.Minute), "O1"))
			fed(s.run("otp-gate", start, "O1"))
		}, "broken: failed"},
		"an old good measurement comes again after a broken one": {func(s *story) {
			old := *s.observe("otp-gate", start.Add(-2*time.Hour), "O1")
			broken(s.observe("otp-gate", start.Add(-time.Hour), "O1"))
			s.records = append(s.records, old)
			again := *s.observe("otp-gate", start.Add(-2*time.Hour), "O1") // under another id too
			again.Source.Collected = start
			s.records[len(s.records)-1] = again
			s.run("otp-gate", start, "O1")
		}, "broken: failed"},
		"a measurement of another mechanism of the name": {func(s *story) {
			broken(s.observe("otp-gate", start.Add(-time.Hour), "O1"))
			r := s.observe("otp-gate", start, "O1")
			r.Facts = map[string]string{record.Mechanism: "probe"}
			s.run("otp-gate", start, "O1")
		}, "broken: failed"},
		"of two waivers that overlap one is over, and the other too": {func(s *story) {
			s.wrong("otp-gate", start.Add(-10*time.Hour), "O1")
			s.waive(start.Add(-9*time.Hour), start.Add(-3*time.Hour), 2, "O1")
			s.waive(start.Add(-6*time.Hour), start.Add(-time.Minute), 2, "O1")
		}, "broken: finding"},
		"a waiver of what cannot be told": {func(s *story) {
			s.wrong("otp-gate", start.Add(-time.Hour), "O1").Result.State = record.Undetermined
			s.waive(start.Add(-time.Hour), start.Add(time.Hour), 2, "O1")
		}, "unknown: incomplete"},
		"somebody else closes a finding": {func(s *story) {
			found := *s.wrong("otp-gate", start.Add(-time.Hour), "O1")
			s.closes(record.Remediation, "tls", start, found)
		}, "broken: finding"},
		"a finding is closed by what did not see everything": {func(s *story) {
			found := *s.wrong("otp-gate", start.Add(-time.Hour), "O1")
			s.closes(record.Remediation, "otp-gate", start, found).Population = &record.Population{Expected: 2, Seen: 1}
		}, "broken: finding"},
	} {
		s := good(reg)
		c.tell(s)
		if got := states(fold(t, reg, s.records), start.Add(time.Second))["O1"]; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
