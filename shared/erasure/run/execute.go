package run

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Execution is what a run did.
type Execution struct {
	Entries []Entry
	Totals  request.Totals // over all rounds
	Open    []request.Open
	Grown   bool // there is more than the plan said: nothing further was erased
}

// Execute erases what is the job's, until the time is over. Not done, it is called again. In the round of a plan it stops
// where an entry turns out to have grown by more than the map's limit.
func (e *Engine) Execute(ctx context.Context, j Job, until time.Time) (x Execution, done bool, err error) {
	if e.Eraser == nil {
		return x, false, fault.New(fault.Misconfigured, "erasing: this account only reads")
	}
	ids, err := e.identify(ctx, j, false)
	if err != nil {
		return x, false, err
	}
	steps, err := e.steps(j, ids)
	if err != nil {
		return x, false, err
	}
	if err := e.sparing(ctx, j, ids, steps); err != nil {
		return x, false, err
	}
	w := &walk{Engine: e, job: j, phase: erasing, until: until, ordered: true}
	w.page = w.erase
	if w.planned, err = e.allowed(ctx, j, steps); err != nil {
		return x, false, err
	}
	all, done, err := w.walk(ctx, steps)
	if errors.Is(err, errGrown) {
		return Execution{Grown: true}, true, nil
	}
	if err != nil || !done {
		return x, false, err
	}
	x.Entries = entries(steps, all)
	for _, entry := range x.Entries {
		if entry.Why != "" {
			x.Open = append(x.Open, request.Open{Entry: entry.ID, Why: entry.Why})
		}
	}
	x.Totals, err = e.totals(ctx, j.Request)
	return x, err == nil, err
}

// fewMore is by how many items an entry may grow whatever the percentage: one of two items has grown by half.
const fewMore = 10

// allowed is how many items each entry may have, by what the plan of this round found; an entry that was not planned, none
// but a few. It is nil in a round without a plan, which sweeps what came late in whatever number.
func (e *Engine) allowed(ctx context.Context, j Job, steps []datamap.Step) (map[string]int64, error) {
	limits, planned := map[string]int64{}, false
	for _, s := range steps {
		var t task
		err := e.Store.Get(ctx, tasks, taskID(j, planning, s.Entry.ID), &t)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		planned = planned || err == nil
		limits[s.Entry.ID] = t.Count.Found + t.Count.Found*int64(e.Map.Limits.GrowthPercent)/100 + fewMore
	}
	if !planned {
		return nil, nil
	}
	return limits, nil
}

// totals sums up what all rounds erased, from their tasks.
func (e *Engine) totals(ctx context.Context, id string) (sum request.Totals, err error) {
	var after *store.Cursor
	for {
		docs, err := e.Store.Query(ctx, store.Query{
			Collection: tasks, Equal: []store.Field{{Name: "request", Value: id}}, After: after, Limit: store.MaxQueryResults,
		})
		list, err := store.Find[task](docs, err)
		if err != nil {
			return sum, err
		}
		for _, t := range list {
			if t.Phase == erasing {
				sum.Erased += t.Count.Erased
				sum.Anonymised += t.Count.Anonymised
				sum.Gone += t.Count.Gone
			}
		}
		if len(docs) < store.MaxQueryResults {
			return sum, nil
		}
		after = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}
