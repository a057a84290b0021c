package allowlist_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

func TestNoRoom(t *testing.T) {
	t.Parallel()
	small, large := newTarget("small"), newTarget("large")
	small.capacity = 2
	r := newRig(t, large, small)
	a, b := r.add("ana", home), r.add("ben", cafe)
	shares, late := r.add("cy", home), r.add("dan", six)
	if report := r.mustRun(); report.Entries != 2 || report.Ended != 1 {
		t.Errorf("too many: %+v", report)
	}
	for _, id := range []string{a, b, shares} {
		r.want(id, lease.Confirmed, "")
	}
	r.want(late, lease.Failed, lease.NoRoom)
	small.capacity = 1 // an operator declared less, or a quota that is read lags behind
	if report := r.mustRun(); !report.Full {
		t.Errorf("too many in force: %+v", report)
	}
	r.want(b, lease.Confirmed, "")
	r.pass(30 * time.Second)
	small.capacity = 2
	r.mustRun()
	small.capacity = 1
	r.pass(40 * time.Second) // it counts from then
	r.mustRun()
	r.want(b, lease.Confirmed, "")
	r.pass(time.Minute)
	r.mustRun()
	r.want(b, lease.Ended, lease.NoRoom)
}

// TestPacked: a target that counts its room otherwise says itself who has none.
func TestPacked(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge, newTarget("large"))
	a, b := r.add("ana", home), r.add("ben", home) // one prefix, two people
	edge.over = func(s allowlist.Set) []string { return []string{b} }
	if report := r.mustRun(); report.Ended != 1 || !report.Full {
		t.Errorf("%+v", report)
	}
	r.want(a, lease.Confirmed, "")
	r.want(b, lease.Failed, lease.NoRoom)
	full := func(want bool) {
		t.Helper()
		if got, err := allowlist.Full(t.Context(), r.base, r.clock.Now()); err != nil || got != want {
			t.Errorf("full: %t, %v; want %t", got, err, want)
		}
	}
	full(true) // and nobody registers meanwhile
	edge.over = nil
	r.pass(time.Minute)
	r.mustRun()
	full(true)
	r.pass(time.Minute)
	full(false)
}

// TestRoomComesBack: a door has less room for half a minute, and some addresses are missing from it meanwhile. Nobody who was let in
// for an hour loses her day for that.
func TestRoomComesBack(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	a, b := r.add("ana", home), r.add("ben", cafe)
	r.mustRun()
	r.pass(time.Hour)
	edge.capacity = 1
	edge.foreign(func([]netip.Prefix) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(home)} })
	for range 3 {
		if _, err := r.run(); err == nil {
			t.Error("a door that has no room is in order")
		}
		r.pass(10 * time.Second)
	}
	r.want(a, lease.Confirmed, "")
	r.want(b, lease.Received, "")
	edge.capacity = 100
	r.pass(time.Minute)
	r.mustRun()
	r.want(b, lease.Confirmed, "")
}

// TestGoesWithoutRoom: what has ended goes also where there is no room for the rest.
func TestGoesWithoutRoom(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	r.add("ana", home)
	b, c := r.add("ben", cafe), r.add("cy", six)
	r.mustRun()
	r.pass(time.Hour)
	edge.capacity, r.lost["ana"] = 1, lease.Suspended
	if _, err := r.run(); !fault.Is(err, fault.Exhausted) {
		t.Errorf("two entries where there is room for one: %v", err)
	}
	if slices.Contains(edge.prefixes, netip.MustParsePrefix(home)) || len(edge.prefixes) != 2 {
		t.Errorf("the door lets in %v", edge.prefixes)
	}
	r.want(b, lease.Confirmed, "")
	r.want(c, lease.Confirmed, "")
	if found, narrowed := r.recorded("foreign"), r.recorded("narrowed"); len(found) != 0 || len(narrowed) != 1 || narrowed[0].Facts["removed"] != "1" {
		t.Errorf("our own doing is somebody else's: %+v, or nobody's: %+v", found, narrowed)
	}
}

// TestIntruderWithoutRoom: what somebody else let in goes also where there is no room, and is found and told.
func TestIntruderWithoutRoom(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	told := r.telling()
	r.add("ana", home)
	r.add("ben", cafe)
	r.mustRun()
	r.pass(time.Hour)
	edge.capacity = 1
	intrude(edge)
	if _, err := r.run(); !fault.Is(err, fault.Exhausted) {
		t.Errorf("two entries where there is room for one: %v", err)
	}
	r.pass(30 * time.Second)
	if len(edge.prefixes) != 2 {
		t.Errorf("the door lets in %v", edge.prefixes)
	}
	edge.capacity = 100
	r.mustRun()
	r.pass(10 * time.Minute)
	r.mustRun()
	if found := r.recorded("foreign"); len(found) != 1 || len(*told) != 1 {
		t.Errorf("found %d times, told %+v", len(found), *told)
	}
}
