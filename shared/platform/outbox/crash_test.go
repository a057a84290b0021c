package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

// world is everything outside of the process: the database, the receivers, the time. It outlives every process.
type world struct {
	t     *testing.T
	store store.Store
	clock *clock.Manual

	mu       sync.Mutex
	accepted map[string]int // by id of the entry
}

func newWorld(t *testing.T, open func(*testing.T, clock.Clock) store.Store) *world {
	t.Helper()
	clk := clock.NewManual(start)
	return &world{t: t, store: open(t, clk), clock: clk, accepted: map[string]int{}}
}

// process is one life of the program: it does a number of steps, dies, and has no effect on the world any more.
type process struct {
	*world
	mu       sync.Mutex
	steps    int
	dies     int  // at this step; 0: never
	panics   bool // a dead process panics at its next step instead of getting errors
	refusals *rand.Rand
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

func (p *process) refuses() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusals == nil || p.refusals.IntN(4) > 0 {
		return nil
	}
	return fault.New([]fault.Kind{fault.Transient, fault.Misconfigured, fault.Invalid}[p.refusals.IntN(3)], "refused")
}

func (p *process) box() *Box {
	faulty := storetest.Faulty(witness{p.store, p.world}, func(storetest.Point, int) error { return p.step() })
	return New(faulty, p.clock, silent, map[Kind]Sink{Message: p.sink, Record: p.sink})
}

// sink is a receiver: its acceptance is an effect, so the process may die on either side of it.
func (p *process) sink(ctx context.Context, e Entry) error {
	if err := errors.Join(p.step(), p.refuses()); err != nil {
		return err
	}
	if err := p.store.Get(context.WithoutCancel(ctx), "events", e.Attributes["event"], &struct{}{}); e.Attributes["event"] != "" && err != nil {
		p.t.Errorf("an entry was sent whose transaction was not committed: %v", err)
	}
	p.world.mu.Lock()
	p.accepted[idOf(e)]++
	p.world.mu.Unlock()
	return p.step()
}

// handle is a control's function: it decides about an event, once.
func (p *process) handle(ctx context.Context, event string) error {
	err := p.box().Commit(ctx, func(tx store.Tx, batch *Batch) error {
		if err := tx.Create("events", event, map[string]int{"v": 1}); err != nil {
			return err
		}
		batch.Record("record "+event, []byte("{}"))
		err := batch.Message("topic", event, map[string]string{"event": event})
		batch.entries[len(batch.entries)-1].entry.Attributes["event"] = event
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return nil // decided before: acknowledged
	}
	return err
}

// survive runs part of a process's life, and reports whether it got to the end of it.
func survive(fn func() error) (ok bool) {
	defer func() {
		if p := recover(); p != nil && p != any(errDead) {
			panic(p)
		}
	}()
	return fn() == nil
}

// witness watches the database for entries that are deleted before anybody accepted them.
type witness struct {
	store.Store
	world *world
}

func (w witness) Tx(ctx context.Context, fn func(store.Tx) error) error {
	return w.Store.Tx(ctx, func(tx store.Tx) error { return fn(witnessTx{tx, w.world}) })
}

type witnessTx struct {
	store.Tx
	world *world
}

func (t witnessTx) Delete(collection, id string) error {
	t.world.mu.Lock()
	if t.world.accepted[id] == 0 {
		t.world.t.Error("an entry is deleted before it was accepted")
	}
	t.world.mu.Unlock()
	return t.Tx.Delete(collection, id)
}

// finish lets a process that does not die do what is left, and checks that nothing was lost.
func (w *world) finish(events []string, describe string) {
	w.t.Helper()
	p := &process{world: w}
	for _, event := range events {
		if err := p.handle(w.t.Context(), event); err != nil { // delivered again until acknowledged
			w.t.Fatalf("%s: %v", describe, err)
		}
	}
	b := p.box()
	for range 5 {
		_ = w.clock.Set(w.clock.Now().Add(lastBackoff))
		if _, err := b.Sweep(w.t.Context()); err != nil {
			w.t.Fatalf("%s: %v", describe, err)
		}
	}
	wantPending(w.t, b, 0)
	for _, event := range events {
		for _, e := range []Entry{{Kind: Message, Target: "topic", Key: event}, {Kind: Record, Key: "record " + event}} {
			if w.accepted[idOf(e)] == 0 {
				w.t.Errorf("%s: the %s of %q was lost", describe, e.Kind, event)
			}
		}
	}
	if len(w.accepted) != 2*len(events) {
		w.t.Errorf("%s: %d different entries arrived from %d events", describe, len(w.accepted), len(events))
	}
}

// TestDeathAtEveryStep kills a process at each step of a life that commits, is refused, and sweeps.
func TestDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	life := func(p *process) {
		survive(func() error { return p.handle(t.Context(), "a") })
		refusing := *New(p.box().store, p.clock, silent, map[Kind]Sink{Message: func(context.Context, Entry) error { return errors.New("refused") }})
		survive(func() error {
			return refusing.Commit(t.Context(), func(tx store.Tx, batch *Batch) error {
				batch.Record("record b", []byte("{}"))
				return errors.Join(tx.Create("events", "b", map[string]int{"v": 1}), batch.Message("topic", "b", map[string]string{}))
			})
		})
		_ = p.clock.Set(p.clock.Now().Add(lease))
		survive(func() error { _, err := refusing.Sweep(t.Context()); return err })
		_ = p.clock.Set(p.clock.Now().Add(lastBackoff))
		survive(func() error { _, err := p.box().Sweep(t.Context()); return err })
	}
	alive := &process{world: newWorld(t, inMemory)}
	life(alive)
	if alive.steps < 30 {
		t.Fatalf("the life has %d steps only", alive.steps)
	}
	for dies := 1; dies <= alive.steps; dies++ {
		for _, panics := range []bool{false, true} {
			w := newWorld(t, inMemory)
			life(&process{world: w, dies: dies, panics: panics})
			w.finish([]string{"a", "b"}, fmt.Sprintf("dead at step %d, panic %v", dies, panics))
		}
	}
}

// TestRandomDeaths runs processes that handle events and sweep, two at a time, against receivers that refuse at
// random, and kills each at a random step.
func TestRandomDeaths(t *testing.T) {
	t.Parallel()
	for name, seeds := range map[string]int{"memory": require.Seeds(25), "bolt": require.Seeds(25), "firestore": require.Seeds(3)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range seeds {
				w := newWorld(t, stores[name])
				random := rand.New(rand.NewPCG(uint64(seed), 2))
				var events []string
				for i := range 6 {
					events = append(events, fmt.Sprintf("event %d", i))
				}
				for range 8 {
					var group sync.WaitGroup
					for range 2 {
						p := &process{world: w, dies: 1 + random.IntN(40), panics: random.IntN(2) == 0, refusals: rand.New(rand.NewPCG(random.Uint64(), 3))}
						event, sweeps := events[random.IntN(len(events))], random.IntN(2) == 0
						group.Go(func() {
							survive(func() error { return p.handle(t.Context(), event) })
							if sweeps {
								survive(func() error { _, err := p.box().Sweep(t.Context()); return err })
							}
						})
					}
					group.Wait()
					_ = w.clock.Set(w.clock.Now().Add(time.Duration(random.IntN(90)) * time.Second))
				}
				w.finish(events, fmt.Sprintf("seed %d", seed))
				if t.Failed() {
					return
				}
			}
		})
	}
}
