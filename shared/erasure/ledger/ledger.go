// Package ledger remembers who was erased without remembering who it was, so that a restored backup brings nobody back.
//
// It promises that an entry says nothing to whoever lacks the key (HMAC-SHA-256 over tenant, role and internal id), that no
// entry can be made or moved in time without it, that a key can be changed while entries of the old one still count, and
// that data made after somebody was erased is never taken for hers: a new account stands. The database of the ledger is
// one of its own, and in no backup: an older copy of it would have forgotten the newest. Addresses are no internal ids, as
// somebody else may have the same later.
//
// A deployment has one ledger, in its own region, for all regions its data map names: names under the key and times of
// erasures then leave the region the data was in. Where they may not, each region gets a deployment of its own, with a
// policy of the tenants there.
//
// It erases nothing itself: Replay says what has to be erased again, the engine does it.
package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Bounds.
const (
	LeastKey  = 32                  // bytes of a key's secret
	LeastKeep = 24 * time.Hour      // no backup is shorter
	Margin    = 30 * 24 * time.Hour // a restore of the last day of a backup takes its time
	maxID     = 1_500               // bytes of a tenant, a kind or an id
)

// Key is one version of the ledger's key.
type Key struct {
	Version string // as the secret store counts: up to 64 letters, digits and . _ -
	Secret  []byte // random, LeastKey bytes or more
}

// Subject is somebody by an internal id of hers, in the data of one role: who was erased from what a customer answers for,
// because he said so, may have an account of her own.
type Subject struct {
	Tenant string
	Role   datamap.Role // "" of a tenant as a whole, and of nobody else; datamap.Global of what is of no tenant, erased for whom this one has
	Kind   string       // of identifier in the data map
	ID     string       // as the product has it; never an address
}

const entries = "suppressions"

// Collection is what the ledger keeps, in a database of its own.
func Collection() store.Collection {
	return store.Collection{Name: entries, Expires: true, Indexes: []store.Index{{"key"}}}
}

// entry is one erased subject. Its id is the name of the subject under the key.
type entry struct {
	V       int       `json:"v"`
	Key     string    `json:"key"`             // version
	Deleted int64     `json:"deleted"`         // microseconds since 1970
	Whole   bool      `json:"whole,omitempty"` // it is a tenant, all of it
	Seal    string    `json:"seal"`            // over the name, Deleted and Whole
	Expires time.Time `json:"expires"`
}

const version = 2

// Ledger is the ledger of one deployment. It is safe for concurrent use.
type Ledger struct {
	store store.Store
	keep  time.Duration
	keys  []Key
}

var versionForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// New returns the ledger in a store. keep is how long the longest backup of the data map is kept; entries stay for Margin
// longer, also those made before keep became shorter; where it became longer, Lengthen is for those made before. The first key is
// the one new entries are made with; all are looked up. No key, one that is too short and a
// version twice are Misconfigured, as is a shorter time than LeastKeep.
func New(s store.Store, keep time.Duration, keys ...Key) (*Ledger, error) {
	if len(keys) == 0 || keep < LeastKeep {
		return nil, fault.New(fault.Misconfigured, "opening the ledger: it takes a key, and keeps entries for %s at least", LeastKeep)
	}
	for i, k := range keys {
		twice := slices.ContainsFunc(keys[:i], func(o Key) bool { return o.Version == k.Version })
		if len(k.Secret) < LeastKey || !versionForm.MatchString(k.Version) || twice {
			return nil, fault.New(fault.Misconfigured, "opening the ledger: key %d has fewer than %d bytes, or a version that is malformed or there twice", i+1, LeastKey)
		}
	}
	return &Ledger{store: s, keep: keep, keys: slices.Clone(keys)}, nil
}

