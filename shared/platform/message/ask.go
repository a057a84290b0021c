package message

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Asking what became of a message that was accepted.
const (
	AskFor  = 72 * time.Hour // counted from when it was taken; then a record says that nobody knows
	AskPage = 50             // messages that one run asks about
	AskTime = 15 * time.Second

	firstAsk = time.Minute
	maxAsk   = 6 * time.Hour
)

// taken notes what the channel saw of the way. What a channel may be asked about a customer's message, it will be.
func (d Delivery) taken(w Wire, asks bool, now time.Time) Delivery {
	d.Taken, d.TLS, d.Reference = now, w.TLS, w.Reference
	if asks && d.Request.Kind == Customer && w.Reference != "" {
		d.Ask = now.Add(firstAsk).UnixMicro()
	}
	return d
}

// asked is the delivery once somebody begins to ask. When somebody asks next stands there before, so that who dies over it is
// followed by another: the waits double from a minute to six hours, and the last ask is when time is up. Until the channel says
// that it arrived they are no longer than a quarter of the time until it is due.
func (d Delivery) asked(now time.Time) Delivery {
	wait := maxAsk
	if d.Asks < 9 && d.State == StateAccepted {
		wait = min(maxAsk, firstAsk<<d.Asks)
	}
	if left := d.Request.Due.Sub(now); left > 0 && d.State == StateAccepted {
		wait = min(wait, max(firstAsk, left/4))
	}
	next, end := now.Add(wait), d.Taken.Add(AskFor)
	if next.After(end) {
		next = end
		if again := now.Add(LeaseTime); end.Before(again) {
			next = again
		}
	}
	d.Asks++
	d.Ask = next.UnixMicro()
	return d
}

// asks reports whether the channel is asked about d: what it says has arrived may come back all the same.
func (d Delivery) asks() bool {
	return d.Ask != 0 && (d.State == StateAccepted || d.State == StateDelivered)
}

// told is the delivery after what the channel said, and whether that is news. What is not certain changes nothing until time
// is up. One that arrived is asked about at the longest waits; only one that came back is asked about no more before.
func (d Delivery) told(f Fate, now time.Time) (after Delivery, news bool) {
	before, end := d.State, d.Taken.Add(AskFor)
	over := !now.Before(end)
	switch {
	case f == FateBounced:
		d.State = StateBounced
	case f == FateDelivered && before == StateAccepted:
		d.State, d.Ask = StateDelivered, min(now.Add(maxAsk).UnixMicro(), end.UnixMicro())
	case over && before == StateAccepted:
		d.State = StateUndetermined
	}
	if over || d.State == StateBounced {
		d.Ask = 0
	}
	if d.State == before {
		return d, false
	}
	d.Heard = now
	return d, true
}

// settledAt is when the last word was said of a delivery.
func (d Delivery) settledAt() time.Time {
	if !d.Heard.IsZero() {
		return d.Heard
	}
	return d.Expires.Add(-KeptFor)
}

// Ask asks the channels what became of messages that they took, of those whose turn it is, AskPage at most, and begins with
// none from until on. An error of one does not stop the others; a channel that asks to wait is asked no more in this run.
func (c *Courier) Ask(ctx context.Context, until time.Time) error {
	docs, err := c.Store.Query(ctx, store.Query{
		Collection: Deliveries, Range: &store.Range{Name: "ask", From: int64(1), To: c.Clock.Now().UnixMicro() + 1}, Limit: AskPage,
	})
	if err != nil {
		return err
	}
	var failures []error
	waits := map[string]bool{}
	for _, doc := range docs {
		var d Delivery
		if err := doc.Decode(&d); err != nil {
			failures = append(failures, err)
			continue
		}
		if ctx.Err() != nil || !c.Clock.Now().Before(until) {
			break
		}
		if waits[d.Request.Channel] {
			continue
		}
		wait, err := c.askOne(ctx, d)
		waits[d.Request.Channel] = wait
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// askOne asks about one message. Its errors are those of the store: what a channel could not say is asked again.
func (c *Courier) askOne(ctx context.Context, d Delivery) (wait bool, err error) {
	begun, err := c.beginAsk(ctx, d)
	if err != nil || begun.Asks == 0 {
		return false, err
	}
	fate, why := FateUndetermined, error(nil)
	var wire Wire
	if asker, asks := c.Channels[d.Request.Channel].(Asker); asks {
		askCtx, cancel := context.WithTimeout(ctx, AskTime)
		defer cancel()
		watched, seen := Watch(askCtx)
		fate, why = asker.Ask(watched, begun.Reference)
		wire = *seen
	}
	if why != nil {
		c.Log.Warn("message asked about", slog.String("delivery", d.Nonce), slog.Int("asks", begun.Asks), slog.String("why", reason(why)))
	}
	return wire.After > 0, c.settle(context.WithoutCancel(ctx), d, nil, func(stored Delivery, now time.Time) (Delivery, *Attempt) {
		if !stored.asks() || stored.Asks != begun.Asks { // somebody else asks, later
			return stored, nil
		}
		after, news := stored.told(fate, now)
		if !news {
			return after, nil
		}
		return after, &Attempt{Delivery: after}
	})
}

// beginAsk stores when the channel is asked next. Zero Asks mean that it is nobody's turn any more.
func (c *Courier) beginAsk(ctx context.Context, d Delivery) (begun Delivery, err error) {
	id := d.Request.id()
	err = c.Store.Tx(ctx, func(tx store.Tx) error {
		begun = Delivery{}
		var stored Delivery
		if err := tx.Get(Deliveries, id, &stored); fault.Is(err, fault.NotFound) {
			return nil // forgotten meanwhile
		} else if err != nil {
			return err
		}
		now := c.Clock.Now()
		if !stored.asks() || stored.Ask > now.UnixMicro() {
			return nil
		}
		begun = stored.asked(now)
		return tx.Put(Deliveries, id, begun)
	})
	return begun, err
}
