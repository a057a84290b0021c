package duty

import (
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/outbox"
)

// BeforeWork reports whether a duty is owed before somebody's first day: it is about her joining, and leaves a day at
// most. That first day is the one on which people.yaml names her.
func (d Duty) BeforeWork() bool { return d.On == Joining && length(d.Within) <= 24*time.Hour }

// timely notes on a task that is done whether a part of it came after somebody's first day, which is a finding until the
// task is settled.
func (d terms) timely(t Task, now time.Time) Task {
	first := calendar.EndOfDay(t.Since, d.zone)
	if !d.BeforeWork() || t.Proven || t.Late {
		return t
	}
	t.Late = d.ByHand() && !t.DoneAt.Before(first)
	for _, n := range d.Machines() {
		seen := t.Evidence[n.String()]
		t.Late = t.Late || seen.Cycle == t.Cycle && !seen.At.Before(first)
	}
	if t.Late && t.Finding == "" {
		t.Finding = d.finding(t, late, first, now).ID()
	}
	return t
}

// late puts the finding that a task came late into the batch, and its end where nobody has to look at it.
func (s *Service) late(batch *outbox.Batch, d terms, t Task, now time.Time) error {
	found := d.finding(t, late, calendar.EndOfDay(t.Since, d.zone), now)
	if err := s.Put(batch, found); err != nil || t.Finding != "" {
		return err
	}
	return s.Put(batch, d.healed(t, found.ID(), "healed", now))
}
