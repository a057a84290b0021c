package message_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Many workers get the same requests while others sweep: a customer is written to once, whatever the server says.
func TestManyWorkersAtOnce(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T, ...message.Outcome) *world{"memory": newWorld, "bolt": worldOnBolt} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, message.Accepted, message.Unknown, message.Deferred, message.Accepted)
			w.arrives = true
			var requests []message.Request
			for i := range 6 {
				requests = append(requests, w.request("key "+strconv.Itoa(i), message.Customer))
			}
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					c := w.courier(w.store)
					for _, r := range requests {
						if err := c.Deliver(t.Context(), r); err != nil && !fault.Is(err, fault.Conflict) {
							t.Error(err)
						}
						if _, err := c.Sweep(t.Context()); err != nil && !fault.Is(err, fault.Conflict) {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			w.pass(2 * time.Hour)
			times := map[string]int{}
			for _, m := range w.sent {
				times[m.Subject]++
			}
			for subject, n := range times {
				if n != 1 {
					t.Errorf("%q was sent %d times", subject, n)
				}
			}
			if len(w.sent) != len(requests) || len(w.answers) != len(requests) {
				t.Errorf("%d mails and %d answers to %d requests", len(w.sent), len(w.answers), len(requests))
			}
		})
	}
}

// A worker that stood still past its lease finds the delivery in other hands: what it learnt late changes nothing.
func TestALateWorkerIsFencedOff(t *testing.T) {
	t.Parallel()
	for kind, want := range map[message.Kind]struct {
		state message.State
		sent  int
	}{
		message.Staff:    {message.StateAccepted, 2}, // sent again by the other worker
		message.Customer: {message.StateUnknown, 1},  // given up by the other worker, not sent again
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, message.Accepted)
			w.during = func() {
				w.during = nil
				w.advance(message.LeaseTime)
				if _, err := w.courier(w.store).Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			}
			w.deliver(w.request("key", kind))
			w.wantState(want.state, want.sent)
			if d := w.deliveries()[0]; kind == message.Staff && d.Fence != 2 {
				t.Errorf("fence %d after two leases", d.Fence)
			}
		})
	}
}

// Both workers are sending when the late one hears that it failed: only the holder of the lease may say so.
func TestOnlyTheLastLeaseSettles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Failed, message.Accepted)
	sending, late, done := make(chan struct{}), make(chan struct{}), make(chan error)
	w.during = func() { // of the first send
		w.advance(message.LeaseTime)
		w.mu.Lock()
		w.during = func() { close(sending); <-late } // of the second
		w.mu.Unlock()
		go func() {
			_, err := w.courier(w.store).Sweep(context.WithoutCancel(t.Context()))
			done <- err
		}()
		<-sending
	}
	w.deliver(w.request("key", message.Staff))
	close(late)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.wantState(message.StateAccepted, 1)
}

// A worker that could not prepare a message knows nothing of one that meanwhile did.
func TestATroubledWorkerUndoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	r := w.request("key", message.Customer)
	c := w.courier(w.store)
	c.Resolve = func(context.Context, message.Request) (string, error) {
		w.deliver(r)
		return "", fault.New(fault.NotFound, "nobody")
	}
	if err := c.Deliver(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	w.wantState(message.StateAccepted, 1)
}

func TestTheOutcomeIsKeptWhenTheCallerIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	ctx, cancel := context.WithCancel(t.Context())
	w.during = cancel
	if err := w.courier(w.store).Deliver(ctx, w.request("key", message.Customer)); err != nil {
		t.Fatal(err)
	}
	w.wantState(message.StateAccepted, 1)
}

func TestEvidenceOfEachAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Deferred, message.Accepted, message.Deferred)
	c := w.courier(w.store)
	var seen []message.Attempt
	c.Evidence = func(_ *outbox.Batch, a message.Attempt) error {
		seen = append(seen, a)
		return nil
	}
	if err := c.Deliver(t.Context(), w.request("key", message.Customer)); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Minute)
	if handled, err := c.Sweep(t.Context()); handled != 1 || err != nil {
		t.Fatal(handled, err)
	}
	if len(seen) != 2 || seen[0].Outcome != message.Deferred || seen[1].Outcome != message.Accepted ||
		seen[1].Message.To != address || seen[1].Delivery.Attempts != 2 || !seen[1].At.Equal(start.Add(time.Minute)) {
		t.Errorf("evidence %+v", seen)
	}
	// The end without an attempt is a record of its own.
	if err := c.Deliver(t.Context(), w.request("late", message.Customer)); err != nil {
		t.Fatal(err)
	}
	w.advance(message.GiveUpAfter)
	if _, err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, a := range seen {
		ids[a.ID()] = true
	}
	if len(seen) != 4 || len(ids) != 4 || seen[3].Outcome != "" || seen[3].Delivery.State != message.StateDead {
		t.Errorf("%d records of %d attempts, the last %+v", len(ids), len(seen), seen[len(seen)-1])
	}
}

