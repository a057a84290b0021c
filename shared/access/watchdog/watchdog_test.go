package watchdog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/file"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/watchdog"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

var start = time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)

const (
	home = "81.2.69.142/32"
	cafe = "92.40.1.7/32"
	six  = "2a02:8109:9340:1234::/64"
	site = "81.2.70.0/28"
)

// flaky is a door whose process may die.
type flaky struct {
	allowlist.Target
	hook func(point string) error
}

func (f *flaky) at(point string) error {
	if f.hook == nil {
		return nil
	}
	return f.hook(point)
}

func (f *flaky) Read(ctx context.Context) (allowlist.Observed, error) {
	if err := f.at("read"); err != nil {
		return allowlist.Observed{}, err
	}
	return f.Target.Read(ctx)
}

func (f *flaky) Apply(context.Context, allowlist.Set, allowlist.Write) error {
	panic("the watchdog adds something")
}

func (f *flaky) Remove(ctx context.Context, gone []netip.Prefix) error {
	if err := f.at("before"); err != nil {
		return err
	}
	if err := f.Target.Remove(ctx, gone); err != nil {
		return err
	}
	return f.at("after")
}

// rig is a watchdog over a door of files.
type rig struct {
	t      *testing.T
	now    time.Time
	leases []lease.Lease
	blind  error
	faults storetest.Fault
	door   *flaky
	dog    *watchdog.Dog
	box    *outbox.Box
	kinds  []string
	told   []allowlist.Notice
	fence  int64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: start}
	target, err := file.New(filepath.Join(t.TempDir(), "door"), allowlist.Options{Name: "edge"})
	must(t, err)
	r.door = &flaky{Target: target}
	base, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, watchdog.Collection()...), Clock: clock.NewManual(start)})
	must(t, err)
	s := storetest.Faulty(storetest.Twice(base), func(p storetest.Point, n int) error {
		if r.faults == nil {
			return nil
		}
		return r.faults(p, n)
	})
	seen, mu := map[string]bool{}, sync.Mutex{}
	r.box = outbox.New(s, clock.NewManual(start), slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: func(_ context.Context, e outbox.Entry) error {
		parsed, err := record.Parse(e.Data)
		if err != nil || strings.Contains(string(e.Data), "81.2") {
			t.Errorf("recorded %s: %v", e.Data, err)
		}
		mu.Lock() // records are sent side by side
		defer mu.Unlock()
		if !seen[e.Key] {
			seen[e.Key] = true
			r.kinds = append(r.kinds, fmt.Sprintf("%s %s", parsed.Facts["event"], parsed.Facts["entries"]))
		}
		return nil
	}})
	r.dog, err = watchdog.New(watchdog.Config{Store: s, Box: r.box, Targets: []allowlist.Target{r.door},
		Leases: func(context.Context) ([]lease.Lease, error) { return slices.Clone(r.leases), r.blind },
		Sites:  []access.Fixed{{Name: "office", Prefix: netip.MustParsePrefix(site), Until: start.Add(48 * time.Hour)}},
		Tell: func(_ *outbox.Batch, n allowlist.Notice) error {
			if !slices.ContainsFunc(r.told, func(o allowlist.Notice) bool { return o.Key == n.Key }) {
				r.told = append(r.told, n)
			}
			return nil
		}})
	must(t, err)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func made(person, prefix string, ends time.Time) lease.Lease {
	return lease.Lease{ID: person + prefix, Person: person, Prefix: netip.MustParsePrefix(prefix), State: lease.Confirmed, Open: true, Started: start, Ends: ends}
}

// keeper writes to the door what whoever keeps it would: these leases and the site.
func (r *rig) keeper(leases ...lease.Lease) {
	r.t.Helper()
	seen, err := r.door.Target.Read(r.t.Context())
	must(r.t, err)
	r.fence++
	sites := []access.Fixed{{Name: "office", Prefix: netip.MustParsePrefix(site), Until: start.Add(1000 * time.Hour)}}
	must(r.t, r.door.Target.Apply(r.t.Context(), allowlist.Desired(leases, sites, start), allowlist.Write{Fence: r.fence, Etag: seen.Etag}))
}

func (r *rig) look(want string) {
	r.t.Helper()
	report, err := r.dog.Look(r.t.Context(), r.now)
	if err != nil || fmt.Sprintf("%+v", report) != want {
		r.t.Errorf("at %s: %+v, %v; want %s", r.now.Format("15:04"), report, err, want)
	}
}

func (r *rig) holds(want ...string) {
	r.t.Helper()
	seen, err := r.door.Target.Read(r.t.Context())
	must(r.t, err)
	var got []string
	for _, p := range seen.Prefixes {
		got = append(got, p.String())
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		r.t.Errorf("at %s the door lets in %v, want %v", r.now.Format("15:04"), got, want)
	}
}

const (
	quiet = "{Blind:false Late:0 Removed:0}"
	blind = "{Blind:true Late:0 Removed:0}"
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
