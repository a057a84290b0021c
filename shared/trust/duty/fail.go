package duty

import (
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/trust/notice"
)

// fail takes machine evidence that says that things are out of order: what was done does not count any more, and what was
// proven is a finding until it is proven anew. The task comes back as it was for what was seen before, and for what is
// older than what was seen.
func (d terms) fail(was Task, a Arrived, now time.Time) Task {
	if was.State == Lapsed || was.Decided() || (d.ByHand() || d.Requested()) && a.At.Before(was.Since) {
		return was
	}
	t, changed := was, false
	t.Evidence = map[string]Seen{}
	maps.Copy(t.Evidence, was.Evidence)
	for _, n := range d.Machines() {
		seen, known := t.Evidence[n.String()]
		if n.Fits(a.Type, a.About...) && !(known && (seen.Event == a.Event || a.At.Before(seen.At))) {
			t.Evidence[n.String()], changed = Seen{Event: a.Event, At: a.At, By: a.By, Failed: true}, true
		}
	}
	if !changed {
		return was
	}
	proven := t.InForce(now) || !t.Settled.IsZero()
	if !t.Settled.IsZero() {
		t = t.reopened(now)
		for n, seen := range t.Evidence {
			if seen.Cycle == was.Cycle { // what is still good need not be shown again
				seen.Cycle = t.Cycle
				t.Evidence[n] = seen
			}
		}
	}
	t = t.undone()
	t.State, t.Settled, t.Valid, t.Expires = Open, time.Time{}, time.Time{}, time.Time{}
	if proven && t.Finding == "" {
		t.Due = now
		t.Finding = d.finding(t, failed, a.At, now).ID()
	}
	if t.Finding != "" {
		t.State = Overdue
	}
	return d.schedule(t)
}

// Failed is the machine evidence whose newest says that things are out of order.
func (t Task) Failed(d Duty) []Needed {
	return slices.DeleteFunc(d.Machines(), func(n Needed) bool { return !t.Evidence[n.String()].Failed })
}

// newest is when the newest evidence that failed happened.
func (t Task) newest(d Duty) (at time.Time) {
	for _, n := range t.Failed(d) {
		if seen := t.Evidence[n.String()]; seen.At.After(at) {
			at = seen.At
		}
	}
	return at
}

// failed puts what follows from evidence that failed into the batch.
func (s *Service) failed(batch *outbox.Batch, d terms, before, after Task, now time.Time) error {
	if sameEvidence(before, after) {
		return nil
	}
	at := after.newest(d.Duty)
	if before.Finding == "" && after.Finding != "" {
		if err := s.Put(batch, d.finding(after, failed, at, now)); err != nil {
			return err
		}
	}
	if err := s.Put(batch, d.passing(after, string(failed), now)); err != nil {
		return err
	}
	to := append(s.holders(d.Owner, now, after.Person), s.holders(d.Second, now, after.Person)...)
	slices.Sort(to)
	return s.tell(batch, d, after, notice.DutyFailed, at, slices.Compact(to))
}

// doer is whose work the evidence of this cycle tells of; "" for nobody's.
func (d terms) doer(t Task) (by string) {
	for _, n := range d.Machines() {
		if seen := t.Evidence[n.String()]; seen.Cycle == t.Cycle && seen.By != "" {
			by = seen.By
		}
	}
	return by
}
