package allowlist_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	_ "ostiary.internal/shared/platform/store/bolt"
	_ "ostiary.internal/shared/platform/store/memory"
)

// BenchmarkReconcile runs over 5,000 live leases: nothing to do, one newcomer, and all of them new.
func BenchmarkReconcile(b *testing.B) {
	const n = 5000
	for _, kept := range []string{"memory", "bolt"} {
		b.Run(kept, func(b *testing.B) {
			open := func(b *testing.B) *bench {
				url := "memory:"
				if kept == "bolt" {
					url = driver.URL("bolt", filepath.Join(b.TempDir(), "access.db"), "tree", "access")
				}
				return newBench(b, url, n)
			}
			b.Run("unchanged", func(b *testing.B) {
				w := open(b)
				w.run(b)
				for b.Loop() {
					w.run(b)
				}
			})
			b.Run("one new", func(b *testing.B) {
				w := open(b)
				w.run(b)
				for b.Loop() {
					b.StopTimer()
					w.seed(b, 1)
					b.StartTimer()
					w.run(b)
				}
			})
			b.Run("all new", func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					w := open(b)
					b.StartTimer()
					w.run(b)
				}
			})
		})
	}
}

type bench struct {
	store store.Store
	r     *allowlist.Reconciler
	n     int
}

func newBench(b *testing.B, url string, n int) *bench {
	b.Helper()
	clk := clock.NewManual(start)
	schema := append(append(store.Schema{outbox.Collection()}, lease.Collection()...), allowlist.Collection()...)
	s, err := store.Drivers.Open(b.Context(), url, store.Options{Schema: schema, Clock: clk})
	must(b, err)
	b.Cleanup(func() { s.Close() })
	drop := func(context.Context, outbox.Entry) error { return nil }
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Message: drop, outbox.Record: drop})
	leases, err := lease.New(lease.Config{Store: s, Box: box, Clock: clk, Rules: access.Lease{DayEnd: "24:00", Devices: 2}})
	must(b, err)
	target := newTarget("edge")
	target.capacity = 1 << 20
	r, err := allowlist.New(allowlist.Config{Store: s, Box: box, Leases: leases, Owner: "one", Targets: []allowlist.Target{target}})
	must(b, err)
	w := &bench{store: s, r: r}
	w.seed(b, n)
	return w
}

func (w *bench) seed(b *testing.B, n int) {
	b.Helper()
	must(b, w.store.Tx(b.Context(), func(tx store.Tx) error {
		for i := w.n; i < w.n+n; i++ {
			l := made(i, fmt.Sprintf("p%d", i), fmt.Sprintf("81.%d.%d.%d/32", i>>16&255, i>>8&255, i&255), start, midnight)
			if err := tx.Create("leases", l.ID, l); err != nil {
				return err
			}
		}
		return nil
	}))
	w.n += n
}

func (w *bench) run(b *testing.B) {
	b.Helper()
	if _, err := w.r.Run(b.Context(), start); err != nil {
		b.Fatal(err)
	}
}
