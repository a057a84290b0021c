package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// found is one page of a step.
type found struct {
	erasure.Page
	made map[string]time.Time // when items were made, where their Created tells something else; nil where it does not
}

func (f found) at(i erasure.Item) time.Time {
	if f.made == nil {
		return i.Created
	}
	return f.made[i.Ref]
}

// find returns the page behind a cursor.
func (w *walk) find(ctx context.Context, from erasure.Reader, s *step, cursor string, limit int) (f found, err error) {
	if s.names {
		return w.below(ctx, from, s, cursor)
	}
	if f.Page, err = from.Find(ctx, s.Query, cursor, limit); err != nil || s.before.IsZero() || s.Query.CreatedField == s.Entry.Created {
		return f, err
	}
	// Created tells from when an item is retained. Whose it is tells when it was made: the same page, asked so.
	q := s.Query
	q.CreatedField = s.Entry.Created
	page, err := from.Find(ctx, q, cursor, limit)
	w.Pace.Spent(s.Store, len(page.Items))
	f.made = map[string]time.Time{}
	for _, i := range page.Items {
		f.made[i.Ref] = i.Created
	}
	return f, err
}

// look counts one page.
func (w *walk) look(ctx context.Context, s *step, t *task, p *position) error {
	open := w.Reader
	if w.ordered { // as the account that erases, which may be denied what the other sees
		open = func(ctx context.Context, _ string) (erasure.Reader, error) { return w.Eraser(ctx, s.Store) }
	}
	reader, err := open(ctx, s.Reader)
	if err != nil {
		return err
	}
	page, err := w.find(ctx, reader, s, p.Cursor, erasure.MaxPage)
	if err != nil {
		return err
	}
	w.Pace.Spent(s.Store, len(page.Items))
	c := t.Count
	if err := w.aside(ctx, reader, s); err != nil {
		return err
	}
	for _, item := range page.Items {
		w.verdict(s, item, page.at(item), &c)
	}
	if page.Next == "" && strings.HasPrefix(w.phase, searching) {
		if t.Small, err = w.small(ctx, reader, s); err != nil {
			return err
		}
	}
	t.Count, p.Cursor = c, page.Next
	t.Done = page.Next == ""
	return nil
}

// erase takes one page: it writes down which items are to go, and lets them go.
func (w *walk) erase(ctx context.Context, s *step, t *task, p *position) error {
	if s.Query.Action == "" && s.Entry.Retain == nil {
		if s.within {
			return w.look(ctx, s, t, p) // what it lies in has to know
		}
		t.Done = true // nothing is erased here; the search tells what there is
		return nil
	}
	if len(p.Items)+len(p.Seek) == 0 {
		if more, err := w.choose(ctx, s, t, p); err != nil || !more {
			return err
		}
	}
	eraser, err := w.Eraser(ctx, s.Store)
	if err != nil {
		return err
	}
	if err := w.letGo(ctx, eraser, s, t, p); err != nil {
		return err
	}
	if err := w.recount(ctx, eraser, s, t, p); err != nil {
		return err
	}
	if len(p.Items) == 0 {
		w.turn(s, t, p)
	}
	return nil
}

