package episode

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// noteEvery is how often it is written that a stream brings entries.
const noteEvery = time.Hour

// seenID names the document that says when an entry that meets a need came last.
func seenID(n rule.Need) string { return "seen-" + hashed(n.Service, string(n.Stream)) }

// note writes that a stream brings entries, where no setting tells whether it does.
func (s *Service) note(ctx context.Context, e *auditlog.Entry, now time.Time) error {
	for _, n := range s.needs {
		if !n.Met(e.Service, e.Stream) {
			continue
		}
		id := seenID(n)
		if last, known := s.seenAt.Load(id); known && now.UnixMicro()-last.(int64) < noteEvery.Microseconds() {
			continue
		}
		if err := s.Store.Tx(ctx, func(tx store.Tx) error {
			p, err := pulsed(tx.Get, id)
			if err != nil || now.Sub(p.At) < noteEvery {
				return err
			}
			return tx.Put(pulseDocs, id, pulse{V: Version, At: now})
		}); err != nil {
			return err
		}
		s.seenAt.Store(id, now.UnixMicro())
	}
	return nil
}

// unseen returns the needs of which no entry ever came.
func (s *Service) unseen(ctx context.Context, blind []rule.Need) ([]rule.Need, error) {
	get := func(collection, id string, into any) error { return s.Store.Get(ctx, collection, id, into) }
	var failed error
	left := slices.DeleteFunc(slices.Clone(blind), func(n rule.Need) bool {
		if n.Configured() || failed != nil {
			return false
		}
		p, err := pulsed(get, seenID(n))
		failed = err
		return !p.At.IsZero()
	})
	return left, failed
}
