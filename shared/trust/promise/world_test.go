package promise_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// start is a morning; every test tells time from it.
var start = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)

var salt = []byte("sixteen bytes or more")

func keeper(m policy.Mechanism, refs ...string) policy.Keeper {
	return policy.Keeper{Mechanism: m, Refs: refs}
}

func days(n int) calendar.Period { return calendar.Period{Days: n} }

// house is a policy with each mechanism, an equal sentence, a rollup and a promise of two mechanisms.
func house() *policy.Policy {
	one := func(id string, severity policy.Severity, keepers ...policy.Keeper) policy.Promise {
		return policy.Promise{ID: id, Text: policy.Text{EN: "Sentence " + id + "."}, Check: "check-" + id[:1], Severity: severity, KeptBy: keepers}
	}
	p := &policy.Policy{Digest: "d1", Company: policy.Company{Name: "House", Languages: []string{"en", "fr"}}}
	p.Promises = []policy.Promise{
		one("R1", policy.Critical, keeper(policy.Rule, "watch-exports")),
		one("A1", policy.High, keeper(policy.Assertion, "database-exposure")),
		one("O1", policy.Critical, keeper(policy.Records, "otp-gate")),
		one("W1", policy.High, keeper(policy.Probe, "tls")),
		one("D1", policy.Medium, keeper(policy.Duty, "review-access")),
		one("S1", policy.Info, keeper(policy.Statement, "owner", "security")),
		one("C1", policy.Low, keeper(policy.Certificate, "iso-27001")),
		one("M1", policy.High, keeper(policy.Rule, "watch-exports"), keeper(policy.Probe, "tls")),
		one("U1", policy.High, keeper(policy.Rollup, "R1", "O1")),
		one("N1", policy.High, keeper(policy.Rule, "not-built")),
	}
	same := one("F1", policy.High, keeper(policy.Records, "otp-gate"))
	same.SameAs, same.Text = "O1", policy.Text{FR: "Phrase F1."}
	signed := one("F2", policy.Info, keeper(policy.Statement, "owner", "security"))
	signed.SameAs, signed.Text = "S1", policy.Text{FR: "Phrase F2."}
	p.Promises = append(p.Promises, same, signed)
	p.Promises[3].MaxAge = days(2)
	p.Promises[7].MaxAge = days(2)
	return p
}

func register() promise.Register {
	return promise.NewRegister(house(), promise.Duties{{ID: "review-access", Every: "P90D"}})
}

// text returns the hash of a promise's present text.
func text(r promise.Register, id string) string {
	at := slices.IndexFunc(r.Promises, func(p promise.Promise) bool { return p.ID == id })
	return r.Promises[at].TextHash
}

// story makes records; each has an event of its own.
type story struct {
	records []record.Record
	seq     map[string]int64
}

func (s *story) add(kind record.Kind, control string, at time.Time, promises ...string) *record.Record {
	r := record.New(kind, control, fmt.Sprintf("%s %s %s %d", kind, control, at, len(s.records)), promises...)
	r.Source.Observed, r.Source.Collected = at, at.Add(time.Second)
	if m := map[string]policy.Mechanism{"watch-exports": policy.Rule, "database-exposure": policy.Assertion}[control]; m != "" {
		r.Facts = map[string]string{record.Mechanism: string(m)}
	}
	r.Source.Type = map[string]string{"tls": "probe", "review-access": "duty", "iso-27001": "duty"}[control]
	s.records = append(s.records, r)
	return &s.records[len(s.records)-1]
}

// run adds a heartbeat that saw all it had to see; the next is due in a quarter hour, with ten minutes' grace.
func (s *story) run(control string, at time.Time, promises ...string) *record.Record {
	if s.seq == nil {
		s.seq = map[string]int64{}
	}
	s.seq[control]++
	r := s.add(record.Run, control, at, promises...)
	r.Run, r.Population, r.Expires = s.seq[control], &record.Population{Expected: 3, Seen: 3}, at.Add(25*time.Minute)
	return r
}

