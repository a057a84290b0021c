package scan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
)

// Names are the projects that are known by now, to read messages with.
func (s *Service) Names(ctx context.Context) (*asset.Names, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.learn(ctx)
	if err != nil {
		return nil, err
	}
	return k.live.Names().Clone(), nil // messages are read without the lock
}

// Look reads an asset from its service, since somebody said that it changed, and says what is out of order about it now. kind may
// be "" where nobody knows it. What cannot be read is nothing anybody can tell, until it was read; an error means to look again
// later.
func (s *Service) Look(ctx context.Context, kind, key string) error {
	return s.look(ctx, kind, key, true)
}

// look is Look; changed: somebody said that it did.
func (s *Service) look(ctx context.Context, kind, key string, changed bool) error {
	s.mu.Lock()
	k, err := s.learn(ctx)
	if err == nil {
		kind, key = k.named(kind, key, s.listed)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	now := s.Clock.Now().UTC()
	if !slices.Contains(s.listed, kind) {
		return nil // nothing is promised about it
	}
	a, err := s.get(ctx, kind, key)
	if err == nil {
		return s.take(ctx, a, now)
	}
	s.Log.WarnContext(ctx, "what changed could not be read", "type", kind, "error", err)
	if changed {
		if err := s.unread(ctx, kind, key, fault.KindOf(err), now); err != nil {
			return err
		}
	}
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Denied, fault.Misconfigured:
		return s.Findings.Lost(ctx, key, now, now)
	}
	return fmt.Errorf("reading what changed: %w", err)
}

// named is how an asset is called, and its type.
func (k *known) named(kind, key string, kinds []string) (string, string) {
	key = k.live.Names().Key(kind, key)
	if a, there := k.live.Get(kind, key); kind == "" && there {
		kind = a.Type
	}
	if kind == "" {
		kind = kindOf(key, kinds)
	}
	return kind, key
}

// take keeps an asset that was read, and judges it.
func (s *Service) take(ctx context.Context, a asset.Asset, asked time.Time) error {
	s.mu.Lock()
	v, key, err := s.taking(ctx, a, asked)
	s.mu.Unlock()
	if err != nil || v == nil {
		return err
	}
	now := s.Clock.Now().UTC()
	called, err := s.hinted(ctx, key, now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		return err
	}
	running := attribution.Running(key, called, now)
	if err := s.Findings.Out(ctx, s.applied(v.seen, func(string) bool { return running }), now); err != nil {
		return err
	}
	// Where Terraform's word on it is not known, or that of the deployment, what is healed is found when everything is judged.
	if len(v.dark)+len(v.unsure) == 0 {
		if err := s.Findings.In(ctx, key, s.fate(v, nil), asked, now); err != nil {
			return err
		}
	}
	if len(v.seen) == 0 {
		return nil
	}
	return s.blame(ctx, key, now)
}

func (s *Service) taking(ctx context.Context, a asset.Asset, asked time.Time) (*verdicts, string, error) {
	k, err := s.learn(ctx)
	if err == nil {
		err = errors.Join(s.desire(ctx, k), s.salted(ctx))
	}
	if err != nil {
		return nil, "", err
	}
	_, a.Key = k.named(a.Type, a.Key, s.listed)
	good := k.good[a.Key]
	if was, there := k.live.Get(a.Type, a.Key); there && len(s.one(k, was).seen) == 0 {
		good = newest(*was)
	}
	told := asked
	if was, there := k.live.Get(a.Type, a.Key); there && alike(*was, a) {
		told = time.Time{}
	}
	if err := s.change(ctx, a, good, asked, told); err != nil {
		return nil, "", err
	}
	k.add(a, good)
	k.news = true
	is, there := k.live.Get(a.Type, a.Key)
	if !there {
		return nil, a.Key, nil
	}
	v := s.one(k, is)
	if s.beside == nil {
		s.beside = map[string][]string{}
	}
	maps.Copy(s.beside, v.beside)
	v.known = k
	// A look at everything that began before it was kept does not know of it, though it was asked for before that look.
	stored := s.Clock.Now().UTC()
	for i := range v.seen {
		v.seen[i].Read = stored
	}
	return v, a.Key, nil
}

// applied says of what was found that something is being applied to it: Terraform holds the lock, or an operation has not ended.
func (s *Service) applied(all []finding.Seen, running func(asset string) bool) []finding.Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range all {
		all[i].Applying = s.want.applying(all[i].Asset) || running(all[i].Asset)
	}
	return all
}

// mostRunning is how many calls of the last hour are looked through for operations that have not ended.
const mostRunning = 5000

// running tells of which assets an operation has not ended.
func (s *Service) running(ctx context.Context, now time.Time) (func(asset string) bool, error) {
	called, err := s.lately(ctx, now.Add(-time.Hour), now.Add(time.Hour), mostRunning)
	by := map[string][]attribution.Hint{}
	for _, h := range called {
		by[h.Asset] = append(by[h.Asset], h)
	}
	return func(asset string) bool { return asset != "" && attribution.Running(asset, by[asset], now) }, err
}

// Applying reports whether something is being applied to what a finding is about.
func (s *Service) Applying(ctx context.Context, f finding.Finding) bool {
	s.mu.Lock()
	locked := s.want.applying(f.Asset)
	s.mu.Unlock()
	if locked || f.Asset == "" {
		return locked
	}
	now := s.Clock.Now()
	called, err := s.hinted(ctx, f.Asset, now.Add(-time.Hour), now.Add(time.Hour))
	return err == nil && attribution.Running(f.Asset, called, now)
}
