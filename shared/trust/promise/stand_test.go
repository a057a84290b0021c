package promise_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/trust/promise"
)

// TestStand: whatever the log holds, a standing is the same until the instant it names and differs exactly where a page
// does; and nothing turns in between.
func TestStand(t *testing.T) {
	t.Parallel()
	reg := register()
	var turned, ended int
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 12))
		l := fill(reg, random(r, reg))
		pages := map[string]string{} // by digest
		for range 12 {
			now := start.Add(-time.Hour + time.Duration(r.Int64N(int64(30*time.Hour))))
			if r.IntN(4) == 0 {
				now = start.Add(time.Duration(r.Int64N(int64(800 * 24 * time.Hour))))
			}
			s := promise.Stand(l, now)
			page := fmt.Sprint(statesOf(promise.Snap(l, "log", l.Size(), "", now)))
			if before, known := pages[s.Digest]; known && before != page {
				t.Fatalf("seed %d: at %s and before, one standing for two pages:\n%s\n%s", seed, now, before, page)
			}
			pages[s.Digest] = page
			if s.Until.IsZero() {
				ended++
				s.Until = now.Add(1000 * 24 * time.Hour)
			} else if !s.Until.After(now) {
				t.Fatalf("seed %d: at %s it stands until %s", seed, now, s.Until)
			}
			length := s.Until.Sub(now)
			for _, after := range []time.Duration{0, 1, length / 2, time.Duration(r.Int64N(int64(length))), length - time.Millisecond, length - 1} {
				if after < 0 || after >= length {
					continue
				}
				if again := fmt.Sprint(states(l, now.Add(after))); again != page {
					t.Fatalf("seed %d: at %s it stands until %s, and %s later it is another:\n%s\n%s", seed, now, s.Until, after, page, again)
				}
			}
			if fmt.Sprint(states(l, s.Until)) != page {
				turned++
			}
		}
	}
	if turned == 0 || ended == 0 {
		t.Errorf("%d times something turned, %d times nothing could: the test shows nothing", turned, ended)
	}
}

// statesOf is what the rows of a page say.
func statesOf(s promise.Snapshot) map[string]string {
	out := map[string]string{}
	for _, row := range s.Promises {
		out[row.ID] = string(row.State)
		if row.Reason != "" {
			out[row.ID] += ": " + string(row.Reason)
		}
	}
	return out
}
