package scan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Names are the projects that are known by now, to read messages with.
func (s *Service) Names(ctx context.Context) (*asset.Names, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.learn(ctx)
	if err != nil {
		return nil, err
	}
	names := asset.NewNames() // messages are read without the lock
	for _, number := range k.live.Names().Projects() {
		names.Learn(number, k.live.Names().ID(number))
	}
	return names, nil
}

// Look reads an asset from its service, since somebody said that it changed, and says what is out of order about it now. kind may
// be "" where nobody knows it. What cannot be read is nothing anybody can tell; an error means to look again later.
func (s *Service) Look(ctx context.Context, kind, key string) error {
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
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Denied, fault.Misconfigured:
		s.Log.WarnContext(ctx, "what changed could not be read", "type", kind, "error", err)
		return s.Findings.Lost(ctx, key, now, now)
	}
	if err != nil {
		return fmt.Errorf("reading what changed: %w", err)
	}
	return s.take(ctx, a, now)
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
	if err := s.Findings.Out(ctx, s.applied(v.seen, attribution.Running(key, called, now)), now); err != nil {
		return err
	}
	// Where Terraform's word on it is not known, what is healed is found when everything is judged.
	if len(v.dark) == 0 {
		if err := s.Findings.In(ctx, key, slices.Sorted(maps.Keys(v.still())), asked, now); err != nil {
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
		err = s.desire(ctx, k)
	}
	if err != nil {
		return nil, "", err
	}
	_, a.Key = k.named(a.Type, a.Key, s.listed)
	good := k.good[a.Key]
	if was, there := k.live.Get(a.Type, a.Key); there && len(s.one(k, was).seen) == 0 {
		good = newest(*was)
	}
	if err := s.change(ctx, a, good, asked); err != nil {
		return nil, "", err
	}
	k.add(a, good)
	k.news = true
	is, there := k.live.Get(a.Type, a.Key)
	if !there {
		return nil, a.Key, nil
	}
	v := s.one(k, is)
	// A look at everything that began before it was kept does not know of it, though it was asked for before that look.
	stored := s.Clock.Now().UTC()
	for i := range v.seen {
		v.seen[i].Read = stored
	}
	return v, a.Key, nil
}

// change keeps an asset that was read by itself; what is older than what is kept changes nothing.
func (s *Service) change(ctx context.Context, a asset.Asset, good, asked time.Time) error {
	chunks, unread, err := pack([]asset.Asset{a})
	if err != nil {
		return err
	}
	if len(unread) > 0 {
		s.Log.WarnContext(ctx, "what changed is too long to be kept", "type", a.Type)
		return nil
	}
	c := change{V: version, At: asked.UnixMicro(), Read: newest(a), Good: good, Data: chunks[0], Expires: asked.Add(kept)}
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		var was change
		err := tx.Get(changes, digest(a.Key), &was)
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case err == nil && (was.Read.After(c.Read) || was.At > c.At):
			return nil
		}
		return tx.Put(changes, digest(a.Key), c)
	})
}

// rereads bounds one go of reading again.
const rereads = time.Minute

// reread reads anew what was read by itself in the days by which the list may be behind, so that the list does not undo it: until
// then nobody can tell about it. What was read again is kept at its new time, so that each is read once.
func (s *Service) reread(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rereads)
	defer cancel()
	s.mu.Lock()
	k, err := s.learn(ctx)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	began := k.head.WholeBegan
	q := store.Query{Collection: changes, Range: &store.Range{Name: "at", From: began.Add(-Lag).UnixMicro(), To: began.UnixMicro()}, Limit: 100}
	for {
		docs, err := s.Store.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, d := range docs {
			var c change
			if err := d.Decode(&c); err != nil {
				return err
			}
			q.After = &store.Cursor{Value: c.At, ID: d.ID}
			if err := unpack(c.Data, func(a asset.Asset) {
				if wait(ctx, s.Pause) != nil {
					return
				}
				if err := s.Look(ctx, a.Type, a.Key); err != nil {
					s.Log.WarnContext(ctx, "what was read by itself could not be read again", "type", a.Type, "error", err)
				}
			}); err != nil {
				return err
			}
		}
		if len(docs) < q.Limit || ctx.Err() != nil {
			return nil
		}
	}
}

// applied says of what was found that something is being applied: Terraform holds its lock, or an operation has not ended.
func (s *Service) applied(all []finding.Seen, running bool) []finding.Seen {
	s.mu.Lock()
	locked := s.want.applying()
	s.mu.Unlock()
	for i := range all {
		all[i].Applying = locked || running
	}
	return all
}

// Applying reports whether something is being applied to what a finding is about.
func (s *Service) Applying(ctx context.Context, f finding.Finding) bool {
	s.mu.Lock()
	locked := s.want.applying()
	s.mu.Unlock()
	if locked || f.Asset == "" {
		return locked
	}
	now := s.Clock.Now()
	called, err := s.hinted(ctx, f.Asset, now.Add(-time.Hour), now.Add(time.Hour))
	return err == nil && attribution.Running(f.Asset, called, now)
}
