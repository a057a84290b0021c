package world

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"ostiary.internal/functions/ostiary/internal/local"
	queue "ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
)

// spared is the attempt from which on a delivery meets no fault: what dies as a dead letter in spite of that died of the
// function, not of what was done to it.
const spared = 6

// deliveries are pushes that come twice, late, out of order, or whose answer is lost.
type deliveries struct {
	local.Bus
	faults *Faults
	held   *held
	clock  clock.Clock
}

// Deliver implements local.Bus.
func (d *deliveries) Deliver(ctx context.Context, to queue.Target) error {
	plain := to
	to.Handler = func(function string) http.Handler {
		if handler := plain.Handler(function); handler != nil {
			return d.troubled(function, handler)
		}
		return nil
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.held.deliver(ctx, d.clock, plain)
	}()
	err := d.Bus.Deliver(ctx, to)
	<-ended
	return err
}

// troubled is a function's handler as pushes reach it.
func (d *deliveries) troubled(function string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		ctx := r.Context()
		if _, decided := borne(ctx); !decided {
			ctx = bearing(ctx, attempt(body))
		}
		if d.faults.hit(ctx, DeliveryLate) && d.held.keep(function, body, d.clock.Now().Add(d.faults.upTo(longestLate))) == nil {
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		if d.faults.hit(ctx, DeliveryOrder) {
			pause(ctx, d.faults.upTo(longestOrder))
		}
		push := func() int { return pushed(handler, r.WithContext(ctx), body) }
		var other sync.WaitGroup
		defer other.Wait()
		if d.faults.hit(ctx, DeliveryTwice) { // at the same time, or soon after
			other.Go(func() {
				defer func() { _ = recover() }() // the first one's answer is what counts
				pause(ctx, d.faults.upTo(longestTwice))
				push()
			})
		}
		status := push()
		if acknowledges(status) && d.faults.hit(ctx, DeliveryUnacked) {
			status = http.StatusServiceUnavailable
		}
		rw.WriteHeader(status)
	})
}

// bearing is the context of an attempt to push.
func bearing(ctx context.Context, attempt int) context.Context {
	if attempt >= spared {
		return spares(ctx)
	}
	return bears(ctx)
}

// attempt is how often a push was tried, as its body says; 0 where it does not.
func attempt(body []byte) int {
	var p struct {
		DeliveryAttempt int `json:"deliveryAttempt"`
	}
	_ = json.Unmarshal(body, &p) // what is no push is the function's to refuse
	return p.DeliveryAttempt
}

// pushed sends a push to a handler and returns the status of its answer.
func pushed(handler http.Handler, r *http.Request, body []byte) int {
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	told := httptest.NewRecorder()
	handler.ServeHTTP(told, r)
	return told.Code
}

// acknowledges reports whether a status takes a message off the queue.
func acknowledges(status int) bool {
	return status == http.StatusOK || status == http.StatusCreated || status == http.StatusAccepted || status == http.StatusNoContent
}

// Idle implements local.Bus: what is held back counts from when its time has come.
func (d *deliveries) Idle(ctx context.Context) error {
	for {
		if err := d.Bus.Idle(ctx); err != nil {
			return err
		}
		if err := d.held.idle(ctx, d.clock); err != nil {
			return err
		}
		if left, err := d.Bus.Pending(); err != nil || left == 0 {
			return err
		}
	}
}

// Pending implements local.Bus.
func (d *deliveries) Pending() (int, error) {
	left, err := d.Bus.Pending()
	return left + d.held.due(d.clock.Now()), err
}
