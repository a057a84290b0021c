package purge

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
)

// staff stands for the tenant in passes about people who worked here, who belong to none. No tenant is called so.
const staff = "-staff"

// forgetting is the rule of a pass that has evidence forget them.
const forgetting = "left.evidence"

// left returns the people whose last day was so many days ago at least.
func (s *Sweeper) left(now time.Time, over func(left time.Time) time.Time) (gone []policy.Person) {
	for _, p := range s.People {
		if !p.Until.IsZero() && !now.Before(over(p.Until.End(p.Location()))) {
			gone = append(gone, p)
		}
	}
	return gone
}

// leaving returns what erases the people who left, as the map says.
func (s *Sweeper) leaving(now time.Time) (all []datamap.Sweep, err error) {
	var ids []string
	for _, p := range s.left(now, func(left time.Time) time.Time { return left.AddDate(0, 0, s.Map.Limits.LeaverDays) }) {
		ids = append(ids, p.ID)
	}
	n := 0
	for some := range slices.Chunk(ids, erasure.MaxValues) {
		sweeps, err := s.Map.Leavers(some, now)
		if err != nil {
			return nil, err
		}
		for i := range sweeps {
			if n > 0 {
				sweeps[i].Rule.ID += ".part" + strconv.Itoa(n)
			}
		}
		n++
		all = append(all, sweeps...)
	}
	return all, nil
}

// leavers carries on with today's passes about people who left, which it notes as current, and has evidence forget those of whom
// nothing has to be proved any more.
func (s *Sweeper) leavers(ctx context.Context, until time.Time, current map[string]bool) (done bool, err error) {
	sweeps, err := s.leaving(s.Clock.Now())
	if err != nil {
		return false, err
	}
	done = true
	for _, one := range sweeps {
		current[passID(one.Rule.ID, staff)] = true
		through, err := s.sweep(ctx, one, staff, until)
		if err != nil {
			return false, err
		}
		done = done && through
	}
	forgotten, err := s.forget(ctx)
	return done && forgotten, err
}

// forget has evidence forget the people of whom nothing is retained any more: once a day, the first time by a map only
// counted, as everything here.
func (s *Sweeper) forget(ctx context.Context) (done bool, err error) {
	now := s.Clock.Now()
	gone := s.left(now, s.Map.LeftUntil)
	if s.Forget == nil || len(gone) == 0 {
		return true, nil
	}
	p, err := s.take(ctx, forgetting, staff)
	if errors.Is(err, errBusy) {
		return false, nil
	}
	if err != nil || p.Done {
		return p.Done, err
	}
	p.Count = Count{}
	for _, person := range gone {
		p.Count.Due++
		if p.Dry {
			continue
		}
		erased, err := s.Forget(ctx, person, now)
		if err != nil {
			return false, err // the lease runs out, and the next run begins again
		}
		if erased {
			p.Count.Erased++
		}
	}
	p.Done = true
	return true, moved(s.save(ctx, &p, position{}, true))
}
