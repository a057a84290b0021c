package cloudarmor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

// TestOver: ten of one family share a rule. Who came last has no room, unless her address is let in already.
func TestOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.Limit, w.Used = 103, 100 // two rules
	target := w.open(t, 0, nil)
	var leases []lease.Lease
	add := func(prefix string) string {
		l := lease.Lease{ID: fmt.Sprintf("l%02d", len(leases)), Person: fmt.Sprint("p", len(leases)), Prefix: netip.MustParsePrefix(prefix), State: lease.Received,
			Started: targettest.Until.Add(-time.Hour).Add(time.Duration(len(leases)) * time.Second), Ends: targettest.Until}
		leases = append(leases, l)
		return l.ID
	}
	over := func(want ...string) {
		t.Helper()
		if _, err := target.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := target.Over(allowlist.Desired(leases, nil, targettest.Until.Add(-time.Minute)))
		if !slices.Equal(got, want) {
			t.Errorf("no room for %v, want %v", got, want)
		}
	}
	for i := range 10 {
		add(fmt.Sprintf("81.2.69.%d/32", i))
	}
	six := add("2a02:8109:1::/64")
	over()
	late := add("81.2.69.10/32")
	over(late)
	later := add("81.2.69.11/32")
	add("81.2.69.3/32")
	over(later, late)
	leases = slices.DeleteFunc(leases, func(l lease.Lease) bool { return l.ID == six })
	over()
}

// TestGoesAtFullQuota: where others have taken the last of the quota, what stands stands, and what has to go goes.
func TestGoesAtFullQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	if err := apply(t, target, many(0, 10, 0, 10)); err != nil {
		t.Fatal(err)
	}
	w.Mu.Lock()
	w.Limit, w.Used = 103, 100 // the default rule, two of ours, and no more
	w.Mu.Unlock()
	if err := apply(t, target, many(1, 9, 0, 10)); err != nil || len(target.Over(many(0, 10, 0, 10))) != 0 {
		t.Errorf("one of twenty goes: %v", err)
	}
}

// TestShutsFirst: what only loses prefixes is written before what gains some, whatever the priorities.
func TestShutsFirst(t *testing.T) {
	t.Parallel()
	ten, three := many(0, 10, 0, 0).Prefixes(), many(100, 3, 0, 0).Prefixes()
	seen := at(span{1000, 1009}, map[int64][]netip.Prefix{1000: three, 1001: ten})
	want := targettest.Make(append(listed(ten[1:]), append(listed(three), "81.9.9.9/32")...)...)
	steps, err := seen.plan(want, 10)
	if err != nil || len(steps) != 2 || steps[0].priority != 1001 || steps[0].turn != closes || len(steps[0].in) != 9 {
		t.Errorf("%+v, %v", steps, err)
	}
}

func listed(prefixes []netip.Prefix) (all []string) {
	for _, p := range prefixes {
		all = append(all, p.String())
	}
	return all
}

// TestPart: an Apply whose time or quota runs out after some rules says so, and the next goes on; one that wrote none fails.
func TestPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	all := many(0, 30, 0, 0)
	writes := 0
	limited := func(most int) {
		writes = 0
		w.Failing = func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, "Rule") {
				if writes++; writes > most {
					return http.StatusTooManyRequests, "rateLimitExceeded"
				}
			}
			return 0, ""
		}
	}
	limited(0)
	if err := apply(t, target, all); !fault.Is(err, fault.Exhausted) || errors.Is(err, allowlist.ErrPart) {
		t.Errorf("nothing could be written: %v", err)
	}
	limited(1)
	if err := apply(t, target, all); !errors.Is(err, allowlist.ErrPart) {
		t.Errorf("a rule was written: %v", err)
	}
	w.Failing = nil
	seen, err := target.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), reserve)
	defer cancel()
	if err := target.Apply(short, all, allowlist.Write{Etag: seen.Etag}); !errors.Is(err, allowlist.ErrPart) {
		t.Errorf("time for one rule of two: %v", err)
	}
	if err := apply(t, target, all); err != nil {
		t.Error(err)
	}
	if seen, err := target.Read(t.Context()); err != nil || !seen.Holds(all) {
		t.Errorf("%+v, %v", seen, err)
	}
}

// TestRemoveGoesOn: a rule that cannot be written keeps no other from losing what has to go.
func TestRemoveGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	all := many(0, 30, 0, 0)
	if err := apply(t, target, all); err != nil {
		t.Fatal(err)
	}
	w.Failing = func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "Rule") && r.URL.Query().Get("priority") == "1000" {
			return http.StatusForbidden, "forbidden"
		}
		return 0, ""
	}
	gone := []netip.Prefix{}
	for i, p := range all.Prefixes() {
		if i%10 == 0 {
			gone = append(gone, p)
		}
	}
	if err := target.Remove(t.Context(), gone); !fault.Is(err, fault.Denied) {
		t.Errorf("a rule could not be written: %v", err)
	}
	if seen, err := target.Read(t.Context()); err != nil || len(seen.Prefixes) != 28 {
		t.Errorf("%d are let in, %v", len(seen.Prefixes), err)
	}
}

// TestRemoveInTime: a removal whose time runs out stops, and skips no rule for it.
func TestRemoveInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	all := many(0, 40, 0, 0)
	if err := apply(t, target, all); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), reserve)
	defer cancel()
	gone := []netip.Prefix{all.Prefixes()[0], all.Prefixes()[10], all.Prefixes()[20], all.Prefixes()[30]}
	if err := target.Remove(short, gone); !errors.Is(err, errTime) {
		t.Errorf("time for one rule of four: %v", err)
	}
	if seen, err := target.Read(t.Context()); err != nil || len(seen.Prefixes) != 39 {
		t.Errorf("%d are let in, %v", len(seen.Prefixes), err)
	}
	if err := target.Remove(t.Context(), gone); err != nil {
		t.Error(err)
	}
}
