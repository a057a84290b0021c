package oauth

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// begun starts a record about a connection. The commitment to it is the same in all of them, and says nothing else.
func (s *Service) begun(kind record.Kind, g Grant, now time.Time, step string) record.Record {
	rec := record.New(kind, Control, s.box().Name("record", g.ID)+"#"+strconv.FormatInt(g.Rev, 10)+"#"+step, s.promises...)
	rec.Config = s.Digest
	rec.Source.Type, rec.Source.Observed, rec.Source.Collected = "grant", now, now
	rec.Subjects = []record.Subject{{Type: "grant", C: record.Commitment(g.Salt, "grant", g.ID)}}
	return rec
}

// record puts the evidence of a step into the batch: that a connection changed its state, or was settled by somebody. A
// further attempt is no step. Of a task that was overdue it says that it is mended.
func (s *Service) record(batch *outbox.Batch, before Grant, after *Grant, now time.Time, more ...record.Subject) error {
	if before.State == after.State {
		return nil
	}
	rec := s.begun(record.Observation, *after, now, string(after.State))
	rec.Subjects = append(rec.Subjects, more...)
	rec.Facts = map[string]string{
		"state": string(after.State), "provider": after.Provider, "entry": after.Entry, "cause": string(after.Cause),
		"tries": strconv.Itoa(after.Tries), "elapsed_s": strconv.FormatInt(int64(now.Sub(after.Since)/time.Second), 10),
	}
	if after.Why != "" {
		rec.Facts["why"] = after.Why
	}
	if err := rec.Put(batch); err != nil || after.Finding == "" || !after.State.Final() {
		return err
	}
	mended := s.begun(record.Remediation, *after, now, "settled")
	mended.Result = record.Result{State: record.Kept}
	mended.Refs = []record.Ref{{Rel: "closes", ID: after.Finding}}
	after.Finding = ""
	return mended.Put(batch)
}

// finding opens what is out of order: a person has not done her task in time.
func (s *Service) finding(batch *outbox.Batch, g *Grant, now time.Time) error {
	if g.Finding != "" {
		return nil
	}
	rec := s.begun(record.Finding, *g, now, "overdue")
	rec.Result = record.Result{State: record.Broken}
	rec.Facts = map[string]string{"state": string(g.State), "provider": g.Provider, "cause": string(g.Cause)}
	g.Finding = rec.ID()
	return rec.Put(batch)
}

// Look says how connections stand, for the record of this quarter of an hour: how many are to be ended, and how many of them
// have been for longer than Target. The promises are kept while none has.
func (s *Service) Look(ctx context.Context, now time.Time) ([]heartbeat.Beat, error) {
	beat := heartbeat.Beat{Check: Control, Promises: s.promises, Result: record.Result{State: record.Kept, Metric: "tokens_after", Op: "==", Limit: 0}}
	for _, state := range []State{Pending, Disabled, Manual} {
		err := all(ctx, s.Store, store.Query{Collection: Grants, Equal: []store.Field{{Name: "state", Value: string(state)}}, Range: &store.Range{Name: "next"}}, func(g Grant) {
			beat.Population.Expected++
			beat.Population.Seen++
			if now.Sub(g.Since) > Target {
				beat.Result.Value++
				beat.Result.State = record.Broken
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return []heartbeat.Beat{beat}, nil
}

// all calls fn with whatever a query finds.
func all(ctx context.Context, s store.Store, q store.Query, fn func(g Grant)) error {
	for q.Limit = store.MaxQueryResults; ; {
		found, err := store.Find[Grant](s.Query(ctx, q))
		if err != nil {
			return err
		}
		for _, g := range found {
			fn(g)
		}
		if len(found) < q.Limit {
			return nil
		}
		last := found[len(found)-1]
		q.After = &store.Cursor{ID: last.ID}
		if q.Range != nil {
			q.After.Value = last.Next
		}
	}
}

// outcomes are what a receipt calls the states.
var outcomes = map[State]receipt.GrantOutcome{
	Pending: receipt.GrantPending, Disabled: receipt.GrantPending, Revoked: receipt.GrantRevoked, Gone: receipt.GrantGone, Shared: receipt.GrantShared,
	Manual: receipt.GrantManual, Failed: receipt.GrantFailed,
}

// Rows are what a receipt says of a request's connections: their numbers by provider and outcome, sorted.
func Rows(ctx context.Context, s store.Store, request string) ([]receipt.Grant, error) {
	var rows []receipt.Grant
	err := all(ctx, s, store.Query{Collection: Grants, Equal: []store.Field{{Name: "request", Value: request}}}, func(g Grant) {
		row := receipt.Grant{Provider: g.Provider, Outcome: outcomes[g.State]}
		i := slices.Index(bare(rows), row)
		if i < 0 {
			i, rows = len(rows), append(rows, row)
		}
		rows[i].Items++
	})
	slices.SortFunc(rows, func(a, b receipt.Grant) int {
		return slices.Compare([]string{a.Provider, string(a.Outcome)}, []string{b.Provider, string(b.Outcome)})
	})
	return rows, err
}

// bare are rows without their numbers.
func bare(rows []receipt.Grant) []receipt.Grant {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Items = 0
	}
	return rows
}
