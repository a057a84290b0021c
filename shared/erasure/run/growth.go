package run

import (
	"context"

	"ostiary.internal/shared/platform/fault"
)

// fewMore is by how many items a step may grow whatever the percentage: one of two items has grown by half.
const fewMore = 10

// limits is how much a walk that erases may turn out to find. What is more than that waits for a person.
type limits struct {
	steps map[string]int64 // of each step, in the round of a plan; nil in one without
	all   int64            // of all together, in a round without a plan
}

// limits returns what may be found. In the round of a plan each step may grow a little; one that was not planned has a few.
// Any later round takes what came late, or was left, as long as it is no more than the last plan found and what needs nobody.
func (e *Engine) limits(ctx context.Context, j Job, steps []step) (limits, error) {
	var newest snapshot
	if err := e.Store.Get(ctx, jobs, j.Request, &newest); err != nil && !fault.Is(err, fault.NotFound) {
		return limits{}, err
	}
	planned, all := map[string]int64{}, int64(0)
	of := j
	of.Round = newest.Planned
	err := e.history(ctx, j.Request, func(id string, t task) {
		if t.Phase == planning && t.Round == of.Round {
			planned[id] = t.Count.Found
			all += t.Count.Found
		}
	})
	if err != nil || of.Round != j.Round {
		return limits{all: all + int64(e.Map.Limits.AutoApproveItems)}, err
	}
	l := limits{steps: map[string]int64{}}
	for _, s := range steps {
		found := planned[taskID(of, planning, s.ID)]
		l.steps[s.ID] = found + found*int64(e.Map.Limits.GrowthPercent)/100 + fewMore
	}
	return l, nil
}

// grown reports whether a step, or a round without a plan, has turned out to be more. t is of a first walk.
func (w *walk) grown(s *step, t task) bool {
	if w.limits.steps != nil {
		return t.Count.Found > w.limits.steps[s.ID]
	}
	sum := t.Count.Found
	for _, entry := range w.state {
		for _, other := range entry {
			sum += other.Count.Found / int64(max(1, other.Walks))
		}
	}
	return sum > w.limits.all
}

// tooMany reports whether the search that a round without a plan goes by has found more than that may take: then nothing is begun.
func (e *Engine) tooMany(ctx context.Context, j Job, l limits) (bool, error) {
	if l.steps != nil {
		return false, nil
	}
	last, _, err := lastPass(ctx, e.Store, j.Request)
	if err != nil {
		return false, err
	}
	left := int64(0)
	for _, entry := range last.Entries {
		left += entry.Count.Left
	}
	return left > l.all, nil
}
