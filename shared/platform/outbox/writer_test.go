package outbox

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// TestWriter: an entry bears the name of the function whose transaction made it, whoever relays it; the same key of two
// writers is two entries; and what a sink does not take of another's is kept.
func TestWriter(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := clock.NewManual(start)
			s, refused := open(t, clk), &receiver{err: fault.New(fault.Transient, "down")}
			for _, writer := range []string{"first", "second", "stranger"} {
				b := New(s, clk, silent, refused.sinks()).By(writer, nil)
				if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
					batch.Record("record-1", []byte(writer))
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			taken := map[string]string{}
			own := func(_ context.Context, e Entry) error {
				if e.Writer == "stranger" {
					return fault.New(fault.Denied, "not for me")
				}
				taken[e.Writer] = string(e.Data)
				return nil
			}
			sweeper := New(s, clk, silent, map[Kind]Sink{Record: func(ctx context.Context, e Entry) error {
				refused.mu.Lock() // entries are relayed side by side
				defer refused.mu.Unlock()
				return own(ctx, e)
			}}).By("second", nil)
			if err := clk.Set(start.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			wantSweep(t, sweeper, 2)
			wantPending(t, sweeper, 1)
			if len(taken) != 2 || taken["first"] != "first" || taken["second"] != "second" {
				t.Errorf("taken are %v", taken)
			}
		})
	}
}