// letGo erases the items in hand.
func (w *walk) letGo(ctx context.Context, eraser erasure.Store, s *step, t *task, p *position) error {
	if len(p.Items) == 0 {
		return nil // they are gone, and were not counted yet
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	q := s.Query
	switch {
	case p.Over:
		q, _ = s.Over(w.Clock.Now())
	case s.names:
		q = named(q, p.Items)
	}
	if err := w.disconnect(ctx, s, q, p.Items); err != nil {
		return err
	}
	q.Mark = w.known.counted()
	results, err := eraser.Erase(ctx, q, p.Items)
	settle(t, p, q.Action, results)
	if err != nil {
		p.resumed = true // what was begun is ours, whoever finds it gone
	}
	return err
}

// begin has done what comes before the first item of all.
func (w *walk) begin(ctx context.Context) error {
	if w.begins == nil {
		return nil
	}
	if w.stop = w.begins(ctx); w.stop == nil {
		w.begins = nil
	}
	return w.stop
}

// choose finds the next items to erase and puts them on record. It reports whether there are any.
func (w *walk) choose(ctx context.Context, s *step, t *task, p *position) (bool, error) {
	// With what erases, not with what reads: this account may be denied what the other sees.
	eraser, err := w.Eraser(ctx, s.Store)
	if err != nil {
		return false, err
	}
	page, err := w.fitting(ctx, eraser, s, p.Cursor)
	if err != nil {
		return false, err
	}
	w.Pace.Spent(s.Store, len(page.Items))
	nt, np, c := *t, *p, t.Count // what is not on record with all that belongs to it did not happen
	np.Left = slices.Clone(p.Left)
	chosen := map[judgement][]erasure.Item{}
	if err := w.aside(ctx, eraser, s); err != nil {
		return false, err
	}
	for _, item := range page.Items {
		verdict := w.verdict(s, item, page.at(item), &c)
		if verdict != toSpare || !item.Clean {
			np.Left = slices.DeleteFunc(np.Left, func(ref string) bool { return ref == item.Ref })
		}
		chosen[verdict] = append(chosen[verdict], item)
	}
	c.Left = 0 // it is the search that says what is left
	if nt.Count = c; t.Walks == 0 && w.grown(s, nt) {
		return false, errGrown
	}
	np.Next, np.Over, np.Items = page.Next, false, chosen[toErase]
	if over := chosen[toDelete]; len(over) > 0 {
		// Two kinds of work never share a page: the rest is found by the next walk.
		nt.Dirty = nt.Dirty || len(np.Items) > 0
		np.Over, np.Items = true, over
	}
	if len(np.Items) == 0 {
		*t, *p = nt, np
		w.turn(s, t, p)
		return false, nil
	}
	if err := w.record(ctx, eraser, s, &nt, &np); err != nil {
		return false, err
	}
	*t, *p = nt, np
	return true, nil
}

// record puts on record which items are about to go, with what will be asked of them afterwards.
func (w *walk) record(ctx context.Context, eraser erasure.Store, s *step, t *task, p *position) (err error) {
	if p.Groups, err = w.groups(ctx, eraser, s, p.Items); err != nil {
		return err
	}
	keep, err := w.remember(s, *t, p.Items)
	if err != nil {
		return err
	}
	return w.save(ctx, t, *p, false, keep...)
}

// mostNames is how many bytes the names of one page may have: written down, each may take six.
const mostNames = 80_000

// fitting finds a page that can be written down: a smaller one where names are long.
func (w *walk) fitting(ctx context.Context, from erasure.Reader, s *step, cursor string) (found, error) {
	for limit := erasure.MaxPage; ; limit /= 4 {
		page, err := w.find(ctx, from, s, cursor, max(limit, 1))
		if err != nil || limit <= 1 || s.names {
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
func (w *walk) turn(s *step, t *task, p *position) {
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
	switch {
	case !t.Done || t.Why != "":
	case s.Query.Action == erasure.ActionAnonymise:
		t.Count.Anonymised += int64(len(p.Left))
	default:
		t.Count.Erased += int64(len(p.Left))
	}
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
	var groups []string
	for i, item := range p.Items {
		switch r := became[item.Ref]; r.Outcome {
		case erasure.OutcomeErased:
			*done += item.Size()
			p.seek(i, action)
		case erasure.OutcomeGone:
			if p.resumed {
				*done += item.Size() // by whoever wrote the page down and died
				p.seek(i, action)
			} else {
				t.Count.Gone++
			}
		case erasure.OutcomeChanged:
			t.Dirty = true
		case erasure.OutcomeForeign:
			t.Count.Foreign++
			t.Count.Stray++ // it was hers a moment ago: a person looks
		case erasure.OutcomeHeld:
			t.Count.hold(r.Until)
			t.Count.NoEnd = t.Count.NoEnd || r.Until.IsZero()
		default:
			if r.Seen != "" {
				item.Seen = r.Seen
			}
			open, groups = append(open, item), append(groups, p.group(i))
		}
	}
	if len(open) < len(p.Items) {
		t.Tries = 0 // it goes on, if not smoothly
	}
	p.Items, p.Groups = open, groups
}

// disconnect has it kept what ends the connections that are about to be erased, and no others'.
func (w *walk) disconnect(ctx context.Context, s *step, q erasure.Query, items []erasure.Item) error {
	if s.Entry.Grants == nil {
		return nil
	}
	if w.Disconnect == nil {
		return fault.New(fault.Misconfigured, "erasing connections: nobody would end them at their providers")
	}
	chosen := s.Step
	chosen.Query = q
	refs := make([]string, len(items))
	for i, item := range items {
		refs[i] = item.Ref
	}
	if err := w.Disconnect(ctx, w.job.Request, w.job.Tenant, chosen, refs); err != nil {
		return fault.New(fault.Transient, "keeping what ends connections: %w", err)
	}
	return nil
}
