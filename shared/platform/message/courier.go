package message

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Courier delivers messages: it is the function deliver without its wiring. All fields but Evidence are needed. It
// is safe for concurrent use, and many may work on one store.
type Courier struct {
	Store    store.Store        // holds Deliveries and the outbox
	Box      *outbox.Box        // of the same store; carries the answers
	Channels map[string]Channel // by the name a Request gives
	Keys     seal.Keys          // open the bodies
	Clock    clock.Clock
	Random   io.Reader // names the evidence of each delivery
	Log      *slog.Logger

	// Resolve returns the address of a request's person or contact on its channel. NotFound when there is none.
	Resolve func(ctx context.Context, r Request) (address string, err error)

	// Restored is when the store was put back from a backup; zero: never. What customers were to be sent before may have been
	// sent by what came after the backup: it is not sent, and its outcome is unknown.
	Restored time.Time

	// Evidence, if set, adds what shall be recorded of an attempt to the transaction that stores its outcome.
	Evidence func(batch *outbox.Batch, a Attempt) error
}

// Attempt is one try and what followed from it.
type Attempt struct {
	Delivery Delivery // as it stands now; without its body once it is settled
	Message  Message  // what was to be sent; its zero value where it could not be put together
	Outcome  Outcome  // "" when no attempt was made: time was up
	Wire     Wire     // what the channel saw
	At       time.Time
}

// ID names the attempt's record: the same when its transaction runs again, another for every other attempt and for
// the end that comes without one. No personal data, and nothing that follows from the key: whoever knows what keys are
// made of could try every person.
func (a Attempt) ID() string {
	return fmt.Sprintf("%s/%d/%s", a.Delivery.Nonce, a.Delivery.Attempts, a.Delivery.State)
}

// SweepPage is how many deliveries one Sweep looks at.
const SweepPage = 50

const settleTime = 20 * time.Second

// Deliver takes a request and tries it once. nil means that the delivery is on record, whatever became of the try:
// Sweep looks after what is not settled. A key that is on record already does nothing. Errors: Invalid for a request
// that can never be read, otherwise those of the store; delivering the same request again is then right. What Request.Again
// asks for is done once.
func (c *Courier) Deliver(ctx context.Context, r Request) error {
	if err := r.check(); err != nil {
		return err
	}
	var known Delivery
	if err := c.Store.Get(ctx, Deliveries, r.id(), &known); err == nil {
		return c.again(ctx, known, r)
	} else if !fault.Is(err, fault.NotFound) {
		return err
	}
	nonce := make([]byte, 2*nonceBytes)
	if _, err := io.ReadFull(c.Random, nonce); err != nil {
		return fault.New(fault.Transient, "naming a delivery: %w", err)
	}
	d := plan(r, c.Clock.Now())
	d.Nonce, d.Salt = hex.EncodeToString(nonce[:nonceBytes]), nonce[nonceBytes:]
	if d.Planned = r.Asked; !c.lapsed(d) {
		d.Planned = c.Clock.Now()
		return c.attempt(ctx, d)
	}
	return c.expire(ctx, d)
}

// Sweep is SweepUntil with SweepTime to begin in.
func (c *Courier) Sweep(ctx context.Context) (handled int, err error) {
	return c.SweepUntil(ctx, c.Clock.Now().Add(SweepTime))
}

// SweepUntil acts on deliveries that are due: it tries again, ends what ran out of time, and settles as unknown the
// customers' messages whose worker died. It returns how many it looked at; an error of one does not stop the others.
// One call handles at most SweepPage, and begins nothing from until on: call it again while it returns that many. The outbox
// is swept apart, by Box.Sweep.
func (c *Courier) SweepUntil(ctx context.Context, until time.Time) (handled int, err error) {
	now := c.Clock.Now()
	docs, err := c.Store.Query(ctx, store.Query{
		Collection: Deliveries, Range: &store.Range{Name: "due", To: now.UnixMicro() + 1}, Limit: SweepPage,
	})
	if err != nil {
		return 0, err
	}
	var failures []error
	for _, doc := range docs {
		if ctx.Err() != nil {
			return handled, errors.Join(append(failures, ctx.Err())...)
		}
		if !c.Clock.Now().Before(until) {
			break
		}
		var d Delivery
		if err := doc.Decode(&d); err != nil {
			failures = append(failures, err)
			continue
		}
		handled++
		switch c.next(d, c.Clock.Now()) {
		case try:
			failures = append(failures, c.attempt(ctx, d))
		case look:
			failures = append(failures, c.find(ctx, d))
		case giveUp, bury:
			failures = append(failures, c.expire(ctx, d))
		}
	}
	return handled, errors.Join(failures...)
}

// attempt makes a message, leases its delivery, sends, and stores the outcome. Everything that can fail without having
// sent anything comes before the lease: a customer's message is at risk of "unknown" for the length of the send alone.
func (c *Courier) attempt(ctx context.Context, d Delivery) error {
	m, channel, err := c.prepare(ctx, d)
	if err != nil {
		outcome := Deferred
		if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.NotFound {
			outcome = Failed // it will not come right by itself
		}
		return c.conclude(ctx, d, 0, Attempt{Outcome: outcome}, err)
	}
	leased, err := c.lease(ctx, d)
	if err != nil || leased.Fence == 0 {
		return err
	}
	sendCtx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	sendCtx, wire := Watch(sendCtx)
	outcome, why := channel.Send(sendCtx, m)
	// Whoever asked may be gone by now; what became of the message is still to be kept.
	return c.conclude(context.WithoutCancel(ctx), leased, leased.Fence, Attempt{Message: m, Outcome: outcome, Wire: *wire}, why)
}

