package watchdog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/watchdog"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store/storetest"
)

// TestLate: what nobody takes away at its end goes some minutes after, and nothing else does.
func TestLate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases = []lease.Lease{made("ana", home, start.Add(time.Hour)), made("ben", cafe, start.Add(8*time.Hour)), made("cy", six, start.Add(time.Hour))}
	r.keeper(r.leases...)
	r.look(quiet)
	r.now = start.Add(time.Hour) // whoever keeps the door is dead from here on
	r.look(quiet)
	r.now = r.now.Add(watchdog.Grace - time.Second)
	r.look(quiet)
	r.holds(home, cafe, six, site)
	r.now = r.now.Add(time.Second)
	r.look("{Blind:false Late:2 Removed:2}")
	r.holds(cafe, site)
	if fmt.Sprint(r.kinds) != "[late 2 removed 2]" || len(r.told) != 1 || r.told[0].Late != 2 || r.told[0].Target != "edge" {
		t.Errorf("recorded %v, told %+v", r.kinds, r.told)
	}
	r.now = start.Add(49 * time.Hour) // the site's end
	r.look(quiet)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:false Late:2 Removed:2}")
	r.holds()
}

// TestEndedEarly: somebody's registration is ended before its time, and nobody takes it away.
func TestEndedEarly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases = []lease.Lease{made("ana", home, start.Add(8*time.Hour))}
	r.keeper(r.leases...)
	r.look(quiet)
	r.leases[0].State = lease.Ended
	r.now = r.now.Add(time.Minute)
	r.look(quiet)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:false Late:1 Removed:1}")
	r.holds(site)
}

// TestNewcomer: who is at the door before she is in what was read stays.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ana := made("ana", home, start.Add(8*time.Hour))
	r.keeper(ana)
	r.look(quiet)
	r.now = r.now.Add(2 * time.Minute)
	r.leases = []lease.Lease{ana}
	r.look(quiet)
	r.leases = nil // and if she goes, her time counts from then
	r.now = r.now.Add(2 * time.Minute)
	r.look(quiet)
	r.holds(home, site)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:false Late:1 Removed:1}")
}

// TestBlind: where the leases cannot be read, each entry goes at the end known of it, and one nobody knows after the longest day.
func TestBlind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases = []lease.Lease{made("ana", home, start.Add(time.Hour)), made("ben", cafe, start.Add(8*time.Hour))}
	r.look(quiet)
	r.keeper(append(r.leases, made("cy", six, start.Add(8*time.Hour)))...) // she registered after it was looked last
	r.blind = errors.New("the store is away")
	r.now = start.Add(time.Hour)
	r.look(blind)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:true Late:1 Removed:1}")
	r.holds(cafe, six, site)
	r.now = start.Add(8 * time.Hour)
	r.look(blind)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:true Late:1 Removed:1}")
	r.holds(six, site)
	r.now = start.Add(time.Hour + watchdog.Longest - time.Second) // it was first seen an hour after the start
	r.look(blind)
	r.now = r.now.Add(time.Second)
	r.look(blind)
	r.holds(six, site)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:true Late:1 Removed:1}")
	r.holds(site)
}

// TestAgainWhileBlind: who registers the same address the next morning is not taken for yesterday's.
func TestAgainWhileBlind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases = []lease.Lease{made("ana", home, start.Add(time.Hour))}
	r.keeper(r.leases...)
	r.look(quiet)
	r.blind = errors.New("the store is away")
	r.now = start.Add(time.Hour)
	r.keeper() // whoever keeps the door does its work
	r.look(blind)
	r.now = start.Add(20 * time.Hour)
	r.keeper(made("ana", home, start.Add(30*time.Hour)))
	for range 3 {
		r.look(blind)
		r.now = r.now.Add(watchdog.Grace)
	}
	r.holds(home, site)
	r.blind, r.leases = nil, nil // the copy of then says nothing any more
	r.look(quiet)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:false Late:1 Removed:1}")
}

// TestNeverAgainAndAgain: while the leases cannot be read, what was taken away and is put back belongs to somebody the copy does
// not know. It is taken away once at most.
func TestNeverAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ana, ben := made("ana", home, start.Add(time.Hour)), made("ben", home, start.Add(8*time.Hour))
	r.leases = []lease.Lease{ana}
	r.keeper(ana)
	r.look(quiet)
	r.leases, r.blind = []lease.Lease{ana, ben}, errors.New("the store is away")
	removed := 0
	for r.now = start.Add(2 * time.Minute); r.now.Before(start.Add(3 * time.Hour)); r.now = r.now.Add(time.Minute) {
		r.keeper(ben)
		report, err := r.dog.Look(t.Context(), r.now)
		must(t, err)
		removed += report.Removed
	}
	if removed > 1 || len(r.told) > 1 {
		t.Errorf("taken away %d times, told %d times", removed, len(r.told))
	}
	r.holds(home, site)
}

// TestKnowsNothing: without leases and without a copy nothing is touched, and it is an error.
func TestKnowsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.keeper(made("ana", home, start.Add(8*time.Hour)))
	r.blind = errors.New("the store is away")
	for range 3 {
		if _, err := r.dog.Look(t.Context(), r.now); !fault.Is(err, fault.Transient) {
			t.Errorf("error %v", err)
		}
		r.now = r.now.Add(time.Hour)
	}
	r.holds(home, site)
}

