package callback

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/outbox"
)

// follows says what is put on record, and who is told, where a controller takes nothing, or something again; it notes in s which record
// is open. Of one whose request is over nobody will say anything any more: that it was taken is not claimed.
func (d *Desk) follows(ctx context.Context, s *subscription, over bool, now time.Time) (func(*outbox.Batch) error, error) {
	lost := slices.ContainsFunc(s.URLs, func(t target) bool { return t.Lost })
	switch nothing := func(*outbox.Batch) error { return nil }; {
	case lost && !over && s.Finding == "":
		return d.untaken(ctx, s, now, true)
	case lost && over && s.Finding == "":
		return d.untaken(ctx, s, now, false)
	case s.Finding == "", lost && !over:
		return nothing, nil
	}
	r := d.word(record.Remediation, "status_taken", *s, now)
	if r.Result.State = record.Kept; lost {
		r = d.word(record.Remediation, "status_over", *s, now)
		r.Result.State = record.Undetermined
	}
	r.Refs = []record.Ref{{Rel: "closes", ID: s.Finding}}
	s.Finding = ""
	return func(batch *outbox.Batch) error { return r.Put(batch) }, nil
}

// untaken tells people that a controller took nothing for a day; stays says that it is on record as open until it takes something.
func (d *Desk) untaken(ctx context.Context, s *subscription, now time.Time, stays bool) (func(*outbox.Batch) error, error) {
	ring := func(*outbox.Batch, string, string, string, time.Time) error { return nil }
	if d.Alarm != nil {
		var err error
		if ring, err = d.Alarm.Untaken(ctx); err != nil {
			return nil, err
		}
	}
	r := d.word(record.Finding, "status_untaken", *s, now)
	r.Result.State = record.Broken
	if stays {
		s.Finding = r.ID()
	}
	tenant, id := s.Tenant, s.ID
	return func(batch *outbox.Batch) error {
		if stays {
			if err := r.Put(batch); err != nil {
				return err
			}
		}
		return ring(batch, "untaken/"+key(tenant, id)+"/"+strconv.FormatInt(now.Unix(), 10), tenant, id, now)
	}, nil
}

// word is a record about telling a controller. It names neither it nor its request.
func (d *Desk) word(kind record.Kind, event string, s subscription, now time.Time) record.Record {
	r := record.New(kind, request.Control, event+"/"+key(s.Tenant, s.ID)+"/"+strconv.FormatInt(s.Fence, 10), d.Promises...)
	r.Config, r.Method = d.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "schedule", now, now
	r.Facts = map[string]string{"event": event}
	return r
}