// prepare opens the body and finds the recipient. Its errors hold no text and no address.
func (c *Courier) prepare(ctx context.Context, d Delivery) (Message, Channel, error) {
	r := d.Request
	channel, ok := c.Channels[r.Channel]
	if !ok {
		return Message{}, nil, fault.New(fault.Invalid, "channel not configured")
	}
	content, err := r.Open(ctx, c.Keys)
	if err != nil {
		return Message{}, nil, fault.New(fault.KindOf(err), "opening the body: %s", fault.KindOf(err))
	}
	to := content.To
	if to == "" {
		if to, err = c.Resolve(ctx, r); err != nil {
			return Message{}, nil, fault.New(fault.KindOf(err), "finding the recipient: %s", fault.KindOf(err))
		}
	}
	m := Message{ID: r.id(), Channel: r.Channel, To: to, Subject: content.Subject, Text: content.Text, At: d.Planned}
	return m, channel, m.Check()
}

// lease stores that a try begins. A zero Fence means that somebody else has the delivery, or it is settled.
func (c *Courier) lease(ctx context.Context, d Delivery) (leased Delivery, err error) {
	id := d.Request.id()
	err = c.Store.Tx(ctx, func(tx store.Tx) error {
		leased = Delivery{}
		stored, fresh, err := read(tx, id, d)
		if err != nil {
			return err
		}
		now := c.Clock.Now()
		if c.next(stored, now) != try {
			return nil
		}
		leased = stored.lease(now)
		if fresh {
			return tx.Create(Deliveries, id, leased)
		}
		return tx.Put(Deliveries, id, leased)
	})
	return leased, err
}

// conclude stores the outcome of an attempt and what follows from it. A fence says that the attempt was leased: the
// outcome counts only if the lease is still ours. Without one nothing was sent, and the delivery must be there to try.
func (c *Courier) conclude(ctx context.Context, d Delivery, fence int64, a Attempt, why error) error {
	return c.settle(ctx, d, why, func(stored Delivery, now time.Time) (Delivery, *Attempt) {
		switch {
		case fence != 0 && (stored.State != StateLeased || stored.Fence != fence):
			return stored, nil
		case fence == 0 && c.next(stored, now) != try:
			return stored, nil
		case fence == 0:
			stored.Attempts++
		}
		done := a
		done.Delivery = stored.settle(a.Outcome, reason(why), now).notBefore(now, a.Wire.After)
		if done.Delivery.State == StateUnknown {
			done.Delivery = c.unknown(stored, reason(why), now)
		}
		if done.Delivery.State == StateAccepted {
			_, asks := c.Channels[d.Request.Channel].(Asker)
			done.Delivery = done.Delivery.taken(a.Wire, asks, now)
		}
		return done.Delivery, &done
	})
}

// settle changes a delivery by decide in one transaction with the answer and the evidence. decide returns no attempt
// to leave it alone.
func (c *Courier) settle(ctx context.Context, d Delivery, why error, decide func(Delivery, time.Time) (Delivery, *Attempt)) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	id := d.Request.id()
	var done *Attempt
	err := c.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		done = nil
		stored, _, err := read(tx, id, d)
		if err != nil {
			return err
		}
		now := c.Clock.Now()
		changed, attempt := decide(stored, now)
		if attempt == nil {
			if changed.Ask != stored.Ask { // asked no more, of which there is nothing to tell
				return tx.Put(Deliveries, id, changed)
			}
			return nil
		}
		attempt.At = now
		done = attempt
		if err := tx.Put(Deliveries, id, changed); err != nil {
			return err
		}
		return c.tell(batch, *attempt)
	})
	if err == nil && done != nil {
		c.log(ctx, *done, why)
	}
	return err
}

func (c *Courier) log(ctx context.Context, a Attempt, why error) {
	level := slog.LevelInfo
	switch {
	case a.Delivery.State == StateDead || a.Delivery.State == StateUnknown || fault.Is(why, fault.Misconfigured):
		level = slog.LevelError // a person must look
	case a.Outcome != Accepted && a.Delivery.State != StateDelivered:
		level = slog.LevelWarn
	}
	c.Log.Log(ctx, level, "message attempted",
		slog.String("delivery", a.Delivery.Nonce), slog.String("state", string(a.Delivery.State)),
		slog.String("outcome", string(a.Outcome)), slog.Int("attempts", a.Delivery.Attempts), slog.String("why", a.Delivery.Why))
}

// read returns the stored delivery, or d itself when there is none yet.
func read(tx store.Tx, id string, d Delivery) (stored Delivery, fresh bool, err error) {
	err = tx.Get(Deliveries, id, &stored)
	if fault.Is(err, fault.NotFound) {
		return d, true, nil
	}
	return stored, false, err
}

// reason is what of an error is worth keeping: channels and prepare leave out texts and addresses.
func reason(err error) string {
	const limit = 300
	if err == nil {
		return ""
	}
	text := err.Error()
	return strings.ToValidUTF8(text[:min(limit, len(text))], "")
}
