package promise_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// TestStates tells a good story and changes one thing in it.
func TestStates(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for _, c := range []struct {
		name  string
		tell  func(s *story, reg promise.Register)
		later time.Duration
		want  map[string]string
	}{
		{"nothing is wrong", func(*story, promise.Register) {}, 0, calm()},
		{"no record at all", func(s *story, _ promise.Register) { s.records = nil }, 0, but(
			"R1", "unknown: not running", "A1", "unknown: not running", "O1", "unknown: not running", "W1", "unknown: not running",
			"M1", "unknown: not running", "U1", "unknown: not running", "F1", "unknown: not running", "D1", "unknown: not done",
			"S1", "unknown: not signed", "F2", "unknown: not signed", "C1", "unknown: no certificate")},
		{"everything falls silent but the log", func(s *story, _ promise.Register) { s.seal(start.Add(hour)) }, hour, but(
			"R1", "unknown: silent", "A1", "unknown: silent", "O1", "unknown: silent", "W1", "unknown: silent", "M1", "unknown: silent",
			"U1", "unknown: silent", "F1", "unknown: silent")},
		{"silence begins when the grace ends", func(s *story, _ promise.Register) { s.seal(start.Add(4 * time.Minute)) }, 24*time.Minute - time.Millisecond, but()},
		{"the log stops", func(*story, promise.Register) {}, log.Interval + log.Grace - time.Minute, stopped()},
		{"the log stops when its grace ends", func(*story, promise.Register) {}, log.Interval + log.Grace - time.Minute - time.Millisecond, calm()},
		{"the log stops, and something was broken or unknown before", func(s *story, _ promise.Register) {
			s.wrong("review-access", start, "D1")
			s.wrong("tls", start, "W1").Result.State = record.Undetermined
		}, log.Interval + log.Grace, stopped("D1", "broken: finding", "W1", "unknown: incomplete")},
		{"the log stops, and an exception and an old proof say nothing either", func(s *story, _ promise.Register) {
			s.wrong("review-access", start, "D1")
			s.waive(start, start.Add(90*24*hour), 2, "D1")
			s.observe("database-exposure", start, "A1").Expires = start
		}, log.Interval + log.Grace, stopped()},
		{"a log that never gave a sign of life", func(s *story, _ promise.Register) {
			s.records = slices.DeleteFunc(s.records, func(r record.Record) bool { return r.Control == promise.LogControl })
		}, 0, stopped()},
		{"the log's clock is ahead", func(s *story, _ promise.Register) { s.seal(start.Add(hour)) }, 0, but(
			"R1", "unknown: clock ahead", "A1", "unknown: clock ahead", "O1", "unknown: clock ahead", "W1", "unknown: clock ahead",
			"D1", "unknown: clock ahead", "S1", "unknown: clock ahead", "C1", "unknown: clock ahead", "M1", "unknown: clock ahead",
			"U1", "unknown: clock ahead", "F1", "unknown: clock ahead", "F2", "unknown: clock ahead")},
		{"the log's clock was ahead and is right again", func(s *story, _ promise.Register) {
			s.seal(start.Add(10 * 24 * hour))
			s.seal(start)
		}, 0, calm()},
		{"another control writes runs of the log", func(s *story, _ promise.Register) {
			s.run("otp-gate", start.Add(19*time.Minute), "O1").Facts = map[string]string{"for": promise.LogControl}
		}, log.Interval + log.Grace, stopped()},
		{"one control falls silent", func(s *story, _ promise.Register) {
			for i := 1; i <= 4; i++ {
				s.seal(start.Add(time.Duration(i)*15*time.Minute - time.Minute))
				s.run("watch-exports", start.Add(time.Duration(i)*15*time.Minute-time.Minute))
				s.run("database-exposure", start.Add(time.Duration(i)*15*time.Minute-time.Minute))
				s.run("otp-gate", start.Add(time.Duration(i)*15*time.Minute-time.Minute), "O1")
			}
		}, hour, but("W1", "unknown: silent", "M1", "unknown: silent")},
		{"a heartbeat that names another promise does not count", func(s *story, _ promise.Register) {
			for i := range s.records {
				if r := &s.records[i]; r.Control == "otp-gate" {
					r.Promises = []string{"A1"}
				}
			}
		}, 0, but("O1", "unknown: not running", "F1", "unknown: not running", "U1", "unknown: not running")},
		{"one thing was not looked at", func(s *story, _ promise.Register) {
			s.run("watch-exports", start).Population = &record.Population{Expected: 3, Seen: 2}
		}, 0, but("R1", "unknown: incomplete", "M1", "unknown: incomplete", "U1", "unknown: incomplete")},
		{"looking failed once", func(s *story, _ promise.Register) {
			s.run("watch-exports", start).Population = &record.Population{Expected: 3, Seen: 3, Errors: 1}
		}, 0, but("R1", "unknown: incomplete", "M1", "unknown: incomplete", "U1", "unknown: incomplete")},
		{"a run that counts nothing", func(s *story, _ promise.Register) { s.run("otp-gate", start, "O1").Population = nil }, 0,
			but("O1", "unknown: incomplete", "F1", "unknown: incomplete", "U1", "unknown: incomplete")},
		{"a numbered run is missing", func(s *story, _ promise.Register) { s.run("tls", start).Run += 2 }, 0,
			but("W1", "unknown: gap", "M1", "unknown: gap")},
		{"the missing run comes late", func(s *story, _ promise.Register) {
			s.run("tls", start).Run++
			s.seq["tls"]--
			s.run("tls", start.Add(-time.Second))
		}, 0, calm()},
		{"a gap is forgotten when no proof of that time counts any more", func(s *story, _ promise.Register) {
			past := &story{}
			past.run("tls", start.Add(-50*hour))
			past.run("tls", start.Add(-49*hour)).Run = 3
			for i := range s.records {
				if r := &s.records[i]; r.Control == "tls" && r.Kind == record.Run {
					r.Run += 3
				}
			}
			s.records = append(past.records, s.records...)
		}, 0, calm()},
		{"the count begins anew", func(s *story, _ promise.Register) { s.run("tls", start).Run = 1 }, 0,
			but("W1", "unknown: gap", "M1", "unknown: gap")},
		{"evidence about a promise was lost", func(s *story, _ promise.Register) { s.add(record.Gap, promise.LogControl, start, "A1") }, 0,
			but("A1", "unknown: gap")},
		{"a finding", func(s *story, _ promise.Register) { s.wrong("watch-exports", start, "R1") }, 0,
			but("R1", "broken: finding", "U1", "broken: finding")},
		{"a finding of another control", func(s *story, _ promise.Register) { s.wrong("elsewhere", start, "F1") }, 0,
			but("O1", "broken: finding", "F1", "broken: finding", "U1", "broken: finding")},
		{"a finding and silence", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.seal(start.Add(hour))
		}, hour, but(
			"R1", "unknown: silent", "A1", "unknown: silent", "O1", "unknown: silent", "W1", "broken: finding", "M1", "unknown: silent",
			"U1", "unknown: silent", "F1", "unknown: silent")},
		{"a finding, closed", func(s *story, _ promise.Register) {
			s.closes(record.Remediation, "watch-exports", start, *s.wrong("watch-exports", start, "R1"))
		}, 0, calm()},
		{"closed before it came, and it came twice", func(s *story, _ promise.Register) {
			found := *s.wrong("watch-exports", start, "R1")
			s.records = s.records[:len(s.records)-1]
			s.closes(record.Review, "watch-exports", start, found)
			s.records = append(s.records, found, found)
		}, 0, calm()},
		{"closed by another control", func(s *story, _ promise.Register) {
			s.closes(record.Remediation, "otp-gate", start, *s.wrong("tls", start, "W1"))
		}, 0, but("W1", "broken: finding")},
		{"closed by another control before it came", func(s *story, _ promise.Register) {
			found := *s.wrong("tls", start, "W1")
			s.records = s.records[:len(s.records)-1]
			s.closes(record.Remediation, "otp-gate", start, found)
			s.records = append(s.records, found)
		}, 0, but("W1", "broken: finding")},
		{"closed by another control, then by its own", func(s *story, _ promise.Register) {
			found := *s.wrong("tls", start, "W1")
			s.closes(record.Remediation, "otp-gate", start, found)
			s.closes(record.Remediation, "tls", start, found)
		}, 0, calm()},
		{"an exception that another control ends goes on", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.closes(record.Remediation, "tls", start, *s.waive(start, start.Add(hour), 2, "W1"))
		}, 0, but("W1", "excepted: waiver")},
		{"an exception that its desk ends", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.closes(record.Remediation, promise.WaiverControl, start, *s.waive(start, start.Add(hour), 2, "W1"))
		}, 0, but("W1", "broken: finding")},
		{"closed by somebody who could not tell", func(s *story, _ promise.Register) {
			s.closes(record.Review, "attest", start, *s.wrong("tls", start, "W1")).Result.State = record.Undetermined
		}, 0, but("W1", "broken: finding")},
		{"a good measurement closes nothing by itself", func(s *story, _ promise.Register) {
			s.wrong("tls", start.Add(-time.Minute), "W1")
			s.observe("tls", start, "W1")
		}, 0, but("W1", "broken: finding")},
		{"an undecided finding", func(s *story, _ promise.Register) { s.wrong("tls", start, "W1").Result.State = record.Undetermined }, 0,
			but("W1", "unknown: incomplete")},
		{"a waiver of two people", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.waive(start, start.Add(90*24*hour), 2, "W1")
		}, 0, but("W1", "excepted: waiver")},
		{"a waiver hides no silence", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.waive(start, start.Add(90*24*hour), 2, "W1")
			s.seal(start.Add(hour))
		}, hour, but(
			"R1", "unknown: silent", "A1", "unknown: silent", "O1", "unknown: silent", "W1", "unknown: silent", "M1", "unknown: silent",
			"U1", "unknown: silent", "F1", "unknown: silent")},
		{"a waiver that the desk did not write", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.waive(start, start.Add(hour), 2, "W1").Control = "tls"
		}, 0, but("W1", "broken: finding")},
		{"a waiver of one person", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.waive(start, start.Add(hour), 1, "W1")
		}, 0, but("W1", "broken: finding")},
		{"a waiver that is too long", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.waive(start, start.Add(91*24*hour), 2, "W1")
		}, 0, but("W1", "broken: finding")},
		{"a waiver that has ended", func(s *story, _ promise.Register) {
			s.wrong("tls", start, "W1")
			s.waive(start.Add(-hour), start, 2, "W1")
		}, 0, but("W1", "broken: finding")},
		{"measured broken", func(s *story, _ promise.Register) { s.observe("tls", start, "W1", "M1").Result.State = record.Broken }, 0,
			but("W1", "broken: failed", "M1", "broken: failed")},
		{"the number is beyond its limit, whatever the record says", func(s *story, _ promise.Register) {
			s.observe("tls", start, "W1").Result.Value = 3601
		}, 0, but("W1", "broken: limit")},
		{"the order of one instant does not matter", func(s *story, _ promise.Register) {
			s.observe("tls", start, "W1").Result.State = record.Broken
			s.observe("tls", start, "W1")
		}, 0, but("W1", "broken: failed")},
		{"a late old measurement does not count", func(s *story, _ promise.Register) {
			s.observe("tls", start.Add(-2*hour), "W1").Result.State = record.Broken
		}, 0, calm()},
		{"a measurement without result", func(s *story, _ promise.Register) { s.observe("tls", start, "W1").Result = record.Result{} }, 0,
			but("W1", "unknown: incomplete")},
		{"a measurement that missed something", func(s *story, _ promise.Register) {
			s.observe("tls", start, "W1").Population = &record.Population{Expected: 2, Seen: 1}
		}, 0, but("W1", "unknown: incomplete")},
		{"a measurement dated after now", func(s *story, _ promise.Register) { s.observe("tls", start.Add(hour), "W1") }, 0,
			but("W1", "unknown: clock ahead")},
		{"a measurement past its end", func(s *story, _ promise.Register) { s.observe("database-exposure", start, "A1").Expires = start }, 0,
			but("A1", "stale: expired")},
		{"a measurement older than max_age", func(s *story, _ promise.Register) {
			for i := range s.records {
				if r := &s.records[i]; r.Control == "tls" && r.Kind == record.Observation {
					r.Source.Observed, r.Expires = start.Add(-48*hour), time.Time{}
				}
			}
		}, 0, but("W1", "stale: expired", "M1", "stale: expired")},
		{"a probe that measured nothing", func(s *story, _ promise.Register) {
			for i := range s.records {
				if r := &s.records[i]; r.Control == "tls" && r.Kind == record.Observation {
					r.Promises = []string{"A1"}
				}
			}
		}, 0, but("W1", "unknown: no proof", "M1", "unknown: no proof")},
		{"attempts at access decide nothing", func(s *story, _ promise.Register) {
			s.add(record.Access, "otp-gate", start, "O1").Result.State = record.Violation
		}, 0, calm()},
		{"a drill that failed", func(s *story, _ promise.Register) {
			s.add(record.Drill, "tls", start, "W1").Result.State = record.Broken
		}, 0,
			but("W1", "broken: drill failed")},
		{"a drill that failed, then passed", func(s *story, _ promise.Register) {
			s.add(record.Drill, "tls", start.Add(-hour), "W1").Result.State = record.Broken
			s.add(record.Drill, "tls", start, "W1").Result.State = record.Pass
		}, 0, calm()},
		{"a drill too long ago", func(s *story, _ promise.Register) {
			r := s.add(record.Drill, "tls", start.Add(-hour), "W1")
			r.Result.State, r.Expires = record.Pass, start
		}, 0, but("W1", "stale: drill expired")},
		{"a duty overdue", func(s *story, _ promise.Register) { s.wrong("review-access", start, "D1") }, 0, but("D1", "broken: finding")},
		{"a duty that people alone say is done", func(s *story, _ promise.Register) {
			s.add(record.Attestation, "review-access", start, "D1").Result.State = record.Attested
		}, 0, but("D1", "attested")},
		{"a duty that two people say is done", func(s *story, _ promise.Register) {
			s.add(record.Review, "review-access", start, "D1").Result.State = record.Attested
		}, 0, but("D1", "attested")},
		{"what people alone say gets no better by what was measured at the same instant", func(s *story, _ promise.Register) {
			s.add(record.Review, "review-access", start, "D1").Result.State = record.Attested
			s.add(record.Observation, "review-access", start, "D1").Result.State = record.Kept
		}, 0, but("D1", "attested")},
		{"a duty that people say is done, too long ago", func(s *story, _ promise.Register) {
			r := s.add(record.Review, "review-access", start, "D1")
			r.Result.State, r.Expires = record.Attested, start
		}, 0, but("D1", "stale: expired")},
		{"another text was signed", func(s *story, reg promise.Register) {
			s.sign(reg, "S1", start).PromiseText = record.Digest([]byte("another"))
		}, 0, but("S1", "unknown: text changed", "F2", "unknown: text changed")},
		{"the equal sentence was signed itself", func(s *story, reg promise.Register) {
			s.sign(reg, "S1", start).PromiseText = record.Digest([]byte("another"))
			s.sign(reg, "F2", start)
		}, 0, but("S1", "unknown: text changed")},
		{"the equal sentence was signed itself, and has changed since", func(s *story, reg promise.Register) {
			s.sign(reg, "F2", start).PromiseText = record.Digest([]byte("another"))
		}, 0, but("F2", "unknown: text changed")},
		{"signed by another role too", func(s *story, reg promise.Register) { s.sign(reg, "S1", start).Facts["role"] = "employee" }, 0, calm()},
		{"signed by another role alone", func(s *story, reg promise.Register) {
			s.records = slices.DeleteFunc(s.records, func(r record.Record) bool { return r.Control == promise.StatementControl })
			s.sign(reg, "S1", start).Facts["role"] = "employee"
		}, 0, but("S1", "unknown: wrong role", "F2", "unknown: wrong role")},
		{"signed at another desk", func(s *story, reg promise.Register) {
			s.records = slices.DeleteFunc(s.records, func(r record.Record) bool { return r.Control == promise.StatementControl })
			s.sign(reg, "S1", start).Control = "otp-gate"
		}, 0, but("S1", "unknown: not signed", "F2", "unknown: not signed")},
		{"who may sign last says that it is no longer so", func(s *story, reg promise.Register) {
			s.sign(reg, "F2", start).Result.State = record.Broken
		}, 0, but("F2", "broken: failed")},
		{"half a year passes", func(s *story, _ promise.Register) { s.beat(start.AddDate(0, 6, 0).Add(-time.Minute)) },
			start.AddDate(0, 6, 0).Sub(start), but("W1", "stale: expired", "M1", "stale: expired", "A1", "stale: expired",
				"C1", "stale: expired", "D1", "stale: expired")},
		{"a year passes", func(s *story, _ promise.Register) { s.beat(start.AddDate(1, 0, 0).Add(-time.Minute)) },
			start.AddDate(1, 0, 0).Sub(start), but("W1", "stale: expired", "M1", "stale: expired", "A1", "stale: expired",
				"C1", "stale: expired", "D1", "stale: expired", "S1", "stale: expired", "F2", "stale: expired")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reg := register()
			s := good(reg)
			c.tell(s, reg)
			if diff := cmp.Diff(c.want, states(fold(t, reg, s.records), start.Add(c.later))); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}

