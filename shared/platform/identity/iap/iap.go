// Package iap verifies the signed header of Identity-Aware Proxy, identity.AssertionHeader: ES256, issuer
// https://cloud.google.com/iap. Its URL is iap:?audience=A, where A is /projects/NUMBER/global/backendServices/ID
// behind a load balancer. The proxy vouches for the address and seldom carries email_verified: where the claim
// is there, it must be true. It does not read the proxy's unsigned headers, and it does not serve accounts of
// Identity Platform, whose addresses carry a prefix.
package iap

import (
	"context"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/internal/token"
)

// Where the tokens come from.
const (
	Issuer = "https://cloud.google.com/iap"
	Keys   = "https://www.gstatic.com/iap/verify/public_key-jwk"
)

// maxAge is the longest life of a token from its iat. The proxy's own live ten minutes.
const maxAge = time.Hour

func init() { identity.Drivers.Register("iap", open) }

func open(_ context.Context, u *url.URL, o identity.Options) (identity.Verifier, error) {
	if u.Opaque != "" {
		return nil, fault.New(fault.Misconfigured, "opening identity iap: the URL is iap:?audience=A")
	}
	audience, err := token.Audience(u)
	if err != nil {
		return nil, err
	}
	return token.New(token.Kind{
		Name:       "iap",
		Issuers:    []string{Issuer},
		Algorithms: []jose.SignatureAlgorithm{jose.ES256},
		Keys:       token.At(Keys),
		MaxAge:     maxAge,
	}, audience, o)
}
