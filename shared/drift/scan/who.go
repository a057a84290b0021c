package scan

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/platform/store"
)

// mostHints is how many calls about one asset are looked at, the newest first.
const mostHints = 200

// hinted returns the calls that named an asset since a time, and before another.
func (s *Service) hinted(ctx context.Context, key string, since, until time.Time) ([]attribution.Hint, error) {
	if len(key) > store.MaxIndexedBytes {
		return nil, nil
	}
	found, err := store.Find[hint](s.Store.Query(ctx, store.Query{
		Collection: hints, Equal: []store.Field{{Name: "asset", Value: key}}, Range: &store.Range{Name: "micros", From: since.UnixMicro(), To: until.UnixMicro()}, Descending: true, Limit: mostHints,
	}))
	all := make([]attribution.Hint, len(found))
	for i := range found {
		all[i] = found[i].Hint
	}
	return all, err
}

// since is from when on hints are kept: from the first there is; now where nobody ever told of a call.
func (s *Service) since(ctx context.Context, now time.Time) (time.Time, error) {
	first, err := store.Find[hint](s.Store.Query(ctx, store.Query{Collection: hints, Range: &store.Range{Name: "micros"}, Limit: 1}))
	if err != nil || len(first) == 0 {
		return now, err
	}
	return first[0].At, nil
}

// blame says who may have made the differences of an asset, or those of the company: of each, who called before it was seen to be as
// it is, about the asset or about one it rests on. Who called since then changed something else, or nothing.
func (s *Service) blame(ctx context.Context, key string, now time.Time) error {
	since, err := s.since(ctx, now)
	if err != nil {
		return err
	}
	nights, err := s.nights(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	k, err := s.learn(ctx)
	if err == nil {
		err = s.desire(ctx, k)
	}
	if err != nil {
		s.mu.Unlock()
		return err
	}
	q := attribution.Question{Asset: key, Good: k.good[key], Since: since, Applying: s.want.applying(key)}
	if _, there := k.live.Get("", key); there && key != "" {
		q.Terraform = s.want.whole() && len(s.want.byKey[key]) > 0
		q.Desired = q.Terraform && s.wanted(k, key)
	}
	s.mu.Unlock()
	var failed error
	err = s.Findings.BlameEach(ctx, key, func(f finding.Finding) []finding.Actor {
		one := q
		if one.Seen = f.Since; one.Seen.IsZero() {
			one.Seen = now
		}
		if good := inOrder(nights, f.First); good.After(one.Good) {
			one.Good = good
		}
		s.mu.Lock()
		one.Beside = s.beside[f.ID]
		one.Stream = since.Before(now) && s.streams(k, key, one.Beside) // a log of which nothing ever came is not known to be written
		s.mu.Unlock()
		called, err := s.callers(ctx, one)
		if err != nil {
			failed = errors.Join(failed, err)
			return nil
		}
		return attribution.Rank(one, called)
	}, now)
	return errors.Join(failed, err)
}

// streams reports whether the logs of who changes an asset, and those it rests on, are known to be written. It is called with the lock.
func (s *Service) streams(k *known, key string, beside []string) bool {
	asked := false
	for i, one := range append([]string{key}, beside...) {
		if a, there := k.live.Get("", one); there && one != "" && (i == 0 || google(a.Type)) {
			if asked = true; !s.logged(k, a) {
				return false
			}
		}
	}
	return asked
}

// Bounds of asking for calls about other assets: up to so many are asked for one by one, and else so many calls are looked through.
const (
	oneByOne   = 20
	mostCalled = 2000
)

// callers are the calls that may have made a difference.
func (s *Service) callers(ctx context.Context, q attribution.Question) (all []attribution.Hint, err error) {
	until := q.Seen.Add(attribution.Slack + time.Microsecond)
	since := q.Seen.Add(-attribution.Kept)
	keys := q.Beside
	if len(keys) > oneByOne {
		keys = nil
	}
	if q.Asset != "" {
		keys = append([]string{q.Asset}, keys...)
	}
	for _, key := range keys {
		some, err := s.hinted(ctx, key, since, until)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if len(q.Beside) <= oneByOne {
		return all, nil
	}
	if good := q.Good.Add(-attribution.Slack); good.After(since) {
		since = good
	}
	some, err := s.lately(ctx, since, until, mostCalled)
	return append(all, slices.DeleteFunc(some, func(h attribution.Hint) bool { return h.Asset == q.Asset })...), err
}

// lately are the calls since a time and before another, about whatever asset, the newest first.
func (s *Service) lately(ctx context.Context, since, until time.Time, most int) (all []attribution.Hint, err error) {
	q := store.Query{Collection: hints, Range: &store.Range{Name: "micros", From: since.UnixMicro(), To: until.UnixMicro()}, Descending: true, Limit: mostHints}
	for len(all) < most {
		docs, err := s.Store.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			var h hint
			if err := d.Decode(&h); err != nil {
				return nil, err
			}
			all = append(all, h.Hint)
			q.After = &store.Cursor{Value: h.Micros, ID: d.ID}
		}
		if len(docs) < q.Limit {
			break
		}
	}
	return all, nil
}

// wanted reports whether an asset is as Terraform wants it. It is called with the lock.
func (s *Service) wanted(k *known, key string) bool {
	a, there := k.live.Get("", key)
	if !there {
		return false
	}
	for _, seen := range s.one(k, a).seen {
		if seen.Class != finding.Forbidden && seen.Class != string(self.Drift) {
			return false
		}
	}
	return true
}

// mostNamed is of how many assets it is asked in one go who it may have been.
const mostNamed = 200

// name says who it may have been of findings nobody was asked about yet, where a look found any it did not find before.
func (s *Service) name(ctx context.Context, v *verdicts) error {
	s.mu.Lock()
	maps.DeleteFunc(s.asked, func(id string, _ int) bool { _, still := v.at[id]; return !still })
	more := len(s.asked) < len(v.at)
	s.mu.Unlock()
	if !more {
		return nil
	}
	now, asked := s.Clock.Now().UTC(), map[string]bool{}
	for _, state := range []finding.State{finding.Open, finding.Settling} {
		for after := (*store.Cursor)(nil); ; {
			all, next, err := s.Findings.List(ctx, state, after, mostNamed)
			if err != nil {
				return err
			}
			for _, f := range all {
				if len(f.Actors) > 0 || asked[f.Asset] {
					continue
				}
				if len(asked) == mostNamed {
					return nil // the next run goes on: those who were named are passed over
				}
				asked[f.Asset] = true
				if err := s.blame(ctx, f.Asset, now); err != nil {
					return err
				}
			}
			if after = next; next == nil {
				break
			}
		}
	}
	s.mu.Lock()
	s.asked = maps.Clone(v.at)
	s.mu.Unlock()
	return nil
}
