package scan

import (
	"context"
	"time"

	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/store"
)

// mostHints is how many calls about one asset are looked at, the newest first.
const mostHints = 200

// hinted returns the calls that named an asset since a time.
func (s *Service) hinted(ctx context.Context, key string, since time.Time) ([]attribution.Hint, error) {
	if len(key) > store.MaxIndexedBytes {
		return nil, nil
	}
	found, err := store.Find[hint](s.Store.Query(ctx, store.Query{
		Collection: hints, Equal: []store.Field{{Name: "asset", Value: key}}, Range: &store.Range{Name: "micros", From: since.UnixMicro()}, Descending: true, Limit: mostHints,
	}))
	all := make([]attribution.Hint, len(found))
	for i := range found {
		all[i] = found[i].Hint
	}
	return all, err
}

// since is from when on hints are kept: from the first there is.
func (s *Service) since(ctx context.Context, now time.Time) (time.Time, error) {
	first, err := store.Find[hint](s.Store.Query(ctx, store.Query{Collection: hints, Range: &store.Range{Name: "micros"}, Limit: 1}))
	if err != nil || len(first) == 0 {
		return now, err
	}
	return first[0].At, nil
}

// blame says who may have made the differences of an asset.
func (s *Service) blame(ctx context.Context, key string, now time.Time) error {
	if key == "" {
		return nil
	}
	called, err := s.hinted(ctx, key, now.Add(-attribution.Kept))
	if err != nil {
		return err
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
	q := attribution.Question{Asset: key, Good: k.good[key], Seen: now, Since: since, Applying: s.want.applying()}
	if a, there := k.live.Get("", key); there {
		q.Stream = s.logged(a.Type)
		q.Terraform = s.want.whole() && len(s.want.byKey[key]) > 0
		q.Desired = q.Terraform && s.wanted(k, key)
	}
	s.mu.Unlock()
	return s.Findings.Blame(ctx, key, attribution.Rank(q, called), now)
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
