// Package issuer signs tokens for local mode, with keys of its own: staff tokens in the shape of Identity-Aware
// Proxy, service tokens in Google's, customer tokens in the product's. Its Transport answers at the very
// addresses where the verifiers look for public keys, so that the code that checks a token is the deployed one.
//
// It signs whatever it is asked to, approved people or not: it must never be linked into a deployed function.
package issuer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/google"
	"ostiary.internal/shared/platform/identity/iap"
)

// Life is how long a token is valid, unless its claims are overridden.
const Life = time.Hour

// Kind is the sort of caller a token names.
type Kind string

const (
	Staff    Kind = "staff"    // ES256, for iap:
	Service  Kind = "service"  // RS256, for google:
	Customer Kind = "customer" // RS256, for oidc:
)

// Claims say whom a token names and to whom it is made out.
type Claims struct {
	Kind     Kind
	Email    string // any plain address
	Audience string
	Tenant   string         // for customers; "" leaves the claim out
	Override map[string]any // claims that replace or join the usual ones; nil removes one
}

// Issuer signs tokens. It is safe for concurrent use.
type Issuer struct {
	path  string
	url   string
	clock clock.Clock

	mu   sync.Mutex
	keys *pair
}

// New returns an issuer whose private keys lie in the file path, made at first use. url is the product's own
// issuer, as in the claim iss; "" when there is none, and then there are no customer tokens.
func New(path, url string, clk clock.Clock) *Issuer {
	return &Issuer{path: path, url: url, clock: clk}
}

// Issue signs a token that is valid for an hour from now by the injected clock. Errors: Invalid (unknown kind,
// malformed address, no audience, claims that are not JSON), Misconfigured (key file unreadable, no issuer URL).
func (i *Issuer) Issue(c Claims) (string, error) {
	email, err := identity.Address(c.Email)
	if err != nil {
		return "", err
	}
	if c.Audience == "" {
		return "", fault.New(fault.Invalid, "issuing a token: no audience")
	}
	keys, err := i.load()
	if err != nil {
		return "", err
	}
	claims, key, err := i.shape(c, email, keys)
	if err != nil {
		return "", err
	}
	for name, value := range c.Override {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fault.New(fault.Invalid, "issuing a token: encoding its claims: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("issuing a token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("issuing a token: %w", err)
	}
	return signed.CompactSerialize()
}

// shape returns the claims a genuine token of the kind carries, and the key that signs it.
func (i *Issuer) shape(c Claims, email string, keys *pair) (map[string]any, jose.JSONWebKey, error) {
	now := i.clock.Now()
	number := Number(email)
	_, domain, _ := strings.Cut(email, "@")
	claims := map[string]any{
		"aud": c.Audience, "email": email, "sub": number, "iat": now.Unix(), "exp": now.Add(Life).Unix(),
	}
	switch c.Kind {
	case Staff:
		maps.Copy(claims, map[string]any{
			"iss": iap.Issuer, "sub": "accounts.google.com:" + number, "azp": c.Audience, "hd": domain, "identity_source": "GOOGLE",
		})
		return claims, keys.ES256, nil
	case Service:
		// A service account's token names itself as the authorised party.
		maps.Copy(claims, map[string]any{"iss": google.Issuer, "email_verified": true, "azp": number})
		if !identity.IsServiceAccount(email) {
			claims["azp"] = c.Audience
		}
		return claims, keys.RS256, nil
	case Customer:
		if i.url == "" {
			return nil, jose.JSONWebKey{}, fault.New(fault.Misconfigured, "issuing a token: the policy names no issuer of customers")
		}
		maps.Copy(claims, map[string]any{"iss": i.url, "email_verified": true, "auth_time": now.Unix()}) // she signs in to get it
		if c.Tenant != "" {
			claims["tenant"] = c.Tenant
		}
		return claims, keys.RS256, nil
	}
	return nil, jose.JSONWebKey{}, fault.New(fault.Invalid, "issuing a token: unknown kind %q; allowed: staff, service, customer", c.Kind)
}

// Number returns the stable account number of an address: 21 digits, as Google's are. It is no secret and hides
// nothing; it only makes a person the same one at each sign-in.
func Number(email string) string {
	sum := sha256.Sum256([]byte("local account\x00" + strings.ToLower(email)))
	return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(sum[:8]))
}
