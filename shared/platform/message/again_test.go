package message_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/message"
)

// again asks for the replay of a customer's message.
func (w *world) again(times int) {
	w.t.Helper()
	r := w.request("key", message.Customer)
	r.Again = times
	w.deliver(r)
}

// TestAgain: a key that failed for good is tried anew when a person asks for that, once; the answer says that it is the answer
// to that.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Failed, message.Deferred, message.Accepted)
	w.deliver(w.request("key", message.Customer))
	w.wantState(message.StateFailed, 0)
	first := w.deliveries()[0]
	w.pass(time.Hour)
	clear(w.answers)
	for range 3 {
		w.again(1)
	}
	w.wantState(message.StatePlanned, 0)
	w.pass(2 * time.Hour)
	w.wantState(message.StateAccepted, 1)
	if a, d := w.answers["key "+message.TopicAccepted], w.deliveries()[0]; a.Again != 1 || w.tries != 3 || d.Nonce != first.Nonce || d.Attempts != 3 {
		t.Errorf("%+v after %d tries: %+v", a, w.tries, d)
	}
}

// TestAgainWhatWasSent: what was sent, or may have been, is answered once more and sent no more; one that is under way goes on.
func TestAgainWhatWasSent(t *testing.T) {
	t.Parallel()
	for outcome, state := range map[message.Outcome]message.State{message.Accepted: message.StateAccepted, message.Unknown: message.StateUnknown} {
		w := newWorld(t, outcome)
		w.deliver(w.request("key", message.Customer))
		at, sent := w.clock.Now(), len(w.sent)
		w.pass(time.Hour)
		clear(w.answers)
		for range 2 {
			w.again(1)
		}
		w.wantState(state, sent)
		if a := w.answers["key "+topicOf[state]]; a.Again != 1 || !a.At.Equal(at) || w.tries != 1 {
			t.Errorf("%s: %+v after %d tries", state, a, w.tries)
		}
	}
	w := newWorld(t, message.Deferred, message.Accepted)
	w.deliver(w.request("key", message.Customer))
	w.again(1)
	w.pass(time.Hour)
	if w.wantState(message.StateAccepted, 1); w.answers["key "+message.TopicAccepted].Again != 1 {
		t.Errorf("%+v", w.answers)
	}
}

// TestRestored: what customers were to be sent before the store was put back from a backup is not sent: nobody knows whether it
// was. Staff are told again, and what is asked for afterwards goes out.
func TestRestored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind  message.Kind
		asked time.Duration // after the restore
		state message.State
		sent  int
	}{
		"asked before": {message.Customer, -time.Minute, message.StateUnknown, 0}, "asked after": {message.Customer, time.Minute, message.StateAccepted, 1},
		"staff": {message.Staff, -time.Minute, message.StateAccepted, 1},
	} {
		w := newWorld(t, message.Accepted)
		at := start.Add(-10 * time.Minute)
		courier := w.courier(w.store)
		courier.Restored = at
		r := w.request("key", c.kind)
		r.Asked = at.Add(c.asked)
		for range 2 {
			if err := courier.Deliver(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if w.wantState(c.state, c.sent); w.tries != c.sent {
			t.Errorf("%s: %d tries", name, w.tries)
		}
	}
	// One that was planned before, and is due again, or out of time.
	for _, later := range []time.Duration{time.Hour, 48 * time.Hour} {
		w := newWorld(t, message.Deferred, message.Accepted)
		w.deliver(w.request("key", message.Customer))
		w.advance(later)
		courier := w.courier(w.store)
		courier.Restored = w.clock.Now().Add(-time.Minute)
		if _, err := courier.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.wantState(message.StateUnknown, 0); w.tries != 1 {
			t.Errorf("%d tries", w.tries)
		}
	}
}
