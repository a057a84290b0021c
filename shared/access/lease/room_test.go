package lease_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

// TestCapacityIsExact lets ten people race for the last three entries.
func TestCapacityIsExact(t *testing.T) {
	t.Parallel()
	office := access.Fixed{Name: "office", Prefix: netip.MustParsePrefix("81.2.70.0/24"), Until: start.Add(24 * time.Hour)}
	r := newRig(t, func(c *lease.Config) {
		c.Capacity = 4
		c.Fixed = func(context.Context) ([]access.Fixed, error) { return []access.Fixed{office}, nil }
	})
	var wait sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		person := fmt.Sprintf("p%d", i)
		r.enrol(person)
		q := r.request(person, fmt.Sprintf("81.2.69.%d", i+1))
		wait.Go(func() { _, errs[i] = r.send(q) })
	}
	wait.Wait()
	in := -1
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			in = i
		} else if fault.CodeOf(err) != "capacity_full" {
			t.Error(err)
		}
	}
	if won != 3 {
		t.Fatalf("%d people came in, want 3", won)
	}
	r.enrol("guest")
	if _, err := r.send(r.request("guest", fmt.Sprintf("81.2.69.%d", in+1))); err != nil {
		t.Errorf("sharing an entry that exists: %v", err)
	}
}

// TestRoomIsCountedRarelyButInTime fills a large list to the brim.
func TestRoomIsCountedRarelyButInTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *lease.Config) { c.Capacity, c.Rules.ChangesPerDay = 70, 1000 })
	r.enrol("ana")
	for i := range 70 {
		r.register("ana", fmt.Sprintf("81.2.69.%d", i+1))
	}
	_, err := r.send(r.request("ana", "81.2.69.200"))
	r.wantCode(err, "capacity_full", 503)
}

// TestFullButHeld: where no target has room for anybody new, an address that is let in already still is, for somebody else too.
func TestFullButHeld(t *testing.T) {
	t.Parallel()
	full := false
	r := newRig(t, func(c *lease.Config) { c.Full = func(context.Context, time.Time) (bool, error) { return full, nil } })
	r.enrol("ana", "ben")
	r.register("ana", home)
	full = true
	r.register("ben", home)
	_, err := r.send(r.request("ben", cafe))
	r.wantCode(err, "capacity_full", 503)
}

// TestRoomOfOtherInstances: an instance that counted a moment ago leaves room for what others add meanwhile.
func TestRoomOfOtherInstances(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *lease.Config) { c.Capacity, c.Rules.ChangesPerDay = 80, 1000 })
	r.enrol("ana", "ben")
	for i := range 30 {
		r.register("ana", fmt.Sprintf("81.2.69.%d", i+1))
	}
	other, err := lease.New(r.leases.Config)
	must(t, err)
	now := r.clock.Now() // for the first instance time stands still, so that its count stays
	_, err = r.send(r.request("ana", "10.0.0.1"))
	r.wantCode(err, "address_refused", 422)
	for i := range 50 {
		q := r.request("ben", fmt.Sprintf("81.2.70.%d", i+1))
		_, err := other.Register(t.Context(), q, r.clock.Now())
		must(t, err)
		r.pass(30 * time.Second)
	}
	_, err = r.leases.Register(t.Context(), r.request("ana", "81.2.69.200"), now)
	r.wantCode(err, "capacity_full", 503)
}
