// Package google verifies ID tokens of Google accounts and of service accounts: RS256, issuer accounts.google.com
// in either form. Its URL is google:?audience=A. It says of a person whether the account is managed (hd) and of a
// service account that it is one; whom to let in is for the caller to decide.
package google

import (
	"context"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/internal/token"
)

// Where the tokens come from. Some of Google's tokens leave the scheme out of the issuer.
const (
	Issuer     = "https://accounts.google.com"
	BareIssuer = "accounts.google.com"
	Keys       = "https://www.googleapis.com/oauth2/v3/certs"
)

// maxAge is the longest life of a token from its iat. Google's own live one hour.
const maxAge = time.Hour

func init() { identity.Drivers.Register("google", open) }

func open(_ context.Context, u *url.URL, o identity.Options) (identity.Verifier, error) {
	if u.Opaque != "" {
		return nil, fault.New(fault.Misconfigured, "opening identity google: the URL is google:?audience=A")
	}
	audience, err := token.Audience(u)
	if err != nil {
		return nil, err
	}
	return token.New(token.Kind{
		Name:          "google",
		Issuers:       []string{Issuer, BareIssuer},
		Algorithms:    []jose.SignatureAlgorithm{jose.RS256},
		Keys:          token.At(Keys),
		MaxAge:        maxAge,
		EmailVerified: true,
		Party:         true,
	}, audience, o)
}
