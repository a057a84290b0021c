package run_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/platform/clock"
)

// What is asked of a store between the pages of walks has its turn as they have: looking up an address, identifiers, and who has
// come back.
func TestPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1)
		w.config.Pace = pace.New(w.store, clock.System{}, 1)
		e, begun := w.engine(), time.Now()
		const times = 20
		for range times {
			if found, _, err := e.OnFile(t.Context(), "acme", "jo@acme.example"); err != nil || !found {
				t.Fatal(found, err)
			}
		}
		// Each reads the person twice: to see that she is the only one, and her address.
		if took := time.Since(begun); took < (2*times-5)*time.Second {
			t.Errorf("%d items at one a second took %s", 2*times, took)
		}
	})
}
