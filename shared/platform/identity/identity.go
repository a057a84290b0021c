// Package identity turns a signed token into who is calling. It proves identity only; whether the person is
// approved, suspended or in a role is asked elsewhere, at every request.
package identity

import (
	"context"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Options are what every driver receives.
type Options struct {
	Clock     clock.Clock
	Transport http.RoundTripper // fetches public keys; nil for the default
}

// Drivers opens verifiers by URL: iap:?audience=A (the header x-goog-iap-jwt-assertion, ES256),
// google:?audience=A (ID tokens of Google accounts and service accounts, RS256),
// oidc:ISSUER?audience=A (the product's own OpenID issuer).
var Drivers = driver.NewRegistry[Options, Verifier]("identity")

// Identity is what a verified token says. Subject is the key of a person; an address can change hands.
type Identity struct {
	Subject      string
	Email        string // lower case; verified by the issuer
	HostedDomain string // the claim hd; "" for a consumer account or a service account
	AMR          []string
	AuthTime     time.Time // zero when the token does not say
	Issued       time.Time
	Expires      time.Time
	Claims       map[string]any // the rest, for the product's own issuer (tenant and the like)
}

// Verifier checks a token's signature, issuer, audience, time (60 s skew) and verified address, all of them,
// always. Errors: Denied (code "unauthenticated"), Transient when the issuer's keys cannot be had.
type Verifier interface {
	Verify(ctx context.Context, token string) (Identity, error)
}
