package run

import (
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
	toSpare  judgement = "spare"  // it is of somebody else, or clean
)

// judge tells what is to be done with an item that was made at a time, and counts it as that. It is the same for planning,
// erasing and searching.
func (w *walk) judge(s *step, item erasure.Item, made time.Time, c *Count) judgement {
	now := w.Clock.Now()
	since := !s.before.IsZero() && !made.IsZero() && !made.Before(s.before)
	if since && !s.late {
		return toSpare
	}
	if !ours(s.Query, item) {
		c.Foreign++
		if item.Tenant == "" {
			c.Stray++
		}
		return toSpare
	}
	c.Found += item.Size()
	switch {
	case since, s.doubt && made.IsZero() && !(item.Clean && s.Entry.Action == datamap.Anonymise):
		w.review(s, item, c) // of this person, or of the one who has her address now: nobody can tell
		return toReview
	case now.Before(s.held):
		return c.keep(s.held)
	}
	switch s.Entry.Action {
	case datamap.Review, datamap.Pseudonymise:
		w.review(s, item, c)
		return toReview
	case datamap.RetainIt:
		return w.retained(s, item, c, now)
	}
	return w.erasable(s, item, c, now)
}

func (w *walk) erasable(s *step, item erasure.Item, c *Count, now time.Time) judgement {
	if s.part.After(now) {
		c.keep(s.part)
	}
	switch {
	case item.Clean:
		c.Clean++
		return toSpare
	case s.shield != nil && s.Query.Action == erasure.ActionDelete:
		c.NoEnd = c.NoEnd || s.shield.open
		return c.keep(s.shield.until)
	case item.Held.After(now):
		return c.hold(item.Held)
	}
	c.Left += item.Size()
	return toErase
}

// retained judges an item that a law keeps: until its end, without what is not needed of it.
func (w *walk) retained(s *step, item erasure.Item, c *Count, now time.Time) judgement {
	end, known := s.Until(item)
	over := known && !now.Before(end)
	switch {
	case over && s.part.After(now):
		end = s.part
	case over && s.shield != nil:
		c.NoEnd = c.NoEnd || s.shield.open
		return c.keep(s.shield.until)
	case over && item.Held.After(now):
		return c.hold(item.Held)
	case over:
		c.Left += item.Size()
		return toDelete
	}
	c.NoEnd = c.NoEnd || !known
	c.keep(latest(end, s.part))
	if len(s.Query.Changes) > 0 && !item.Clean {
		c.Left++
		return toErase
	}
	return toKeep
}

// keep counts an item that stays until then; zero for nobody knows.
func (c *Count) keep(until time.Time) judgement {
	c.Kept++
	c.until(until)
	return toKeep
}

// hold counts an item that its store does not let go of until then; zero for nobody knows.
func (c *Count) hold(until time.Time) judgement {
	c.Held++
	c.Freed = latest(c.Freed, until.UTC())
	c.until(until)
	return toKeep
}

// until notes an end.
func (c *Count) until(t time.Time) {
	if t.After(c.Until) {
		c.Until = t.UTC()
	}
	if !t.IsZero() && (c.First.IsZero() || t.Before(c.First)) {
		c.First = t.UTC()
	}
}
