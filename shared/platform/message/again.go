package message

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// lapsed reports whether a customer's message was to be sent before the store was restored.
func (c *Courier) lapsed(d Delivery) bool {
	return d.Request.Kind == Customer && !c.Restored.IsZero() && d.Planned.Before(c.Restored)
}

// next says what may be done with a delivery at an instant.
func (c *Courier) next(d Delivery, now time.Time) move {
	m := d.next(now)
	if (m == try || m == look || m == bury) && c.lapsed(d) {
		return giveUp
	}
	return m
}

// expire ends a delivery whose time is up, or whose worker died where nobody may try again.
func (c *Courier) expire(ctx context.Context, d Delivery) error {
	return c.settle(ctx, d, nil, func(stored Delivery, now time.Time) (Delivery, *Attempt) {
		switch c.next(stored, now) {
		case giveUp:
			why := "the worker ended during the attempt"
			if stored.State == StateSought {
				why = stored.Why
			}
			if c.lapsed(stored) {
				why = "the store was restored since: it may have been sent"
			}
			stored = c.unknown(stored, why, now)
			return stored, &Attempt{Delivery: stored, Outcome: Unknown}
		case bury:
			stored = stored.close(StateDead, now)
			return stored, &Attempt{Delivery: stored}
		}
		return stored, nil
	})
}

// again takes a request for a key that is on record. One that failed for good is tried anew where a person asked for that; of
// one that is settled otherwise the asker, who may have lost it, hears once more what became of it.
func (c *Courier) again(ctx context.Context, known Delivery, r Request) error {
	if r.Again <= known.Request.Again {
		return nil
	}
	var anew Delivery
	err := c.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		anew = Delivery{}
		var stored Delivery
		if err := tx.Get(Deliveries, r.id(), &stored); err != nil || r.Again <= stored.Request.Again {
			return err
		}
		now := c.Clock.Now()
		switch stored.State {
		case StateFailed, StateDead:
			anew = stored
			anew.Request, anew.State, anew.Planned, anew.Due, anew.Expires = r, StatePlanned, now, now.UnixMicro(), time.Time{}
			return tx.Put(Deliveries, r.id(), anew)
		}
		stored.Request.Again = r.Again
		if err := tx.Put(Deliveries, r.id(), stored); err != nil || stored.topic() == "" {
			return err
		}
		return c.answer(batch, Attempt{Delivery: stored, At: stored.settledAt()})
	})
	if err != nil || anew.State == "" {
		return err
	}
	return c.attempt(ctx, anew)
}

// tell adds the answer, if there is one yet, and the evidence.
func (c *Courier) tell(batch *outbox.Batch, a Attempt) error {
	// That nobody came to know is for the evidence alone: that it was accepted was answered.
	if a.Delivery.topic() != "" && a.Delivery.State != StateUndetermined {
		if err := c.answer(batch, a); err != nil {
			return err
		}
	}
	if c.Evidence != nil {
		return c.Evidence(batch, a)
	}
	return nil
}

// answer says what became of a delivery. What the channel could not say is no more than that it was accepted.
func (c *Courier) answer(batch *outbox.Batch, a Attempt) error {
	d, state, at := a.Delivery, a.Delivery.State, a.At
	if state == StateUndetermined {
		state, at = StateAccepted, d.Taken
	}
	key := d.Request.id() + "/" + string(state)
	if d.Request.Again > 0 {
		key += "/" + strconv.Itoa(d.Request.Again)
	}
	return batch.Message(d.topic(), key, Answer{V: RequestVersion, Key: d.Request.Key, Kind: d.Request.Kind, State: state, Attempts: d.Attempts, Why: d.Why, At: at, Taken: d.Taken,
		TLS: cmp.Or(a.Wire.TLS, d.TLS), Reference: cmp.Or(a.Wire.Reference, d.Reference), Again: d.Request.Again})
}
