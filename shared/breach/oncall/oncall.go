// Package oncall says who is on call at an instant: rotations with their hand-overs, cover on public holidays, and
// exceptions that people agreed on.
//
// It promises that a hand-over happens at the local time it is written for, whatever the clocks do that day, and once; that
// nobody is named who has left; and that where a table names nobody everybody with the role is on call, so that there is
// nobody to call only where nobody has the role. It calls nobody, and it does not ask what time it is.
package oncall

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// Table is who is on call when. The zero Table names nobody: everybody with the role is on call.
type Table struct {
	rotations []rotation
	overrides []override
	people    []policy.Person // everybody with the role
}

// rotation is people who take turns.
type rotation struct {
	id     string
	people []string
	every  time.Duration // by the local clock: whole days, or a whole part of a day
	from   calendar.Day  // of the first hand-over
	minute int           // of the day, by the local clock
	zone   *time.Location
	cover  []string // who is on call on public holidays instead; empty: whose turn it is
	public calendar.Holidays
}

// override puts somebody in the place of whoever would be on call.
type override struct {
	rotation string // empty: of all
	from, to time.Time
	person   string
}

// At returns the ids of the people on call, in the order of the table: those it names or, where it names nobody who is
// still there, everybody with the role. Each once.
func (t Table) At(at time.Time) []string {
	if named := t.named(at); len(named) > 0 {
		return named
	}
	var all []string
	for _, p := range t.people {
		if p.Active(at) {
			all = append(all, p.ID)
		}
	}
	return all
}

// Calls reports whether a call to people of some roles is a call to a person at an instant: of those with the role of being
// on call it is meant for the ones who are, of every other role for all. Whether she has left is not asked.
func (t Table) Calls(p policy.Person, roles []policy.Role, at time.Time) bool {
	for _, role := range roles {
		if !p.Has(role) {
			continue
		}
		if role != policy.OnCall {
			return true
		}
		if named := t.named(at); len(named) == 0 || slices.Contains(named, p.ID) {
			return true
		}
	}
	return false
}

// Turn is a time in which the same people are on call.
type Turn struct {
	From, To time.Time // To is the first instant after it
	People   []string  // as of At
	Gap      bool      // the table names nobody: it is everybody
}

// Turns returns the turns between two instants, the first and the last cut off there; none where to is not after from.
func (t Table) Turns(from, to time.Time) (turns []Turn) {
	for at := from; at.Before(to); {
		until := t.change(at)
		if until.IsZero() || until.After(to) {
			until = to
		}
		next := Turn{From: at, To: until, People: t.At(at), Gap: len(t.named(at)) == 0}
		if last := len(turns) - 1; last >= 0 && turns[last].Gap == next.Gap && slices.Equal(turns[last].People, next.People) {
			turns[last].To = until
		} else {
			turns = append(turns, next)
		}
		at = until
	}
	return turns
}

// Set reports whether there is a table: at least one rotation.
func (t Table) Set() bool { return len(t.rotations) > 0 }

// named are those the table names.
func (t Table) named(at time.Time) (ids []string) {
	add := func(id string) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, r := range t.rotations {
		if id, stands := t.standsIn(r.id, at); stands {
			add(id)
			continue
		}
		for _, id := range r.at(at, t.here) {
			add(id)
		}
	}
	return ids
}

// here reports whether a person is approved at an instant.
func (t Table) here(id string, at time.Time) bool {
	return slices.ContainsFunc(t.people, func(p policy.Person) bool { return p.ID == id && p.Active(at) })
}

// standsIn returns who is on call in a rotation by an exception.
func (t Table) standsIn(rotation string, at time.Time) (id string, stands bool) {
	for _, o := range t.overrides {
		if (o.rotation == "" || o.rotation == rotation) && !at.Before(o.from) && at.Before(o.to) && t.here(o.person, at) {
			return o.person, true
		}
	}
	return "", false
}

// change returns the first instant after at when somebody else may be on call; zero for never. Often it turns out that
// nobody else is.
func (t Table) change(at time.Time) (first time.Time) {
	may := func(then time.Time) {
		if then.After(at) && (first.IsZero() || then.Before(first)) {
			first = then
		}
	}
	for _, r := range t.rotations {
		// Hand-overs of which one left no time between itself and the next come at the same instant.
		for n := r.turn(at) + 1; ; n++ {
			if then := r.begin(n); then.After(at) {
				may(then)
				break
			}
		}
		if len(r.cover) > 0 {
			may(calendar.EndOfDay(at, r.zone))
		}
	}
	for _, o := range t.overrides {
		may(o.from)
		may(o.to)
	}
	for _, p := range t.people {
		if !p.Until.IsZero() {
			may(p.Until.End(p.Location()))
		}
	}
	return first
}
