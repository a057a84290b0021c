package message_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

var errNoAnswer = fault.New(fault.Transient, "no answer")

// keeper is a channel that can be looked at.
type keeper struct {
	server
	find func(look int) (message.Trace, error) // looks count from 1

	lock   sync.Mutex
	looked []time.Time
	ids    map[string]bool
}

func (k *keeper) Find(ctx context.Context, id string) (message.Trace, error) {
	k.lock.Lock()
	k.looked, k.ids[id] = append(k.looked, k.clock.Now()), true
	n := len(k.looked)
	k.lock.Unlock()
	message.WireOf(ctx).Named("ref-1")
	return k.find(n)
}

func (k *keeper) Ask(context.Context, string) (message.Fate, error) {
	return message.FateAccepted, nil
}

// seeking is a world whose mail goes by a keeper, with what its evidence says.
type seeking struct {
	*world
	keeper  *keeper
	records map[string]bool
}

func newSeeking(t *testing.T, find func(int) (message.Trace, error), outcomes ...message.Outcome) *seeking {
	t.Helper()
	w := newWorld(t, outcomes...)
	return &seeking{world: w, keeper: &keeper{server: server{w}, find: find, ids: map[string]bool{}}, records: map[string]bool{}}
}

func (s *seeking) courier(st store.Store) *message.Courier {
	c := s.world.courier(st)
	c.Channels = map[string]message.Channel{message.Mail: s.keeper}
	c.Evidence = func(_ *outbox.Batch, a message.Attempt) error {
		s.records[a.ID()[33:]+" "+string(a.Outcome)] = true
		return nil
	}
	return c
}

func (s *seeking) deliver(kind message.Kind) {
	s.t.Helper()
	if err := s.courier(s.store).Deliver(s.t.Context(), s.request("key", kind)); err != nil {
		s.t.Fatal(err)
	}
}

// minutes lets time pass with a sweep in each.
func (s *seeking) minutes(d time.Duration) {
	s.t.Helper()
	c := s.courier(s.store)
	for end := s.clock.Now().Add(d); s.clock.Now().Before(end); {
		s.advance(time.Minute)
		_, err := c.Sweep(s.t.Context())
		_, swept := c.Box.Sweep(s.t.Context())
		if err := errors.Join(err, swept); err != nil {
			s.t.Fatal(err)
		}
	}
}

// shows answers the looks in turn, and with the last for ever.
func shows(traces ...message.Trace) func(int) (message.Trace, error) {
	return func(look int) (message.Trace, error) {
		trace := traces[min(look, len(traces))-1]
		if trace == message.TraceSilent {
			return trace, errNoAnswer
		}
		return trace, nil
	}
}

// TestLookedFor: a customer's message whose outcome is unknown is looked for three times in ten minutes; what the channel is certain
// of counts, that it took none at the end alone; otherwise a person is asked.
func TestLookedFor(t *testing.T) {
	t.Parallel()
	const silent, none, taken = message.TraceSilent, message.TraceNone, message.TraceTaken
	for name, test := range map[string]struct {
		find  func(int) (message.Trace, error)
		state message.State
		after time.Duration // until it is settled
		looks int
		sent  int // how often the server was called
	}{
		"taken":                    {shows(taken), message.StateAccepted, time.Minute, 1, 1},
		"taken, as it shows later": {shows(silent, none, taken), message.StateAccepted, 10 * time.Minute, 3, 1},
		"none":                     {shows(none), message.StateAccepted, 11 * time.Minute, 3, 2},
		"silent, then none":        {shows(silent, silent, none), message.StateAccepted, 11 * time.Minute, 3, 2},
		"none, then silent":        {shows(none, none, silent), message.StateUnknown, 10 * time.Minute, 3, 1},
		"silent":                   {shows(silent), message.StateUnknown, 10 * time.Minute, 3, 1},
		"cannot be asked so": {func(int) (message.Trace, error) { return silent, fault.New(fault.Invalid, "no such page") },
			message.StateUnknown, time.Minute, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSeeking(t, test.find, message.Unknown, message.Accepted)
			s.deliver(message.Customer)
			s.minutes(test.after - time.Minute)
			if d := s.deliveries()[0]; d.State == test.state || len(s.answers) != 0 || d.Request.Body.V == 0 {
				t.Fatalf("settled early: %s, answered %v", d.State, s.answers)
			}
			s.minutes(time.Minute)
			d, answer := s.deliveries()[0], s.answers["key "+topicOf[test.state]]
			if d.State != test.state || answer.State != test.state || len(s.answers) != 1 || s.tries != test.sent || len(s.keeper.ids) != 1 || d.Request.Body.V != 0 {
				t.Fatalf("%s, answered %v, sent %d times", d.State, s.answers, s.tries)
			}
			if want := map[string]string{"taken": "1/accepted accepted", "none": "1/planned deferred", "silent": "1/unknown unknown"}[name]; want != "" && !s.records[want] || !s.records["1/sought unknown"] {
				t.Errorf("recorded %v", s.records)
			}
			if found := test.state == message.StateAccepted && test.sent == 1; found != (d.Reference == "ref-1") || found != (d.Ask != 0) || found && !answer.At.Equal(s.clock.Now()) {
				t.Errorf("%+v", d)
			}
			s.minutes(2 * time.Hour)
			if len(s.keeper.looked) != test.looks || s.tries != test.sent || len(s.answers) != 1 {
				t.Errorf("looked %d times, sent %d times", len(s.keeper.looked), s.tries)
			}
			for i, at := range s.keeper.looked {
				if want := []time.Duration{time.Minute, 4 * time.Minute, 10 * time.Minute}[i]; !at.Equal(start.Add(want)) {
					t.Errorf("look %d at %s", i, at)
				}
			}
		})
	}
}

