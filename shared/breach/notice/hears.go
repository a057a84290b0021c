package notice

import (
	"context"
	"slices"
)

// Choice returns whom a notice of a kind is for where nobody is named: the tenants nobody decided against, but those that
// heard this already. For persons there are none.
func (s *Service) Choice(ctx context.Context, caseID string, k Kind) ([]string, error) {
	about, err := s.Case(ctx, caseID)
	if err != nil || k == Persons {
		return nil, err
	}
	heard, err := s.heard(ctx, caseID, k)
	if err != nil {
		return nil, err
	}
	return about.all(k, heard), nil
}

// choose returns whom a notice is for: who is named, or else those of Choice.
func (s *Service) choose(ctx context.Context, about About, caseID string, k Kind, tenants []string) ([]string, error) {
	if tenants == nil && k != Persons {
		heard, err := s.heard(ctx, caseID, k)
		if err != nil {
			return nil, err
		}
		tenants = about.all(k, heard)
	}
	return about.choose(k, tenants)
}

// heard returns the tenants that were told what a notice of a kind would say, or are being told it: that there is a breach
// everybody hears once. Of other kinds it is what went out of those that were stopped since the last that was not, which
// the next one says instead.
func (s *Service) heard(ctx context.Context, caseID string, k Kind) (map[string]bool, error) {
	all, err := s.List(ctx, caseID)
	if err != nil {
		return nil, err
	}
	tenants := map[string]bool{}
	for _, n := range slices.Backward(all) {
		if n.Kind != k || n.State == Drafted || n.State == Expired {
			continue
		}
		if k != Initial && n.State != Voided {
			break
		}
		if n.State == Approved {
			p, err := s.open(ctx, n)
			if err != nil {
				return nil, err
			}
			for _, id := range p.Tenants {
				tenants[id] = true
			}
		}
		if err := s.reached(ctx, n, tenants); err != nil {
			return nil, err
		}
	}
	return tenants, nil
}

// reached adds the tenants a notice reached, may have reached, or is on its way to.
func (s *Service) reached(ctx context.Context, n Notice, tenants map[string]bool) error {
	return s.walk(ctx, n.ID, func(d outcome) {
		if d.Progress != Lost {
			tenants[d.Tenant] = true
		}
	})
}