// stopped is what the good story amounts to when the log gives no sign of life, but for some.
func stopped(others ...string) map[string]string {
	out := calm()
	for id, state := range out {
		if state == "kept" || state == "attested" || state == "inherited" {
			out[id] = "unknown: silent"
		}
	}
	for i := 0; i < len(others); i += 2 {
		out[others[i]] = others[i+1]
	}
	return out
}

// TestStopped: what the silence of the log began with, and what was known before.
func TestStopped(t *testing.T) {
	t.Parallel()
	reg := register()
	l := fold(t, reg, good(reg).records)
	before := promise.State(l, "S1", start)
	got := promise.State(l, "S1", start.Add(time.Hour))
	ended := start.Add(log.Interval + log.Grace - time.Minute)
	if !got.Since.Equal(ended) || !got.Until.IsZero() || got.Last != before.Last || len(got.Parts) != 1 || got.Parts[0].State != record.Unknown {
		t.Errorf("silent: %+v", got)
	}
}

// TestLastEvidence: only what counts for the state is its evidence, whoever names the promise.
func TestLastEvidence(t *testing.T) {
	t.Parallel()
	reg := register()
	s := good(reg)
	want := map[string]promise.Evidence{}
	before := fold(t, reg, s.records)
	for _, p := range reg.Promises {
		want[p.ID] = promise.State(before, p.ID, start).Last
	}
	for _, p := range reg.Promises {
		for _, kind := range []record.Kind{record.Access, record.Case, record.Observation, record.Review, record.Attestation, record.Remediation} {
			s.add(kind, "elsewhere", start, p.ID).Result.State = record.Pass
		}
		s.waive(start, start.Add(time.Hour), 2, p.ID).Control = "elsewhere"
		s.waive(start, start.Add(time.Hour), 1, p.ID)
	}
	after := fold(t, reg, s.records)
	for _, p := range reg.Promises {
		if got := promise.State(after, p.ID, start).Last; got != want[p.ID] {
			t.Errorf("%s: %+v, want %+v", p.ID, got, want[p.ID])
		}
	}
	found := *s.wrong("elsewhere", start, "W1")
	if got := promise.State(fold(t, reg, s.records), "W1", start).Last; got.ID != found.ID() {
		t.Errorf("a finding counts: %+v", got)
	}
}

