package message_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

// provider is a channel that names what it took, and can be asked.
type provider struct {
	server
	says  func(reference string, ask int) (message.Fate, error)
	after time.Duration

	mu    sync.Mutex
	asked []time.Time
}

func (p *provider) Send(ctx context.Context, m message.Message) (message.Outcome, error) {
	outcome, err := p.server.Send(ctx, m)
	if outcome == message.Accepted {
		message.WireOf(ctx).TLS = message.TLS13
		message.WireOf(ctx).Named("ref-" + strings.TrimPrefix(m.Subject, "About "))
	}
	return outcome, err
}

func (p *provider) Ask(ctx context.Context, reference string) (message.Fate, error) {
	p.mu.Lock()
	p.asked = append(p.asked, p.clock.Now())
	n := len(p.asked)
	p.mu.Unlock()
	message.WireOf(ctx).After = p.after
	return p.says(reference, n)
}

func always(f message.Fate) func(string, int) (message.Fate, error) {
	return func(string, int) (message.Fate, error) { return f, nil }
}

// asking is a world whose mail goes by a provider, with a count of what its evidence says.
type asking struct {
	*world
	provider *provider
	records  map[string]int // by state
	seen     map[string]bool
}

func newAsking(t *testing.T, says func(string, int) (message.Fate, error)) *asking {
	t.Helper()
	w := newWorld(t, message.Accepted)
	return &asking{world: w, provider: &provider{server: server{w}, says: says}, records: map[string]int{}, seen: map[string]bool{}}
}

func (a *asking) courier(s store.Store) *message.Courier {
	c := a.world.courier(s)
	c.Channels = map[string]message.Channel{message.Mail: a.provider}
	c.Evidence = func(batch *outbox.Batch, at message.Attempt) error {
		batch.Record(at.ID(), []byte(at.ID()))
		return nil
	}
	c.Box = outbox.New(s, a.clock, a.log, map[outbox.Kind]outbox.Sink{outbox.Message: a.publish, outbox.Record: func(_ context.Context, e outbox.Entry) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if id := string(e.Data); !a.seen[id] { // what is handed on twice is one record
			a.seen[id] = true
			a.records[id[strings.LastIndexByte(id, '/')+1:]]++
		}
		return nil
	}})
	return c
}

// ask is one run of the schedule.
func (a *asking) ask(c *message.Courier) error {
	err := c.Ask(a.t.Context(), a.clock.Now().Add(message.SweepTime))
	_, swept := c.Box.Sweep(a.t.Context())
	return errors.Join(err, swept)
}

