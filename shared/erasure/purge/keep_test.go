package purge

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// TestLengthen: the ledger is told once how long backups are kept, again after an error and when that changes; what fails holds up
// no rule.
func TestLengthen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told []time.Duration
	var fails error
	w.Lengthen = func(_ context.Context, keep time.Duration) error {
		told = append(told, keep)
		return fails
	}
	run := func(want int) {
		t.Helper()
		if _, err := w.Run(t.Context(), noon.Add(time.Hour)); fault.KindOf(err) != fault.KindOf(fails) || len(told) != want {
			t.Fatalf("told %v, %v", told, err)
		}
	}
	w.Longest, fails = 30*24*time.Hour, fault.New(fault.Transient, "down")
	run(1)
	if len(w.records) == 0 {
		t.Error("no rule was carried out")
	}
	run(2)
	fails = nil
	run(3)
	run(3)
	w.Longest *= 3
	run(4)
	if told[3] != 90*24*time.Hour {
		t.Errorf("told %v", told)
	}
}
