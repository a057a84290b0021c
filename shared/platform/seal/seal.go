// Package seal encrypts small values in envelopes: a fresh AES-256-GCM data key per value, itself wrapped by a
// key that never leaves the key service (RFC 6238 section 5.1, NIST SP 800-63B-4 section 3.1.4.2).
//
// Every envelope is bound to a place (whose seed, which message): the binding is associated data of both layers,
// so an envelope copied to another place does not open. A DataKey seals many values of one place without asking
// the key service, hence inside a transaction. The package does not hide how long a value is, nor keep anybody
// who may write the store from putting back an older envelope of the same place.
package seal

import (
	"context"
	"io"

	"ostiary.internal/shared/platform/driver"
)

// Options are what every driver receives.
type Options struct {
	Random io.Reader // of nonces and new keys, where the driver makes them; nil is the system's source
}

// Drivers opens key services by URL: local:FILE, kms://projects/P/locations/L/keyRings/R/cryptoKeys/K.
var Drivers = driver.NewRegistry[Options, Keys]("seal")

// KeyBytes is the length of every data key: AES-256.
const KeyBytes = 32

// Keys wraps and unwraps data keys of 32 bytes. bound is associated data: an envelope moved to another place
// does not open. Errors: Invalid (the envelope does not open, now or ever), Denied, Transient, Misconfigured.
// It is safe for concurrent use.
type Keys interface {
	// Wrap returns the wrapped key and the version of the key that wrapped it.
	Wrap(ctx context.Context, dataKey, bound []byte) (wrapped []byte, version string, err error)
	Unwrap(ctx context.Context, wrapped, bound []byte) (dataKey []byte, err error)
	Close() error
}
