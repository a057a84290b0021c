package episode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/notice"
)

// How much one run does: members judged in a transaction, such transactions, episodes of one query.
const (
	settlePage = 20
	mostPages  = 100
	duePage    = 200
)

// Tick does what the clock has brought about: what parts of an entry there are is judged, rules settle, held alarms go out, reminders, deadlines, runs that close,
// silence of the real path, the report of the month. It may run at any time, any number of times, and in several places at
// once. One episode that cannot be handled does not stop the others; its error is returned. It neither sweeps the outbox
// nor beats.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	joined, err := s.overdue(ctx, now)
	drained, failed := s.settle(ctx, now)
	drained = drained && joined
	errs := []error{err, failed}
	q := store.Query{Collection: Episodes, Range: &store.Range{Name: "next", To: now.UnixMicro() + 1}, Limit: duePage}
	for {
		docs, err := s.Store.Query(ctx, q)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		due, err := store.Find[Episode](docs, nil)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, e := range due {
			if err := s.tick(ctx, e.ID, drained, now); err != nil {
				errs = append(errs, fmt.Errorf("an episode that is due: %w", err))
			}
		}
		if len(docs) < duePage {
			break
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
	return errors.Join(append(errs, s.listen(ctx, now), s.monthly(ctx, now))...)
}

// settle lets the rules judge what had to wait, and reports whether nothing is left that was due.
func (s *Service) settle(ctx context.Context, now time.Time) (drained bool, err error) {
	for range s.pages {
		judged := 0
		err := s.commit(ctx, now, func(t *turn) error {
			hits, n, err := s.Rules.Settle(ctx, t.mem, now, settlePage)
			if judged = n; err != nil || n == 0 {
				return err
			}
			all := make([]found, len(hits))
			for i, h := range hits {
				all[i] = s.finding(h, now)
			}
			return t.take(all, t.mem.first)
		})
		if err != nil {
			return false, fmt.Errorf("judging what had to wait: %w", err)
		}
		if judged < settlePage {
			return true, nil
		}
	}
	return false, nil
}

// tick looks at one episode. While the rules have not judged all that is due, nothing is let go: a hit may still come.
func (s *Service) tick(ctx context.Context, id string, drained bool, now time.Time) error {
	return s.commit(ctx, now, func(t *turn) error {
		w, err := t.episode(id)
		if err != nil || w == nil || w.ID != id || w.Next == 0 || w.Next > now.UnixMicro() {
			return err
		}
		if w.State == Held {
			if !drained {
				return nil
			}
			return t.release(w)
		}
		var steps []step
		w.Episode, steps = w.Episode.tick(now)
		if drained && w.Closed.IsZero() && !now.Before(w.Quiet) {
			last, err := t.edge(w.Episode, true)
			if err != nil {
				return err
			}
			if ends := w.ends(last); now.After(ends) {
				var more []step
				w.Episode, more = w.ended(now)
				steps = append(steps, more...)
			} else {
				w.Quiet = ends.Add(time.Microsecond)
				w.Episode = w.schedule()
			}
		}
		t.touch(w, steps...)
		return nil
	})
}

// ends is when nothing of a run can come any more.
func (w *working) ends(last *Listed) time.Time {
	at := w.First
	if last != nil {
		at = last.At
	}
	return at.Add(w.Gap + w.Reach)
}

// release lets a held alarm go out, unless the run before it has grown and may go on growing.
func (t *turn) release(w *working) error {
	first, err := t.edge(w.Episode, false)
	if err != nil {
		return err
	}
	last, err := t.edge(w.Episode, true)
	if err != nil {
		return err
	}
	at := w.First.UnixMicro()
	if first != nil {
		at = first.At.UnixMicro()
	}
	near, err := t.around(w.Group, at, at)
	if err != nil {
		return err
	}
	var before *dot
	if len(near) > 0 && near[0].at < at {
		before = &near[0]
	}
	if until := held(before, w.Gap, w.Reach, t.now); !until.IsZero() {
		w.Quiet = until.Add(time.Microsecond)
		w.Episode = w.schedule()
		t.touch(w)
		return nil
	}
	w.Quiet = w.ends(last)
	w.Episode = w.alarmed(t.now)
	if last != nil {
		if err := t.tx.Get(details, last.ID, &last.Detail); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		w.seen = []Listed{*last}
	}
	t.touch(w, began)
	return nil
}

// edge returns the last member of an episode, or the first one; nil when it has none.
func (t *turn) edge(e Episode, last bool) (*Listed, error) {
	var edge *Listed
	for _, id := range append([]string{e.ID}, e.Parts...) {
		docs, err := t.tx.Query(store.Query{
			Collection: members, Equal: []store.Field{{Name: "episode", Value: id}}, Range: &store.Range{Name: "at"}, Descending: last, Limit: 1,
		})
		if err != nil || len(docs) == 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		var m member
		if err := docs[0].Decode(&m); err != nil {
			return nil, err
		}
		if at := time.UnixMicro(m.At).UTC(); edge == nil || at.After(edge.At) == last {
			edge = &Listed{ID: docs[0].ID, At: at, Round: m.Round}
		}
	}
	return edge, nil
}

// noted returns the notice of a report.
func (s *Service) noted(r Report, key string, to []string) notice.Notice {
	return notice.Notice{Kind: notice.Report, Key: key, To: to, Link: s.Link + "/justify/", Lines: r.lines()}
}
