package purge

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
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

// take begins or goes on with today's pass, under a lease with a new fence.
func (s *Sweeper) take(ctx context.Context, rule, tenant string) (p pass, err error) {
	id, today := passID(rule, tenant), s.today()
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		now := s.Clock.Now()
		var old pass
		if err := tx.Get(passes, id, &old); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		p = old
		if old.Until > now.UnixMicro() {
			return errBusy
		}
		switch counted := old.Map == s.Map.Digest() && (old.Done && old.Why == "" || !old.Dry); {
		case old.Day == today && old.Map == s.Map.Digest() && old.Done:
			return nil
		case old.Day != today && old.Done || old.Map != s.Map.Digest():
			p = pass{V: version, Rule: rule, Tenant: tenant, Map: s.Map.Digest(), Day: today, Dry: !counted, Last: old.Last, Finding: old.Finding}
		}
		p.Fence, p.Until = max(now.UnixMicro(), old.Fence+1), now.Add(lease).UnixMicro()
		return tx.Put(passes, id, p)
	})
	return p, err
}

// save puts the progress on record, if the pass is still ours; of one that is through with its evidence.
func (s *Sweeper) save(ctx context.Context, p *pass, at position, release bool) error {
	next := *p
	next.At = nil
	if !next.Done {
		plain, err := json.Marshal(at)
		if err != nil {
			return fault.New(fault.Invalid, "keeping the place of a pass: %w", err)
		}
		defer seal.Wipe(plain)
		sealed, err := at.key.Seal(s.Random, plain)
		if err != nil {
			return err
		}
		next.At = &sealed
	}
	now := s.Clock.Now()
	if next.Done && next.Why == "" && !next.Dry {
		next.Last = now.UTC().Truncate(time.Microsecond)
	}
	tell, err := s.met(ctx, &next, now)
	if err != nil {
		return err
	}
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var stored pass
		id := passID(p.Rule, p.Tenant)
		if err := tx.Get(passes, id, &stored); err != nil {
			return err
		}
		if stored.Fence != p.Fence {
			return errBusy
		}
		next.Until = s.Clock.Now().Add(lease).UnixMicro()
		if release || next.Done {
			next.Until = 0
		}
		if next.Done {
			if err := s.record(batch, next, now); err != nil {
				return err
			}
		}
		if err := tell(batch); err != nil {
			return err
		}
		return tx.Put(passes, id, next)
	})
	if err == nil {
		*p = next
	}
	return err
}

// record puts on record what a pass did. Tenants are counted and not named.
func (s *Sweeper) record(batch *outbox.Batch, p pass, now time.Time) error {
	r := record.New(record.Observation, Control, p.Rule+"/"+p.Tenant+"/"+p.Day+"/"+strconv.FormatInt(p.Fence, 10), s.Promises...)
	r.Config, r.Method = s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "schedule", now, now
	r.Result = record.Result{State: record.Pass, Metric: "items_held", Value: p.Count.Held}
	if p.Why != "" {
		r.Result.State = record.Undetermined
	}
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	r.Facts = map[string]string{
		"rule": p.Rule, "map": p.Map, "day": p.Day, "due": count(p.Count.Due), "erased": count(p.Count.Erased), "anonymised": count(p.Count.Anonymised),
		"gone": count(p.Count.Gone), "foreign": count(p.Count.Foreign),
	}
	if p.Dry {
		r.Facts["dry"] = "yes"
	}
	if p.Why != "" {
		r.Facts["why"] = p.Why
	}
	return r.Put(batch)
}

// bound ties what is sealed to the pass.
func bound(p pass) []byte { return []byte("erasure/by age/" + p.Rule + "/" + p.Tenant) }

func (s *Sweeper) open(ctx context.Context, p pass) (at position, err error) {
	if p.At == nil {
		return at, nil
	}
	plain, err := seal.Open(ctx, s.Keys, *p.At, bound(p))
	if err != nil {
		return at, err
	}
	defer seal.Wipe(plain)
	if err := json.Unmarshal(plain, &at); err != nil {
		return at, fault.New(fault.Invalid, "reading the place of a pass: not what was kept")
	}
	at.resumed = true
	return at, nil
}
