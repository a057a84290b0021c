package notice

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Replay has a delivery that is lost tried again, under the same keys, by the ways on which nothing was sent: after a contact's
// server or a channel of ours works again. Codes: not_allowed, own_matter, delivery_unknown, case_closed, state_conflict (it is
// not lost, was stopped, or something was sent on every way).
func (s *Service) Replay(ctx context.Context, by policy.Person, caseID string, n int, delivery string, now time.Time) error {
	if err := s.maySettle(ctx, by, caseID); err != nil {
		return err
	}
	for range attempts {
		d, err := s.delivery(ctx, caseID, n, delivery)
		if err != nil {
			return err
		}
		if d.Progress == Going && d.Replays > 0 && d.Settler == by.ID {
			return nil
		}
		after, next := d.by(0)
		if stands, _, err := s.stands(ctx, d); err != nil {
			return err
		} else if d.Progress != Lost || !next || !stands {
			return fault.Refuse(fault.Conflict, "state_conflict", "It cannot be tried again: it is not lost, its notice was stopped, or something was sent on every way.", "Call them, then say here that they know.")
		}
		after.Replays++
		after.Settler, after.Settled = by.ID, now.UTC()
		if _, err = s.conclude(ctx, d, after, true, by, now); !errors.Is(err, errMoved) {
			return err
		}
	}
	return fault.New(fault.Conflict, "trying a delivery again: %w", errMoved)
}

// onward says whether a delivery may go by its next way, Going, or where it ends instead; about is the case it looked at.
func (s *Service) onward(ctx context.Context, d Delivery, by policy.Person) (may Progress, about About, err error) {
	stands, about, err := s.stands(ctx, d)
	switch {
	case err != nil || !stands:
		return Lost, about, err
	case by.ID == "" && d.Handed.Before(s.Restored): // the next way may have been tried by what came after the backup
		return Doubtful, about, nil
	}
	return Going, about, nil
}

// stands reports whether what was agreed to may still go out: the notice was not stopped meanwhile, the case has not ended,
// and the ways are trusted as they were.
func (s *Service) stands(ctx context.Context, d Delivery) (is bool, about About, err error) {
	n, err := s.get(ctx, d.Case, d.N)
	if err != nil || n.State == Voided {
		return false, about, err
	}
	about, err = s.Case(ctx, d.Case)
	return !d.forgotten() && !about.shut(d.Kind) && (len(about.Compromised) == 0 || d.Guarded), about, err
}
