// Package identity turns a signed token into who is calling. It proves identity only; whether the person is
// approved, suspended or in a role is asked elsewhere, at every request.
package identity

import (
	"context"
	"net/http"
	"slices"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// AssertionHeader carries the token of a person behind Identity-Aware Proxy. The proxy's other headers,
// x-goog-authenticated-user-*, are unsigned and never read.
const AssertionHeader = "X-Goog-Iap-Jwt-Assertion"

// CodeUnauthenticated is the stable code of every refused token; its status is 401.
const CodeUnauthenticated = "unauthenticated"

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
	Subject        string // as the issuer writes it; behind IAP "accounts.google.com:NUMBER"
	Email          string // lower case, ASCII; verified by the issuer
	ServiceAccount bool   // the address is a Google service account's: not a person
	HostedDomain   string // the claim hd, lower case; "" for a consumer account or a service account
	AMR            []string
	AuthTime       time.Time // zero when the token does not say
	Issued         time.Time
	Expires        time.Time
	Claims         map[string]any // the rest (tenant and the like), as signed; numbers are json.Number
}

// HostedBy reports whether the account is managed by one of the domains, given in lower case. The domain of
// the e-mail address says nothing about that: a consumer account can carry a company's address.
func (i Identity) HostedBy(domains ...string) bool {
	return i.HostedDomain != "" && slices.Contains(domains, i.HostedDomain)
}

// Verifier checks a token's signature, issuer, audience, time (60 s skew) and verified address, all of them,
// always. Errors: Denied (code "unauthenticated"), Transient when the issuer's keys cannot be had,
// Misconfigured when the issuer describes itself as another one. No error carries a token or an address.
type Verifier interface {
	Verify(ctx context.Context, token string) (Identity, error)
}
