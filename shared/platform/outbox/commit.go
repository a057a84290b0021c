package outbox

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

const (
	lease      = 30 * time.Second // how long a relayer has an entry for itself
	relayTime  = 20 * time.Second // for the sinks; with settleTime it fits into the lease
	settleTime = 10 * time.Second // for the deletions afterwards
	parallel   = 8                // entries relayed at once
)

// Commit runs fn in one transaction together with what fn adds to the batch, and then relays that. As the body of
// any transaction fn may run more than once, each time with a fresh batch.
//
// The error is that of the transaction. Once it is committed Commit returns nil: what could not be relayed is
// logged and left to Sweep. Relaying goes on when ctx ends, as the transaction cannot be taken back.
func (b *Box) Commit(ctx context.Context, fn func(tx store.Tx, batch *Batch) error) error {
	var written []held
	if err := b.store.Tx(ctx, func(tx store.Tx) error {
		batch := &Batch{now: b.clock.Now(), writer: b.writer, stamp: b.stamp, ids: map[string]bool{}}
		if err := fn(tx, batch); err != nil {
			return err
		}
		err := batch.write(tx, b.until(lease))
		written = batch.entries
		return err
	}); err != nil {
		return err
	}
	if len(written) == 0 {
		return nil
	}
	var accepted []outcome
	for _, o := range b.relay(context.WithoutCancel(ctx), written) {
		if o.err == nil { // the others are due when the lease ends
			accepted = append(accepted, o)
		}
	}
	if err := b.settle(ctx, accepted); err != nil {
		b.log.WarnContext(ctx, "entries of the outbox were relayed and not deleted; they will be sent again",
			slog.Int("entries", len(accepted)), slog.Any("error", err))
	}
	return nil
}

// outcome is what became of an entry.
type outcome struct {
	held
	err error
}

// relay hands the entries to their sinks and logs each refusal.
func (b *Box) relay(ctx context.Context, entries []held) []outcome {
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	outcomes := make([]outcome, len(entries))
	places := make(chan struct{}, parallel)
	var group sync.WaitGroup
	for i, h := range entries {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			outcomes[i] = outcome{h, b.send(ctx, h.entry)}
		})
	}
	group.Wait()
	for _, o := range outcomes {
		if o.err == nil {
			continue
		}
		level := slog.LevelWarn
		if hopeless(o.err) {
			level = slog.LevelError
		}
		b.log.Log(ctx, level, "an entry of the outbox was not accepted; it is kept",
			slog.String("entry", string(o.entry.Kind)), slog.String("target", o.entry.Target),
			slog.Int("attempts", o.entry.Attempts), slog.Any("error", o.err))
	}
	return outcomes
}

// send calls the sink. Its panic stays with its entry: one poisonous entry must not stop all others.
func (b *Box) send(ctx context.Context, e Entry) (err error) {
	sink, ok := b.sinks[e.Kind]
	if !ok {
		return fault.New(fault.Misconfigured, "relaying: no sink for %q", e.Kind)
	}
	defer func() {
		if p := recover(); p != nil {
			// Not the value: it may hold a person's data.
			err = fault.New(fault.Misconfigured, "relaying: panic with a %T\n%s", p, debug.Stack())
		}
	}()
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "relaying: %w", err)
	}
	return sink(ctx, e)
}

// hopeless reports whether a person must act before the entry can be accepted. What nobody classified is tried
// again soon.
func hopeless(err error) bool {
	switch fault.KindOf(err) {
	case fault.Transient, fault.Exhausted, "":
		return false
	}
	return true
}

// settle deletes in one transaction the entries that were accepted, and puts off those that were not, as far as
// they are still under our lease.
func (b *Box) settle(ctx context.Context, outcomes []outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return b.store.Tx(ctx, func(tx store.Tx) error {
		var ours []outcome
		for _, o := range outcomes {
			var now Entry
			err := tx.Get(collection, o.id, &now)
			if err == nil && now.Fence == o.entry.Fence {
				ours = append(ours, o)
			} else if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		for _, o := range ours {
			if err := b.conclude(tx, o); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Box) conclude(tx store.Tx, o outcome) error {
	if o.err == nil {
		return tx.Delete(collection, o.id)
	}
	o.entry.Due = b.until(backoff(o.entry.Attempts, o.err))
	return tx.Put(collection, o.id, o.entry)
}
