package notice

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// tellCase tells the case which tenants have a notice of ours, and which of those it took for told have none.
func (s *Service) tellCase(ctx context.Context, some []Delivery, now time.Time) error {
	var told []Told
	recalled := map[string]bool{}
	for _, d := range some {
		if d.Recalled {
			recalled[d.Tenant] = true
		}
		if d.Progress == Arrived {
			told = append(told, Told{d.Case, d.Tenant, d.Told})
		}
	}
	id := some[0].Case
	if len(recalled) > 0 && s.Untell != nil {
		// Taken back first: whoever is told of an arrival meanwhile tells the case herself.
		if err := s.Untell(ctx, id, recalled, now); err != nil {
			return err
		}
		others, err := s.arrivals(ctx, id, recalled)
		if err != nil {
			return err
		}
		told = append(told, others...)
	}
	if len(told) == 0 {
		return nil
	}
	return s.Tell(ctx, id, told, now)
}

// arrivals are all that some tenants have of a case.
func (s *Service) arrivals(ctx context.Context, caseID string, tenants map[string]bool) (told []Told, err error) {
	all, err := s.List(ctx, caseID)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if err := s.walk(ctx, n.ID, func(d outcome) {
			if d.Progress == Arrived && tenants[d.Tenant] {
				told = append(told, Told{caseID, d.Tenant, d.Told})
			}
		}); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// outcome is as much of a delivery as says what became of it.
type outcome struct {
	ID       string    `json:"id"`
	At       int       `json:"at"`
	Tenant   string    `json:"tenant"`
	Progress Progress  `json:"progress"`
	Told     time.Time `json:"told"`
}

// walkPage is how many deliveries are read at once.
const walkPage = 500

// walk visits what became of the recipients of a notice, in their order.
func (s *Service) walk(ctx context.Context, notice string, visit func(outcome)) error {
	q := store.Query{Collection: Deliveries, Equal: []store.Field{{Name: "notice", Value: notice}}, Range: &store.Range{Name: "at"}, Limit: walkPage}
	for {
		some, err := store.Find[outcome](s.Store.Query(ctx, q))
		if err != nil {
			return err
		}
		for _, d := range some {
			visit(d)
		}
		if len(some) < walkPage {
			return nil
		}
		last := some[len(some)-1]
		q.After = &store.Cursor{Value: int64(last.At), ID: last.ID}
	}
}

// keepPromise lets the case know that tenants have heard again, as they were promised, once everybody who was told of the
// breach has: by an update, but not one that promises it itself, or by the last report. some are deliveries of one that are not
// counted yet.
func (s *Service) keepPromise(ctx context.Context, some []Delivery, about About, now time.Time) error {
	if s.Keep == nil || about.Next.IsZero() {
		return nil
	}
	n, err := s.get(ctx, some[0].Case, some[0].N)
	if err != nil {
		return err
	}
	known := n.Accepted + n.Failed + n.Unknown
	for _, d := range some {
		if d.Counted == "" && d.Progress != Going {
			known++
		}
	}
	if n.State != Sent || known < n.To || !n.keeps(about.Pledged) {
		return nil
	}
	heard, err := s.heardAgain(ctx, n.Case, about.Pledged)
	if err != nil {
		return err
	}
	var last time.Time
	for _, t := range about.Tenants {
		at, arrived := heard[t.ID]
		if t.Told && t.Decided != No && !arrived {
			return nil
		}
		if at.After(last) {
			last = at
		}
	}
	if last.IsZero() {
		return nil
	}
	if err := s.Keep(ctx, n.Case, last, now); fault.CodeOf(err) != "state_conflict" { // over meanwhile: nothing is owed
		return err
	}
	return nil
}

// heardAgain is when each tenant had what was promised at an instant.
func (s *Service) heardAgain(ctx context.Context, caseID string, pledged time.Time) (map[string]time.Time, error) {
	all, err := s.List(ctx, caseID)
	heard := map[string]time.Time{}
	for _, n := range all {
		if err != nil || !n.keeps(pledged) {
			continue
		}
		err = s.walk(ctx, n.ID, func(d outcome) {
			if first, known := heard[d.Tenant]; d.Progress == Arrived && (!known || d.Told.Before(first)) {
				heard[d.Tenant] = d.Told
			}
		})
	}
	return heard, err
}

// keeps reports whether a notice is what was promised at an instant.
func (n Notice) keeps(pledged time.Time) bool {
	if n.Agreed.Before(pledged) {
		return false
	}
	return n.Kind == Final || n.Kind == Update && !n.announces(pledged)
}

// announces reports whether an update is the first to say what was promised at an instant: what another said before it
// keeps, and does not promise again.
func (n Notice) announces(pledged time.Time) bool { return pledged.After(n.Prior) }

// prior is when people agreed to the last notice to tenants before another, of those that reached any.
func prior(all []Notice, but int) (last time.Time) {
	for _, n := range all {
		if n.N != but && n.Kind != Persons && (n.State != Voided || n.Next > 0) && n.Agreed.After(last) {
			last = n.Agreed
		}
	}
	return last
}
