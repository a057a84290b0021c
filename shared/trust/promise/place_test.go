package promise_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/testdata/policies"
)

// twins is a policy in which one of each mechanism bears the same name.
func twins() promise.Register {
	p := &policy.Policy{Digest: "d1", Company: policy.Company{Name: "House", Languages: []string{"en"}}}
	for i, m := range []policy.Mechanism{policy.Rule, policy.Assertion, policy.Records, policy.Probe, policy.Duty, policy.Certificate} {
		p.Promises = append(p.Promises, policy.Promise{
			ID: string("RAOWDC"[i]), Text: policy.Text{EN: "Sentence " + string(m) + "."}, Check: "twin", Severity: policy.High, KeptBy: []policy.Keeper{keeper(m, "twin")},
		})
	}
	return promise.NewRegister(p, promise.Duties{{ID: "twin", Every: "P90D"}})
}

// TestMechanismsOfOneName: whoever reports under a name proves what that mechanism keeps, and nothing for another one of
// the same name, even where the record names all promises, or none.
func TestMechanismsOfOneName(t *testing.T) {
	t.Parallel()
	reg := twins()
	silent := map[string]string{
		"R": "unknown: not running", "A": "unknown: not running", "O": "unknown: not running", "W": "unknown: not running",
		"D": "unknown: not done", "C": "unknown: no certificate",
	}
	says := func(m policy.Mechanism) func(r *record.Record) {
		return func(r *record.Record) { r.Facts = map[string]string{record.Mechanism: string(m)} }
	}
	from := func(source string) func(r *record.Record) {
		return func(r *record.Record) { r.Source.Type = source }
	}
	for name, c := range map[string]struct {
		kinds    []record.Kind
		tell     func(r *record.Record)
		id, want string
	}{
		"a rule":                           {[]record.Kind{record.Run}, says(policy.Rule), "R", "kept"},
		"an assertion":                     {[]record.Kind{record.Run}, says(policy.Assertion), "A", "kept"},
		"a check":                          {[]record.Kind{record.Run}, says(policy.Records), "O", "kept"},
		"a check that says nothing":        {[]record.Kind{record.Run}, from("schedule"), "O", "kept"},
		"a program":                        {[]record.Kind{record.Run, record.Observation, record.Review, record.Attestation}, from("cloudevent"), "O", "kept"},
		"a probe":                          {[]record.Kind{record.Run, record.Observation}, says(policy.Probe), "W", "kept"},
		"a probe's look":                   {[]record.Kind{record.Run, record.Observation}, from("probe"), "W", "kept"},
		"a duty reviewed":                  {[]record.Kind{record.Review}, from("duty"), "D", "kept"},
		"a duty counted":                   {[]record.Kind{record.Observation}, from("duty"), "D", "kept"},
		"a duty that says so":              {[]record.Kind{record.Attestation}, says(policy.Duty), "D", "kept"},
		"a document":                       {[]record.Kind{record.Attestation}, says(policy.Certificate), "C", "inherited"},
		"what names no mechanism there is": {[]record.Kind{record.Run, record.Observation, record.Attestation}, says("hearsay"), "", ""},
	} {
		for _, named := range [][]string{{"R", "A", "O", "W", "D", "C"}, nil} {
			s := &story{}
			s.seal(start)
			for _, kind := range c.kinds {
				r := s.add(kind, "twin", start, named...)
				r.Result = record.Result{State: record.Kept}
				if r.Expires = start.Add(time.Hour); kind == record.Run {
					r.Run, r.Population = 1, &record.Population{Expected: 1, Seen: 1}
				}
				c.tell(r)
			}
			for id, got := range states(fold(t, reg, s.records), start) {
				want := silent[id]
				if id == c.id {
					want = c.want
				}
				if c.id == "W" && id == "W" && named == nil {
					want = "unknown: no proof" // a measurement speaks only of the promises it names
				}
				if got != want {
					t.Errorf("%s, naming %v: %s is %s, want %s", name, named, id, got, want)
				}
			}
		}
	}
}

