package seal

import (
	"bytes"
	"context"
	"crypto/cipher"
	"io"
	"sync"

	"ostiary.internal/shared/platform/fault"
)

// MaxSealings is how often one data key seals. With random nonces of 96 bits the chance that two of them meet
// then stays below 2^-57, far under the 2^-32 of NIST SP 800-38D section 8.3.
const MaxSealings = 1 << 20

// DataKey seals values of one place without asking the key service. It is safe for concurrent use.
type DataKey struct {
	mu       sync.Mutex
	aead     cipher.AEAD
	bound    []byte
	wrapped  []byte
	version  string
	sealings int
}

// NewDataKey makes a data key from random bytes and has it wrapped. Errors are those of Keys; Invalid for a
// binding outside the limits, Transient when random gives nothing.
func NewDataKey(ctx context.Context, keys Keys, random io.Reader, bound []byte) (*DataKey, error) {
	if err := checkBound(bound); err != nil {
		return nil, err
	}
	plain := make([]byte, KeyBytes)
	defer Wipe(plain)
	if _, err := io.ReadFull(random, plain); err != nil {
		return nil, fault.New(fault.Transient, "making a data key: %w", err)
	}
	wrapped, version, err := keys.Wrap(ctx, plain, bound)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(plain)
	if err != nil {
		return nil, err
	}
	return &DataKey{aead: aead, bound: bytes.Clone(bound), wrapped: wrapped, version: version}, nil
}

// Seal seals plaintext, with a nonce of its own and without any I/O but the read of 12 random bytes. It is Invalid
// above MaxPlaintext and Exhausted after MaxSealings: make a new key.
func (k *DataKey) Seal(random io.Reader, plaintext []byte) (Envelope, error) {
	if len(plaintext) > MaxPlaintext {
		return Envelope{}, fault.New(fault.Invalid, "sealing %d bytes: the limit is %d", len(plaintext), MaxPlaintext)
	}
	if !k.take() {
		return Envelope{}, fault.New(fault.Exhausted, "sealing: the data key sealed %d values already", MaxSealings)
	}
	nonce := make([]byte, nonceBytes, nonceBytes+len(plaintext)+k.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return Envelope{}, fault.New(fault.Transient, "making a nonce: %w", err)
	}
	sealed := k.aead.Seal(nonce, nonce, plaintext, associated(k.bound))
	return Envelope{V: Version, Wrapped: bytes.Clone(k.wrapped), Sealed: sealed, Key: k.version}, nil
}

func (k *DataKey) take() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sealings >= MaxSealings {
		return false
	}
	k.sealings++
	return true
}

func (k *DataKey) spent() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sealings >= MaxSealings
}
