package promise_test

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// large is a register of 300 promises kept by 70 controls, and 100,000 records of half a month: a page record every
// quarter hour, between them heartbeats, measurements and findings that are closed.
func large() (promise.Register, []record.Record) {
	p := &policy.Policy{Digest: "d", Company: policy.Company{Name: "Large", Languages: []string{"en"}}}
	for i := range 300 {
		one := policy.Promise{
			ID: fmt.Sprintf("B%d", i), Text: policy.Text{EN: fmt.Sprintf("This is the sentence of promise %d of a policy.", i)},
			Check: "check", Severity: policy.High, MaxAge: days(2), Params: map[string]policy.Param{"age": {Op: "<=", Values: []string{"PT1H"}}},
		}
		one.KeptBy = []policy.Keeper{keeper(policy.Records, fmt.Sprintf("control-%d", i%70)), keeper(policy.Rule, fmt.Sprintf("control-%d", i%7))}
		p.Promises = append(p.Promises, one)
	}
	reg := promise.NewRegister(p, nil)
	s := &story{records: make([]record.Record, 0, 100_000)}
	for quarter := 0; len(s.records) < 100_000; quarter++ {
		at := start.Add(time.Duration(quarter-1388) * 15 * time.Minute)
		for c := range 70 {
			if n := fmt.Sprintf("control-%d", c); c%35 != quarter%35 {
				s.run(n, at).Expires = at.Add(20 * time.Minute)
			} else {
				s.run(n, at)
				s.observe(n, at, fmt.Sprintf("B%d", c), fmt.Sprintf("B%d", c+70))
				s.closes(record.Remediation, n, at, *s.wrong(n, at, fmt.Sprintf("B%d", c)))
			}
		}
		s.seal(at)
		s.add(record.Page, promise.PageControl, at.Add(time.Minute)).Result.State = record.Pass
	}
	return reg, s.records[:100_000]
}

// BenchmarkFold folds 100,000 records for 300 promises.
func BenchmarkFold(b *testing.B) {
	reg, records := large()
	b.ReportAllocs()
	for b.Loop() {
		fill(reg, records)
	}
}

// BenchmarkSnap computes the page of 300 promises, BenchmarkPage its bytes too.
func BenchmarkSnap(b *testing.B) {
	reg, records := large()
	l := fill(reg, records)
	b.ReportAllocs()
	for b.Loop() {
		promise.Snap(l, "house.example/evidence", l.Size(), "root", start)
	}
}

func BenchmarkPage(b *testing.B) {
	reg, records := large()
	l := fill(reg, records)
	s := promise.Snap(l, "house.example/evidence", l.Size(), "root", start)
	b.ReportMetric(float64(len(s.Canonical())), "bytes")
	for b.Loop() {
		s.Canonical()
	}
}
