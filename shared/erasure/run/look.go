package run

import (
	"context"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
)

// judgement is what is to be done with one item.
type judgement string

const (
	toErase  judgement = "erase"  // now
	toDelete judgement = "delete" // now, for what kept it is over
	toKeep   judgement = "keep"
	toReview judgement = "review" // by a person
	toSpare  judgement = "spare"  // it is of another tenant, or clean
)

// judge tells what is to be done with an item, and counts it as that. It is the same for planning, erasing and searching.
func (w *walk) judge(s datamap.Step, item erasure.Item, c *Count) judgement {
	now := w.Clock.Now()
	c.Found++
	bound := s.Query.Tenant
	if bound.Binding != erasure.BindGlobal && item.Tenant != bound.ID {
		c.Foreign++
		return toSpare
	}
	if !s.Query.CreatedBefore.IsZero() && item.Created.IsZero() {
		c.Review++ // of this person, or of the one who came later with her address: nobody can tell
		return toReview
	}
	for _, h := range w.job.Holds {
		if h.Entry == s.Entry.ID && now.Before(h.Until) {
			c.Kept++
			c.until(h.Until)
			return toKeep
		}
	}
	switch s.Entry.Action {
	case datamap.Review, datamap.Pseudonymise:
		c.Review++
		return toReview
	case datamap.RetainIt:
		return w.retained(s, item, c, now)
	}
	if item.Clean {
		c.Clean++
		return toSpare
	}
	if item.Held.After(now) {
		c.Held++
		c.until(item.Held)
		return toKeep
	}
	c.Left++
	return toErase
}

// retained judges an item that a law keeps: until its end, without what is not needed of it.
func (w *walk) retained(s datamap.Step, item erasure.Item, c *Count, now time.Time) judgement {
	end, known := s.Until(item)
	switch {
	case known && !now.Before(end):
		if item.Held.After(now) {
			c.Held++
			c.until(item.Held)
			return toKeep
		}
		c.Left++
		return toDelete
	case !known:
		c.NoEnd = true
	default:
		c.until(end)
	}
	c.Kept++
	if len(s.Query.Changes) > 0 && !item.Clean {
		c.Left++
		return toErase
	}
	return toKeep
}

// look counts one page.
func (w *walk) look(ctx context.Context, s datamap.Step, t *task, p *position) error {
	reader, err := w.Reader(ctx, s.Reader)
	if err != nil {
		return err
	}
	page, err := reader.Find(ctx, s.Query, p.Cursor, erasure.MaxPage)
	if err != nil {
		return err
	}
	w.pace.spent(s.Store, len(page.Items))
	c := t.Count
	for _, item := range page.Items {
		w.judge(s, item, &c)
	}
	t.Count, p.Cursor = c, page.Next
	t.Done = page.Next == ""
	return nil
}

// erase takes one page: it writes down which items are to go, and lets them go.
func (w *walk) erase(ctx context.Context, s datamap.Step, t *task, p *position) error {
	if s.Query.Action == "" && s.Entry.Retain == nil {
		t.Done = true // nothing is erased here; the search tells what there is
		return nil
	}
	if len(p.Items) == 0 {
		if more, err := w.choose(ctx, s, t, p); err != nil || !more {
			return err
		}
	}
	eraser, err := w.Eraser(ctx, s.Store)
	if err != nil {
		return err
	}
	q := s.Query
	if p.Over {
		q, _ = s.Over(w.Clock.Now())
	}
	results, err := eraser.Erase(ctx, q, p.Items)
	settle(t, p, q.Action, results)
	if err != nil {
		p.resumed = true // what was begun is ours, whoever finds it gone
		return err
	}
	if len(p.Items) == 0 {
		w.turn(t, p)
	}
	return nil
}

// choose finds the next items to erase and puts them on record. It reports whether there are any.
func (w *walk) choose(ctx context.Context, s datamap.Step, t *task, p *position) (bool, error) {
	// With what erases, not with what reads: this account may be denied what the other sees.
	eraser, err := w.Eraser(ctx, s.Store)
	if err != nil {
		return false, err
	}
	page, err := fitting(ctx, eraser, s.Query, p.Cursor)
	if err != nil {
		return false, err
	}
	w.pace.spent(s.Store, len(page.Items))
	c := t.Count
	chosen := map[judgement][]erasure.Item{}
	for _, item := range page.Items {
		verdict := w.judge(s, item, &c)
		chosen[verdict] = append(chosen[verdict], item)
	}
	c.Left = 0 // it is the search that says what is left
	p.Next, p.Over, p.Items = page.Next, false, chosen[toErase]
	if over := chosen[toDelete]; len(over) > 0 {
		// Two kinds of work never share a page: the rest is found by the next walk.
		t.Dirty = t.Dirty || len(p.Items) > 0
		p.Over, p.Items = true, over
	}
	t.Count = c
	if w.planned != nil && t.Walks == 0 && c.Found > w.planned[s.Entry.ID] {
		return false, errGrown
	}
	if len(p.Items) == 0 {
		w.turn(t, p)
		return false, nil
	}
	return true, w.save(ctx, t, *p, false)
}

// mostNames is how many bytes the names of one page may have: written down, each may take six.
const mostNames = 80_000

// fitting finds a page that can be written down: a smaller one where names are long.
func fitting(ctx context.Context, from erasure.Reader, q erasure.Query, cursor string) (erasure.Page, error) {
	for limit := erasure.MaxPage; ; limit /= 4 {
		page, err := from.Find(ctx, q, cursor, max(limit, 1))
		if err != nil || limit <= 1 {
			return page, err
		}
		bytes := len(page.Next)
		for _, i := range page.Items {
			bytes += len(i.Ref) + len(i.Version) + len(i.Tenant)
		}
		if bytes <= mostNames {
			return page, nil
		}
	}
}

// turn goes on behind a page, to the start again when something was written meanwhile, or to the end.
func (w *walk) turn(t *task, p *position) {
	p.Cursor, p.Next, p.Over = p.Next, "", false
	if p.Cursor != "" {
		return
	}
	t.Walks++
	switch {
	case !t.Dirty:
		t.Done = true
	case t.Walks >= mostWalks:
		t.Done, t.Why = true, "changing"
	}
	t.Dirty = false
}

// settle counts what became of items, by their names, and keeps those that are not settled: of what a store says nothing
// nothing is known.
func settle(t *task, p *position, action erasure.Action, results []erasure.Result) {
	became := make(map[string]erasure.Result, len(results))
	for _, r := range results {
		became[r.Ref] = r
	}
	done := &t.Count.Erased
	if action == erasure.ActionAnonymise {
		done = &t.Count.Anonymised
	}
	var open []erasure.Item
	for _, item := range p.Items {
		switch r := became[item.Ref]; r.Outcome {
		case erasure.OutcomeErased:
			*done++
		case erasure.OutcomeGone:
			if p.resumed {
				*done++ // by whoever wrote the page down and died
			} else {
				t.Count.Gone++
			}
		case erasure.OutcomeChanged:
			t.Dirty = true
		case erasure.OutcomeForeign:
			t.Count.Foreign++
		case erasure.OutcomeHeld:
			t.Count.Held++
			t.Count.until(r.Until)
			t.Count.NoEnd = t.Count.NoEnd || r.Until.IsZero()
		default:
			open = append(open, item)
		}
	}
	p.Items = open
}
