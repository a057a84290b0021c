package scan

import (
	"testing"
	"time"
)

// TestLongAsleep: who comes back when nothing is kept any more of what was read begins anew, and finds the same.
func TestLongAsleep(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"the same process": false, "another": true} {
		w := newWorld(t)
		w.cloud.set(files("other", "g", "allUsers"))
		w.ticks(1)
		w.pass(kept + 24*time.Hour)
		if restart {
			w.restart()
		}
		if s, err := w.Status(t.Context()); err != nil || s.Began.IsZero() || len(s.Places) != 0 {
			t.Errorf("%s: status %+v %v", name, s, err)
		}
		w.ticks(1)
		w.want(name, "g files open")
		if s, err := w.Status(t.Context()); err != nil || len(s.Places) != 4 {
			t.Errorf("%s: status %+v %v", name, s, err)
		}
	}
}