// minutes lets time pass with a run in each.
func (a *asking) minutes(d time.Duration) {
	a.t.Helper()
	c := a.courier(a.store)
	for end := a.clock.Now().Add(d); a.clock.Now().Before(end); {
		a.advance(time.Minute)
		if err := a.ask(c); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *asking) take(key string, kind message.Kind) {
	a.t.Helper()
	if err := a.courier(a.store).Deliver(a.t.Context(), a.request(key, kind)); err != nil {
		a.t.Fatal(err)
	}
}

func (a *asking) only() message.Delivery {
	a.t.Helper()
	all := a.deliveries()
	if len(all) != 1 {
		a.t.Fatalf("%d deliveries", len(all))
	}
	return all[0]
}

// TestAskedUntilCertain: what the channel knows for certain is answered once, with what was known of the message before, and
// asked no more, but what arrived six hours later.
func TestAskedUntilCertain(t *testing.T) {
	t.Parallel()
	for fate, want := range map[message.Fate]struct {
		state message.State
		topic string
	}{message.FateDelivered: {message.StateDelivered, message.TopicDelivered}, message.FateBounced: {message.StateBounced, message.TopicBounced}} {
		a := newAsking(t, func(reference string, ask int) (message.Fate, error) {
			if reference != "ref-key" {
				t.Errorf("asked about %q", reference)
			}
			switch ask {
			case 1:
				return message.FateAccepted, nil
			case 2:
				return message.FateUndetermined, errors.New("no answer")
			}
			return fate, nil
		})
		a.take("key", message.Customer)
		taken := a.answers["key "+message.TopicAccepted]
		a.minutes(10 * time.Minute)
		d, answer := a.only(), a.answers["key "+want.topic]
		heard := start.Add(4 * time.Minute)
		next := map[message.State]int64{message.StateDelivered: heard.Add(6 * time.Hour).UnixMicro()}[want.state]
		if d.State != want.state || d.Ask != next || !d.Heard.Equal(heard) || len(a.provider.asked) != 3 {
			t.Errorf("%s: %+v, asked %d times", fate, d, len(a.provider.asked))
		}
		if answer.State != want.state || !answer.At.Equal(heard) || !answer.Taken.Equal(start) || answer.TLS != message.TLS13 || answer.Reference != "ref-key" || answer.Attempts != 1 {
			t.Errorf("%s: answered %+v", fate, answer)
		}
		if again := answer.Accepted(); again != taken || !answer.Fate() || taken.Fate() {
			t.Errorf("%s: follows %+v, not %+v", fate, again, taken)
		}
		if a.records["accepted"] != 1 || a.records[string(want.state)] != 1 || len(a.records) != 2 || len(a.answers) != 2 {
			t.Errorf("%s: recorded %v, answered %v", fate, a.records, a.answers)
		}
		clear(a.answers)
		a.take("key", message.Customer)
		a.minutes(time.Hour)
		if len(a.answers) != 0 || len(a.provider.asked) != 3 || len(a.sent) != 1 {
			t.Errorf("%s: again: %v, asked %d times, sent %d times", fate, a.answers, len(a.provider.asked), len(a.sent))
		}
		// Who lost the answers hears the last one.
		r := a.request("key", message.Customer)
		r.Again = 1
		if err := a.courier(a.store).Deliver(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		answer.Again = 1
		if got := a.answers["key "+want.topic]; got != answer || len(a.answers) != 1 {
			t.Errorf("%s: to who asks again %+v", fate, a.answers)
		}
	}
}

// TestAskedForThreeDays: from a minute to six hours apart, for 72 hours; then one record says that nobody knows, and nobody is
// told anything.
func TestAskedForThreeDays(t *testing.T) {
	t.Parallel()
	a := newAsking(t, always(message.FateAccepted))
	a.take("key", message.Customer)
	first := a.answers["key "+message.TopicAccepted]
	clear(a.answers)
	a.minutes(80 * time.Hour)
	asked := a.provider.asked
	if len(asked) < 15 || len(asked) > 25 || !asked[0].Equal(start.Add(time.Minute)) || !asked[len(asked)-1].Equal(start.Add(message.AskFor)) {
		t.Fatalf("asked %d times, %v", len(asked), asked)
	}
	for i := 2; i < len(asked)-1; i++ {
		if wait, before := asked[i].Sub(asked[i-1]), asked[i-1].Sub(asked[i-2]); wait < before || wait > 2*before || wait > 6*time.Hour {
			t.Errorf("waited %s after %s", wait, before)
		}
	}
	if d := a.only(); d.State != message.StateUndetermined || d.Ask != 0 || a.records["undetermined"] != 1 || a.records["accepted"] != 1 || len(a.answers) != 0 || first.State != message.StateAccepted {
		t.Errorf("%+v, recorded %v, answered %v", d, a.records, a.answers)
	}
	r := a.request("key", message.Customer)
	r.Again = 1
	if err := a.courier(a.store).Deliver(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if first.Again = 1; a.answers["key "+message.TopicAccepted] != first || len(a.answers) != 1 {
		t.Errorf("to who asks again %+v", a.answers)
	}
}

// TestAskedLate: nobody ran for a week; the channel is asked once before it counts as not known.
func TestAskedLate(t *testing.T) {
	t.Parallel()
	for fate, state := range map[message.Fate]message.State{message.FateBounced: message.StateBounced, message.FateAccepted: message.StateUndetermined} {
		a := newAsking(t, always(fate))
		a.take("key", message.Customer)
		a.advance(7 * 24 * time.Hour)
		a.minutes(time.Hour)
		if d := a.only(); d.State != state || len(a.provider.asked) != 1 {
			t.Errorf("%s after %d asks", d.State, len(a.provider.asked))
		}
	}
}

// TestNobodyToAsk: nothing is asked about staff, about what has no name, and where the channel cannot be asked.
func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	a := newAsking(t, always(message.FateBounced))
	a.take("staff", message.Staff)
	r := a.request("not a name", message.Customer) // the provider's name for it is none
	if err := a.courier(a.store).Deliver(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := a.world.courier(a.store).Deliver(t.Context(), a.request("plain", message.Customer)); err != nil {
		t.Fatal(err)
	}
	a.minutes(2 * time.Hour)
	for _, d := range a.deliveries() {
		if d.State != message.StateAccepted || d.Ask != 0 {
			t.Errorf("%s: %s", d.Request.Key, d.State)
		}
	}
	if len(a.provider.asked) != 0 {
		t.Errorf("asked %d times", len(a.provider.asked))
	}
	// A channel that can be asked no more, since the configuration changed, is not.
	a.take("late", message.Customer)
	c := a.courier(a.store)
	c.Channels = map[string]message.Channel{message.Mail: server{a.world}}
	for range 100 {
		a.advance(time.Hour)
		if err := a.ask(c); err != nil {
			t.Fatal(err)
		}
	}
	if a.records["undetermined"] != 1 || len(a.provider.asked) != 0 {
		t.Errorf("recorded %v", a.records)
	}
}

// TestAskBounds: one run asks about so many, begins none once its time is up, and leaves a provider alone that asks to wait.
func TestAskBounds(t *testing.T) {
	t.Parallel()
	a := newAsking(t, always(message.FateAccepted))
	for i := range message.AskPage + 10 {
		a.take(fmt.Sprintf("key%d", i), message.Customer)
	}
	a.advance(time.Minute)
	c := a.courier(a.store)
	if err := c.Ask(t.Context(), a.clock.Now()); err != nil || len(a.provider.asked) != 0 {
		t.Errorf("time is up: asked %d times, %v", len(a.provider.asked), err)
	}
	for i, want := range []int{message.AskPage, message.AskPage + 10, message.AskPage + 10} {
		if err := a.ask(c); err != nil || len(a.provider.asked) != want {
			t.Errorf("run %d: asked %d times, %v", i, len(a.provider.asked), err)
		}
	}
	a.advance(time.Hour)
	a.provider.after, a.provider.asked = time.Minute, nil
	if err := a.ask(c); err != nil || len(a.provider.asked) != 1 {
		t.Errorf("who asks to wait is asked %d times, %v", len(a.provider.asked), err)
	}
}

// TestAskersMeet: two who ask at once say it once, and whoever heard first counts.
func TestAskersMeet(t *testing.T) {
	t.Parallel()
	var a *asking
	a = newAsking(t, func(_ string, ask int) (message.Fate, error) {
		if ask > 1 {
			return message.FateDelivered, nil
		}
		a.advance(time.Hour) // the first stands still, and another asks meanwhile
		if err := a.ask(a.courier(a.store)); err != nil {
			t.Error(err)
		}
		return message.FateBounced, nil
	})
	a.take("key", message.Customer)
	a.minutes(time.Minute)
	if d := a.only(); d.State != message.StateDelivered || a.records["delivered"] != 1 || a.records["bounced"] != 0 || len(a.answers) != 2 {
		t.Errorf("%s, recorded %v, answered %v", d.State, a.records, a.answers)
	}
}

// TestDeathWhileAsking: whoever asks dies at each step; in the end it is said once all the same.
func TestDeathWhileAsking(t *testing.T) {
	t.Parallel()
	died := 0
	for dies := 1; ; dies++ {
		a := newAsking(t, always(message.FateBounced))
		a.take("key", message.Customer)
		a.advance(time.Minute)
		p := &process{world: a.world, dies: dies, panics: dies%2 == 0}
		survive(func() error {
			return a.ask(a.courier(storetest.Faulty(a.store, func(storetest.Point, int) error { return p.step() })))
		})
		dead := p.steps >= dies
		a.minutes(10 * time.Minute)
		if d := a.only(); d.State != message.StateBounced || a.records["bounced"] != 1 || a.answers["key "+message.TopicBounced].State != message.StateBounced || len(a.sent) != 1 {
			t.Errorf("dead at step %d: %s, recorded %v, answered %v", dies, d.State, a.records, a.answers)
		}
		if !dead {
			break
		}
		died++
	}
	if died < 5 {
		t.Errorf("died %d times", died)
	}
}
