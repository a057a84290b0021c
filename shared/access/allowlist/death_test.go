package allowlist_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store/storetest"
)

var errDead = errors.New("the process is dead")

// dieAt lets the process die at its nth call to the store or to a target: that call and all later ones fail, some of
// them after they took effect. It returns a function that brings it back to life and tells whether it had died.
func (r *rig) dieAt(n int) (revive func() bool) {
	var calls atomic.Int64 // doors are written side by side
	at := func() error {
		if calls.Add(1) >= int64(n) {
			return errDead
		}
		return nil
	}
	r.faults = func(storetest.Point, int) error { return at() }
	for _, t := range r.targets {
		t.hook = func(string) error { return at() }
	}
	return func() bool {
		r.faults = nil
		for _, t := range r.targets {
			t.hook = nil
		}
		return calls.Load() >= int64(n)
	}
}

// scene is a morning with everything a run may meet at once.
func scene(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, newTarget("edge"), newTarget("proxy"))
	r.add("ana", home)
	done := r.add("ana", cafe)
	r.add("ben", home)
	r.add("eve", "81.2.69.66/32")
	r.mustRun()
	_, err := r.leases.End(t.Context(), "ana", done, lease.Done) // ended
	must(t, err)
	r.add("ben", "81.2.69.1/32")
	r.add("ben", "81.2.69.2/32") // the third device: the oldest goes
	r.add("cy", six)
	r.lost["eve"] = lease.Suspended
	r.targets[1].foreign(func(all []netip.Prefix) []netip.Prefix {
		return append(all, netip.MustParsePrefix("198.97.38.0/24"))
	})
	return r
}

// TestDeathAtEveryStep kills a run at each third of its calls in turn, in the soak at each, and runs it again.
func TestDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	steps, stride := 0, 3
	if require.Seeds(1) > 1 {
		stride = 1
	}
	for n := 1; ; n += stride {
		r := scene(t)
		revive := r.dieAt(n)
		_, err := r.run()
		if !revive() {
			must(t, err)
			break
		}
		steps++
		r.honest()
		r.pass(time.Minute)
		if report, err := r.run(); err != nil || len(report.Targets) != 2 {
			t.Fatalf("death at call %d (%v), then: %+v, %v", n, err, report, err)
		}
		r.settled()
		if _, err := r.box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.paired(n)
	}
	if steps < 40 {
		t.Errorf("only %d calls: the scene shows too little", steps)
	}
}

// paired says that for each target the last decision was seen done, and that nothing is left to send.
func (r *rig) paired(n int) {
	r.t.Helper()
	r.pass(time.Minute)
	if _, err := r.box.Sweep(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if pending, err := r.box.Pending(r.t.Context()); err != nil || pending != 0 {
		r.t.Fatalf("death at call %d: %d entries are left in the outbox, %v", n, pending, err)
	}
	last := map[string]map[string]int{"decided": {}, "done": {}}
	for event, fences := range last {
		for _, e := range r.recorded(event) {
			var fence int
			if _, err := fmt.Sscan(e.Facts["fence"], &fence); err != nil {
				r.t.Fatal(err)
			}
			fences[e.Facts["target"]] = max(fences[e.Facts["target"]], fence)
		}
	}
	for target, fence := range last["decided"] {
		if last["done"][target] < fence {
			r.t.Fatalf("death at call %d: %s was decided with fence %d, done with %d", n, target, fence, last["done"][target])
		}
	}
}

// TestAnyDayConverges lives through random days with deaths, outages and foreign hands, and looks after each step.
func TestAnyDayConverges(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			proxy := newTarget("proxy")
			proxy.parts = seed%2 == 0
			d := day{rig: newRig(t, newTarget("edge"), proxy), random: rand.New(rand.NewPCG(uint64(seed), 7))}
			for range 40 {
				d.step()
			}
			d.pass(2 * time.Minute)
			d.mustRun()
			must(t, d.clock.Set(midnight))
			d.mustRun()
			for _, target := range d.targets {
				if len(target.prefixes) != 0 {
					t.Fatalf("after the day %s holds %v", target.name, target.prefixes)
				}
			}
			d.paired(seed)
			if found := d.recorded("foreign"); d.edits == 0 && len(found) > 0 {
				t.Fatalf("nobody else wrote, and it was found %d times", len(found))
			}
		})
	}
}

type day struct {
	*rig
	random *rand.Rand
	edited bool // a foreign hand was at work since the last whole run
	edits  int  // and all day
}

func (d *day) step() {
	person := fmt.Sprintf("p%d", d.random.IntN(5))
	switch d.random.IntN(10) {
	case 0, 1, 2:
		// Twenty addresses for five people: some share one.
		d.add(person, fmt.Sprintf("81.2.69.%d/32", d.random.IntN(20)))
	case 3:
		_, err := d.leases.EndStarted(d.t.Context(), person, lease.Lost, d.clock.Now())
		must(d.t, err)
	case 4:
		if d.lost[person] != "" {
			delete(d.lost, person)
		} else {
			d.lost[person] = lease.Suspended
		}
	case 5:
		target := d.targets[d.random.IntN(2)]
		target.foreign(func(all []netip.Prefix) []netip.Prefix {
			if len(all) > 0 && d.random.IntN(2) == 0 {
				return all[1:]
			}
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{6, 6, 6, byte(d.random.IntN(250))}), 32)
			return slices.Compact(append(all, p))
		})
		d.edited = true
		d.edits++
	case 6:
		d.pass(2 * time.Minute)
		d.mustRun()
		d.edited = false
	default:
		revive := d.dieAt(1 + d.random.IntN(60))
		_, err := d.run()
		if !revive() && err == nil {
			d.settled()
			d.edited = false
		}
		d.pass(time.Duration(d.random.IntN(60)) * time.Second)
	}
	if !d.edited {
		d.honest()
	}
}

// TestTwoProcesses lets two reconcilers and a crowd work at once. Whatever their order, nobody is let in without a
// lease in the end, and no writer undoes what a newer one did.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	r := newRig(t, newTarget("edge"), newTarget("proxy"))
	processes := []*allowlist.Reconciler{r.open("two"), r.open("three"), r.r}
	var ids [40]string
	for i := range ids {
		ids[i] = r.add(fmt.Sprintf("p%d", i), fmt.Sprintf("81.2.69.%d/32", i%30))
	}
	var wait sync.WaitGroup
	for _, p := range processes {
		wait.Go(func() {
			for range 30 {
				_, err := p.Run(context.Background(), r.clock.Now())
				if kind := fault.KindOf(err); err != nil && kind != fault.Transient && kind != fault.Conflict {
					t.Errorf("running beside others: %v", err)
				}
			}
		})
	}
	wait.Go(func() {
		for i, id := range ids {
			if i%2 == 0 {
				if _, err := r.leases.End(context.Background(), fmt.Sprintf("p%d", i), id, lease.Done); err != nil {
					t.Error(err)
				}
			}
		}
	})
	wait.Wait()
	r.honest()
	r.pass(2 * time.Minute)
	r.mustRun()
}
