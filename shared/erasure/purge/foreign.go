package purge

import (
	"context"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/outbox"
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
		return func(batch *outbox.Batch) error { return emit(batch, r) }, nil
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
			if err := emit(batch, r); err != nil {
				return err
			}
		}
		if ring == nil {
			return nil
		}
		return ring(batch, "purge/"+p.entry+"/"+p.Day, "items", "", p.entry, now)
	}, nil
}

// word is a record about what a pass met. It names neither tenants nor items.
func (s *Sweeper) word(kind record.Kind, event string, p pass, now time.Time) record.Record {
	r := record.New(kind, Control, event+"/"+passID(p.Rule, p.Tenant)+"/"+p.Day+"/"+strconv.FormatInt(p.Fence, 10), s.Promises...)
	r.Config, r.Method = s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "schedule", now, now
	r.Facts = map[string]string{"event": event, "rule": p.Rule, "entry": p.entry, "map": p.Map, "day": p.Day}
	return r
}

func emit(batch *outbox.Batch, r record.Record) error {
	data, err := r.Canonical()
	if err != nil {
		return err
	}
	batch.Record(r.ID(), data)
	return nil
}
