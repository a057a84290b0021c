package outbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

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
