package message

import (
	"context"
	"crypto/tls"
	"time"
)

// How the way to the peer was protected. Every channel checks whom it speaks to by the certificate's name.
const (
	TLS12 = "tls1.2"
	TLS13 = "tls1.3"
	Plain = "plain" // no TLS: to this machine alone
)

// Wire is what a channel saw of one try beside its outcome. Each field is empty where it saw none.
type Wire struct {
	TLS       string        // TLS12, TLS13 or Plain
	Reference string        // what the peer calls the message: 1 to 128 letters, digits or . _ -
	After     time.Duration // how long a peer that put the message off asks to wait
}

type wireKey struct{}

// Watch returns a context for one Send, and what the channel wrote down by the time Send returned.
func Watch(ctx context.Context) (context.Context, *Wire) {
	w := new(Wire)
	return context.WithValue(ctx, wireKey{}, w), w
}

// WireOf is where a channel writes down what it saw, before Send returns and by the goroutine that called it. It is never
// nil; where nobody watches, nobody reads it.
func WireOf(ctx context.Context) *Wire {
	if w, watched := ctx.Value(wireKey{}).(*Wire); watched {
		return w
	}
	return new(Wire)
}

// Protected writes down how a connection is protected.
func (w *Wire) Protected(s tls.ConnectionState) {
	switch s.Version {
	case tls.VersionTLS12:
		w.TLS = TLS12
	case tls.VersionTLS13:
		w.TLS = TLS13
	}
}

// Named writes down what the peer calls the message, unless that is no name: a peer may say anything.
func (w *Wire) Named(reference string) {
	if validID.MatchString(reference) {
		w.Reference = reference
	}
}
