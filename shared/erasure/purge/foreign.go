package purge

import (
	"context"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// met says what follows where a pass that ends has met items of another tenant, or of none: a finding, unless there is one,
// and an alarm; and of one that met none that the finding is mended. What is told goes out with the pass.
func (s *Sweeper) met(ctx context.Context, p *pass, now time.Time) (tell func(*outbox.Batch) error, err error) {
	nothing := func(*outbox.Batch) error { return nil }
	foreign := p.Count.Foreign > 0
	if !p.Done || !foreign && (p.Finding == "" || p.Why != "") {
		return nothing, nil
	}
	if !foreign {
		r := s.word(record.Remediation, "mended", *p, now)
		r.Result = record.Result{State: record.Kept}
		r.Refs = []record.Ref{{Rel: "closes", ID: p.Finding}}
		p.Finding = ""
		return func(batch *outbox.Batch) error { return r.Put(batch) }, nil
	}
	var ring request.Ring
	if s.Alarm != nil {
		if ring, err = s.Alarm.Ready(ctx); err != nil {
			return nil, err
		}
	}
	r := s.word(record.Finding, "foreign", *p, now)
	r.Result = record.Result{State: record.Broken, Metric: "items_of_another_tenant", Value: p.Count.Foreign, Op: "==", Limit: 0}
	known := p.Finding != ""
	if !known {
		p.Finding = r.ID()
	}
	return func(batch *outbox.Batch) error {
		if !known {
			if err := r.Put(batch); err != nil {
				return err
			}
		}
		if ring == nil {
			return nil
		}
		return ring(batch, "purge/"+p.entry+"/"+p.Day, "items", "", p.entry, now)
	}, nil
}

// dropped closes the findings of rules, tenants and people who left that the map or the policy has no more: no pass will ever mend them, and nobody
// looks there any longer. That is what is said; that nothing is left there is not.
func (s *Sweeper) dropped(ctx context.Context, current map[string]bool) error {
	stored, err := s.all(ctx)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	for id, p := range stored {
		if p.Finding == "" || current[id] {
			continue
		}
		if err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			var is pass
			if err := tx.Get(passes, id, &is); err != nil || is.Finding != p.Finding || is.Until > now.UnixMicro() {
				return err
			}
			r := s.word(record.Remediation, "dropped", is, now)
			r.Result = record.Result{State: record.Undetermined}
			r.Refs = []record.Ref{{Rel: "closes", ID: is.Finding}}
			is.Finding = ""
			if err := r.Put(batch); err != nil {
				return err
			}
			return tx.Put(passes, id, is)
		}); err != nil {
			return err
		}
	}
	return nil
}

// word is a record about what a pass met. It names neither tenants nor items.
func (s *Sweeper) word(kind record.Kind, event string, p pass, now time.Time) record.Record {
	r := record.New(kind, Control, event+"/"+passID(p.Rule, p.Tenant)+"/"+p.Day+"/"+strconv.FormatInt(p.Fence, 10), s.Promises...)
	r.Config, r.Method = s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "schedule", now, now
	r.Facts = map[string]string{"event": event, "rule": p.Rule, "map": p.Map, "day": p.Day}
	if p.entry != "" {
		r.Facts["entry"] = p.entry
	}
	return r
}
