package request

import (
	"context"
	"slices"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// alike are the ids of other requests, not closed, that one of the same marks recognises: the same person's.
func (s *Service) alike(ctx context.Context, id string) (ids []string, err error) {
	of, err := s.request(ctx, id)
	if err != nil || len(of.Marks) == 0 {
		return nil, err
	}
	private, err := s.open(ctx, of)
	if err != nil {
		return nil, err
	}
	marks := append(s.marks(of, private.verified(of.Proof)), of.Marks...)
	q := store.Query{Collection: Requests, Range: &store.Range{Name: "next"}, Limit: store.MaxQueryResults}
	for {
		waiting, err := store.Find[Request](s.Store.Query(ctx, q))
		if err != nil {
			return nil, err
		}
		for _, r := range waiting {
			if r.ID != id && r.Closed.IsZero() && slices.ContainsFunc(r.Marks, func(m string) bool { return slices.Contains(marks, m) }) {
				ids = append(ids, r.ID)
			}
		}
		if len(waiting) < q.Limit {
			return ids, nil
		}
		last := waiting[len(waiting)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// same reads the person's other requests, that one among them which was proved since: it has the claims.
func (t *turn) same(ids []string) error {
	ids = slices.Clone(ids)
	for _, mark := range append(t.s.marks(t.before, t.private.verified(t.before.Proof)), t.before.Marks...) {
		var c claim
		if err := t.tx.Get(claims, mark, &c); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		} else if err == nil && !t.before.Proved.IsZero() {
			ids = append(ids, c.Request)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		var other Request
		if err := t.tx.Get(Requests, id, &other); fault.Is(err, fault.NotFound) || id == t.before.ID {
			continue
		} else if err != nil {
			return err
		}
		if other.Closed.IsZero() {
			t.alike = append(t.alike, other)
		}
	}
	return nil
}

// spread lets what was held, or let go, of a person be so in her other requests, which would erase it or keep it.
func (t *turn) spread(after Request, e Event) error {
	holding := func(all []Hold, h Hold) bool {
		return slices.ContainsFunc(all, func(o Hold) bool { return o.ID == h.ID })
	}
	var all []Event
	for _, h := range after.Holds {
		if !holding(t.before.Holds, h) {
			all = append(all, Event{What: HoldIt, By: e.By, Hold: &h, Alike: true})
		}
	}
	for _, h := range t.before.Holds {
		if !holding(after.Holds, h) {
			all = append(all, Event{What: Release, By: e.By, ID: h.ID, Alike: true})
		}
	}
	for _, other := range t.alike {
		for _, one := range all {
			changed, effects, err := Decide(other, one, t.now, t.s.Rules)
			if err != nil {
				return err
			}
			if len(effects) == 0 {
				continue
			}
			t.writes = append(t.writes, func() error {
				_, err := t.put(other, changed, one, effects)
				return err
			})
		}
	}
	return nil
}

// heldAlike holds what is held in another request of hers. What the engine does, or searches, meets another round.
func (d *deciding) heldAlike() error {
	h := *d.e.Hold
	if slices.ContainsFunc(d.Holds, func(o Hold) bool { return o.ID == h.ID || o.same(h) }) {
		return nil
	}
	if len(d.Holds) >= MaxHolds {
		return fault.Refuse(fault.Exhausted, "hold_invalid", "Another request of the person has as many holds as one may have.", "Release some there first.")
	}
	d.Holds = append(d.Holds, h)
	d.record("held")
	switch {
	case slices.Contains([]State{Planning, AwaitingApproval, Approved, Executing}, d.State):
		d.plan()
	case d.Round > 0:
		d.Round++
		if d.State == Verifying {
			d.publish(TopicPlan)
		}
	}
	return nil
}

// freedAlike lets go of what another request of hers holds no more.
func (d *deciding) freedAlike() error {
	i := slices.IndexFunc(d.Holds, func(h Hold) bool { return h.ID == d.e.ID })
	if i < 0 {
		return nil
	}
	d.Holds = slices.Delete(d.Holds, i, i+1)
	d.record("released")
	d.reopen()
	return nil
}
