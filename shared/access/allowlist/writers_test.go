package allowlist_test

import (
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

func TestAnotherWriter(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	id := r.add("ana", home)
	other := r.open("two")
	// The first writer dies in the middle of its write.
	edge.hook = func(at string) error {
		if at == "before apply" {
			r.faults = func(storetest.Point, int) error { return errors.New("dead") }
			return errors.New("dead")
		}
		return nil
	}
	if _, err := r.run(); err == nil {
		t.Fatal("no error")
	}
	r.faults, edge.hook = nil, nil
	etag := edge.etag
	if _, err := other.Run(t.Context(), r.clock.Now()); !fault.Is(err, fault.Transient) || edge.etag != etag {
		t.Fatalf("while another holds the lock: %v, %d writes", err, edge.etag-etag)
	}
	r.want(id, lease.Received, "")
	r.pass(2 * time.Minute)
	if _, err := other.Run(t.Context(), r.clock.Now()); err != nil {
		t.Fatalf("after the lock ran out: %v", err)
	}
	r.settled()
	// The same owner needs no wait.
	r.add("ben", cafe)
	edge.hook = failAt("before apply", errors.New("dead"))
	r.faults = nil
	_, _ = r.run()
	edge.hook = nil
	r.pass(5 * time.Second)
	r.mustRun()
}

// TestTakenOver: a writer that was slow finds, when it comes back, that its fence is stale, and changes nothing.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	a := r.add("ana", home)
	other := r.open("two")
	slow := true
	edge.hook = func(at string) error {
		if at == "before apply" && slow {
			slow = false
			_, err := r.leases.End(t.Context(), "ana", a, lease.Done)
			must(t, err)
			r.add("ben", cafe)
			r.pass(3 * time.Minute)
			if _, err := other.Run(t.Context(), r.clock.Now()); err != nil {
				t.Errorf("taking over: %v", err)
			}
		}
		return nil
	}
	if _, err := r.r.Run(t.Context(), r.clock.Now()); !fault.Is(err, fault.Conflict) {
		t.Errorf("the slow writer: %v, want a conflict", err)
	}
	r.settled()
}

// TestLateWriter: a writer that was taken over after its write has no say about it any more.
func TestLateWriter(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	r.add("ana", home)
	other := r.open("two")
	slow := true
	edge.hook = func(at string) error {
		if at == "after apply" && slow {
			slow = false
			r.pass(3 * time.Minute)
			if _, err := other.Run(t.Context(), r.clock.Now()); err != nil {
				t.Errorf("taking over: %v", err)
			}
		}
		return nil
	}
	if _, err := r.r.Run(t.Context(), start); !fault.Is(err, fault.Conflict) {
		t.Errorf("the late writer: %v, want a conflict", err)
	}
	if done := r.recorded("done"); len(done) != 1 || done[0].Facts["fence"] != "2" {
		t.Errorf("recorded as done: %+v, want the second writer's alone", done)
	}
	r.settled()
}

// TestLeasesAreReadUnderTheLock: what ends between the first look and the write is not written.
func TestLeasesAreReadUnderTheLock(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	gone := r.add("ana", home)
	r.add("ben", cafe)
	looks := 0
	edge.hook = func(at string) error {
		if looks++; looks == 1 {
			_, err := r.leases.End(t.Context(), "ana", gone, lease.Lost)
			must(t, err)
		}
		return nil
	}
	r.mustRun()
	if edge.etag != 1 || edge.prefixes[0].String() != cafe {
		t.Errorf("after %d writes the target holds %v", edge.etag, edge.prefixes)
	}
}
