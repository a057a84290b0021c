package oncall

import (
	"fmt"
	"time"

	"ostiary.internal/shared/calendar"
)

const dayMinutes = 24 * 60

// begin returns the instant of the n-th hand-over, from 0, in UTC. A local time that is skipped means the transition that
// skips it, one that happens twice its first occurrence.
func (r rotation) begin(n int) time.Time {
	minutes := r.minute + n*int(r.every/time.Minute)
	day := calendar.AddDays(r.from, minutes/dayMinutes)
	midnight := calendar.AddDays(day, -1).End(r.zone)
	if minutes %= dayMinutes; minutes == 0 {
		return midnight
	}
	at, err := calendar.DayEnd(midnight, r.zone, fmt.Sprintf("%02d:%02d", minutes/60, minutes%60))
	if err != nil {
		return midnight // no such time of day is ever made here
	}
	return at
}

// turn returns the number of the last hand-over at or before an instant, from 0; -1 before the first.
func (r rotation) turn(at time.Time) int {
	first := r.begin(0)
	if at.Before(first) {
		return -1
	}
	// Clocks that change move a hand-over by hours, so that what plain subtraction says is near.
	n := max(0, int(at.Sub(first)/r.every)-1)
	for n > 0 && r.begin(n).After(at) {
		n--
	}
	for !r.begin(n + 1).After(at) {
		n++
	}
	return n
}

// at returns who is on call in the rotation, exceptions aside: nobody before its first hand-over, on a public holiday those who
// cover it, otherwise whose turn it is. The place of somebody who has left is taken by the next.
func (r rotation) at(at time.Time, here func(id string, at time.Time) bool) (ids []string) {
	n := r.turn(at)
	if n < 0 {
		return nil
	}
	if _, holiday := r.public.Is(calendar.Date(at, r.zone)); holiday {
		for _, id := range r.cover {
			if here(id, at) {
				ids = append(ids, id)
			}
		}
	}
	for i := 0; len(ids) == 0 && i < len(r.people); i++ {
		if id := r.people[(n+i)%len(r.people)]; here(id, at) {
			ids = append(ids, id)
		}
	}
	return ids
}
