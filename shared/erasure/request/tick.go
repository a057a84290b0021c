package request

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
)

// duePage is how many requests one query of Tick reads.
const duePage = 200

// Tick does what the clock has brought about: links that are over, identities nobody proved, alarms and deadlines, holds
// and retention that end, searches that are due, and messages to the engine that were lost. It may run at any time, any
// number of times, and in several places at once. One request that cannot be handled does not stop the others; its error
// is returned. It neither sweeps the outbox nor beats.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	var errs []error
	q := store.Query{Collection: Requests, Range: &store.Range{Name: "next", To: now.UnixMicro() + 1}, Limit: duePage}
	for {
		due, err := store.Find[Request](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, r := range due {
			if err := s.tick(ctx, r, now); err != nil {
				errs = append(errs, fmt.Errorf("a request that is due: %w", err))
			}
		}
		if len(due) < duePage {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

func (s *Service) tick(ctx context.Context, r Request, now time.Time) error {
	if r.Gather != "" {
		if err := s.gather(ctx, r, now); err != nil {
			return err
		}
	}
	freed, err := s.freed(ctx, r, now)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, r.ID, now, "", func(t *turn) (Event, error) {
		if t.before.Next == 0 || t.before.Next > now.UnixMicro() {
			return Event{}, nil
		}
		return Event{What: Ticked, Freed: freed && t.before.Round == r.Round}, nil
	})
	return err
}

// Look says how the desk stands, for the record of this quarter of an hour: how many requests wait, and how many of them
// are overdue. The promises are kept while none is.
func (s *Service) Look(ctx context.Context, now time.Time) ([]heartbeat.Beat, error) {
	beat := heartbeat.Beat{Check: Control, Promises: s.promises, Result: record.Result{State: record.Kept, Metric: "overdue", Op: "==", Limit: 0}}
	q := store.Query{Collection: Requests, Equal: []store.Field{{Name: "open", Value: true}}, Range: &store.Range{Name: "due_at"}, Limit: store.MaxQueryResults}
	for {
		page, err := store.Find[Request](s.Store.Query(ctx, q))
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			beat.Population.Expected++
			beat.Population.Seen++
			if d := (deciding{Request: r}); d.clocked() && now.UnixMicro() >= r.DueAt {
				beat.Result.Value++
				beat.Result.State = record.Broken
			}
		}
		if len(page) < q.Limit {
			return []heartbeat.Beat{beat}, nil
		}
		last := page[len(page)-1]
		q.After = &store.Cursor{Value: last.DueAt, ID: last.ID}
	}
}