func TestStatusTellsWhy(t *testing.T) {
	t.Parallel()
	reg := register()
	s := good(reg)
	first := *s.wrong("tls", start.Add(-2*time.Hour), "W1")
	s.wrong("tls", start.Add(-time.Hour), "W1")
	waiver := *s.waive(start.Add(-time.Minute), start.Add(time.Hour), 2, "W1")
	l := fold(t, reg, s.records)
	got := promise.State(l, "W1", start)
	if got.Findings != 2 || got.Finding.ID != first.ID() || got.Waiver != waiver.ID() || !got.Until.Equal(start.Add(time.Hour)) ||
		got.Mechanism != policy.Probe || got.Ref != "tls" || got.Last.ID != waiver.ID() || len(got.Parts) != 1 || got.Parts[0].State != record.Kept {
		t.Errorf("excepted: %+v", got)
	}
	kept := promise.State(l, "A1", start)
	if !cmp.Equal(kept.Measure, &promise.Measure{Metric: "age_s", Value: new(int64(60)), Op: "<=", Limit: 3600}) || kept.Until.IsZero() || kept.Since.IsZero() {
		t.Errorf("kept: %+v", kept)
	}
	signed := promise.State(l, "F2", start)
	if signed.SignedBy != policy.Owner || signed.Via != "S1" || signed.Ref != "owner,security" {
		t.Errorf("attested: %+v", signed)
	}
	if got := promise.State(l, "nobody", start); got.State != record.Unknown || got.Reason != promise.NotRunning {
		t.Errorf("unknown id: %+v", got)
	}
}
