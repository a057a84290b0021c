package purge

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// errBusy says that somebody else carries out the rule now.
var errBusy = fault.New(fault.Transient, "erasing by age: somebody else does")

// sweep carries on with one rule in one tenant's data.
func (s *Sweeper) sweep(ctx context.Context, one datamap.Sweep, tenant string, until time.Time) (done bool, err error) {
	p, err := s.take(ctx, one.Rule.ID, tenant)
	if errors.Is(err, errBusy) {
		return false, nil
	}
	if err != nil || p.Done {
		return p.Done, err
	}
	p.entry = one.Entry.ID
	at, err := s.open(ctx, p)
	if err != nil {
		return false, err
	}
	if at.key, err = seal.NewDataKey(ctx, s.Keys, s.Random, bound(p)); err != nil {
		return false, err
	}
	defer s.release(ctx, one.Store)
	for !p.Done && s.Clock.Now().Before(until) && ctx.Err() == nil {
		begins, err := s.begins(ctx, one.Store, until)
		if err != nil {
			return false, err
		}
		if !begins {
			break
		}
		err = s.page(ctx, one, &p, &at)
		s.ended(one.Store)
		if errors.Is(err, errBusy) {
			return false, nil
		}
		if err != nil {
			return s.failed(ctx, one.Store, p, at, err)
		}
		p.Tries = 0
		if err := s.save(ctx, &p, at, p.Done); err != nil {
			return false, moved(err)
		}
		at.resumed = false
	}
	if p.Done {
		return true, nil
	}
	return false, moved(s.save(context.WithoutCancel(ctx), &p, at, true))
}

// moved forgets that another has taken over: what it says counts.
func moved(err error) error {
	if errors.Is(err, errBusy) {
		return nil
	}
	return err
}

// page does one page: it writes down which items are to go, and lets them go.
func (s *Sweeper) page(ctx context.Context, one datamap.Sweep, p *pass, at *position) error {
	held, err := s.isHeld(ctx, p.Tenant, one)
	if err != nil {
		return err
	}
	eraser, err := s.Eraser(ctx, one.Store)
	if err != nil {
		return err
	}
	if len(at.Items) == 0 {
		if err := s.choose(ctx, eraser, one, p, at, held); err != nil {
			return err
		}
		if len(at.Items) > 0 {
			if err := s.save(ctx, p, *at, false); err != nil {
				return err
			}
		}
	}
	if held || p.Dry {
		p.Count.Held += int64(len(at.Items)) // held since they were written down
		at.Items = nil
	}
	if len(at.Items) > 0 {
		results, err := eraser.Erase(ctx, one.Query, at.Items)
		settle(p, at, one.Query.Action, results)
		if err != nil {
			at.resumed = true
			return err
		}
		if len(at.Items) > 0 {
			return nil // the rest of it comes next
		}
	}
	at.Cursor, at.Next = at.Next, ""
	p.Done = at.Cursor == ""
	return nil
}

// choose finds the next items that are due.
func (s *Sweeper) choose(ctx context.Context, from erasure.Reader, one datamap.Sweep, p *pass, at *position, held bool) error {
	found, err := from.Find(ctx, one.Query, at.Cursor, erasure.MaxPage)
	if err != nil {
		return err
	}
	if s.Pace != nil {
		s.Pace.Spent(one.Store, len(found.Items))
	}
	at.Next, at.Items = found.Next, nil
	now := s.Clock.Now()
	for _, item := range one.Due(found.Items) {
		switch bound := one.Query.Tenant; {
		case bound.Binding != erasure.BindGlobal && item.Tenant != bound.ID:
			p.Count.Foreign++
		case item.Clean:
		case item.Held.After(now) || held:
			p.Count.Due++
			p.Count.Held++
		default:
			p.Count.Due++
			if !p.Dry {
				at.Items = append(at.Items, item)
			}
		}
	}
	return nil
}

// settle counts what became of items and keeps those of which nothing is known.
func settle(p *pass, at *position, action erasure.Action, results []erasure.Result) {
	became := make(map[string]erasure.Outcome, len(results))
	for _, r := range results {
		became[r.Ref] = r.Outcome
	}
	done := &p.Count.Erased
	if action == erasure.ActionAnonymise {
		done = &p.Count.Anonymised
	}
	var open []erasure.Item
	for _, item := range at.Items {
		switch became[item.Ref] {
		case erasure.OutcomeErased:
			*done++
		case erasure.OutcomeGone:
			if at.resumed {
				*done++ // by whoever wrote the page down and died
			} else {
				p.Count.Gone++
			}
		case erasure.OutcomeChanged: // tomorrow, if it is old enough still
		case erasure.OutcomeForeign:
			p.Count.Foreign++
		case erasure.OutcomeHeld:
			p.Count.Held++
		default:
			open = append(open, item)
		}
	}
	at.Items = open
}

// failed keeps what is known, and gives a rule up for today when its store refuses or stays away.
func (s *Sweeper) failed(ctx context.Context, store string, p pass, at position, err error) (done bool, _ error) {
	p.Tries++
	if s.Pace != nil && fault.Is(err, fault.Exhausted) {
		if err := s.Pace.Exhausted(ctx, store, err); err != nil {
			return false, err
		}
	}
	switch kind := fault.KindOf(err); {
	case kind == fault.NotFound:
		p.Done, p.Why = true, "missing"
	case kind == fault.Denied:
		p.Done, p.Why = true, "denied"
	case kind == fault.Invalid || kind == fault.Misconfigured:
		p.Done, p.Why = true, "refused"
	case p.Tries >= mostTries:
		p.Done, p.Why = true, "unreachable"
	}
	return p.Done, moved(s.save(context.WithoutCancel(ctx), &p, at, true))
}
