package intake

import (
	"context"
	"slices"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
)

// Beats returns what the checks that senders feed have to say each quarter of an hour: that what they know is still
// there, for the promises they were told something about and no other; what that was, only the observations say. A check nobody
// ever fed says nothing: it does not run. That a sender fell silent shows by its last observation, which ends. The control's scheduled function records them.
func Beats(ctx context.Context, s store.Store) ([]heartbeat.Beat, error) {
	var beats []heartbeat.Beat
	q := store.Query{Collection: feeds, Limit: store.MaxQueryResults}
	for {
		docs, err := s.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		found, err := store.Find[feedDoc](docs, nil)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			i := slices.IndexFunc(beats, func(b heartbeat.Beat) bool { return b.Check == f.Check })
			if i < 0 {
				i, beats = len(beats), append(beats, heartbeat.Beat{Check: f.Check, Result: record.Result{State: record.Kept},
					Facts: map[string]string{record.Needs: string(record.Observation)}})
			}
			beats[i].Promises = append(beats[i].Promises, f.Promise)
			beats[i].Population.Expected++
			beats[i].Population.Seen++
		}
		if len(docs) < q.Limit {
			return beats, nil
		}
		q.After = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}
