package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

var (
	start  = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	schema = store.Schema{Collection(), {Name: "events"}}
	silent = slog.New(slog.DiscardHandler)
)

// stores are the databases the outbox is tested on.
var stores = map[string]func(*testing.T, clock.Clock) store.Store{
	"memory": inMemory,
	"bolt": func(t *testing.T, clk clock.Clock) store.Store {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"), "control", store.Options{Schema: schema, Clock: clk})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
	"firestore": func(t *testing.T, clk clock.Clock) store.Store {
		return firestoretest.New(t, store.Options{Schema: schema, Clock: clk})
	},
}

func inMemory(t *testing.T, clk clock.Clock) store.Store {
	t.Helper()
	s, err := memory.New(store.Options{Schema: schema, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receiver is a sink that keeps what it accepts, and refuses with err while that is set.
type receiver struct {
	mu       sync.Mutex
	err      error
	accepted []Entry
	calls    int
}

func (r *receiver) sink(_ context.Context, e Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err == nil {
		r.accepted = append(r.accepted, e)
	}
	return r.err
}

func (r *receiver) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *receiver) sinks() map[Kind]Sink { return map[Kind]Sink{Message: r.sink, Record: r.sink} }

// one commits one message under the key.
func one(t *testing.T, b *Box, key string) {
	t.Helper()
	if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
		return batch.Message("lease.changed", key, map[string]string{"lease": key})
	}); err != nil {
		t.Fatal(err)
	}
}

func wantPending(t *testing.T, b *Box, want int) {
	t.Helper()
	if got, err := b.Pending(t.Context()); err != nil || got != want {
		t.Errorf("%d entries pending, %v; want %d", got, err, want)
	}
}

func wantSweep(t *testing.T, b *Box, want int) {
	t.Helper()
	if got, err := b.Sweep(t.Context()); err != nil || got != want {
		t.Errorf("the sweep relayed %d, %v; want %d", got, err, want)
	}
}

func TestCommitRelaysWhatItWrote(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := clock.NewManual(start)
			s := open(t, clk)
			transactions, r := 0, &receiver{}
			b := New(storetest.Faulty(s, func(p storetest.Point, _ int) error {
				if p == storetest.Begin {
					transactions++
				}
				return nil
			}), clk, silent, r.sinks())
			if err := b.Commit(t.Context(), func(tx store.Tx, batch *Batch) error {
				if err := tx.Create("events", "e", map[string]int{"v": 1}); err != nil {
					return err
				}
				batch.Record("record-1", []byte{0, 255})
				return batch.Message("lease.changed", "lease-1", map[string]string{"lease": "l"})
			}); err != nil {
				t.Fatal(err)
			}
			wantPending(t, b, 0)
			if transactions != 2 || len(r.accepted) != 2 {
				t.Fatalf("%d transactions relayed %d entries; want 2, 2", transactions, len(r.accepted))
			}
			for _, e := range r.accepted {
				switch e.Kind {
				case Record:
					if e.Key != "record-1" || !bytes.Equal(e.Data, []byte{0, 255}) {
						t.Errorf("the record arrived as %+v", e)
					}
				case Message:
					if e.Target != "lease.changed" || string(e.Data) != `{"lease":"l"}` || e.Attributes[bus.AttributeID] != "lease-1" ||
						e.Attributes[bus.AttributeTime] != "2026-03-01T08:00:00Z" {
						t.Errorf("the message arrived as %+v", e)
					}
				}
			}
			if err := s.Get(t.Context(), "events", "e", &map[string]int{}); err != nil {
				t.Errorf("the transaction's own document: %v", err)
			}
		})
	}
}

func TestAFailedTransactionSendsNothing(t *testing.T) {
	t.Parallel()
	own := errors.New("the body's own error")
	for name, c := range map[string]struct {
		fn   func(store.Tx, *Batch) error
		want func(error) bool
	}{
		"the body fails": {func(_ store.Tx, batch *Batch) error {
			batch.Record("r", nil)
			return own
		}, func(err error) bool { return err == own }},
		"a record without an id": {func(_ store.Tx, batch *Batch) error { batch.Record("", nil); return nil }, isInvalid},
		"a record twice": {func(_ store.Tx, batch *Batch) error {
			batch.Record("r", nil)
			batch.Record("r", nil)
			return nil
		}, isInvalid},
		"a key too long": {func(_ store.Tx, batch *Batch) error {
			return batch.Message("topic", strings.Repeat("x", maxKeyBytes+1), struct{}{})
		}, isInvalid},
		"no topic":   {func(_ store.Tx, batch *Batch) error { return batch.Message("", "k", struct{}{}) }, isInvalid},
		"no object":  {func(_ store.Tx, batch *Batch) error { return batch.Message("topic", "k", 1) }, isInvalid},
		"no JSON":    {func(_ store.Tx, batch *Batch) error { return batch.Message("topic", "k", func() {}) }, isInvalid},
		"too large":  {func(_ store.Tx, batch *Batch) error { return batch.Message("topic", "k", large(bus.MaxMessageBytes)) }, isInvalid},
		"no room":    {func(_ store.Tx, batch *Batch) error { return batch.Message("topic", "k", large(800_000)) }, isInvalid},
		"an ignored": {func(_ store.Tx, batch *Batch) error { _ = batch.Message("", "k", struct{}{}); return nil }, isInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk, r := clock.NewManual(start), &receiver{}
			b := New(inMemory(t, clk), clk, silent, r.sinks())
			if err := b.Commit(t.Context(), c.fn); !c.want(err) {
				t.Errorf("the commit returned %v", err)
			}
			wantPending(t, b, 0)
			if r.calls != 0 {
				t.Errorf("%d entries were sent", r.calls)
			}
		})
	}
}

