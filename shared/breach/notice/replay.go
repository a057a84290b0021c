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
		if stands, err := s.stands(ctx, d); err != nil {
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
