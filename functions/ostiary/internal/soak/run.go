package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ostiary.internal/shared/platform/emulatortest"
)

// load is one kind of work, with what must be true of it.
type load interface {
	name() string
	// prepare is called once, before anything else happens.
	prepare(ctx context.Context) error
	// workers is how many do it at once.
	workers() int
	// work does one piece of it. It goes on where answers are lost; an error ends the run.
	work(ctx context.Context, r *rand.Rand) error
	// check holds what there is against what must be, while nobody works and nothing is on its way.
	check(ctx context.Context) error
}

// options say how a run goes.
type options struct {
	length time.Duration // of the work, without the checks
	round  time.Duration // between two quiet points
	kill   time.Duration // mean time between two kills; 0 for none
	on     string        // bolt or emulators
	seed   uint64
	people int
	faults float64 // how often, times what is usual
	dir    string
	sample string // policy folder
	only   string // kinds of load, with commas; "" for all
}

// run is one soak.
type run struct {
	options
	child   *child
	client  *client
	meter   *meter
	oracle  *oracle
	members []member
	log     *journal
	post    *post
	loads   []load
	faulty  bool // the process can be told to fail

	injected map[string]int // how often each fault was

	at    atomic.Value // text: where the run is
	moved time.Duration
	begun time.Time // the company's clock
	work  time.Duration
	round int
}

func (r *run) data() string { return filepath.Join(r.dir, "data") }

// random is a source for one who works, the same for the same seed.
func (r *run) random(parts ...uint64) *rand.Rand {
	mixed := r.seed
	for _, p := range parts {
		mixed = mixed*0x9E3779B97F4A7C15 + p + 1
	}
	return rand.New(rand.NewPCG(r.seed, mixed))
}

