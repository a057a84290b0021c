// Package people is the directory of local mode: everybody in the policy's people.yaml has an account, not
// suspended and with 2-step verification on, until Change says otherwise. Changes are kept in a store and outlive
// the process. It reads the store at each look-up and keeps no copies of what is there.
package people

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/store"
)

const collection = "directory"

// Collection is what the directory keeps: one document per changed account, under its address.
func Collection() store.Collection { return store.Collection{Name: collection} }

func init() { directory.Drivers.Register("policy", open) }

func open(_ context.Context, u *url.URL, o directory.Options) (directory.Directory, error) {
	if u.Opaque != "" || u.Host != "" || u.Path != "" || u.RawQuery != "" {
		return nil, fault.New(fault.Misconfigured, "opening directory policy: the URL is policy: and no more")
	}
	return New(o)
}

// Change is something that happens to an account.
type Change string

const (
	Suspend    Change = "suspend"
	Unsuspend  Change = "unsuspend"
	TwoStepOff Change = "two_step_off"
	TwoStepOn  Change = "two_step_on"
	Remove     Change = "remove" // the account is gone; its other marks are kept
	Restore    Change = "restore"
)

// Changes are all changes there are.
func Changes() []Change { return []Change{Suspend, Unsuspend, TwoStepOff, TwoStepOn, Remove, Restore} }

// marks are what changes left on an account. The zero value is the account as the policy has it.
type marks struct {
	V          int  `json:"v"`
	Suspended  bool `json:"suspended"`
	TwoStepOff bool `json:"two_step_off"`
	Removed    bool `json:"removed"`
}

func (m *marks) apply(c Change) {
	switch c {
	case Suspend, Unsuspend:
		m.Suspended = c == Suspend
	case TwoStepOff, TwoStepOn:
		m.TwoStepOff = c == TwoStepOff
	case Remove, Restore:
		m.Removed = c == Remove
	}
}

// State is one account as List shows it.
type State struct {
	Email     string `json:"email"`
	Suspended bool   `json:"suspended"`
	TwoStep   bool   `json:"two_step"`
	Removed   bool   `json:"removed"`
}

// Directory is the policy's people. It is safe for concurrent use.
type Directory struct {
	clock  clock.Clock
	people func(ctx context.Context) ([]string, error)
	store  store.Store

	mu     sync.Mutex
	listed []string        // the policy's people, as they were last read
	known  map[string]bool // their clean addresses
}

// New returns the directory of o.People, with changes in o.Store. A missing option is Misconfigured.
func New(o directory.Options) (*Directory, error) {
	if o.Clock == nil || o.People == nil || o.Store == nil {
		return nil, fault.New(fault.Misconfigured, "opening directory policy: it needs a clock, the policy's people and a store")
	}
	return &Directory{clock: o.Clock, people: o.People, store: o.Store}, nil
}

// Lookup implements directory.Directory; every read is fresh.
func (d *Directory) Lookup(ctx context.Context, email string, _ time.Duration) (directory.Account, error) {
	read := d.clock.Now()
	address, err := d.find(ctx, email)
	if err != nil {
		return directory.Account{}, err
	}
	var m marks
	if err := ignoreAbsent(d.store.Get(ctx, collection, address, &m)); err != nil {
		return directory.Account{}, err
	}
	if m.Removed {
		return directory.Account{}, absent()
	}
	return directory.Account{Email: address, Suspended: m.Suspended, TwoStep: !m.TwoStepOff, Read: read}, nil
}

// Change changes an account, removed ones included; the same change again changes nothing. Errors: NotFound (not
// in the policy), Invalid (no such change), and those of the store.
func (d *Directory) Change(ctx context.Context, email string, c Change) error {
	if !slices.Contains(Changes(), c) {
		return fault.New(fault.Invalid, "changing an account: unknown change %q; allowed: %q", c, Changes())
	}
	address, err := d.find(ctx, email)
	if err != nil {
		return err
	}
	return d.store.Tx(ctx, func(tx store.Tx) error {
		var before marks
		if err := ignoreAbsent(tx.Get(collection, address, &before)); err != nil {
			return err
		}
		after := before
		after.V = 1
		after.apply(c)
		if before.V != 0 && after == before {
			return nil
		}
		return tx.Put(collection, address, after)
	})
}

// List returns every account of the policy in its order, removed ones included.
func (d *Directory) List(ctx context.Context) ([]State, error) {
	people, err := d.people(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]State, 0, len(people))
	for _, person := range people {
		address, err := identity.Address(person)
		if err != nil {
			continue // nobody can sign in under it; the policy's own lint names it
		}
		var m marks
		if err := ignoreAbsent(d.store.Get(ctx, collection, address, &m)); err != nil {
			return nil, err
		}
		states = append(states, State{Email: address, Suspended: m.Suspended, TwoStep: !m.TwoStepOff, Removed: m.Removed})
	}
	return states, nil
}

// Close does nothing: the store is its owner's to close.
func (d *Directory) Close() error { return nil }

// find returns the clean address of somebody in the policy, or NotFound.
func (d *Directory) find(ctx context.Context, email string) (string, error) {
	address, err := identity.Address(email)
	if err != nil {
		return "", absent()
	}
	people, err := d.people(ctx)
	if err != nil {
		return "", err
	}
	if !d.addresses(people)[address] {
		return "", absent()
	}
	return address, nil
}

// addresses are the clean addresses of people. They are worked out once for each list: every request asks for one.
func (d *Directory) addresses(people []string) map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known != nil && slices.Equal(d.listed, people) {
		return d.known
	}
	d.listed, d.known = slices.Clone(people), make(map[string]bool, len(people))
	for _, person := range people {
		if clean, err := identity.Address(person); err == nil {
			d.known[clean] = true
		}
	}
	return d.known
}

func absent() error {
	return fault.New(fault.NotFound, "looking up an account: the policy has no such person")
}

func ignoreAbsent(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
