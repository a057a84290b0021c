package message_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal"
)

var kinds = []message.Kind{message.Staff, message.Customer}

func (w *world) deliver(r message.Request) {
	w.t.Helper()
	if err := w.courier(w.store).Deliver(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
}

func TestAKeyIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		w := newWorld(t, message.Accepted)
		for range 3 {
			w.deliver(w.request("key", kind)) // sealed anew each time, as a control that runs twice does
			w.pass(time.Hour)
		}
		w.wantState(message.StateAccepted, 1)
		if m := w.sent[0]; m.To != address || m.Subject != "About key" || m.Text != "The text of key" || !m.At.Equal(start) || m.Check() != nil {
			t.Errorf("sent %+v", m)
		}
	}
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		w := newWorld(t, message.Failed)
		w.deliver(w.request("key", kind))
		w.pass(time.Hour)
		w.wantState(message.StateFailed, 0)
		if w.tries != 1 || w.answers["key "+message.TopicFailed].Why != "450 4.2.1" {
			t.Errorf("%d tries, answer %+v", w.tries, w.answers)
		}
	}
}

func TestRefusedForNowIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		w := newWorld(t, message.Deferred, message.Deferred, message.Accepted)
		w.deliver(w.request("key", kind))
		w.wantState(message.StatePlanned, 0)
		w.pass(time.Hour)
		w.wantState(message.StateAccepted, 1)
		if a := w.answers["key "+message.TopicAccepted]; a.Attempts != 3 || !w.sent[0].At.Equal(start) {
			t.Errorf("answer %+v, dated %s", a, w.sent[0].At)
		}
	}
}

func TestRefusedForADayIsDead(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		w := newWorld(t, message.Deferred)
		w.deliver(w.request("key", kind))
		w.pass(26 * time.Hour)
		w.wantState(message.StateDead, 0)
		tries, answered := w.tries, w.answers["key "+message.TopicFailed].At
		if tries < 20 || tries > 40 || answered.After(start.Add(message.GiveUpAfter)) {
			t.Errorf("%d tries, given up at %s", tries, answered)
		}
		w.pass(26 * time.Hour)
		if w.tries != tries {
			t.Error("a dead message was tried")
		}
	}
}

func TestNobodySweptForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Deferred, message.Accepted)
	w.deliver(w.request("key", message.Customer))
	w.advance(25 * time.Hour)
	w.pass(time.Minute)
	w.wantState(message.StateDead, 0)
}

