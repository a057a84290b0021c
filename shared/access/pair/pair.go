// Package pair lets a second address in on the strength of one code: the address of the other family that a device has
// beside the one it registered, and the address of a device on which no code is typed.
//
// It promises that what it hands out is good once, for minutes, for one person and one purpose; that neither a token nor
// a code lies in the store, nor anything from which they could be computed without the key; and that nothing is let in
// that the registration of a code did not let in. It decides nothing about addresses: package lease does.
package pair

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Names of the collections.
const (
	pairings = "pairings"
	devices  = "devices"
)

// Collection declares the tickets of other families, and the codes of other devices.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: pairings, Expires: true, Indexes: []store.Index{{"person", "until"}}},
		{Name: devices, Expires: true, Indexes: []store.Index{{"person", "until"}}},
	}
}

// Config is what a Service needs. Store and Leases must be of the same database.
type Config struct {
	Store  store.Store
	Leases *lease.Service
	// Key makes tokens and codes from what is stored, at least 32 bytes; Redeem alone needs none.
	Key    []byte
	Random io.Reader
}

// Service keeps tickets and codes. It is safe for concurrent use.
type Service struct{ Config }

// leastKey is the least length of the key in bytes: as strong as the hash.
const leastKey = 32

// New returns a Service, or Misconfigured when a part is missing or the key is short.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Leases == nil {
		return nil, fault.New(fault.Misconfigured, "pairing: store and leases are both needed")
	}
	if c.Key != nil && (len(c.Key) < leastKey || c.Random == nil) {
		return nil, fault.New(fault.Misconfigured, "pairing: a key of %d bytes; at least %d and a source of random bytes are needed", len(c.Key), leastKey)
	}
	return &Service{c}, nil
}

// secret is what the key makes of stored random bytes, for one purpose: 256 bits.
func (s *Service) secret(purpose, nonce string) ([]byte, error) {
	if s.Key == nil {
		return nil, fault.New(fault.Misconfigured, "pairing: %ss are made with a key, and there is none", purpose)
	}
	h := hmac.New(sha256.New, s.Key)
	fmt.Fprintf(h, "ostiary pair v1 %s %d:%s", purpose, len(nonce), nonce)
	return h.Sum(nil), nil
}

// nonce is 128 random bits.
func (s *Service) nonce() (string, error) {
	var b [16]byte
	if s.Random == nil {
		return "", fault.New(fault.Misconfigured, "pairing: there is no source of random bytes")
	}
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fault.New(fault.Transient, "pairing: reading random bytes: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// open returns what a person has in a collection that is good after now.
func open[T any](query func(store.Query) ([]store.Document, error), collection, person string, now time.Time) ([]T, error) {
	found, err := store.Find[T](query(store.Query{Collection: collection, Equal: []store.Field{{Name: "person", Value: person}},
		Range: &store.Range{Name: "until", From: now.UnixMicro() + 1}, Limit: store.MaxQueryResults}))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", collection, err)
	}
	return found, nil
}

func (s *Service) query(ctx context.Context) func(store.Query) ([]store.Document, error) {
	return func(q store.Query) ([]store.Document, error) { return s.Store.Query(ctx, q) }
}
