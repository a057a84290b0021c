package cloudarmor

import (
	"testing"

	"ostiary.internal/shared/access/allowlist"
)

// BenchmarkApply brings 5,000 leases, in 501 rules, to a policy of which 1,000 rules are ours: all of them new, and one that
// came. What an operation takes at Google is not in it.
func BenchmarkApply(b *testing.B) {
	full := many(0, 4005, 0, 995)
	open := func(b *testing.B) (world, *Target) {
		w := newWorld(b, "")
		w.query, w.Limit, w.Slow = "from=1000&to=1999", 600, 0
		return w, w.open(b, 0, nil)
	}
	run := func(b *testing.B, w world, target *Target, s allowlist.Set, want int) {
		w.Writes = nil
		if err := apply(b, target, s); err != nil || len(w.Writes) != want {
			b.Fatalf("%d writes, want %d: %v", len(w.Writes), want, err)
		}
		b.ReportMetric(float64(len(w.Writes)), "writes/op")
	}
	b.Run("all new", func(b *testing.B) {
		for b.Loop() {
			w, target := open(b)
			run(b, w, target, full, 501)
		}
	})
	b.Run("one new", func(b *testing.B) {
		w, target := open(b)
		run(b, w, target, full, 501)
		more := []allowlist.Set{many(0, 4006, 0, 995), full}
		b.ResetTimer()
		for n := 0; b.Loop(); n++ {
			run(b, w, target, more[n%2], 1)
		}
	})
	b.Run("nothing new", func(b *testing.B) {
		w, target := open(b)
		run(b, w, target, full, 501)
		for b.Loop() {
			run(b, w, target, full, 0)
		}
	})
}
