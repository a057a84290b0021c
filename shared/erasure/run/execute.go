package run

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

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
// where an entry turns out to have grown by more than the map's limit; in any other, where there is more than the last plan
// found and the map lets pass without a person. Errors as Plan, and those of Config.Suppress: then nothing was erased.
func (e *Engine) Execute(ctx context.Context, j Job, until time.Time) (x Execution, done bool, err error) {
	if e.Eraser == nil {
		return x, false, fault.New(fault.Misconfigured, "erasing: this account only reads")
	}
	k, done, err := e.identify(ctx, j, erasing, until)
	if err != nil || !done {
		return x, false, err
	}
	steps, err := e.steps(ctx, j, k)
	if err != nil {
		return x, false, err
	}
	w := &walk{Engine: e, job: j, known: k, phase: erasing, until: until, ordered: true}
	w.page = w.erase
	if w.limits, err = e.limits(ctx, j, steps); err != nil {
		return x, false, err
	}
	if x.Grown, err = e.tooMany(ctx, j, w.limits); err != nil || x.Grown {
		return x, err == nil, err
	}
	w.begins = func(ctx context.Context) error { return e.suppress(ctx, j, k) }
	if w.given, err = e.given(ctx, j); err != nil {
		return x, false, err
	}
	all, done, err := w.walk(ctx, steps)
	if errors.Is(err, errGrown) {
		return Execution{Grown: true}, true, nil
	}
	if err == nil && done {
		err = w.begin(ctx) // a backup may bring back what is gone here already
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

// Touched reports whether anything of the request may be gone: something was erased, or is on record to go. Of a request of which
// nothing is, nobody knows in the ledger either.
func (e *Engine) Touched(ctx context.Context, j Job) (is bool, err error) {
	w := &walk{Engine: e, job: j, phase: erasing}
	bad := e.history(ctx, j.Request, func(_ string, t task) {
		if is = is || t.Phase == erasing && t.Count.Erased+t.Count.Anonymised+t.Count.Gone > 0; is || t.Phase != erasing || t.At == nil {
			return
		}
		of := j
		of.Round, w.job = t.Round, of
		p, fails := w.position(ctx, t)
		is, err = is || fails != nil || len(p.Items)+len(p.Seek)+len(p.Left) > 0, errors.Join(err, fails)
	})
	return is, errors.Join(err, bad)
}

// given returns the tasks of erasing that earlier rounds did not end, by step: the newest of each.
func (e *Engine) given(ctx context.Context, j Job) (map[string]task, error) {
	newest := map[string]task{}
	if j.Round <= 1 {
		return nil, nil
	}
	err := e.history(ctx, j.Request, func(id string, t task) {
		if t.Phase != erasing || t.Round >= j.Round || !t.Done && t.At == nil && t.Walks == 0 {
			return // one that never began took nothing over
		}
		of := j
		of.Round = t.Round
		step := strings.TrimPrefix(id, taskID(of, erasing, ""))
		if newest[step].Round < t.Round {
			newest[step] = t
		}
	})
	maps.DeleteFunc(newest, func(_ string, t task) bool { return t.Done || t.At == nil })
	return newest, err
}

// inherit takes over what an earlier round had in hand when it was given up.
func (w *walk) inherit(ctx context.Context, old task, p *position) error {
	before, err := w.position(ctx, old)
	if err != nil {
		return err
	}
	p.Left = before.Left
	for _, i := range before.Items {
		p.Left = append(p.Left, i.Ref)
	}
	return nil
}

// history calls fn with each task of a request.
func (e *Engine) history(ctx context.Context, id string, fn func(id string, t task)) error {
	var after *store.Cursor
	for {
		docs, err := e.Store.Query(ctx, store.Query{
			Collection: tasks, Equal: []store.Field{{Name: "request", Value: id}}, After: after, Limit: store.MaxQueryResults,
		})
		list, err := store.Find[task](docs, err)
		if err != nil {
			return err
		}
		for i, t := range list {
			fn(docs[i].ID, t)
		}
		if len(docs) < store.MaxQueryResults {
			return nil
		}
		after = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}

// totals sums up what all rounds erased, from their tasks.
func (e *Engine) totals(ctx context.Context, id string) (sum request.Totals, err error) {
	err = e.history(ctx, id, func(_ string, t task) {
		if t.Phase == erasing {
			sum.Erased += t.Count.Erased
			sum.Anonymised += t.Count.Anonymised
			sum.Gone += t.Count.Gone
		}
	})
	return sum, err
}

// add sums up counts; ends are the outermost.
func (c *Count) add(o Count) {
	c.Found += o.Found
	c.Erased += o.Erased
	c.Anonymised += o.Anonymised
	c.Sought += o.Sought
	c.Stood += o.Stood
	c.Same += o.Same
	c.Moved += o.Moved
	c.Gone += o.Gone
	c.Clean += o.Clean
	c.Kept += o.Kept
	c.Named += o.Named
	c.Held += o.Held
	c.Foreign += o.Foreign
	c.Stray += o.Stray
	c.Review += o.Review
	c.Set = sum(c.Set, o.Set)
	c.Left += o.Left
	c.NoEnd = c.NoEnd || o.NoEnd
	c.Freed = latest(c.Freed, o.Freed)
	c.until(o.First)
	c.until(o.Until)
}
