package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"io"

	"ostiary.internal/shared/platform/fault"
)

// Version is the shape of an Envelope: sealed is a nonce of 12 bytes followed by the AES-256-GCM ciphertext.
const Version = 1

// Limits of one envelope, in bytes. A sealed value of the largest size still fits a stored document.
const (
	MaxPlaintext = 512 << 10
	MaxBound     = 1 << 10
)

const nonceBytes = 12 // NIST SP 800-38D section 8.2.2: random nonces of 96 bits

// Envelope is a sealed value as it is stored. All of it may be seen by whoever may read the store.
type Envelope struct {
	V       int    `json:"v"`
	Wrapped []byte `json:"wrapped"` // the data key, wrapped
	Sealed  []byte `json:"sealed"`  // nonce and ciphertext
	Key     string `json:"key"`     // version of the wrapping key; says what to wrap again, and is not authenticated
}

// Seal seals plaintext under a data key of its own, bound to a place. Errors are those of Keys; Invalid for a
// plaintext or binding outside the limits, an empty binding included.
func Seal(ctx context.Context, keys Keys, random io.Reader, plaintext, bound []byte) (Envelope, error) {
	key, err := NewDataKey(ctx, keys, random, bound)
	if err != nil {
		return Envelope{}, err
	}
	return key.Seal(random, plaintext)
}

// Open returns the plaintext of an envelope sealed for the same place; wipe it after use. An envelope that was
// altered, moved, or is of an unknown shape is Invalid.
func Open(ctx context.Context, keys Keys, env Envelope, bound []byte) ([]byte, error) {
	if env.V != Version {
		return nil, fault.New(fault.Invalid, "opening an envelope of version %d: only %d is known", env.V, Version)
	}
	if len(env.Sealed) < nonceBytes {
		return nil, fault.New(fault.Invalid, "opening an envelope: it holds %d bytes", len(env.Sealed))
	}
	dataKey, err := unwrap(ctx, keys, env, bound)
	if err != nil {
		return nil, err
	}
	defer Wipe(dataKey)
	aead, err := newAEAD(dataKey)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, env.Sealed[:nonceBytes], env.Sealed[nonceBytes:], associated(bound))
	if err != nil {
		return nil, fault.New(fault.Invalid, "opening an envelope: %w", err)
	}
	return plaintext, nil
}

// Rewrap wraps an envelope's data key by the key service's present key; the sealed value is not touched. An
// envelope that the present key wrapped already comes back as it was.
func Rewrap(ctx context.Context, keys Keys, env Envelope, bound []byte) (Envelope, error) {
	if env.V != Version {
		return Envelope{}, fault.New(fault.Invalid, "wrapping an envelope of version %d again: only %d is known", env.V, Version)
	}
	dataKey, err := unwrap(ctx, keys, env, bound)
	if err != nil {
		return Envelope{}, err
	}
	defer Wipe(dataKey)
	wrapped, version, err := keys.Wrap(ctx, dataKey, bound)
	if err != nil {
		return Envelope{}, err
	}
	if version == env.Key {
		return env, nil
	}
	return Envelope{V: Version, Wrapped: wrapped, Sealed: env.Sealed, Key: version}, nil
}

// Wipe overwrites secret bytes. Copies the compiler or the collector made are out of Go's reach.
func Wipe(secret []byte) { clear(secret) }

func unwrap(ctx context.Context, keys Keys, env Envelope, bound []byte) ([]byte, error) {
	if err := checkBound(bound); err != nil {
		return nil, err
	}
	dataKey, err := keys.Unwrap(ctx, env.Wrapped, bound)
	if err != nil {
		return nil, err
	}
	if len(dataKey) != KeyBytes {
		Wipe(dataKey)
		return nil, fault.New(fault.Invalid, "unwrapping a data key: %d bytes instead of %d", len(dataKey), KeyBytes)
	}
	return dataKey, nil
}

func newAEAD(dataKey []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return nil, fault.New(fault.Invalid, "using a data key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "using AES-256-GCM: %w", err)
	}
	return aead, nil
}

// associated keeps the inner layer's associated data apart from every other use of the same key.
func associated(bound []byte) []byte { return append([]byte("ostiary envelope 1\x00"), bound...) }

func checkBound(bound []byte) error {
	if len(bound) == 0 || len(bound) > MaxBound {
		return fault.New(fault.Invalid, "binding an envelope: %d bytes of associated data, want 1 to %d", len(bound), MaxBound)
	}
	return nil
}
