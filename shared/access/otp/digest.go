package otp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// The key of the digests by which a secret is recognised again: without it nobody can hold a list of secrets against the
// database. It is sealed like a secret.
const digestKeyID = "digest-key"

var digestBound = []byte("ostiary otp seed digest key")

type sealedKey struct {
	V        int            `json:"v"`
	Envelope *seal.Envelope `json:"envelope"`
}

// digestKey makes that key where there is none yet, to be stored by keepKey; nil where there is.
func (s *Service) digestKey(ctx context.Context) (*sealedKey, error) {
	var kept sealedKey
	err := s.Store.Get(ctx, Seeds, digestKeyID, &kept)
	if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	key, err := s.bytes(sha256.Size)
	if err != nil {
		return nil, err
	}
	defer seal.Wipe(key)
	envelope, err := seal.Seal(ctx, s.Keys, s.Random, key, digestBound)
	if err != nil {
		return nil, fmt.Errorf("making the key of the seed digests: %w", err)
	}
	return &sealedKey{V: Version, Envelope: &envelope}, nil
}

// keepKey stores a new key unless another one was quicker. It reads, and so stands before what the transaction writes.
func keepKey(tx store.Tx, fresh *sealedKey) error {
	if fresh == nil {
		return nil
	}
	err := tx.Get(Seeds, digestKeyID, &sealedKey{})
	if fault.Is(err, fault.NotFound) {
		return tx.Put(Seeds, digestKeyID, fresh)
	}
	return err
}

// digests returns what names a secret in Seeds.
func (s *Service) digests(ctx context.Context) (func(secret []byte) string, error) {
	var kept sealedKey
	if err := s.Store.Get(ctx, Seeds, digestKeyID, &kept); err != nil {
		return nil, err
	}
	key, err := seal.Open(ctx, s.Keys, *kept.Envelope, digestBound)
	if fault.Is(err, fault.Invalid) { // no fault of the caller's input
		return nil, fault.New(fault.Misconfigured, "opening the key of the seed digests: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the key of the seed digests: %w", err)
	}
	return func(secret []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write(secret)
		return strings.ToLower(base32NoPad.EncodeToString(mac.Sum(nil)[:20]))
	}, nil
}
