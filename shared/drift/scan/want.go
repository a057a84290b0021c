package scan

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	all     diff.Desired
	byKey   map[string][]diff.Resource
	applied map[string][]diff.Resource // what was applied last, where plans tell it
	keys    []map[string]bool          // of assets each state is about
	types   map[string]bool            // of assets Terraform knows some of
	// addresses are those of what it wants.
	addresses map[string]bool
	names     int // projects that were known when keys were made
	salt      []byte
}

type state struct {
	version  string // "" before it was read once
	desired  diff.Desired
	read     time.Time // when it was what is known of it, last
	failed   string    // why it cannot be read now: a kind of fault, or diff.TooLong; "" where it can
	whole    bool      // it was read, and lately
	had      bool      // it had resources once
	locked   time.Time // since when its lock is held; zero where it is not
	applying bool      // it is, and not for so long that somebody left it behind
}

// StateEmpty is why a state is not believed that suddenly wants nothing: another was put in its place, or none.
const StateEmpty = "state_empty"

// Bounds of what Terraform wants.
const (
	looks      = 20 * time.Second // how often states are looked at, at most
	LockLasts  = time.Hour        // a lock that is held for longer was left behind: nothing is being applied
	StateLasts = time.Hour        // a state that could not be read for longer says nothing of now
	// StatesMost is how much of states is read, in bytes, all of them together: a change has two of one in memory, four times as
	// large there, beside what there is.
	StatesMost = 48 << 20
)

// whole reports whether everything that Terraform wants was read.
func (w *wanted) whole() bool {
	for _, one := range w.states {
		if !one.whole {
			return false
		}
	}
	return true
}

// applying reports whether something may be applied to an asset, "" for the company: its state is locked, or it is in none, and
// another may be making it.
func (w *wanted) applying(key string) bool {
	any, owned := false, false
	for i, one := range w.states {
		mine := i < len(w.keys) && w.keys[i][key]
		if mine && one.applying {
			return true
		}
		any, owned = any || one.applying, owned || mine
	}
	return any && !owned
}

// desire brings up to date what Terraform wants. A state that cannot be read stays as it was read last, for StateLasts. It is
// called with the lock.
func (s *Service) desire(ctx context.Context, k *known) error {
	w := &s.want
	if len(s.States) == 0 {
		return nil
	}
	now := s.Clock.Now()
	if w.states == nil {
		before, err := s.wantedStatus(ctx)
		if err != nil {
			return err
		}
		w.states = make([]state, len(s.States))
		for i := range w.states {
			at := slices.IndexFunc(before.States, func(was State) bool { return was.Name == s.nameOf(i) })
			if at >= 0 {
				w.states[i].had, w.states[i].locked = before.States[at].Resources > 0, before.States[at].Locked
			}
		}
	}
	changed := false
	if w.read.IsZero() || now.Sub(w.read) >= looks || now.Before(w.read) {
		for i, source := range s.States {
			was := w.states[i]
			other, err := w.states[i].look(ctx, source, now, w.room(i))
			if err != nil {
				s.Log.WarnContext(ctx, "what Terraform wants could not be read", "state", i+1, "error", err)
			}
			changed = changed || other
			k.news = k.news || was.whole != w.states[i].whole || was.failed != w.states[i].failed || was.applying != w.states[i].applying
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

// room is how many bytes of one state may be read beside the others.
func (w *wanted) room(which int) int64 {
	room := int64(StatesMost)
	for i, other := range w.states {
		if i != which {
			room -= other.desired.Size
		}
	}
	return max(room, 0)
}

// look reads a state where it is another than before, and says how much of it can be believed at a time.
func (o *state) look(ctx context.Context, from diff.Source, now time.Time, most int64) (changed bool, err error) {
	changed, err = o.open(ctx, from, most)
	if o.failed = ""; err == nil {
		o.read = now
	} else {
		o.failed = cmp.Or(fault.CodeOf(err), string(fault.KindOf(err)), string(fault.Transient))
	}
	o.whole = o.version != "" && now.Sub(o.read) <= StateLasts
	switch {
	case err == nil && !o.applying:
		o.locked = time.Time{}
	case err == nil && o.locked.IsZero():
		o.locked = now
	}
	o.applying = o.applying && o.whole && now.Sub(o.locked) <= LockLasts
	return changed, err
}

func (o *state) open(ctx context.Context, from diff.Source, most int64) (changed bool, err error) {
	is, err := from.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, is.Data.Close()) }()
	o.applying = is.Applying
	if o.version != "" && o.version == is.Version {
		return false, nil
	}
	desired, err := diff.ReadMost(is.Data, most)
	if err != nil {
		return false, err
	}
	if len(desired.Resources)+len(desired.Applied) == 0 && o.had {
		return false, &fault.Error{Kind: fault.Invalid, Code: StateEmpty, Err: fault.New(fault.Invalid, "reading a state: it has no resources, though it had some")}
	}
	o.had = o.had || len(desired.Resources) > 0
	o.desired, o.version = desired, is.Version
	return true, nil
}

func (w *wanted) join(names *asset.Names) {
	var each []diff.Desired
	w.keys = nil
	for _, one := range w.states {
		each = append(each, one.desired)
		mine := map[string]bool{}
		for key := range one.desired.Keyed(names) {
			mine[key] = key != ""
		}
		w.keys = append(w.keys, mine)
	}
	w.all, w.types = diff.Join(each...), map[string]bool{}
	w.applied = nil
	if w.all.Applied != nil {
		w.applied = diff.Desired{Resources: w.all.Applied}.Keyed(names)
	}
	w.byKey, w.addresses = w.all.Keyed(names), make(map[string]bool, len(w.all.Resources))
	for _, r := range w.all.Resources {
		w.addresses[r.Address] = true
	}
}

// secret are the paths of what Terraform calls sensitive of an asset, in what it wants and in what it applied last.
func (w *wanted) secret(key string) (all []string) {
	for _, r := range slices.Concat(w.byKey[key], w.applied[key]) {
		all = append(all, r.Secrets()...)
	}
	return all
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
