package vpcfirewall

import (
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
)

// BenchmarkConverge takes five thousand leases to twenty rules: nothing to do, one lease more or less, and all of them new. It
// reports what is asked of the service, which takes 30 writes a minute here.
func BenchmarkConverge(b *testing.B) {
	full, more := numbered(0, 5000), numbered(0, 5001)
	for _, c := range []struct {
		name  string
		steps []allowlist.Set // the first is in force before, and after the last
	}{
		{"unchanged", []allowlist.Set{full}},
		{"one more, one less", []allowlist.Set{full, more}},
		{"all of them", []allowlist.Set{{}, full}},
	} {
		b.Run(c.name, func(b *testing.B) {
			v := newVPC(b, 20)
			v.PerMinute = 30
			target := v.door(b, DefaultSize, 5001, nil)
			mustApply(b, target, c.steps[0])
			v.Patches, v.Calls = nil, map[string]int{}
			runs := 0
			for b.Loop() {
				for i := range c.steps {
					if err := v.Clock.Set(v.Clock.Now().Add(time.Minute)); err != nil {
						b.Fatal(err)
					}
					mustApply(b, target, c.steps[(i+1)%len(c.steps)])
					runs++
				}
			}
			b.ReportMetric(float64(len(v.Patches))/float64(runs), "writes/run")
			b.ReportMetric(float64(v.Calls["list"]+v.Calls["get"]+v.Calls["wait"])/float64(runs), "reads/run")
		})
	}
}
