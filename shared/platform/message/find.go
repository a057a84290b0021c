package message

import (
	"context"
	"log/slog"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Trace is what a channel knows of a message of which nobody knows whether it took it.
type Trace string

// The traces of a message.
const (
	TraceTaken  Trace = "taken"  // it took it; what it calls it stands in Wire.Reference
	TraceNone   Trace = "none"   // it says for certain that it took none
	TraceSilent Trace = "silent" // it does not say
)

// Finder is a Channel that knows messages by Message.ID: for longer than GiveUpAfter, and a repetition from a new message. To look
// changes nothing.
type Finder interface {
	// Find says whether a message was taken. An error comes with TraceSilent, is Transient where another look may tell more, and
	// holds neither the recipient's address nor the id.
	Find(ctx context.Context, id string) (Trace, error)
}

// Looking for a message whose outcome is unknown: so often, and so long after whoever looked before.
const (
	MaxLooks = 3

	firstLook = time.Minute
	nextLook  = 3 * time.Minute // doubled with each: the last is ten minutes after the first try
	lookEnds  = time.Minute     // who has not said by then what the last look showed is dead
)

// sought is the delivery, whose outcome is not known, while its channel is looked at. The body is kept: it may be needed.
func (d Delivery) sought(why string, now time.Time) Delivery {
	d.State, d.Why, d.Looks, d.Due = StateSought, why, 0, now.Add(firstLook).UnixMicro()
	return d
}

// looked is the delivery once somebody begins to look: when the next may stands there before, as for asked.
func (d Delivery) looked(now time.Time) Delivery {
	wait := nextLook << d.Looks
	if d.Looks++; d.Looks == MaxLooks {
		wait = lookEnds
	}
	d.Due = now.Add(wait).UnixMicro()
	return d
}

// unknown settles a delivery that may have been sent: where its channel can be looked at it is sought first.
func (c *Courier) unknown(stored Delivery, why string, now time.Time) Delivery {
	_, finds := c.Channels[stored.Request.Channel].(Finder)
	after := stored.settle(Unknown, why, now)
	if after.State != StateUnknown || !finds || stored.State == StateSought || c.lapsed(stored) {
		return after
	}
	return stored.sought(why, now)
}

// find looks once for a message. Errors are those of the store: what the channel could not say is looked for again.
func (c *Courier) find(ctx context.Context, d Delivery) error {
	begun, err := c.beginLook(ctx, d)
	if err != nil || begun.Looks == 0 {
		return err
	}
	trace, why := TraceSilent, error(nil)
	var wire Wire
	if finder, finds := c.Channels[d.Request.Channel].(Finder); finds {
		lookCtx, cancel := context.WithTimeout(ctx, AskTime)
		defer cancel()
		watched, seen := Watch(lookCtx)
		trace, why = finder.Find(watched, d.Request.id())
		wire = *seen
	}
	if why != nil {
		c.Log.Warn("message looked for", slog.String("delivery", d.Nonce), slog.Int("looks", begun.Looks), slog.String("why", reason(why)))
	}
	over := begun.Looks == MaxLooks || trace == TraceSilent && !fault.Is(why, fault.Transient)
	return c.settle(context.WithoutCancel(ctx), d, nil, func(stored Delivery, now time.Time) (Delivery, *Attempt) {
		if stored.State != StateSought || stored.Fence != begun.Fence || stored.Looks != begun.Looks {
			return stored, nil
		}
		return c.traced(stored, trace, wire, over, now)
	})
}

// traced is the delivery after what a look showed; over says that nobody looks again. When it was taken nobody says: it counts
// from now. That the channel took none counts at the last look alone, when whatever was on its way is there, and while the
// channel is sure to remember.
func (c *Courier) traced(stored Delivery, trace Trace, wire Wire, over bool, now time.Time) (Delivery, *Attempt) {
	a := &Attempt{Outcome: Unknown, Wire: wire}
	switch {
	case trace == TraceTaken:
		_, asks := c.Channels[stored.Request.Channel].(Asker)
		a.Outcome, a.Delivery = Accepted, stored.settle(Accepted, "", now).taken(wire, asks, now)
	case !over:
		return stored, nil
	case trace == TraceNone && now.Before(stored.Planned.Add(GiveUpAfter)):
		a.Outcome, a.Delivery = Deferred, stored.settle(Deferred, stored.Why, now)
	default:
		a.Delivery = stored.settle(Unknown, stored.Why, now)
	}
	return a.Delivery, a
}

// beginLook stores when somebody looks next. Zero Looks mean that it is nobody's turn any more.
func (c *Courier) beginLook(ctx context.Context, d Delivery) (begun Delivery, err error) {
	id := d.Request.id()
	err = c.Store.Tx(ctx, func(tx store.Tx) error {
		begun = Delivery{}
		stored, fresh, err := read(tx, id, d)
		if now := c.Clock.Now(); err == nil && !fresh && c.next(stored, now) == look {
			begun = stored.looked(now)
			return tx.Put(Deliveries, id, begun)
		}
		return err
	})
	return begun, err
}
