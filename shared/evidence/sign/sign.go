// Package sign signs checkpoints of the evidence log, and says whose signatures count.
package sign

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Signer holds one Ed25519 key for signed notes (C2SP signed-note, algorithm 0x01). It is safe for concurrent use.
type Signer interface {
	// Name is the key's name, without spaces and plus signs: the origin of the log it signs.
	Name() string
	// Verifier is the verifier key in text form, "NAME+HASH+KEY". Transient or Misconfigured when it cannot be had.
	Verifier(ctx context.Context) (string, error)
	// Sign returns the 64 bytes of a signature over the note's text. Errors as of Verifier.
	Sign(ctx context.Context, text []byte) ([]byte, error)
	Close() error
}

// Options are what every driver receives.
type Options struct {
	Clock clock.Clock
	Wait  time.Duration // the longest a call may take; 0 for the driver's own
}

// Signers opens signing keys by URL: file:PATH?name=NAME, gcpkms://projects/.../cryptoKeyVersions/1?name=NAME.
var Signers = driver.NewRegistry[Options, Signer]("signing key")