func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	t.Run("staff are sent it again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, message.Unknown, message.Unknown, message.Accepted)
		w.arrives = true
		w.deliver(w.request("key", message.Staff))
		w.pass(time.Hour)
		w.wantState(message.StateAccepted, 3)
		if w.sent[0] != w.sent[1] || w.sent[1] != w.sent[2] {
			t.Errorf("the same message differs: %+v", w.sent)
		}
	})
	t.Run("customers are not", func(t *testing.T) {
		t.Parallel()
		for _, arrives := range []bool{false, true} {
			w := newWorld(t, message.Unknown, message.Accepted)
			w.arrives = arrives
			w.deliver(w.request("key", message.Customer))
			w.pass(48 * time.Hour)
			w.deliver(w.request("key", message.Customer))
			if w.tries != 1 {
				t.Errorf("sent %d times", w.tries)
			}
			w.wantState(message.StateUnknown, len(w.sent))
		}
	})
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*world, *message.Request, *message.Courier)
		state  message.State
	}{
		"nobody of that id": {func(w *world, r *message.Request, _ *message.Courier) {
			*r = w.sealed(message.Request{Person: "p2"}, "")
		}, message.StateFailed},
		"no such channel": {func(w *world, r *message.Request, _ *message.Courier) {
			*r = w.sealed(message.Request{Person: "p1", Channel: "fax"}, "")
		}, message.StateFailed},
		"another's body": {func(w *world, r *message.Request, _ *message.Courier) {
			r.Body = w.request("other", message.Customer).Body
		}, message.StateFailed},
		"another recipient": {func(_ *world, r *message.Request, _ *message.Courier) { r.Person = "p3" }, message.StateFailed},
		"another kind":      {func(_ *world, r *message.Request, _ *message.Courier) { r.Kind = message.Staff }, message.StateFailed},
		"another time":      {func(_ *world, r *message.Request, _ *message.Courier) { r.Until = start.Add(time.Minute) }, message.StateFailed},
		"an altered body":   {func(_ *world, r *message.Request, _ *message.Courier) { r.Body.Sealed[20] ^= 1 }, message.StateFailed},
		"no body":           {func(_ *world, r *message.Request, _ *message.Courier) { r.Body = seal.Envelope{} }, message.StateFailed},
		"no recipient":      {func(w *world, r *message.Request, _ *message.Courier) { *r = w.sealed(message.Request{}, "") }, message.StateFailed},
		"two recipients": {func(w *world, r *message.Request, _ *message.Courier) {
			*r = w.sealed(message.Request{Person: "p1"}, "x@y.example")
		}, message.StateFailed},
		"an injected address": {func(w *world, r *message.Request, _ *message.Courier) {
			*r = w.sealed(message.Request{}, "x@y.example\r\nBcc: z@y.example")
		}, message.StateFailed},
		"directory is down": {func(_ *world, _ *message.Request, c *message.Courier) {
			c.Resolve = func(context.Context, message.Request) (string, error) {
				return "", errors.New("no answer about " + address)
			}
		}, message.StatePlanned},
		"no right to the key": {func(_ *world, _ *message.Request, c *message.Courier) {
			c.Keys = refusing{fault.New(fault.Denied, "not you")}
		}, message.StatePlanned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, message.Accepted)
			c, r := w.courier(w.store), w.request("key", message.Customer)
			test.change(w, &r, c)
			if err := c.Deliver(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			w.wantState(test.state, 0)
			if test.state == message.StatePlanned { // it comes right, and nothing was lost
				w.pass(time.Hour)
				w.wantState(message.StateAccepted, 1)
			}
		})
	}
}

// sealed is a customer's request under the usual key, with a content to an address of its own.
func (w *world) sealed(r message.Request, to string) message.Request {
	w.t.Helper()
	r.Key, r.Kind = "key", message.Customer
	if r.Channel == "" {
		r.Channel = message.Mail
	}
	r, err := r.Seal(w.dataKey, rand.Reader, message.Content{To: to, Subject: "S", Text: "T"})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

type refusing struct{ err error }

func (r refusing) Wrap(context.Context, []byte, []byte) ([]byte, string, error) {
	return nil, "", r.err
}
func (r refusing) Unwrap(context.Context, []byte, []byte) ([]byte, error) { return nil, r.err }
func (r refusing) Close() error                                           { return nil }

func TestAnAddressNobodyConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	w.deliver(w.sealed(message.Request{}, "stranger@home.example"))
	w.wantState(message.StateAccepted, 1)
	if w.sent[0].To != "stranger@home.example" {
		t.Errorf("sent to %q", w.sent[0].To)
	}
}

func TestMalformedRequestsAreInvalid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	for name, change := range map[string]func(*message.Request){
		"version":        func(r *message.Request) { r.V = 2 },
		"no key":         func(r *message.Request) { r.Key = "" },
		"key of lines":   func(r *message.Request) { r.Key = "a\nb" },
		"key too long":   func(r *message.Request) { r.Key = string(make([]byte, 501)) },
		"no kind":        func(r *message.Request) { r.Kind = "" },
		"unknown kind":   func(r *message.Request) { r.Kind = "everybody" },
		"two recipients": func(r *message.Request) { r.Contact = "c1" },
		"no channel":     func(r *message.Request) { r.Channel = "" },
	} {
		r := w.request("key", message.Staff)
		change(&r)
		if err := w.courier(w.store).Deliver(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if len(w.deliveries()) != 0 {
		t.Error("a malformed request is on record")
	}
}
