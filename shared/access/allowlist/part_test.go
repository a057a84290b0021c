package allowlist_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

// TestPart: a door that takes its set in several runs does not fail: the next run goes on, and nobody is called confirmed before.
func TestPart(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	edge.parts = true
	r := newRig(t, edge)
	ids := []string{r.add("ana", home), r.add("ben", cafe), r.add("cy", six)}
	edge.hook = func(point string) error {
		if point == "part" {
			return errors.Join(allowlist.ErrPart, &fault.Error{Kind: fault.Exhausted, RetryAfter: 7 * time.Second})
		}
		return nil
	}
	for held := 1; held < 3; held++ {
		report, err := r.run()
		if out := report.Targets[0]; (out.PartFor >= time.Minute) != (held > 1) || err != nil || !out.Part || !out.Applied || out.Held || out.Wait != 7*time.Second || report.Wait() != 0 || len(edge.prefixes) != held {
			t.Fatalf("run %d: %+v, %v; the door lets in %v", held, out, err, edge.prefixes)
		}
		r.pass(3 * time.Second)
		if report, err := r.run(); err != nil || report.Targets[0].Wait != 4*time.Second || !report.Targets[0].Part || report.Targets[0].Failures != 0 || len(edge.prefixes) != held {
			t.Fatalf("asked for seven seconds, after three: %+v, %v", report.Targets[0], err)
		}
		for _, id := range ids {
			r.want(id, lease.Received, "")
		}
		r.pass(time.Minute)
	}
	edge.hook = nil
	r.mustRun()
	if failed, decided := r.recorded("failed"), r.recorded("decided"); len(failed) != 0 || len(decided) != 1 {
		t.Errorf("recorded %d failures and %d decisions", len(failed), len(decided))
	}
}

// TestFailingAsksToWait: while a door that failed is left alone, a run says how long, and that it failed; it is tried again before
// a minute is over.
func TestFailingAsksToWait(t *testing.T) {
	t.Parallel()
	edge := newTarget("edge")
	r := newRig(t, edge)
	id := r.add("ana", home)
	edge.lies = true
	for n := range 10 {
		if _, err := r.run(); err == nil {
			t.Fatal("a door that holds something else is in order")
		}
		r.pass(time.Second)
		report, err := r.run()
		if out := report.Targets[0]; err != nil || out.Failures != n+1 || out.Wait <= 0 || out.Wait >= time.Minute-5*time.Second || report.Wait() != 0 {
			t.Fatalf("after failure %d: %+v, %v", n+1, out, err)
		}
		r.pass(time.Minute - time.Second)
	}
	if decided := r.recorded("decided"); len(decided) != 1 {
		t.Errorf("one decision is recorded %d times", len(decided))
	}
	edge.lies = false
	r.mustRun()
	r.want(id, lease.Confirmed, "")
}

// TestAsksForTime: a door that says when to come back is left alone until then, but for no longer than a minute.
func TestAsksForTime(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{20 * time.Second: 20 * time.Second, time.Hour: 50 * time.Second, 0: 5 * time.Second} {
		edge := newTarget("edge")
		r := newRig(t, edge)
		r.add("ana", home)
		edge.hook = func(point string) error {
			if point == "before apply" {
				return &fault.Error{Kind: fault.Exhausted, RetryAfter: asked}
			}
			return nil
		}
		if _, err := r.run(); err == nil {
			t.Fatal("applied")
		}
		if report, _ := r.run(); report.Targets[0].Wait != want {
			t.Errorf("asked for %s it waits %s, want %s", asked, report.Targets[0].Wait, want)
		}
	}
}

// TestSideBySide: a door that does not answer keeps no other from being written.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	slow, quick := newTarget("slow"), newTarget("quick")
	r := newRig(t, slow, quick)
	r.add("ana", home)
	done := make(chan struct{})
	slow.hook = func(point string) error {
		if point == "read" {
			<-done
			return errors.New("no answer")
		}
		return nil
	}
	quick.hook = func(point string) error {
		if point == "after apply" {
			close(done)
		}
		return nil
	}
	if _, err := r.run(); err == nil || len(quick.prefixes) != 1 {
		t.Errorf("%v; the other door lets in %v", err, quick.prefixes)
	}
}

// TestRegisteredMeanwhile: somebody registers, and another process lets her in, after one door was looked at and before the other was.
// She stays let in: of a door that was seen before she came nobody can say that it lacks her.
func TestRegisteredMeanwhile(t *testing.T) {
	t.Parallel()
	before, after := newTarget("before"), newTarget("after")
	r := newRig(t, before, after)
	r.add("ana", home)
	r.mustRun()
	other := r.open("two")
	var looked atomic.Int64
	before.hook = func(string) error { looked.Add(1); return nil }
	var late string
	var begun atomic.Bool // the other process asks it too
	after.hook = func(string) error {
		if begun.Swap(true) {
			return nil
		}
		for looked.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond) // it was asked; by now it has answered
		late = r.add("cy", six)
		_, err := other.Run(t.Context(), r.clock.Now())
		return err
	}
	if _, err := r.run(); err != nil {
		t.Fatal(err)
	}
	r.want(late, lease.Confirmed, "")
}
