// Package oidc verifies ID tokens of the product's own OpenID issuer: RS256 or ES256, keys found through the
// issuer's discovery document (OpenID Connect Discovery 1.0 section 4). Its URL is oidc:ISSUER?audience=A, with
// ISSUER as in the claim iss: https, or http on the loopback interface. It takes ID tokens with a verified
// address and a key id; access tokens, and tokens made out to several audiences, are refused.
package oidc

import (
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/internal/token"
)

// DiscoveryPath follows the issuer in the address of its discovery document.
const DiscoveryPath = "/.well-known/openid-configuration"

// maxAge is the longest life of a token from its iat: products keep people signed in for a day, not longer.
const maxAge = 24 * time.Hour

func init() { identity.Drivers.Register("oidc", open) }

func open(_ context.Context, u *url.URL, o identity.Options) (identity.Verifier, error) {
	issuer, err := url.Parse(u.Opaque)
	if err != nil || !secure(issuer) && !loopback(issuer) || issuer.Host == "" || issuer.User != nil ||
		issuer.RawQuery != "" || issuer.Fragment != "" {
		return nil, fault.New(fault.Misconfigured, "opening identity oidc: the URL is oidc:ISSUER?audience=A, the issuer https")
	}
	audience, err := token.Audience(u)
	if err != nil {
		return nil, err
	}
	return token.New(token.Kind{
		Name:          "oidc",
		Issuers:       []string{u.Opaque},
		Algorithms:    []jose.SignatureAlgorithm{jose.RS256, jose.ES256},
		Keys:          discover(u.Opaque, loopback(issuer)),
		MaxAge:        maxAge,
		EmailVerified: true,
	}, audience, o)
}

// discover reads the address of the keys from the issuer's discovery document, at each refresh of the keys.
func discover(issuer string, local bool) token.Locate {
	return func(ctx context.Context, fetch token.Fetch) (string, error) {
		body, _, err := fetch(ctx, strings.TrimSuffix(issuer, "/")+DiscoveryPath)
		if err != nil {
			return "", err
		}
		var document struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		if err := json.Unmarshal(body, &document); err != nil {
			return "", fault.New(fault.Transient, "reading the discovery document of oidc: not a JSON object")
		}
		// Discovery 1.0 section 4.3: the value must be the issuer's own, to the letter.
		if document.Issuer != issuer {
			return "", fault.New(fault.Misconfigured, "reading the discovery document of oidc: it is another issuer's")
		}
		keys, err := url.Parse(document.Keys)
		if err != nil || keys.Host == "" || !secure(keys) && !(local && loopback(keys)) {
			return "", fault.New(fault.Misconfigured, "reading the discovery document of oidc: jwks_uri is not an https address")
		}
		return document.Keys, nil
	}
}

func secure(u *url.URL) bool { return u.Scheme == "https" }

// loopback reports whether u is plain http to this very machine.
func loopback(u *url.URL) bool {
	if u.Scheme != "http" {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && address.IsLoopback()
}
