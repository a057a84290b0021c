package scan

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
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

// blame says who may have made the differences of an asset: of each, who called before it was seen to be as it is. Who called
// since then changed something else, or nothing.
func (s *Service) blame(ctx context.Context, key string, now time.Time) error {
	if key == "" {
		return nil
	}
	since, err := s.since(ctx, now)
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
	q := attribution.Question{Asset: key, Good: k.good[key], Since: since, Applying: s.want.applying()}
	if a, there := k.live.Get("", key); there {
		q.Stream = s.logged(a.Type) && since.Before(now) // a log of which nothing ever came is not known to be written
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
		called, err := s.hinted(ctx, key, one.Seen.Add(-attribution.Kept), one.Seen.Add(attribution.Slack+time.Microsecond))
		if err != nil {
			failed = errors.Join(failed, err)
			return nil
		}
		return attribution.Rank(one, called)
	}, now)
	return errors.Join(failed, err)
}

// wanted reports whether an asset is as Terraform wants it. It is called with the lock.
func (s *Service) wanted(k *known, key string) bool {
	a, there := k.live.Get("", key)
	if !there {
		return false
	}
	for _, seen := range s.one(k, a).seen {
		if seen.Class != finding.Forbidden {
			return false
		}
	}
	return true
}

// mostNamed is how many findings are looked at in one go for who it may have been.
const mostNamed = 200

// name says who it may have been of findings nobody was asked about yet.
func (s *Service) name(ctx context.Context) error {
	now := s.Clock.Now().UTC()
	for _, state := range []finding.State{finding.Settling, finding.Open} {
		all, _, err := s.Findings.List(ctx, state, nil, mostNamed)
		if err != nil {
			return err
		}
		asked := map[string]bool{}
		for _, f := range all {
			if len(f.Actors) > 0 || asked[f.Asset] {
				continue
			}
			asked[f.Asset] = true
			if err := s.blame(ctx, f.Asset, now); err != nil {
				return err
			}
		}
	}
	return nil
}
