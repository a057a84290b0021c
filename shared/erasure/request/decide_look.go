package request

import (
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
)

const (
	lookMargin = 3                  // days that are left of the legal ones when a person has looked
	lookAlarm  = 2                  // days before its end that people are told of a review
	lookAgain  = 2 * 24 * time.Hour // how often they are told again of one that is late
)

// unseen reports whether something waits for a person to look at it.
func (d *deciding) unseen() bool {
	if d.State.Answered() || !d.Closed.IsZero() {
		return false
	}
	for _, o := range d.Outcome.Open {
		if o.settles() && !o.Settled(d.Reviewed) {
			return true
		}
	}
	if d.Plan != nil && d.Executed.IsZero() { // what a plan found is found again by the search
		for _, l := range d.Plan.Look {
			if !d.Saw(l) {
				return true
			}
		}
	}
	return false
}

// lookBy gives what only a person can judge a last day of its own, once, inside what is left of the legal deadline; it is over
// when nothing of that waits any more.
func (d *deciding) lookBy() {
	if !d.unseen() {
		d.LookBy, d.LookTold = calendar.Day{}, time.Time{}
		return
	}
	if !d.LookBy.IsZero() {
		return
	}
	today := calendar.Date(d.now, d.rules.Zone)
	d.LookBy = calendar.AddDays(today, d.rules.ReviewDays)
	if last := calendar.AddDays(d.Deadline.Conservative, -lookMargin); last.Before(d.LookBy) {
		d.LookBy = last
	}
	if d.LookBy.Before(today) {
		d.LookBy = today
	}
}

// lookLate reminds people of a review that is due soon, and again while it is late.
func (d *deciding) lookLate(add func(time.Time, func())) {
	if d.LookBy.IsZero() || !d.unseen() {
		return
	}
	end := d.LookBy.End(d.rules.Zone)
	at := begins(calendar.AddDays(d.LookBy, -lookAlarm), d.rules.Zone)
	switch {
	case d.LookTold.IsZero():
	case d.LookTold.Before(end):
		at = end
	default:
		at = d.LookTold.Add(lookAgain)
	}
	add(at, func() {
		step := "review_due"
		if d.LookTold = d.now; !d.now.Before(end) {
			step = "review_late"
		}
		d.record(step)
		d.staff(letter.Review)
	})
}
