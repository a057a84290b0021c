package request

import (
	"math/rand/v2"
	"slices"
	"testing"

	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/platform/require"
)

// TestNeverBack: whatever happens, in whatever order, a controller never sees a request go back: but from completed to in_progress,
// while something more is to go.
func TestNeverBack(t *testing.T) {
	t.Parallel()
	after := map[opendsr.Status][]opendsr.Status{
		"": {opendsr.Pending}, opendsr.Pending: {opendsr.InProgress, opendsr.Cancelled}, opendsr.InProgress: {opendsr.Completed}, opendsr.Completed: {opendsr.InProgress},
	}
	again := 0
	for seed := range require.Seeds(25) {
		acts, plans := script(rand.New(rand.NewPCG(uint64(seed), 1)))
		p := &play{w: newWorld(t), who: map[string]int{}, items: map[string]int{}, arrived: map[string]int{}, plans: plans}
		p.chaos = rand.New(rand.NewPCG(uint64(seed), 2))
		last, told := map[string]opendsr.Status{}, map[string]Request{}
		p.watch = func() {
			for id := range p.who {
				r, kept := p.w.kept(id)
				if !kept || r.Requester != Controller {
					continue
				}
				now, known := r.Status()
				before, was := last[id], told[id]
				last[id], told[id] = now, r
				if !known || now != before && !slices.Contains(after[before], now) {
					t.Errorf("seed %d: %s after %s reads %q after %q", seed, r.State, was.State, now, before)
				}
				if before == opendsr.Completed && now == opendsr.InProgress {
					if again++; r.State == Planning && r.Outcome.Left == 0 {
						t.Errorf("seed %d: in_progress while somebody only looks", seed)
					}
				}
			}
		}
		p.run(acts)
	}
	if again == 0 {
		t.Error("no story finds anything late")
	}
}
