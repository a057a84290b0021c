package otp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Rewrap seals a person's secrets again under the key service's present key, with new data keys, and returns how
// many it moved; those under the present key already stay. It may be repeated and may run beside checks: a check
// that unlocked before unlocks again. Errors are those of the store and the key service.
func (s *Service) Rewrap(ctx context.Context, person string, meta Meta, now time.Time) (moved int, err error) {
	acc, err := s.read(ctx, person)
	if err != nil {
		return 0, err
	}
	var sealed []Authenticator
	for _, a := range acc.Authenticators {
		before := a.Envelope.Key
		secret, err := seal.Open(ctx, s.Keys, *a.Envelope, binding(person, a.ID, a.Seal))
		if err != nil {
			return 0, fmt.Errorf("unwrapping authenticator %s: %w", a.ID, err)
		}
		err = s.sealInto(ctx, &a, person, secret)
		seal.Wipe(secret)
		if err != nil {
			return 0, err
		}
		if a.Envelope.Key != before {
			sealed = append(sealed, a)
		}
	}
	if len(sealed) == 0 {
		return 0, nil
	}
	err = s.change(ctx, person, nil, meta, now, Rewrapped, func(e *edit) error {
		moved = 0
		for _, a := range sealed {
			if i := e.acc.at(a.ID); i >= 0 && e.acc.Authenticators[i].Seal == a.Seal-1 {
				e.acc.Authenticators[i].Seal, e.acc.Authenticators[i].Envelope = a.Seal, a.Envelope
				moved++
			}
		}
		return e.saved("")
	})
	return moved, err
}

// RewrapAll is Rewrap for everybody, and for the hardware tokens in stock. One account, or one import of tokens, that fails does
// not stop the others; the errors are joined.
func (s *Service) RewrapAll(ctx context.Context, meta Meta, now time.Time) (moved int, err error) {
	var failed []error
	for person, err := range s.People(ctx) {
		if err != nil {
			return moved, errors.Join(append(failed, err)...)
		}
		n, err := s.Rewrap(ctx, person, meta, now)
		if err != nil {
			failed = append(failed, err)
		}
		moved += n
	}
	n, err := s.rewrapStock(ctx)
	return moved + n, errors.Join(append(failed, err)...)
}

// People yields the ids of all who have an account, by id; an error ends it.
func (s *Service) People(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for document, err := range s.documents(ctx) {
			if !yield(document.ID, err) {
				return
			}
		}
	}
}

// accounts yields all accounts, by id; an error ends it.
func (s *Service) accounts(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		for document, err := range s.documents(ctx) {
			var acc Account
			if err == nil {
				err = document.Decode(&acc)
			}
			if !yield(acc, err) || err != nil {
				return
			}
		}
	}
}

// documents yields the stored accounts, page by page.
func (s *Service) documents(ctx context.Context) iter.Seq2[store.Document, error] {
	return func(yield func(store.Document, error) bool) {
		var after *store.Cursor
		for {
			page, err := s.Store.Query(ctx, store.Query{Collection: Accounts, After: after, Limit: store.MaxQueryResults})
			if err != nil {
				yield(store.Document{}, err)
				return
			}
			for document := range slices.Values(page) {
				if !yield(document, nil) {
					return
				}
			}
			if len(page) < store.MaxQueryResults {
				return
			}
			after = &store.Cursor{ID: page[len(page)-1].ID}
		}
	}
}
