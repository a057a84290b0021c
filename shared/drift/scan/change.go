package scan

import (
	"context"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// change keeps an asset that was read by itself; what is older than what is kept changes nothing. told is when it became known that
// it changed, zero where it is as it was known: then it waits for no list, unless it did before.
func (s *Service) change(ctx context.Context, a asset.Asset, good, asked, told time.Time) error {
	chunks, unread, err := pack([]asset.Asset{a})
	if err != nil {
		return err
	}
	if len(unread) > 0 {
		s.Log.WarnContext(ctx, "what changed is too long to be kept", "type", a.Type)
		return nil
	}
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		c := change{V: version, At: asked.UnixMicro(), Key: a.Key, Type: a.Type, Read: newest(a), Good: good, Data: chunks[0], Expires: asked.Add(kept)}
		if !told.IsZero() {
			c.Told = told.UnixMicro()
		}
		var was change
		err := tx.Get(changes, digest(a.Key), &was)
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case err == nil && (was.Read.After(c.Read) || was.At > c.At):
			return nil
		case err == nil:
			c.Told = max(c.Told, was.Told)
		}
		return tx.Put(changes, digest(a.Key), c)
	})
}

// unread keeps that an asset changed and could not be read: what was known of it before says nothing of now.
func (s *Service) unread(ctx context.Context, kind, key string, why fault.Kind, asked time.Time) error {
	if why == "" {
		why = fault.Transient
	}
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		var c change
		err := tx.Get(changes, digest(key), &c)
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case err == nil && (c.At > asked.UnixMicro() || c.Failed != "" && asked.Sub(time.UnixMicro(c.At)) < mostWait):
			return nil // it was read meanwhile, or that is known already
		}
		c.V, c.Key, c.Type, c.Failed = version, key, kind, why
		c.At, c.Told, c.Expires = asked.UnixMicro(), asked.UnixMicro(), asked.Add(kept)
		return tx.Put(changes, digest(key), c)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.known != nil && s.known.behind[key] == nil {
		s.known.behind[key], s.known.news = &waiting{kind: kind, why: string(why)}, true
	}
	return err
}

// Changes is the Place.Place of what changed and was not read since: nobody can tell about it.
const Changes = "changes"

// waits are the lines that say so.
func (k *known) waits() (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(k.behind)) {
		if why := k.behind[key].why; why != "" && len(lines) < asset.MaxUnread {
			lines = append(lines, k.behind[key].kind+": "+key+": "+why)
		}
	}
	return lines
}

// alike reports whether an asset is as it was known, but for what changes by itself.
func alike(was, is asset.Asset) bool {
	bare := func(a asset.Asset) string {
		data := maps.Clone(a.Data)
		for _, field := range passing {
			delete(data, field)
		}
		if a.IAM == nil {
			return written(data)
		}
		return written(data) + written(sorted(a.IAM.Bindings)) + written(a.IAM.Audit)
	}
	return was.Deleted == is.Deleted && bare(was) == bare(is)
}

func sorted(all []asset.Binding) []asset.Binding {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b asset.Binding) int {
		if a.Role+" "+a.Condition < b.Role+" "+b.Condition {
			return -1
		}
		return 1
	})
	return all
}

// Bounds of one go of reading again what waits for it, and of how long one that cannot be read waits for the next try.
const (
	rereads   = time.Minute
	firstWait = time.Minute
	mostWait  = time.Hour
)

// reread reads what waits for it, so that the list does not undo it: until then nobody can tell about it. What could not be read is
// tried again, each time after twice the time: it holds up nothing else.
func (s *Service) reread(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rereads)
	defer cancel()
	s.mu.Lock()
	k, err := s.learn(ctx)
	due := map[string]waiting{}
	if err == nil {
		for key, one := range k.behind {
			if !one.due.After(s.Clock.Now()) {
				due[key] = *one
			}
		}
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(due), func(a, b string) int {
		if first := due[a].due.Compare(due[b].due); first != 0 || a == b {
			return first
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, key := range keys {
		if wait(ctx, s.Pause) != nil {
			return nil
		}
		if err := s.look(ctx, due[key].kind, key, false); err != nil {
			s.Log.WarnContext(ctx, "what changed could not be read again", "type", due[key].kind, "error", err)
		}
		s.later(key)
	}
	return nil
}

// later has what still waits wait for longer.
func (s *Service) later(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || s.known.behind[key] == nil {
		return
	}
	one := s.known.behind[key]
	one.wait = min(max(2*one.wait, firstWait), mostWait)
	one.due = s.Clock.Now().Add(one.wait)
}
