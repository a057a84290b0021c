package scan

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// wanted is what Terraform wants, as one process read it.
type wanted struct {
	read    time.Time // when the states were looked at
	states  []state   // as Config.States
	version string    // of all of them together
	all     diff.Desired
	byKey   map[string][]diff.Resource
	types   map[string]bool // of assets Terraform knows some of
	names   int             // projects that were known when keys were made
	salt    []byte
}

type state struct {
	version  string
	desired  diff.Desired
	whole    bool // it was read
	applying bool
}

// looks is how often states are looked at, at most.
const looks = 20 * time.Second

// whole reports whether everything that Terraform wants was read.
func (w *wanted) whole() bool {
	for _, one := range w.states {
		if !one.whole {
			return false
		}
	}
	return true
}

// applying reports whether something is being applied anywhere.
func (w *wanted) applying() bool {
	for _, one := range w.states {
		if one.applying {
			return true
		}
	}
	return false
}

// desire brings up to date what Terraform wants. A state that cannot be read stays as it was read last. It is called with the
// lock.
func (s *Service) desire(ctx context.Context, k *known) error {
	w := &s.want
	if len(s.States) == 0 {
		return nil
	}
	now := s.Clock.Now()
	if w.states == nil {
		w.states = make([]state, len(s.States))
	}
	changed := false
	if w.read.IsZero() || now.Sub(w.read) >= looks || now.Before(w.read) {
		for i, source := range s.States {
			other, err := w.states[i].look(ctx, source)
			if err != nil {
				s.Log.WarnContext(ctx, "what Terraform wants could not be read", "state", i+1, "error", err)
			}
			changed = changed || other
		}
		w.read = now
	}
	if err := s.salted(ctx); err != nil {
		return err
	}
	if known := len(k.live.Names().Projects()); changed || w.byKey == nil || known != w.names {
		w.join(k.live.Names())
		w.names, k.news = known, true
	}
	return nil
}

// look reads a state where it is another than before.
func (o *state) look(ctx context.Context, from diff.Source) (changed bool, err error) {
	now, err := from.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, now.Data.Close()) }()
	o.applying = now.Applying
	if o.whole && o.version == now.Version {
		return false, nil
	}
	desired, err := diff.Read(now.Data)
	if err != nil {
		return false, err
	}
	o.desired, o.version, o.whole = desired, now.Version, true
	return true, nil
}

func (w *wanted) join(names *asset.Names) {
	w.all, w.types = diff.Desired{Other: map[string]int{}}, map[string]bool{}
	for _, one := range w.states {
		w.all.Resources = append(w.all.Resources, one.desired.Resources...)
		for provider, n := range one.desired.Other {
			w.all.Other[provider] += n
		}
	}
	w.byKey = w.all.Keyed(names)
}

// salted reads the salt of digests, or makes it: the same value has the same digest tomorrow.
func (s *Service) salted(ctx context.Context) error {
	if s.want.salt != nil {
		return nil
	}
	fresh := make([]byte, 32)
	if _, err := s.Random.Read(fresh); err != nil {
		return fault.New(fault.Transient, "making a salt: %w", err)
	}
	type salt struct {
		V    int    `json:"v"`
		Salt []byte `json:"salt"`
	}
	var kept salt
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		kept = salt{}
		if err := tx.Get(scans, "salt", &kept); err == nil || !fault.Is(err, fault.NotFound) {
			return err
		}
		kept = salt{version, fresh}
		return tx.Create(scans, "salt", kept)
	})
	if err == nil {
		s.want.salt = kept.Salt
	}
	return err
}