// TestAgain: what was found, and went without the watchdog, is over; the next time is found and told anew.
func TestAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases = []lease.Lease{made("ana", home, start.Add(time.Hour)), made("ben", cafe, start.Add(8*time.Hour))}
	r.keeper(r.leases...)
	r.look(quiet)
	r.now = start.Add(time.Hour)
	r.look(quiet)
	r.now = r.now.Add(watchdog.Grace)
	r.door.hook = func(point string) error {
		if point == "before" {
			return errors.New("429")
		}
		return nil
	}
	if _, err := r.dog.Look(t.Context(), r.now); err == nil {
		t.Error("no error")
	}
	r.door.hook = nil
	r.keeper(r.leases[1]) // whoever keeps the door comes back
	r.now = r.now.Add(time.Minute)
	r.look(quiet)
	r.now = start.Add(8 * time.Hour) // and is gone again
	r.look(quiet)
	r.now = r.now.Add(watchdog.Grace)
	r.look("{Blind:false Late:1 Removed:1}")
	if got := strings.Join(r.kinds, ", "); got != "late 1, removed 0, late 1, removed 1" || len(r.told) != 2 {
		t.Errorf("recorded %s, told %d times", got, len(r.told))
	}
}

// TestQuietWritesNothing: a look that finds everything in order writes nothing.
func TestQuietWritesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.leases = []lease.Lease{made("ana", home, start.Add(8*time.Hour))}
	r.keeper(r.leases...)
	r.look(quiet)
	begun := 0
	r.faults = func(p storetest.Point, _ int) error {
		if p == storetest.Begin {
			begun++
		}
		return nil
	}
	r.now = r.now.Add(time.Minute)
	r.look(quiet)
	if begun != 0 {
		t.Errorf("%d transactions", begun)
	}
	r.now = r.now.Add(15 * time.Minute) // the copy grows old
	r.look(quiet)
	if begun == 0 {
		t.Error("the copy was not renewed")
	}
}

// TestDeaths kills a look at each of its calls; the next ones finish it, and whoever is registered stays.
func TestDeaths(t *testing.T) {
	t.Parallel()
	dead := errors.New("the process is dead")
	for n := 1; ; n++ {
		r := newRig(t)
		r.leases = []lease.Lease{made("ana", home, start.Add(time.Hour)), made("ben", cafe, start.Add(8*time.Hour))}
		r.keeper(r.leases...)
		r.look(quiet)
		r.now = start.Add(time.Hour)
		r.look(quiet)
		r.now = r.now.Add(watchdog.Grace)
		calls := 0
		at := func() error {
			if calls++; calls >= n {
				return dead
			}
			return nil
		}
		r.faults = func(storetest.Point, int) error { return at() }
		r.door.hook = func(string) error { return at() }
		_, err := r.dog.Look(t.Context(), r.now)
		r.faults, r.door.hook = nil, nil
		if calls < n {
			if err != nil || n < 8 {
				t.Errorf("%d calls, %v", calls, err)
			}
			return
		}
		r.now = r.now.Add(time.Minute)
		if _, err := r.dog.Look(t.Context(), r.now); err != nil {
			t.Fatalf("after a death at call %d: %v", n, err)
		}
		r.holds(cafe, site)
		if _, err := r.box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOnlyTakes lives through random days: the door never lets in what it did not before, and never loses who is registered.
func TestOnlyTakes(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		copied := map[netip.Prefix]time.Time{} // what the copy says, to whom the leases are not to be read
		rnd := rand.New(rand.NewPCG(uint64(seed), 3))
		r := newRig(t)
		for range 40 {
			switch rnd.IntN(4) {
			case 0:
				p := fmt.Sprintf("81.2.69.%d/32", rnd.IntN(20))
				r.leases = append(r.leases, made(fmt.Sprint("p", len(r.leases)), p, r.now.Add(time.Duration(rnd.IntN(9))*time.Hour)))
				r.keeper(r.leases...)
			case 1:
				r.blind = nil
				if rnd.IntN(2) == 0 {
					r.blind = errors.New("away")
				}
			}
			before, err := r.door.Target.Read(t.Context())
			must(t, err)
			_, err = r.dog.Look(t.Context(), r.now)
			if err != nil && r.blind == nil {
				t.Fatal(err)
			}
			after, err := r.door.Target.Read(t.Context())
			must(t, err)
			due := allowlist.Desired(r.leases, nil, r.now)
			if r.blind == nil {
				clear(copied)
			}
			for _, e := range due.Entries() {
				if r.blind == nil {
					copied[e.Prefix] = e.Until
				}
			}
			for _, p := range before.Prefixes {
				until, known := copied[p]
				if known && !r.now.Before(until) {
					continue // registered anew before its end, where nobody could read it: known until its first end
				}
				if slices.Contains(due.Prefixes(), p) && !slices.Contains(after.Prefixes, p) {
					t.Fatalf("seed %d: %s is registered and was taken away", seed, p)
				}
			}
			for _, p := range after.Prefixes {
				if !slices.Contains(before.Prefixes, p) {
					t.Fatalf("seed %d: %s was added", seed, p)
				}
			}
			r.now = r.now.Add(time.Duration(rnd.IntN(90)) * time.Minute)
		}
	}
}