// Add puts on record that somebody was erased: whatever of hers was made before deleted must not come back. To say it
// again, or later, does no harm; the latest time counts. Errors: Invalid (an empty id, an address, no time),
// Misconfigured (the entry there is was altered), those of the store. After an error it is not known whether it was
// added: an erasure is not done before Add returned nil.
func (l *Ledger) Add(ctx context.Context, s Subject, deleted time.Time) error {
	if err := s.check(); err != nil {
		return err
	}
	if deleted.Year() < 2018 || deleted.Year() > 9999 {
		return fault.New(fault.Invalid, "adding to the ledger: the time of the erasing is missing")
	}
	k := l.keys[0]
	name, at := k.name(s), deleted.UnixMicro()
	fresh := entry{V: version, Key: k.Version, Deleted: at, Whole: s.Kind == Whole && s.Role == ""}
	fresh.Expires = fresh.until(l.keep)
	fresh.Seal = k.seal(name, fresh)
	return l.store.Tx(ctx, func(tx store.Tx) error {
		var old entry
		switch err := tx.Get(entries, name, &old); {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return err
		default:
			if err := k.check(name, old); err != nil {
				return err
			}
			if old.Deleted >= at {
				return nil
			}
		}
		return tx.Put(entries, name, fresh)
	})
}

// Match reports whether data of somebody that was made at a time was erased: there is an entry, under any of the keys,
// and the data is older than it says. Errors: Invalid (no id; no time: what cannot be told is for Replay), Misconfigured
// (an entry was altered), those of the store.
func (l *Ledger) Match(ctx context.Context, s Subject, created time.Time) (bool, error) {
	if err := s.check(); err != nil {
		return false, err
	}
	if created.IsZero() {
		return false, fault.New(fault.Invalid, "looking up in the ledger: when the data was made is not known")
	}
	for _, k := range l.keys {
		var e entry
		name := k.name(s)
		switch err := l.store.Get(ctx, entries, name, &e); {
		case fault.Is(err, fault.NotFound):
			continue
		case err != nil:
			return false, err
		}
		if err := k.check(name, e); err != nil {
			return false, err
		}
		if created.Before(time.UnixMicro(e.Deleted)) {
			return true, nil
		}
	}
	return false, nil
}

// InUse reports whether entries of a version of the key still count. As long as they do the key is kept: without it they
// say nothing.
func (l *Ledger) InUse(ctx context.Context, version string) (bool, error) {
	found, err := l.store.Query(ctx, store.Query{Collection: entries, Equal: []store.Field{{Name: "key", Value: version}}, Limit: 1})
	return len(found) > 0, err
}

// Names returns what somebody is called in the ledger, under each of the keys: what a program of the company's own may say of her
// in a message without naming her. Errors: Invalid (no id, an address).
func (l *Ledger) Names(s Subject) ([]string, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var names []string
	for _, k := range l.keys {
		names = append(names, k.name(s))
	}
	return names, nil
}

func (s Subject) check() error {
	for _, part := range []string{s.Tenant, s.Kind, s.ID} {
		if part == "" || len(part) > maxID {
			return fault.New(fault.Invalid, "using the ledger: tenant, kind or id has no or more than %d bytes", maxID)
		}
	}
	if whole := s.Kind == Whole && s.Role == ""; !whole && !slices.Contains([]datamap.Role{datamap.Controller, datamap.Processor, datamap.Global}, s.Role) {
		return fault.New(fault.Invalid, "using the ledger: in whose data is not said")
	}
	if strings.Contains(s.ID, "@") {
		return fault.New(fault.Invalid, "using the ledger: an address is no internal id, somebody else may have it later")
	}
	return nil
}

// name is what a subject is called under the key: 256 bits in 52 letters and digits.
func (k Key) name(s Subject) string {
	return k.mac("subject", s.Tenant, string(s.Role), s.Kind, s.ID)
}

// seal ties the time of an entry to its name, and what it is an entry of.
func (k Key) seal(name string, e entry) string {
	parts := []string{"entry", name, string(binary.BigEndian.AppendUint64(nil, uint64(e.Deleted)))}
	if e.Whole {
		parts = append(parts, Whole)
	}
	return k.mac(parts...)
}

// mac hashes each part behind its length, so that no two lists of parts look alike.
func (k Key) mac(parts ...string) string {
	h := hmac.New(sha256.New, k.Secret)
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)))
}

// check refuses an entry that was not made with the key, under that name and for that time.
func (k Key) check(name string, e entry) error {
	if e.V != version || e.Key != k.Version || !hmac.Equal([]byte(e.Seal), []byte(k.seal(name, e))) {
		return fault.New(fault.Misconfigured, "reading the ledger: an entry of key version %s was altered", k.Version)
	}
	return nil
}
