package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// TestAnExpiredLeaseDeletesNothing lets a relayer sleep through its lease while another takes over and is refused.
func TestAnExpiredLeaseDeletesNothing(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"a writer", "a sweeper"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			clk := clock.NewManual(start)
			s := inMemory(t, clk)
			other := New(s, clk, silent, (&receiver{err: errors.New("refused")}).sinks())
			slow := New(s, clk, silent, map[Kind]Sink{Message: func(context.Context, Entry) error {
				_ = clk.Set(clk.Now().Add(lease))
				_, err := other.Sweep(t.Context())
				return err // accepted, after the lease
			}})
			if first == "a writer" {
				one(t, slow, "a")
			} else {
				one(t, other, "a")
				_ = clk.Set(start.Add(lease))
				wantSweep(t, slow, 1)
			}
			wantPending(t, other, 1)
		})
	}
}

func TestWritingAKeyAgainKeepsTheNewEntry(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(start)
	s := inMemory(t, clk)
	refusing := New(s, clk, silent, (&receiver{err: errors.New("refused")}).sinks())
	again := New(s, clk, silent, map[Kind]Sink{Message: func(context.Context, Entry) error {
		_ = clk.Set(clk.Now().Add(time.Millisecond))
		one(t, refusing, "a") // the same key, while we are relaying it
		return nil
	}})
	one(t, again, "a")
	wantPending(t, refusing, 1)
}

func TestLargeEntriesAreLeasedInSmallPages(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{err: errors.New("refused")}
	b := New(inMemory(t, clk), clk, silent, r.sinks())
	const entries = 12
	for i := range entries {
		if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
			return batch.Message("topic", fmt.Sprint(i), large(740_000))
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.TakeOver(t.Context()); err != nil { // no lease has ended yet
		t.Fatal(err)
	}
	if r.calls != 2*entries {
		t.Errorf("the sink was called %d times; want %d", r.calls, 2*entries)
	}
	r.set(nil)
	_ = clk.Set(start.Add(lease))
	wantSweep(t, b, entries)
	wantPending(t, b, 0)
}

func TestTakeOverRelaysWhatAnotherHolds(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{err: fault.New(fault.Invalid, "refused")}
	s := inMemory(t, clk)
	b := New(s, clk, silent, r.sinks())
	one(t, b, "put off for five minutes")
	_ = clk.Set(start.Add(lease))
	wantSweep(t, b, 0)
	one(t, b, "under its writer's lease")
	r.set(nil)
	wantSweep(t, b, 0)
	if err := b.TakeOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantPending(t, b, 0)
	if len(r.accepted) != 2 {
		t.Errorf("%d entries were accepted; want 2", len(r.accepted))
	}
}

func TestPendingCountsBeyondOnePage(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{err: errors.New("refused")}
	b := New(inMemory(t, clk), clk, silent, r.sinks())
	const entries = store.MaxQueryResults + 5
	if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
		for i := range entries {
			batch.Record(fmt.Sprint(i), nil)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wantPending(t, b, entries)
	r.set(nil)
	_ = clk.Set(start.Add(lease))
	wantSweep(t, b, entries)
	wantPending(t, b, 0)
}

// TestTwoSweepersShareTheWork lets two sweep at once: nothing is relayed twice while leases hold.
func TestTwoSweepersShareTheWork(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk, r := clock.NewManual(start), &receiver{err: errors.New("refused")}
			b := New(open(t, clk), clk, silent, r.sinks())
			entries := 120
			if name == "firestore" {
				entries = 20 // each contention costs seconds there
			}
			if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
				for i := range entries {
					batch.Record(fmt.Sprint(i), nil)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			r.set(nil)
			_ = clk.Set(start.Add(lease))
			var group sync.WaitGroup
			for range 2 {
				group.Go(func() {
					for {
						if _, err := b.Sweep(t.Context()); !fault.Is(err, fault.Conflict) {
							if err != nil {
								t.Error(err)
							}
							return
						}
					}
				})
			}
			group.Wait()
			wantPending(t, b, 0)
			if len(r.accepted) != entries {
				t.Errorf("%d entries were accepted; want %d", len(r.accepted), entries)
			}
		})
	}
}

func TestBusSinkPublishes(t *testing.T) {
	t.Parallel()
	p := &publisher{}
	e := Entry{Kind: Message, Target: "topic", Key: "k", Data: []byte("{}"), Attributes: map[string]string{"id": "k"}}
	if err := BusSink(p)(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if p.topic != "topic" || string(p.message.Data) != "{}" || p.message.Attributes["id"] != "k" {
		t.Errorf("published on %q: %+v", p.topic, p.message)
	}
}