// TestNotLookedFor: staff are written to again as before, and what nobody knows since the store was put back a person finds out.
func TestNotLookedFor(t *testing.T) {
	t.Parallel()
	s := newSeeking(t, shows(message.TraceTaken), message.Unknown, message.Accepted)
	s.deliver(message.Staff)
	s.minutes(time.Hour)
	if d := s.deliveries()[0]; d.State != message.StateAccepted || s.tries != 2 || len(s.keeper.looked) != 0 {
		t.Errorf("staff: %s after %d tries and %d looks", d.State, s.tries, len(s.keeper.looked))
	}
	s = newSeeking(t, shows(message.TraceNone), message.Unknown, message.Accepted)
	s.deliver(message.Customer)
	s.advance(time.Minute)
	c := s.courier(s.store)
	c.Restored = s.clock.Now()
	if _, err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := s.deliveries()[0]; d.State != message.StateUnknown || len(s.keeper.looked) != 0 || s.tries != 1 {
		t.Errorf("restored: %s after %d looks", d.State, len(s.keeper.looked))
	}
	// Who remembers for a day cannot say after a day that there was none.
	s = newSeeking(t, shows(message.TraceNone), message.Unknown, message.Accepted)
	s.deliver(message.Customer)
	s.advance(message.GiveUpAfter)
	s.minutes(time.Hour)
	if d := s.deliveries()[0]; d.State != message.StateUnknown || s.tries != 1 {
		t.Errorf("a day later: %s after %d tries", d.State, s.tries)
	}
	// A channel that is another by now is not looked at.
	s = newSeeking(t, shows(message.TraceNone), message.Unknown, message.Accepted)
	s.deliver(message.Customer)
	s.pass(time.Hour)
	if d := s.deliveries()[0]; d.State != message.StateUnknown || s.tries != 1 {
		t.Errorf("another channel: %s after %d tries", d.State, s.tries)
	}
}

// TestALateLook: whoever stood still over a look says nothing about a later try.
func TestALateLook(t *testing.T) {
	t.Parallel()
	var s *seeking
	s = newSeeking(t, func(look int) (message.Trace, error) {
		if look == 3 { // stands still, and others go on
			s.minutes(5 * time.Minute)
		}
		return message.TraceNone, nil
	}, message.Unknown, message.Accepted)
	s.deliver(message.Customer)
	s.minutes(time.Hour)
	if d := s.deliveries()[0]; d.State != message.StateUnknown || s.tries != 1 || len(s.answers) != 1 {
		t.Errorf("%s after %d tries, answered %v", d.State, s.tries, s.answers)
	}
}

// TestLooksMeet: what the later look shows counts, not what whoever stood still comes to say.
func TestLooksMeet(t *testing.T) {
	t.Parallel()
	var s *seeking
	s = newSeeking(t, func(look int) (message.Trace, error) {
		switch look {
		case 1: // stands still, and another looks
			s.minutes(4 * time.Minute)
			return message.TraceSilent, fault.New(fault.Invalid, "no such page")
		case 2:
			return message.TraceSilent, errNoAnswer
		}
		return message.TraceTaken, nil
	}, message.Unknown)
	s.deliver(message.Customer)
	s.minutes(time.Hour)
	if d := s.deliveries()[0]; d.State != message.StateAccepted || len(s.keeper.looked) != 3 || s.tries != 1 || len(s.answers) != 1 {
		t.Errorf("%s after %d looks and %d tries, answered %v", d.State, len(s.keeper.looked), s.tries, s.answers)
	}
}

// TestDeathWhileLooking: whoever looks, or sends, dies at each step; the customer has it once at most, and it is settled.
func TestDeathWhileLooking(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		died := 0
		for dies := 1; ; dies++ {
			var s *seeking
			s = newSeeking(t, func(int) (message.Trace, error) {
				if len(s.sent) > 0 {
					return message.TraceTaken, nil
				}
				return message.TraceNone, nil
			}, message.Unknown, message.Accepted)
			s.arrives = taken
			p := &process{world: s.world, dies: dies, panics: dies%2 == 0}
			mortal := s.courier(storetest.Faulty(s.store, func(storetest.Point, int) error { return p.step() }))
			r := s.request("key", message.Customer)
			survive(func() error { return mortal.Deliver(t.Context(), r) })
			for range 14 {
				s.advance(time.Minute)
				survive(func() error { _, err := mortal.Sweep(t.Context()); return err })
			}
			dead := p.steps >= dies
			if err := s.courier(s.store).Deliver(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			s.minutes(time.Hour)
			d := s.deliveries()[0]
			if len(s.sent) > 1 || d.State != message.StateAccepted && d.State != message.StateUnknown || d.State == message.StateAccepted && len(s.sent) != 1 || len(s.answers) != 1 {
				t.Errorf("taken %v, dead at step %d: %s, sent %d times, answered %v", taken, dies, d.State, len(s.sent), s.answers)
			}
			if !dead {
				break
			}
			died++
		}
		if died < 15 {
			t.Errorf("died %d times", died)
		}
	}
}
