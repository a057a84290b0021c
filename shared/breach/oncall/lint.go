package oncall

import (
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// Ahead is how far Lint looks.
const Ahead = 90 * 24 * time.Hour

// Lint tells, by key, what a table will not do in the days ahead although it is well-formed: people it counts on who have left
// or will, and times at which it names nobody. Whoever keeps it mends that before the night it matters.
func Lint(f File, t Table, now time.Time, wrong func(key, what, allowed string)) {
	gone := func(key, id string, at time.Time) {
		i := slices.IndexFunc(t.people, func(p policy.Person) bool { return p.ID == id })
		if i >= 0 && !t.people[i].Active(at) {
			wrong(key, fmt.Sprintf("%.40q leaves on %s, or left", id, t.people[i].Until), "somebody who is still there in 90 days")
		}
	}
	for i, r := range f.Rotations {
		for j, id := range r.People {
			gone(fmt.Sprintf("rotations[%d].people[%d]", i, j), id, now.Add(Ahead))
		}
		for j, id := range r.Holidays.People {
			gone(fmt.Sprintf("rotations[%d].holidays.people[%d]", i, j), id, now.Add(Ahead))
		}
	}
	for i, o := range t.overrides {
		if now.Before(o.to) {
			gone(fmt.Sprintf("overrides[%d].person", i), o.person, o.to)
		}
	}
	if !t.Set() {
		return
	}
	for _, turn := range t.Turns(now, now.Add(Ahead)) {
		if turn.Gap {
			zone := t.rotations[0].zone
			wrong("rotations", fmt.Sprintf("name nobody from %s on", turn.From.In(zone).Format(time.RFC3339)), "turns without a gap: until then everybody with the role oncall is called")
			break
		}
	}
	for i, r := range t.rotations {
		if _, until := r.public.Vouched(); len(r.cover) > 0 && until > 0 && calendar.Date(now.Add(Ahead), r.zone).Year > until {
			wrong(fmt.Sprintf("rotations[%d].holidays.country", i), fmt.Sprintf("is one whose holidays are known until %d", until), "overrides for the days after it")
		}
	}
}
