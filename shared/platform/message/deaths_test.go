package message_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store/storetest"
)

// process is one life of the function: after a number of steps it is dead and has no effect on the world any more.
type process struct {
	*world
	mu     sync.Mutex
	steps  int
	dies   int  // at this step; 0: never
	panics bool // a dead process panics at its next step instead of getting errors
}

var errDead = errors.New("this process is dead")

func (p *process) step() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.steps++; p.dies == 0 || p.steps < p.dies {
		return nil
	}
	if p.panics {
		panic(errDead)
	}
	return errDead
}

func (p *process) courier() *message.Courier {
	c := p.world.courier(storetest.Faulty(p.store, func(storetest.Point, int) error { return p.step() }))
	c.Channels = map[string]message.Channel{message.Mail: mortal{server{p.world}, p}}
	return c
}

// mortal is the mail server as a process sees it that may die before and after the server took the mail.
type mortal struct {
	server
	process *process
}

func (m mortal) Send(ctx context.Context, msg message.Message) (message.Outcome, error) {
	if err := m.process.step(); err != nil {
		return message.Deferred, err
	}
	outcome, err := m.server.Send(ctx, msg)
	if dead := m.process.step(); dead != nil {
		return message.Unknown, dead
	}
	return outcome, err
}

// survive runs part of a life, and goes on after its end.
func survive(fn func() error) {
	defer func() {
		if p := recover(); p != nil && p != any(errDead) {
			panic(p)
		}
	}()
	_ = fn()
}

// live delivers a request and sweeps until everything would be settled.
func (p *process) live(r message.Request) {
	survive(func() error { return p.courier().Deliver(p.t.Context(), r) })
	for range 3 {
		p.advance(3 * time.Minute)
		survive(func() error { _, err := p.courier().Sweep(p.t.Context()); return err })
	}
}

// finish lets the bus deliver every request again, and time pass, to processes that live. Then it checks what must
// hold whatever happened before.
func (w *world) finish(requests []message.Request, describe string) {
	w.t.Helper()
	for _, r := range requests {
		w.deliver(r)
	}
	w.pass(26 * time.Hour)
	mails := map[string]int{}
	for _, m := range w.sent {
		mails[strings.TrimPrefix(m.Subject, "About ")]++
	}
	all := w.deliveries()
	if len(all) != len(requests) || len(w.answers) != len(requests) {
		w.t.Fatalf("%s: %d deliveries and %d answers to %d requests: %v", describe, len(all), len(w.answers), len(requests), w.answers)
	}
	for _, d := range all {
		n, key := mails[d.Request.Key], d.Request.Key
		answer := w.answers[key+" "+topicOf[d.State]]
		switch {
		case answer.State != d.State:
			w.t.Errorf("%s: %s is %s and answered %q", describe, key, d.State, answer.State)
		case d.Request.Kind == message.Customer && n > 1:
			w.t.Errorf("%s: a customer got %s %d times", describe, key, n)
		case d.State == message.StateAccepted && n == 0:
			w.t.Errorf("%s: %s is accepted and nobody took it", describe, key)
		case (d.State == message.StateFailed || d.State == message.StateDead) && d.Request.Kind == message.Customer && n > 0:
			w.t.Errorf("%s: %s was sent and is %s", describe, key, d.State)
		case d.Request.Kind == message.Staff && d.State == message.StateUnknown:
			w.t.Errorf("%s: staff are left with an unknown %s", describe, key)
		}
	}
}

// A process dies at each step of a life that delivers at once, and of one that needs three attempts.
func TestDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, outcomes := range [][]message.Outcome{{message.Accepted}, {message.Deferred, message.Unknown, message.Accepted}} {
			t.Run(fmt.Sprint(kind, outcomes), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, outcomes...)
				alive := &process{world: w}
				alive.live(w.request("key", kind))
				if alive.steps < 10 {
					t.Fatalf("the life has %d steps only", alive.steps)
				}
				for dies := 1; dies <= alive.steps; dies++ {
					for _, panics := range []bool{false, true} {
						w := newWorld(t, outcomes...)
						w.arrives = true
						r := w.request("key", kind)
						(&process{world: w, dies: dies, panics: panics}).live(r)
						w.finish([]message.Request{r}, fmt.Sprintf("dead at step %d, panic %v", dies, panics))
					}
				}
			})
		}
	}
}

// Processes deliver and sweep two at a time against a server that answers anything, and each dies at a random step.
func TestRandomDeaths(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		random := rand.New(rand.NewPCG(uint64(seed), 11))
		w := newWorld(t, message.Accepted)
		w.arrives = random.IntN(2) == 0
		outcomes := make([]message.Outcome, 200)
		for i := range outcomes {
			outcomes[i] = []message.Outcome{message.Accepted, message.Deferred, message.Unknown, message.Failed, message.Deferred}[random.IntN(5)]
		}
		w.reply = func(try int) message.Outcome { return outcomes[try%len(outcomes)] }
		var requests []message.Request
		for i := range 4 {
			requests = append(requests, w.request(fmt.Sprintf("key %d", i), kinds[i%2]))
		}
		for range 6 {
			var group sync.WaitGroup
			for range 2 {
				p := &process{world: w, dies: 1 + random.IntN(30), panics: random.IntN(2) == 0}
				r := requests[random.IntN(len(requests))]
				group.Go(func() {
					survive(func() error { return p.courier().Deliver(t.Context(), r) })
					survive(func() error { _, err := p.courier().Sweep(t.Context()); return err })
				})
			}
			group.Wait()
			w.advance(time.Duration(random.IntN(400)) * time.Second)
		}
		w.finish(requests, fmt.Sprintf("seed %d", seed))
	}
}
