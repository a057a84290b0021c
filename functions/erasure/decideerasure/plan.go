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
		w.plan = k.rows(newest(all, run.Planning), r.Holds)
	}
	if r.State == request.Executing {
		w.progress = &Progress{}
		for _, p := range newest(all, run.Erasing) {
			w.progress.Steps++
			w.progress.Erased += p.Count.Erased + p.Count.Anonymised
			if p.Done {
				w.progress.Done++
			}
		}
		// Entries are begun one after the other: those to come are known from the plan.
		w.progress.Steps = max(w.progress.Steps, len(newest(all, run.Planning)))
	}
	return w, nil
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