func isInvalid(err error) bool { return fault.Is(err, fault.Invalid) }

func large(bytes int) any { return map[string]string{"text": strings.Repeat("x", bytes)} }

func TestABodyRunTwiceSendsOnce(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{}
	b := New(storetest.Twice(inMemory(t, clk)), clk, silent, r.sinks())
	one(t, b, "a")
	if wantPending(t, b, 0); r.calls != 1 {
		t.Errorf("%d entries were sent; want 1", r.calls)
	}
	r.set(fault.New(fault.Transient, "not now"))
	one(t, b, "b")
	r.set(nil)
	_ = clk.Set(start.Add(lease))
	wantSweep(t, b, 1)
}

func TestTheWritersLeaseHoldsBackTheSweep(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{err: errors.New("unclassified")}
	b := New(inMemory(t, clk), clk, silent, r.sinks())
	one(t, b, "a")
	wantPending(t, b, 1)
	r.set(nil)
	_ = clk.Set(start.Add(lease - time.Microsecond))
	wantSweep(t, b, 0)
	_ = clk.Set(start.Add(lease))
	wantSweep(t, b, 1)
	wantPending(t, b, 0)
}

func TestRefusedEntriesWaitLongerEachTime(t *testing.T) {
	t.Parallel()
	for kind, waits := range map[fault.Kind][]time.Duration{
		fault.Transient:     {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300},
		"":                  {1, 2, 4},
		fault.Exhausted:     {1, 2, 4},
		fault.Invalid:       {300, 300},
		fault.Misconfigured: {300, 300},
		fault.Denied:        {300, 300},
		fault.Conflict:      {300, 300},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			clk, r := clock.NewManual(start), &receiver{err: fault.New(kind, "refused")}
			b := New(inMemory(t, clk), clk, silent, r.sinks())
			one(t, b, "a")
			_ = clk.Set(start.Add(lease))
			for i, wait := range waits {
				wantSweep(t, b, 0)
				if calls := r.calls; calls != i+2 {
					t.Fatalf("after %d sweeps the sink was called %d times", i+1, calls)
				}
				_ = clk.Set(clk.Now().Add(wait*time.Second - time.Microsecond))
				wantSweep(t, b, 0)
				if calls := r.calls; calls != i+2 {
					t.Fatalf("attempt %d came before %d seconds", i+2, wait)
				}
				_ = clk.Set(clk.Now().Add(time.Microsecond))
			}
			wantPending(t, b, 1)
			r.set(nil)
			wantSweep(t, b, 1)
			wantPending(t, b, 0)
		})
	}
}

func TestACancelledCallerStillGetsItsEntriesOut(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{}
	ctx, cancel := context.WithCancel(t.Context())
	b := New(storetest.Faulty(inMemory(t, clk), func(p storetest.Point, _ int) error {
		if p == storetest.Applied {
			cancel()
		}
		return nil
	}), clk, silent, r.sinks())
	if err := b.Commit(ctx, func(_ store.Tx, batch *Batch) error { batch.Record("r", nil); return nil }); err != nil {
		t.Fatal(err)
	}
	wantPending(t, b, 0)
	if len(r.accepted) != 1 {
		t.Errorf("%d entries were accepted; want 1", len(r.accepted))
	}
}

func TestOneBadEntryDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	clk, r := clock.NewManual(start), &receiver{}
	var logged bytes.Buffer
	b := New(inMemory(t, clk), clk, slog.New(slog.NewJSONHandler(&logged, nil)), map[Kind]Sink{Message: func(ctx context.Context, e Entry) error {
		if e.Key == "poison" {
			panic("mia@example.test")
		}
		return r.sink(ctx, e)
	}})
	if err := b.Commit(t.Context(), func(_ store.Tx, batch *Batch) error {
		batch.Record("no sink for records", []byte("{}"))
		return errors.Join(batch.Message("t", "poison", struct{}{}), batch.Message("t", "good", struct{}{}))
	}); err != nil {
		t.Fatal(err)
	}
	wantPending(t, b, 2)
	_ = clk.Set(start.Add(lease))
	wantSweep(t, b, 0)
	wantPending(t, b, 2)
	if len(r.accepted) != 1 || r.accepted[0].Key != "good" {
		t.Errorf("accepted: %+v", r.accepted)
	}
	for _, hidden := range []string{"mia@example.test", "poison", "no sink for records"} {
		if strings.Contains(logged.String(), hidden) {
			t.Errorf("the log tells %q", hidden)
		}
	}
	if !strings.Contains(logged.String(), `"level":"ERROR"`) || !strings.Contains(logged.String(), "outbox_test.go") {
		t.Errorf("the log says neither how bad it is nor where the panic was: %s", logged.String())
	}
}

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

// publisher is a bus that keeps the last message.
type publisher struct {
	topic   string
	message bus.Message
}

func (p *publisher) Publish(_ context.Context, topic string, m bus.Message) error {
	p.topic, p.message = topic, m
	return nil
}

func (*publisher) Close() error { return nil }
