package notice

import (
	"context"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Pending is what the notices of a case wait for while it is to be closed, in their order, and what tells in a transaction
// whether none of them has changed since, and none was added.
func (s *Service) Pending(ctx context.Context, caseID string) (waits []cases.Pending, unchanged func(store.Tx) (bool, error), err error) {
	all, err := s.List(ctx, caseID)
	if err != nil {
		return nil, nil, err
	}
	last := 0
	for _, n := range all {
		last = max(last, n.N)
		for _, what := range n.unfinished() {
			waits = append(waits, cases.Pending{Notice: n.N, What: what})
		}
	}
	return waits, func(tx store.Tx) (bool, error) {
		var now struct {
			Rev int64 `json:"rev"`
		}
		for _, n := range all {
			if err := tx.Get(Notices, n.ID, &now); err != nil || now.Rev != n.Rev {
				return false, err
			}
		}
		err := tx.Get(Notices, name(caseID, last+1), &now)
		if fault.Is(err, fault.NotFound) {
			return true, nil
		}
		return false, err
	}, nil
}

// unfinished is what a notice waits for, as far as the last tick knows. A first notice that nobody agreed to leaves no tenant
// with a mistake: it waits for nothing.
func (n Notice) unfinished() (all []cases.Unfinished) {
	add := func(is bool, what cases.Unfinished) {
		if is {
			all = append(all, what)
		}
	}
	add(n.Glass && n.Reviewer == "", cases.Unreviewed)
	add(n.Unknown > 0, cases.InDoubt)
	add(n.Kind != Persons && (n.State == Approved || n.State == Sent && n.Accepted+n.Failed+n.Unknown < n.Next), cases.OnItsWay)
	add(n.State == Drafted && (n.Kind == Correction || n.Kind == Withdrawal), cases.Uncorrected)
	return all
}
