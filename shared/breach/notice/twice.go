package notice

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// alone refuses a notice to a tenant that was told the same, or is being told it, by another: a tenant hears once that there
// is a breach. Updates and corrections say more each time. What it returns sees to it, in the transaction of the approval,
// that nobody wrote or approved such another meanwhile.
func (s *Service) alone(ctx context.Context, n Notice, p private) (unchanged func(store.Tx, *turn) error, err error) {
	if n.Kind == Update || n.Kind == Correction || n.Kind == Persons {
		return nil, nil
	}
	all, err := s.List(ctx, n.Case)
	if err != nil {
		return nil, err
	}
	var drafts []Notice
	for _, other := range all {
		if other.ID == n.ID || other.Kind != n.Kind {
			continue
		}
		if other.State == Drafted || other.State == Expired { // it may be written for others, and approved
			drafts = append(drafts, other)
			continue
		}
		tenants, err := s.concerned(ctx, other)
		if err != nil {
			return nil, err
		}
		same := slices.DeleteFunc(slices.Sorted(maps.Keys(tenants)), func(id string) bool { return !slices.Contains(p.Tenants, id) })
		if len(same) > 0 {
			return nil, fault.Refuse(fault.Conflict, "told_twice", "Notice "+strconv.Itoa(other.N)+" tells the same already: "+list(same)+".", "Leave them out of this one, or write an update or a correction.")
		}
	}
	return untouched(name(n.Case, len(all)+1), drafts), nil
}

// untouched sees to it in a transaction that nobody wrote a next notice, nor changed one of some.
func untouched(next string, drafts []Notice) func(store.Tx, *turn) error {
	return func(tx store.Tx, _ *turn) error {
		var now struct {
			Rev int64 `json:"rev"`
		}
		if err := tx.Get(Notices, next, &now); err == nil {
			return errMoved
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		for _, d := range drafts {
			if err := tx.Get(Notices, d.ID, &now); err != nil {
				return err
			}
			if now.Rev != d.Rev {
				return errMoved
			}
		}
		return nil
	}
}

// concerned are the tenants a notice is for while it is handed over, and those it may have reached afterwards.
func (s *Service) concerned(ctx context.Context, n Notice) (map[string]bool, error) {
	tenants := map[string]bool{}
	if n.State == Approved {
		p, err := s.open(ctx, n)
		if err != nil {
			return nil, err
		}
		for _, id := range p.Tenants {
			tenants[id] = true
		}
		return tenants, nil
	}
	if n.Next == 0 {
		return tenants, nil
	}
	return tenants, s.reached(ctx, n, tenants)
}