// observe adds a good measurement that counts for two days.
func (s *story) observe(control string, at time.Time, promises ...string) *record.Record {
	r := s.add(record.Observation, control, at, promises...)
	r.Result, r.Expires = record.Result{State: record.Kept, Metric: "age_s", Value: 60, Op: "<=", Limit: 3600}, at.Add(48*time.Hour)
	return r
}

// sign adds a statement of a year under the present text.
func (s *story) sign(reg promise.Register, id string, at time.Time) *record.Record {
	r := s.add(record.Attestation, promise.StatementControl, at, id)
	r.PromiseText, r.Facts, r.Expires = text(reg, id), map[string]string{"role": "owner"}, at.AddDate(1, 0, 0)
	r.Result.State = record.Attested
	return r
}

// wrong adds a finding.
func (s *story) wrong(control string, at time.Time, promises ...string) *record.Record {
	r := s.add(record.Finding, control, at, promises...)
	r.Result.State = record.Violation
	return r
}

func (s *story) waive(at, until time.Time, people int, promises ...string) *record.Record {
	r := s.add(record.Waiver, "waiver", at, promises...)
	for i := range people {
		r.Subjects = append(r.Subjects, record.Subject{Type: "person", C: record.Commitment(salt, "person", fmt.Sprint(i))})
	}
	r.Expires, r.Result.State = until, record.Excepted
	return r
}

func (s *story) closes(kind record.Kind, control string, at time.Time, finding record.Record) *record.Record {
	r := s.add(kind, control, at, finding.Promises...)
	r.Refs, r.Result.State = []record.Ref{{Rel: "closes", ID: finding.ID()}}, record.Pass
	return r
}

// seal adds a run of the log itself.
func (s *story) seal(at time.Time) { s.run(promise.LogControl, at) }

// beat adds a heartbeat of every control that runs, and of the log.
func (s *story) beat(at time.Time) {
	s.seal(at)
	s.run("watch-exports", at)
	s.run("database-exposure", at)
	s.run("otp-gate", at, "O1")
	s.run("tls", at)
}

// good is a story in which everything that can be kept is kept at start.
func good(reg promise.Register) *story {
	s := &story{}
	for i := 8; i >= 0; i-- {
		s.beat(start.Add(-time.Duration(i)*15*time.Minute - time.Minute))
	}
	s.observe("tls", start.Add(-time.Hour), "M1", "W1")
	s.observe("database-exposure", start.Add(-time.Hour), "A1")
	done := s.add(record.Review, "review-access", start.AddDate(0, 0, -10), "D1")
	done.Result.State = record.Kept
	s.sign(reg, "S1", start.AddDate(0, -1, 0))
	filed := s.add(record.Attestation, "iso-27001", start.AddDate(0, -2, 0), "C1")
	filed.Result.State, filed.Expires = record.Inherited, start.AddDate(0, 6, 0)
	return s
}

// fold checks that each record may enter a log, and folds it as it would come out again.
func fold(t testing.TB, reg promise.Register, records []record.Record) *promise.Ledger {
	t.Helper()
	l := promise.NewLedger(reg)
	for i, r := range records {
		data, err := r.Canonical()
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		parsed, err := record.Parse(data)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if err := l.Add(int64(i), parsed); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// states returns the state of every promise, with the reason.
func states(l *promise.Ledger, now time.Time) map[string]string {
	out := map[string]string{}
	for _, p := range l.Register().Promises {
		s := promise.State(l, p.ID, now)
		out[p.ID] = string(s.State)
		if s.Reason != "" {
			out[p.ID] += ": " + string(s.Reason)
		}
	}
	return out
}

// calm is what the good story amounts to.
func calm() map[string]string {
	return map[string]string{
		"R1": "kept", "A1": "kept", "O1": "kept", "W1": "kept", "D1": "kept", "S1": "attested", "C1": "inherited",
		"M1": "kept", "U1": "kept", "N1": "unknown: not running", "F1": "kept", "F2": "attested",
	}
}

// but returns the calm states with some others.
func but(others ...string) map[string]string {
	out := maps.Clone(calm())
	for i := 0; i < len(others); i += 2 {
		out[others[i]] = others[i+1]
	}
	return out
}
