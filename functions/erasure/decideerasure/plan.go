package decideerasure

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
)

// walked is how far the engine has come with a request.
type walked struct {
	plan     []Row
	progress *Progress
}

// walked reads the newest plan, and how far it is carried out.
func (k *desk) walked(ctx context.Context, r request.Request) (w walked, err error) {
	all, err := run.Parts(ctx, k.Store, r.ID)
	if err != nil {
		return w, err
	}
	if r.Plan != nil {
		requests, err := k.Requests(ctx)
		if err != nil {
			return w, err
		}
		others, err := requests.HeldBeside(ctx, r, k.Clock.Now())
		if err != nil {
			return w, err
		}
		w.plan = k.rows(newest(all, run.Planning), append(others, r.Holds...))
	}
	w.progress = k.progress(r, all)
	return w, nil
}

// progress is how far the engine has come with what it does in this round; nil where it does nothing.
func (k *desk) progress(r request.Request, all []run.Part) *Progress {
	p, phase := &Progress{}, run.Erasing
	switch {
	case r.State == request.Planning:
		p.Phase, phase = phasePlanning, run.Planning
		p.Steps = len(k.Map.Entries) // which of them there are to search is known when they are
	case r.State == request.Executing && r.Sweeps > 0 || r.State == request.Approved && r.Sweeps > 0:
		p.Phase = phaseSweeping
	case r.State == request.Executing:
		p.Phase = phaseExecuting
	case r.State == request.Verifying || later(r, all):
		p.Phase, phase, p.Search = phaseVerifying, run.Searching, r.Passed+1
	default:
		return nil
	}
	steps := 0
	for _, one := range all {
		if one.Phase != phase || one.Round != r.Round || one.Search != p.Search {
			continue
		}
		steps++
		p.Erased += one.Count.Erased + one.Count.Anonymised
		if phase != run.Erasing {
			p.Found += one.Count.Found
		}
		if one.Done {
			p.Done++
		}
	}
	if phase != run.Planning {
		p.Steps = len(newest(all, run.Planning)) // entries are begun one after the other: those to come are known from the plan
	}
	p.Steps = max(p.Steps, steps)
	return p
}

// Phases of progress.
const (
	phasePlanning  = "planning"
	phaseExecuting = "executing"
	phaseVerifying = "verifying"
	phaseSweeping  = "sweeping"
)

// later reports whether one of the searches that follow an answer is under way.
func later(r request.Request, all []run.Part) bool {
	if !slices.Contains([]request.State{request.Completed, request.Retained, request.Partial}, r.State) || !r.Closed.IsZero() {
		return false
	}
	return slices.ContainsFunc(all, func(p run.Part) bool {
		return p.Phase == run.Searching && p.Round == r.Round && p.Search == r.Passed+1 && !p.Done
	})
}

// newest are the parts of a phase in its latest round.
func newest(all []run.Part, phase run.Phase) (last []run.Part) {
	round := -1
	for _, p := range all {
		if p.Phase == phase {
			round = max(round, p.Round)
		}
	}
	for _, p := range all {
		if p.Phase == phase && p.Round == round {
			last = append(last, p)
		}
	}
	return last
}

// rows adds up the steps of each entry, in the order of the data map.
func (k *desk) rows(all []run.Part, holds []request.Hold) (rows []Row) {
	place := map[string]int{}
	for n, row := range k.Map.Table() {
		place[row.Entry] = n
	}
	slices.SortStableFunc(all, func(a, b run.Part) int {
		return cmp.Or(cmp.Compare(place[a.Entry], place[b.Entry]), cmp.Compare(a.Entry, b.Entry))
	})
	for _, p := range all {
		if len(rows) == 0 || rows[len(rows)-1].Entry != p.Entry {
			rows = append(rows, Row{Entry: p.Entry})
		}
		k.add(&rows[len(rows)-1], p, holds)
	}
	for i := range rows {
		r := &rows[i]
		r.Found = max(r.Found, r.Delete+r.Anonymise+r.Kept+r.Held+r.Review) // what stays may be found in another way
	}
	return slices.DeleteFunc(rows, func(r Row) bool { return r == Row{Entry: r.Entry} })
}

// add adds one step to its entry.
func (k *desk) add(row *Row, p run.Part, holds []request.Hold) {
	c := p.Count
	row.Found += c.Found
	row.Kept += c.Kept
	row.Held += c.Held
	row.Review += c.Review
	row.Foreign += c.Foreign
	row.Why = cmp.Or(row.Why, p.Why)
	entry, known := k.Map.Entry(p.Entry)
	if known && entry.Action == datamap.Anonymise {
		row.Anonymise += c.Left
	} else {
		row.Delete += c.Left
	}
	if c.Kept == 0 {
		return
	}
	if known && entry.Retain != nil {
		row.Ground = string(entry.Retain.Ground)
	}
	for _, h := range holds {
		if h.Entry == p.Entry {
			row.Ground = string(h.Ground)
		}
	}
	if !c.Until.IsZero() && !c.NoEnd {
		if until := calendar.Date(c.Until.Add(-time.Second), k.Policy.Company.Location()); row.Until.Before(until) {
			row.Until = until
		}
	}
}
