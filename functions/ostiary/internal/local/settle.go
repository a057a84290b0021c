package local

import (
	"context"
	"errors"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// Unsettled says what is still on its way.
type Unsettled struct {
	Outbox map[string]int `json:"outbox"` // entries by control
	Bus    int            `json:"bus"`    // deliveries
}

// settlePause is how often Settle looks again.
const settlePause = 5 * time.Millisecond

// settleLimit is how long a call waits for everything to come to rest.
const settleLimit = 30 * time.Second

// patience is how long Advance waits for an outbox: what is being relayed is gone in a moment, and what was put off
// goes when the clock moves on.
const patience = 2 * time.Second

// Settle waits until every outbox and the bus are empty, or ctx ends.
func (w *World) Settle(ctx context.Context) error {
	for {
		if err := w.bus.Idle(ctx); err != nil {
			return err
		}
		left, err := w.unsettled(context.WithoutCancel(ctx)) // a database that is cut short says so in words of its own
		if err != nil {
			return err
		}
		if left.Bus == 0 && len(left.Outbox) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settlePause):
		}
	}
}

// Settled is Settle for a caller that waits: a refusal with status 504 names what is left after half a minute.
func (w *World) Settled(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, w.options.Around.patient(w.limit))
	defer cancel()
	err := w.Settle(limited)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	left, unknown := w.unsettled(context.WithoutCancel(ctx))
	if unknown != nil {
		return unknown
	}
	e := fault.Refuse(fault.Transient, "unsettled", "Messages are still on their way, or cannot be delivered.", "Look at what is left, and into the log; move the clock where something was put off.")
	e.Status = http.StatusGatewayTimeout
	return web.Extend(e, map[string]any{"outbox": left.Outbox, "bus": left.Bus})
}

// rest waits until all messages are delivered and, for as long as the patience lasts, for the outboxes. It returns how
// patient to be the next time: what was put off once is not waited for at every stop.
func (w *World) rest(ctx context.Context, patient time.Duration) (time.Duration, error) {
	limited, cancel := context.WithTimeout(ctx, w.options.Around.patient(patient))
	defer cancel()
	err := w.Settle(limited)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return 2 * settlePause, w.bus.Idle(ctx)
	}
	return patient, err
}

func (w *World) unsettled(ctx context.Context) (Unsettled, error) {
	left := Unsettled{Outbox: map[string]int{}}
	for control, box := range w.boxes() {
		pending, err := box.Pending(ctx)
		if err != nil {
			return left, err
		}
		if pending > 0 {
			left.Outbox[control] = pending
		}
	}
	var err error
	left.Bus, err = w.bus.Pending()
	return left, err
}
