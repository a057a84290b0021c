package page

import (
	"cmp"
	"slices"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// List is the first page.
type List struct {
	Done    string // key of a text that says what was done
	AsOf    string
	Open    []Item
	Reviews []Item // closed, and to be looked back at
	Closed  []Item
	More    string // path of the page behind this one; "" for none
	MayLook bool   // at every case; who may not sees what she declared
}

// Item is one case in a list.
type Item struct {
	ID, Number, Path string
	State            string // key
	Exercise         bool
	Declared         string
	Concerns         string // whose data, in words
	Clock            string // name of the one that ends first
	Left             string // until it ends
	When             string
	Over             bool
	Unanswered       bool // nobody on the ladder has answered
	Next             string

	due time.Time
}

// NewItem is a case in a list, with what to do next about it.
func (r Reader) NewItem(c cases.Case) Item {
	clocks := cases.Clocks(c, r.Rules, r.Now)
	i := Item{ID: c.ID, Number: Group(c.Number), Path: CasePath(c.ID), State: stateKey(c), Exercise: c.Exercise, Declared: r.Say("item.declared", r.At(c.Declared)),
		Concerns: r.concerns(c), Unanswered: c.State != cases.Closed && !c.Ladder.Called.IsZero() && c.Ladder.Acked.IsZero()}
	if first := soonest(clocks, anyClock); first != nil && c.State == cases.Open {
		i.Clock, i.Left, i.When, i.due = r.clockName(first.ID), r.Left(first.Target), r.At(first.Target), first.Target
		i.Over = r.Now.After(first.Target)
	}
	if next := r.next(cases.Read{Case: c}, clocks); len(next) > 0 {
		i.Next = next[0].What
	}
	return i
}

// concerns says whose data a case is about.
func (r Reader) concerns(c cases.Case) string {
	switch len(c.Tracks) {
	case 0:
		return r.Say("concerns.unknown")
	case 1:
		return r.Tenant(c.Tracks[0].ID)
	case 2, 3:
		text := r.Tenant(c.Tracks[0].ID)
		for _, t := range c.Tracks[1:] {
			text += ", " + r.Tenant(t.ID)
		}
		return text
	}
	return r.Say("clock.more", r.Tenant(c.Tracks[0].ID), len(c.Tracks)-1)
}

// NewList sorts cases into a list: open ones first, and of those the ones whose time ends soonest; suspicions after them,
// the oldest first.
// sees reports whether the reader may look at a case: of others she reads no more than that they are there.
func (r Reader) NewList(all []cases.Case, sees func(cases.Case) bool) List {
	l := List{AsOf: r.At(r.Now)}
	slices.SortStableFunc(all, func(a, b cases.Case) int { return a.Declared.Compare(b.Declared) })
	for _, c := range all {
		item := r.newBriefItem(c)
		if sees(c) {
			item = r.NewItem(c)
		}
		switch {
		case c.State != cases.Closed:
			l.Open = append(l.Open, item)
		case c.Reviewed.IsZero() || len(c.TakesBack()) > 0:
			l.Reviews = append(l.Reviews, item)
		default:
			l.Closed = append(l.Closed, item)
		}
	}
	slices.SortStableFunc(l.Open, func(a, b Item) int { return cmp.Compare(key(a.due), key(b.due)) })
	slices.Reverse(l.Closed) // newest first
	return l
}