// TestRunsOfOneName: a rule and a check of one name number their runs apart, a missing one shows where it is missing, and
// what was lost of the name tells against both.
func TestRunsOfOneName(t *testing.T) {
	t.Parallel()
	reg := twins()
	story := func(skip policy.Mechanism) *story {
		s := &story{}
		s.seal(start)
		for n := int64(1); n <= 3; n++ {
			for _, m := range []policy.Mechanism{policy.Rule, policy.Records} {
				if m == skip && n == 2 {
					continue
				}
				r := s.add(record.Run, "twin", start.Add(time.Duration(n-4)*time.Minute))
				r.Run, r.Population, r.Facts = n, &record.Population{Expected: 1, Seen: 1}, map[string]string{record.Mechanism: string(m)}
			}
		}
		return s
	}
	for skip, want := range map[policy.Mechanism][2]string{
		"": {"kept", "kept"}, policy.Rule: {"unknown: gap", "kept"}, policy.Records: {"kept", "unknown: gap"},
	} {
		got := states(fold(t, reg, story(skip).records), start)
		if got["R"] != want[0] || got["O"] != want[1] {
			t.Errorf("without a run of %q: %v", skip, got)
		}
	}
	lost := story("")
	lost.add(record.Gap, "twin", start)
	l := fold(t, reg, lost.records)
	if got := states(l, start); got["R"] != "unknown: gap" || got["O"] != "unknown: gap" {
		t.Errorf("after a loss: %v", got)
	}
	if gaps := promise.Snap(l, "o", l.Size(), "r", start).Gaps; gaps.Count != 0 {
		t.Errorf("a loss that is told among the promises is counted apart too: %+v", gaps)
	}
}

// TestNamesOfTheLog: what a rule or a duty is called does not make it the log, nor the desk of statements.
func TestNamesOfTheLog(t *testing.T) {
	t.Parallel()
	reg := register()
	s := good(reg)
	r := s.run(promise.LogControl, start.Add(19*time.Minute))
	r.Run, r.Facts = 100, map[string]string{record.Mechanism: string(policy.Rule)}
	signed := s.sign(reg, "S1", start)
	signed.Source.Type, signed.Result.State = "duty", record.Broken
	l := fold(t, reg, s.records)
	if got := states(l, start)["S1"]; got != "attested" {
		t.Errorf("a duty of the name spoke for the desk: %s", got)
	}
	if got := states(l, start.Add(30*time.Minute))["S1"]; got != "unknown: silent" {
		t.Errorf("a rule of the name spoke for the log: %s", got)
	}
}

// TestNamesOfTheSamples: where a sample policy calls a rule and an assertion alike, the rule alone leaves the assertion not
// running.
func TestNamesOfTheSamples(t *testing.T) {
	t.Parallel()
	found := 0
	for _, folder := range []string{"labelsync", "sharedcontacts", "bookafy", "bepark", "baseline"} {
		p, _, err := policy.Load(policies.FS, folder)
		if err != nil {
			t.Fatal(err)
		}
		s := &story{}
		s.seal(start)
		for _, one := range p.Promises {
			for _, k := range one.KeptBy {
				for _, ref := range k.Refs {
					if k.Mechanism == policy.Rule {
						s.run(ref, start, one.ID).Facts = map[string]string{record.Mechanism: string(policy.Rule)}
					}
				}
			}
		}
		l := fold(t, promise.NewRegister(p, nil), s.records)
		for _, one := range p.Promises {
			ruled := map[string]bool{}
			parts := promise.State(l, one.ID, start).Parts
			for _, part := range parts {
				ruled[part.Ref] = ruled[part.Ref] || part.Mechanism == policy.Rule
			}
			for _, part := range parts {
				if part.Mechanism != policy.Assertion && part.Mechanism != policy.Records {
					continue
				}
				if part.State != record.Unknown || part.Reason != promise.NotRunning {
					t.Errorf("%s: %s %s is %s: %s", one.ID, part.Mechanism, part.Ref, part.State, part.Reason)
				}
				if ruled[part.Ref] {
					found++
				}
			}
		}
	}
	if found == 0 {
		t.Error("no two of one name: the test shows nothing")
	}
}
