package otp

import (
	"context"
	"fmt"
	"strconv"

	"golang.org/x/sync/errgroup"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// ErrStale says that a ring does not hold what the account now needs: somebody bound, replaced or sealed again in
// between. Its kind is Conflict; unlock again, once.
var ErrStale = fault.New(fault.Conflict, "the account's authenticators changed since they were unlocked")

// Ring holds the unwrapped secrets of one account for the length of one request. It is not safe for concurrent
// use. Wipe it.
type Ring struct {
	keys map[string]unlocked
}

type unlocked struct {
	seal int
	wrap string // version of the wrapping key
	key  *Key
}

// Wipe overwrites the secrets. Copies that the collector made are out of Go's reach.
func (r *Ring) Wipe() {
	if r == nil {
		return
	}
	for _, u := range r.keys {
		u.key.Wipe()
	}
	r.keys = nil
}

// key returns the secret of an authenticator as it is sealed now, or ErrStale.
func (r *Ring) key(a Authenticator) (*Key, error) {
	if r == nil {
		return nil, ErrStale
	}
	if u, ok := r.keys[a.ID]; ok && u.seal == a.Seal {
		return u.key, nil
	}
	return nil, ErrStale
}

func (r *Ring) wrap(id string) string {
	if r == nil {
		return ""
	}
	return r.keys[id].wrap
}

// binding is the associated data of a secret's envelope: it opens for this person, this authenticator and this
// sealing only. Lengths go first, so that no two places share a binding.
func binding(person, authenticator string, sealing int) []byte {
	b := []byte("ostiary otp secret\x00")
	b = strconv.AppendInt(b, int64(len(person)), 10)
	b = append(append(append(b, ':'), person...), authenticator...)
	return strconv.AppendInt(append(b, '\x00'), int64(sealing), 10)
}

// Unlock reads a person's account and unwraps the secrets of the active authenticators. Call it before the
// transaction, for the key service is slow. NotFound: the person has no account.
func (s *Service) Unlock(ctx context.Context, person string) (*Ring, error) {
	acc, err := s.read(ctx, person)
	if err != nil {
		return nil, err
	}
	return s.unlock(ctx, acc, func(a Authenticator) bool { return a.State == Active })
}

// unlock unwraps the chosen authenticators side by side: each is one call to the key service.
func (s *Service) unlock(ctx context.Context, acc Account, chosen func(Authenticator) bool) (*Ring, error) {
	found := make([]unlocked, len(acc.Authenticators))
	group, ctx := errgroup.WithContext(ctx)
	for i, a := range acc.Authenticators {
		if a.Envelope == nil || !chosen(a) {
			continue
		}
		group.Go(func() error {
			secret, err := seal.Open(ctx, s.Keys, *a.Envelope, binding(acc.Person, a.ID, a.Seal))
			if fault.Is(err, fault.Invalid) { // no fault of the caller's input: somebody must look at the key
				return fault.New(fault.Misconfigured, "unwrapping authenticator %s: %w", a.ID, err)
			}
			if err != nil {
				return fmt.Errorf("unwrapping authenticator %s: %w", a.ID, err)
			}
			defer seal.Wipe(secret)
			key := NewKey(a.Algorithm, secret, a.Digits)
			if key == nil {
				return fault.New(fault.Misconfigured, "using authenticator %s: algorithm %q with %d digits", a.ID, a.Algorithm, a.Digits)
			}
			found[i] = unlocked{a.Seal, a.Envelope.Key, key}
			return nil
		})
	}
	err := group.Wait()
	ring := &Ring{keys: map[string]unlocked{}}
	for i, u := range found {
		if u.key != nil {
			ring.keys[acc.Authenticators[i].ID] = u
		}
	}
	if err != nil {
		ring.Wipe()
		return nil, err
	}
	return ring, nil
}