// TestNameOfEvidence: evidence of one key is named otherwise each time the key is new, so that nobody finds the key, and
// who is behind it, by trying; but at every attempt after the same name.
func TestNameOfEvidence(t *testing.T) {
	t.Parallel()
	begun := map[string]bool{}
	for range 3 {
		w := newWorld(t, message.Deferred, message.Accepted)
		var ids []string
		c := w.courier(w.store)
		c.Evidence = func(_ *outbox.Batch, a message.Attempt) error {
			ids = append(ids, a.ID())
			return nil
		}
		if err := c.Deliver(t.Context(), w.request("key", message.Staff)); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Minute)
		if _, err := c.Sweep(t.Context()); err != nil || len(ids) != 2 {
			t.Fatalf("recorded %q: %v", ids, err)
		}
		first, _, _ := strings.Cut(ids[0], "/")
		if second, _, _ := strings.Cut(ids[1], "/"); len(first) < 26 || second != first || begun[first] {
			t.Errorf("the evidence is named %q", ids)
		}
		begun[first] = true
		if strings.Contains(w.logged.String(), fmt.Sprintf("%x", sha256.Sum256([]byte("ostiary message\x00key")))) {
			t.Errorf("the log names a message by what can be tried: %s", &w.logged)
		}
	}
}

// TestNoRandom: without a name that nobody can guess nothing is begun.
func TestNoRandom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Accepted)
	c := w.courier(w.store)
	c.Random = strings.NewReader("short")
	if err := c.Deliver(t.Context(), w.request("key", message.Customer)); !fault.Is(err, fault.Transient) || w.tries != 0 {
		t.Errorf("%v after %d tries", err, w.tries)
	}
	w.deliver(w.request("key", message.Customer))
	w.wantState(message.StateAccepted, 1)
}

// One delivery whose bookkeeping fails does not stop the sweep.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Deferred, message.Deferred, message.Deferred, message.Accepted)
	for i := range 3 {
		w.deliver(w.request("key "+strconv.Itoa(i), message.Staff))
	}
	w.advance(time.Minute)
	c := w.courier(w.store)
	failures := 0
	c.Evidence = func(*outbox.Batch, message.Attempt) error {
		if failures++; failures == 1 {
			return errors.New("no room")
		}
		return nil
	}
	if handled, err := c.Sweep(t.Context()); handled != 3 || err == nil {
		t.Errorf("handled %d, %v; want 3 and the error of one", handled, err)
	}
	states := map[message.State]int{}
	for _, d := range w.deliveries() {
		states[d.State]++
	}
	if states[message.StateAccepted] != 2 || states[message.StateLeased] != 1 {
		t.Errorf("states %v", states)
	}
}

func TestEveryQueryIsDeclared(t *testing.T) {
	t.Parallel()
	c := message.Collection()
	if c.Name != message.Deliveries || !c.Expires || !slices.ContainsFunc(c.Indexes, func(i store.Index) bool { return slices.Equal(i, store.Index{"due"}) }) {
		t.Errorf("declared %+v", c)
	}
}

// A sweep over a slow server begins nothing when its time is up; the next one goes on where it stopped.
func TestASlowSweepStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, message.Deferred)
	c := w.courier(w.store)
	for i := range 5 {
		if err := c.Deliver(t.Context(), w.request("key "+strconv.Itoa(i), message.Staff)); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(time.Hour)
	w.reply = func(int) message.Outcome { return message.Accepted }
	w.during = func() { w.advance(message.SweepTime * 2 / 3) }
	for _, want := range []int{2, 2, 1, 0} {
		if handled, err := c.Sweep(t.Context()); err != nil || handled != want {
			t.Errorf("handled %d, want %d, %v", handled, want, err)
		}
	}
	if len(w.answers) != 5 {
		t.Errorf("%d answers", len(w.answers))
	}
}
