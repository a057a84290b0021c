package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long it may take until nothing is on its way any more: a jump of a day plans thousands of reminders, and the emulators
// carry some messages a second.
const (
	quietLimit    = 5 * time.Minute
	emulatorLimit = 20 * time.Minute
)

// check makes it quiet and holds everything against what must be.
func (r *run) check(ctx context.Context) error {
	r.at.Store(fmt.Sprintf("round %d, quiet", r.round))
	if err := r.quiet(ctx); err != nil {
		return err
	}
	now, err := r.client.now(ctx)
	if err != nil {
		return err
	}
	for _, l := range r.loads {
		if l, rests := l.(interface{ rested(time.Time) }); rests {
			l.rested(now)
		}
	}
	// What was put off goes a few minutes later, what a crash left after two; then what is sealed and shown follows.
	for range 2 {
		if err := r.pass(ctx, 11*time.Minute); err != nil {
			return err
		}
	}
	if err := r.sealed(ctx); err != nil {
		return err
	}
	if err := r.log.read(ctx); err != nil {
		return err
	}
	for _, l := range r.loads {
		if err := l.check(ctx); err != nil {
			return fmt.Errorf("looking at %s: %w", l.name(), err)
		}
	}
	if err := r.stuck(ctx); err != nil || r.short() {
		return err
	}
	// Days in which nobody does anything, and no schedule runs.
	days := time.Duration(1+r.random(uint64(r.round), 1<<23).IntN(3)) * 24 * time.Hour
	now, err = r.client.now(ctx)
	if err == nil {
		_, err = r.client.local(ctx, "POST", "clock", map[string]time.Time{"now": now.Add(days)})
	}
	return err
}

// sealed: what waits in the inbox is in the log eleven minutes later.
func (r *run) sealed(ctx context.Context) error {
	before, err := r.log.waiting()
	if err != nil {
		return err
	}
	if err := r.pass(ctx, 11*time.Minute); err != nil {
		return err
	}
	after, err := r.log.waiting()
	for name := range after {
		r.oracle.holds(nothingStuck, before[name] == nil, "the record %s has waited in the inbox for eleven minutes", name)
	}
	return err
}

// limit is how long it may take until nothing is on its way.
func (r *run) limit() time.Duration {
	if r.on == "emulators" {
		return emulatorLimit
	}
	return quietLimit
}

// pass lets time go by, with everything that is due. A machine with much to do gets there in several steps.
func (r *run) pass(ctx context.Context, by time.Duration) error {
	now, err := r.client.now(ctx)
	for until, begun := now.Add(by), machine.Now(); err == nil && now.Before(until); now, err = r.client.now(ctx) {
		if machine.Now().Sub(begun) > r.limit() {
			return r.unsettled(ctx, r.limit())
		}
		if err := r.step(ctx, until.Sub(now)); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return r.quiet(ctx)
}

// step lets time go by, as far as it comes in half a minute.
func (r *run) step(ctx context.Context, by time.Duration) error {
	a, err := r.soon(ctx, 30*time.Second, "clock", map[string]string{"advance": by.String()})
	if err == nil && a.good() {
		var told struct {
			Ran []struct {
				Function string
				Status   int
			}
		}
		if err := a.into(&told); err != nil {
			return err
		}
		for _, ran := range told.Ran {
			r.oracle.holds(nothingStuck, ran.Status < 300, "the run of %s answers %d though nothing fails", ran.Function, ran.Status)
		}
	}
	return err
}

// soon makes a call of local mode that waits until all is at rest, and does not wait long itself: what was put off to a
// later time of the company's clock comes to rest when that is reached.
func (r *run) soon(ctx context.Context, limit time.Duration, path string, body any) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	a, err := r.client.do(limited, call{method: "POST", path: "/_local/" + path, body: body})
	if limited.Err() != nil && ctx.Err() == nil || errors.Is(err, errUnanswered) {
		return answer{}, nil
	}
	return a, err
}

// quiet has nothing fail any more and waits until nothing is on its way.
func (r *run) quiet(ctx context.Context) error {
	if r.faulty {
		if a, err := r.client.again(ctx, call{method: "POST", path: "/_soak/quiet"}); err != nil || !a.good() {
			return fmt.Errorf("having nothing fail any more: %s, %w", a, err)
		}
	}
	limit, begun, wait := r.limit(), machine.Now(), 2*time.Second
	for by := time.Minute; ; by, wait = 2*by, min(2*wait, 30*time.Second) {
		a, err := r.soon(ctx, wait, "clock", map[string]string{"advance": "0s"}) // what moved it last has come to its end
		if err == nil && a.good() {
			a, err = r.soon(ctx, wait, "settle", nil)
		}
		if err != nil || a.good() {
			return err
		}
		if machine.Now().Sub(begun) > limit {
			return r.unsettled(ctx, limit)
		}
		if _, err := r.soon(ctx, 5*wait, "clock", map[string]string{"advance": by.String()}); err != nil {
			return err
		}
	}
}

// unsettled says that something never came to rest, and what.
func (r *run) unsettled(ctx context.Context, after time.Duration) error {
	a, err := r.client.do(ctx, call{method: "POST", path: "/_local/settle"})
	r.oracle.holds(nothingStuck, err == nil && a.good(), "after %s without faults something is still on its way: %s", after, a)
	return err
}

// stuck looks for what nobody will take up any more.
func (r *run) stuck(ctx context.Context) error {
	var dead struct {
		Letters []struct{ ID, Function, Topic, Why string } `json:"dead_letters"`
	}
	if err := r.client.read(ctx, "deadletters", &dead); err != nil {
		return err
	}
	for _, l := range dead.Letters {
		r.oracle.holds(nothingStuck, l.Topic == "audit.unreadable", "a dead letter of %s for %s: %s", l.Topic, l.Function, l.Why)
	}
	r.oracle.holds(nothingStuck, true, "")
	// Time does not run backwards, and nothing changes where somebody tries.
	now, err := r.client.now(ctx)
	if err != nil {
		return err
	}
	a, err := r.client.do(ctx, call{method: "POST", path: "/_local/clock", body: map[string]time.Time{"now": now.Add(-time.Hour)}})
	if err != nil {
		return err
	}
	r.oracle.holds(answersWhole, a.status == 409 && a.code == "clock_backwards", "setting the clock back answers %s", a)
	return nil
}
