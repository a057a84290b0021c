package accesslevel

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

// TestPause waits, and not for somebody who has gone.
func TestPause(t *testing.T) {
	t.Parallel()
	must(t, pause(t.Context(), time.Microsecond))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pause(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a pause after the end: %v", err)
	}
}

// TestTurns: while one handle writes another waits, and gives up when its caller does.
func TestTurns(t *testing.T) {
	t.Parallel()
	f := newFake(t, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	target := f.open(1)
	target.name = "turns"
	f.Levels[policy+"/accessLevels/turns_00"] = &acm.AccessLevel{Name: policy + "/accessLevels/turns_00", Basic: &acm.BasicLevel{}}
	writes, overtaken := 0, 0
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if r.Method == http.MethodGet {
			return nil
		}
		writes++
		for range 64 { // of two ways that are open one is taken at random
			if done, err := turn(gone, policy+"/turns"); err == nil {
				overtaken++
				done()
			} else if !fault.Is(err, fault.Transient) {
				t.Error(err)
			}
		}
		return nil
	}
	mustApply(t, target, set(t, "ana "+home), 1)
	must(t, target.Remove(t.Context(), prefixes(t, home)))
	if writes < 3 || overtaken > 0 {
		t.Errorf("in %d writes another writer came in %d times", writes, overtaken)
	}
	done, err := turn(t.Context(), policy+"/turns")
	must(t, err)
	asked := f.Asked
	if a, b := target.Apply(gone, allowlist.Set{}, allowlist.Write{}), target.Remove(gone, nil); !fault.Is(a, fault.Transient) || !fault.Is(b, fault.Transient) || f.Asked != asked {
		t.Errorf("while another writes: %v, %v", a, b)
	}
	done()
}

// TestStale: a list that is a moment old leads to no wrong write, and the next Read tells the truth.
func TestStale(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	mustApply(t, target, set(t, "ana "+home), 1)
	must(t, apply(t, target, set(t, "ben "+cafe), 2))
	f.Stale = 1
	if seen, err := target.Read(t.Context()); err != nil || seen.Holds(set(t, "ben "+cafe)) {
		t.Errorf("the list was not stale: %v", err)
	}
	f.Stale = 2 // for the Read and for the look of Apply
	if err := apply(t, target, set(t, "cy "+six), 3); !fault.Is(err, fault.Conflict) {
		t.Errorf("writing on an old look: %v", err)
	}
	mustApply(t, target, set(t, "cy "+six), 4)
}

// TestNoClient: without credentials it says so, and tries again the next time.
func TestNoClient(t *testing.T) {
	t.Parallel()
	f := newFake(t, 1)
	tries := 0
	target, err := New(policy, "edge", allowlist.Options{Name: "door", Clock: f.Clock, Account: account}, func(context.Context) (*http.Client, error) {
		if tries++; tries < 4 {
			return nil, fault.New(fault.Misconfigured, "no credentials")
		}
		return f.Server.Client(), nil
	}, f.Server.URL)
	must(t, err)
	_, err = target.Read(t.Context())
	if a, b := target.Apply(t.Context(), allowlist.Set{}, allowlist.Write{}), target.Remove(t.Context(), nil); !fault.Is(err, fault.Misconfigured) || !fault.Is(a, fault.Misconfigured) || !fault.Is(b, fault.Misconfigured) {
		t.Errorf("%v, %v, %v", err, a, b)
	}
	if _, err := target.Read(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPermissions: what each method was seen to need is what the table says.
func TestPermissions(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(2)
	used := func(do func()) []string {
		f.Used = map[string]bool{}
		do()
		return slices.Sorted(maps.Keys(f.Used))
	}
	w := write(t, target, 1)
	applied := used(func() {
		must(t, target.Apply(t.Context(), set(t, "ana "+home), w))
		must(t, f.Clock.Set(morning.Add(25*time.Hour)))
		must(t, target.Apply(t.Context(), set(t, "ben "+cafe+" 48"), write(t, target, 2)))
	})
	read := used(func() { write(t, target, 0) })
	removed := used(func() { must(t, target.Remove(t.Context(), prefixes(t, cafe))) })
	for method, got := range map[string][]string{"Target.Apply": applied, "Target.Read": read, "Target.Remove": removed} {
		if !slices.Equal(got, Permissions[method]) {
			t.Errorf("%s used %v, the table says %v", method, got, Permissions[method])
		}
	}
	if len(Permissions) != 3 {
		t.Error("a method nobody has is in the table")
	}
}