// all does everything: it begins, works round after round, and looks once more at the end.
func (r *run) all(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.child.crashed = func(life int) {
		r.oracle.holds(answersWhole, false, "the process ended by itself: read %s", r.child.logFile(life))
		stop(errors.New("the process ended by itself"))
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	for r.work < r.length && ctx.Err() == nil && r.oracle.violations() == 0 {
		if err := r.next(ctx); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.finish(ctx)
}

func (r *run) begin(ctx context.Context) (err error) {
	r.at.Store("beginning")
	if err := r.child.start(); err != nil {
		return err
	}
	if r.begun, err = r.client.now(ctx); err != nil {
		return err
	}
	for _, l := range r.loads {
		if err := l.prepare(ctx); err != nil {
			return fmt.Errorf("preparing %s: %w", l.name(), err)
		}
	}
	return nil
}

// next is one round: everybody works while the process is killed, fails and sees the clock move; then it is quiet, and
// everything is looked at.
func (r *run) next(ctx context.Context) error {
	r.round++
	r.at.Store(fmt.Sprintf("round %d, at work", r.round))
	if err := r.fail(ctx); err != nil {
		return err
	}
	over, stop := context.WithTimeout(ctx, r.until())
	defer stop()
	begun := machine.Now()
	var failed []error
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := func(do func() error) {
		all.Go(func() {
			if err := do(); err != nil && ctx.Err() == nil {
				mu.Lock()
				failed = append(failed, err)
				mu.Unlock()
				stop()
			}
		})
	}
	for i, l := range r.loads {
		for n := range l.workers() {
			random := r.random(uint64(r.round), uint64(i), uint64(n))
			begin(func() error { return r.works(ctx, over, l, random) })
		}
	}
	begin(func() error { return r.move(ctx, over) })
	begin(func() error { return r.kills(over) })
	begin(func() error { return r.hangs(over) })
	all.Wait()
	r.work += machine.Now().Sub(begun)
	if err := errors.Join(failed...); err != nil || ctx.Err() != nil {
		return err
	}
	return r.check(ctx)
}

// works does piece after piece until the round is over, with a pause before each where the emulators have to keep up: they do
// some tens of writes a second.
func (r *run) works(ctx, over context.Context, l load, random *rand.Rand) error {
	for over.Err() == nil {
		if r.on == "emulators" {
			sleep(over, time.Duration(random.IntN(2000))*time.Millisecond)
		}
		if err := l.work(ctx, random); err != nil && !errors.Is(err, errUnanswered) {
			return fmt.Errorf("%s: %w", l.name(), err)
		}
	}
	return nil
}

// until is how long this round is.
func (r *run) until() time.Duration { return min(r.options.round, r.length-r.work+time.Millisecond) }

// short reports whether the clock moves by no more than minutes in this round: then it is known what comes in time.
func (r *run) short() bool { return r.round%2 == 1 }

// move moves the clock, by seconds in one round and by minutes and hours in the next.
func (r *run) move(ctx, over context.Context) error {
	random, left := r.random(uint64(r.round), 1<<20), longRound
	if r.short() {
		left = shortRound
	}
	for over.Err() == nil {
		by := time.Duration(1+random.IntN(20)) * time.Second
		if !r.short() {
			by = time.Duration(1+random.IntN(20)) * time.Minute
			if random.IntN(4) == 0 {
				by = time.Duration(1+random.IntN(12)) * time.Hour
			}
		}
		by = min(by, left)
		left -= by
		var body any = map[string]string{"advance": by.String()}
		if jump := random.IntN(3) == 0 || by >= time.Hour; jump {
			now, err := r.client.now(ctx)
			if err != nil {
				return err
			}
			body = map[string]time.Time{"now": now.Add(by)}
		}
		if _, err := r.soon(ctx, moveLimit, "clock", body); err != nil {
			return err
		}
		sleep(over, time.Duration(100+random.IntN(900))*time.Millisecond)
	}
	return nil
}

// moveLimit is how long one move may take: what is due on the way after that is not done.
const moveLimit = 8 * time.Second

// By how much the clock moves at most in a round: in a short one, so that it is known what comes in time; in a long one,
// so that no message is given up, which a day after it was planned it is, before anybody could try again.
const (
	shortRound = 6 * time.Minute
	longRound  = 20 * time.Hour
)

// kills ends the process at random instants.
func (r *run) kills(over context.Context) error {
	if r.kill == 0 {
		return nil
	}
	random := r.random(uint64(r.round), 1<<21)
	for {
		sleep(over, time.Duration(random.ExpFloat64()*float64(r.kill)))
		if over.Err() != nil {
			return nil
		}
		if err := r.child.kill(); err != nil {
			return err
		}
		if err := r.fail(over); err != nil && over.Err() == nil {
			return err
		}
	}
}

// hangs has the emulators, where the process works on them, take connections and answer nothing for some seconds.
func (r *run) hangs(over context.Context) error {
	if r.on != "emulators" || r.faults == 0 {
		return nil
	}
	random := r.random(uint64(r.round), 1<<23)
	for {
		sleep(over, time.Duration(random.ExpFloat64()*float64(40*time.Second)/r.faults))
		if over.Err() != nil {
			return nil
		}
		if emulatortest.Hang(over, time.Duration(1+random.IntN(12))*time.Second) {
			r.injected["emulators.hang"]++
		}
	}
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// finish looks at everything once more, ends the process in order, and looks at what it leaves.
func (r *run) finish(ctx context.Context) error {
	r.at.Store("at the end")
	now, err := r.client.now(ctx)
	if err != nil {
		return err
	}
	r.moved = now.Sub(r.begun)
	if err := r.counted(ctx); err != nil {
		return err
	}
	err = r.child.stop()
	r.oracle.holds(nothingStuck, err == nil, "%v", err)
	return r.left()
}

// keep says where the folder of a run is, or removes it where everything held to the end.
func (r *run) keep(err error) string {
	if err != nil || r.oracle.violations() > 0 {
		return r.dir
	}
	_ = os.RemoveAll(r.dir)
	return ""
}
