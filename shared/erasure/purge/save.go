package purge

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

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
