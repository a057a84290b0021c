package ledger

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Lengthen has the entries in a store stay for keep, and Margin longer, where they were to go sooner: backups are kept longer now
// than when somebody was erased. It takes no key, as it says of nobody who she is. It may be called again, and after an error has
// to be. Errors are those of the store.
func Lengthen(ctx context.Context, s store.Store, keep time.Duration) error {
	q := store.Query{Collection: entries, Limit: store.MaxQueryResults}
	for {
		found, err := s.Query(ctx, q)
		list, err := store.Find[entry](found, err)
		if err != nil {
			return err
		}
		for i, e := range list {
			if !e.Expires.Before(e.until(keep)) {
				continue
			}
			if err := s.Tx(ctx, func(tx store.Tx) error {
				var now entry
				if err := tx.Get(entries, found[i].ID, &now); err != nil {
					if fault.Is(err, fault.NotFound) {
						return nil
					}
					return err
				}
				if until := now.until(keep); now.Expires.Before(until) {
					now.Expires = until
					return tx.Put(entries, found[i].ID, now)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		if len(found) < q.Limit {
			return nil
		}
		q.After = &store.Cursor{ID: found[len(found)-1].ID}
	}
}

// until is how long an entry stays while backups are kept for keep.
func (e entry) until(keep time.Duration) time.Time {
	return time.UnixMicro(e.Deleted).Add(keep + Margin).UTC().Truncate(time.Microsecond)
}
