// Package token verifies signed tokens (JWT, RFC 7519) the same way for every issuer: the adapters beside it
// only say who the issuer is and where it publishes its keys.
//
// Each token passes two readers that know nothing of each other: the OpenID library (signature, algorithm,
// issuer, audience, expiry) and our own strict one (all of that but the signature, and the rest). Neither may be
// switched off. It does not decide who is approved, and it keeps no memory of tokens: a token may be shown twice.
package token

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

// Limits that hold for every issuer.
const (
	MaxBytes = 16 << 10         // of a token
	Skew     = 60 * time.Second // between the issuer's clock and ours
)

// Kind says what one issuer's tokens look like.
type Kind struct {
	Name          string                    // for errors
	Issuers       []string                  // the exact values of iss that are good; the first is the canonical one
	Algorithms    []jose.SignatureAlgorithm // ES256, RS256; nothing else is ever good
	Keys          Locate                    // where the public keys are
	MaxAge        time.Duration             // from iat, however late exp is
	EmailVerified bool                      // the claim must be there; where it is there it must be true anyway
	Party         bool                      // azp, where it is there, must be the audience or the caller itself
}

type verifier struct {
	kind     Kind
	audience string
	clock    clock.Clock
	keys     *keySet
}

// New returns a verifier for tokens made out to audience. It does no I/O. An empty audience or a missing clock
// is Misconfigured.
func New(k Kind, audience string, o identity.Options) (identity.Verifier, error) {
	if audience == "" || strings.ContainsAny(audience, " \t\r\n") {
		return nil, fault.New(fault.Misconfigured, "opening the %s verifier: the audience is empty or holds spaces", k.Name)
	}
	if o.Clock == nil {
		return nil, fault.New(fault.Misconfigured, "opening the %s verifier: no clock", k.Name)
	}
	return &verifier{kind: k, audience: audience, clock: o.Clock, keys: newKeySet(k, o)}, nil
}

// Audience reads the one setting of a verifier's URL: audience, given once. Anything else is Misconfigured.
func Audience(u *url.URL) (string, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query) != 1 || len(query["audience"]) != 1 || query.Get("audience") == "" ||
		u.Host != "" || u.Path != "" {
		return "", fault.New(fault.Misconfigured, "opening identity %s: the one setting is audience, given once and not empty", u.Scheme)
	}
	return query.Get("audience"), nil
}

// Verify implements identity.Verifier.
func (v *verifier) Verify(ctx context.Context, raw string) (identity.Identity, error) {
	now := v.clock.Now()
	signed, keyID, err := v.parse(raw)
	if err != nil {
		return identity.Identity{}, v.refuse(err)
	}
	keys, err := v.keys.find(ctx, keyID)
	if errors.Is(err, errUnknownKey) {
		return identity.Identity{}, v.refuse(err)
	}
	if err != nil {
		return identity.Identity{}, err
	}
	proof := &proof{signed: signed, keys: keys}
	_, second := oidc.NewVerifier(v.kind.Issuers[0], proof, v.config(now)).Verify(ctx, raw)
	if !proof.holds {
		return identity.Identity{}, v.refuse(errSignature)
	}
	who, err := v.read(proof.payload, now)
	if err != nil {
		return identity.Identity{}, v.refuse(err)
	}
	if second != nil {
		// The library's text may quote claims; it says nothing our own reader should not have said.
		return identity.Identity{}, v.refuse(errSecondReader)
	}
	return who, nil
}

func (v *verifier) config(now time.Time) *oidc.Config {
	c := &oidc.Config{ClientID: v.audience, Now: func() time.Time { return now.Add(-Skew) }}
	for _, a := range v.kind.Algorithms {
		c.SupportedSigningAlgs = append(c.SupportedSigningAlgs, string(a))
	}
	return c
}

// parse takes the compact form alone (RFC 7515 section 7.1): the library would also read the JSON form and
// drop white space, and two spellings of one token are one too many.
func (v *verifier) parse(raw string) (*jose.JSONWebSignature, string, error) {
	if len(raw) > MaxBytes {
		return nil, "", errTooLarge
	}
	for i := range len(raw) {
		if c := raw[i]; c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return nil, "", errMalformed
		}
	}
	signed, err := jose.ParseSignedCompact(raw, v.kind.Algorithms)
	if unexpected := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &unexpected) {
		return nil, "", errAlgorithm
	}
	if err != nil || len(signed.Signatures) != 1 {
		return nil, "", errMalformed
	}
	header := signed.Signatures[0].Protected
	// Typed tokens (at+jwt, logout+jwt) of the same issuer serve other ends (RFC 8725 section 3.11).
	if typ, ok := header.ExtraHeaders[jose.HeaderType]; ok && typ != "JWT" {
		return nil, "", errType
	}
	if header.KeyID == "" {
		return nil, "", errUnknownKey
	}
	return signed, header.KeyID, nil
}

// proof is the library's key set for one token: the keys were found before, so that a key service that is away
// does not look like a forgery.
type proof struct {
	signed  *jose.JSONWebSignature
	keys    []crypto.PublicKey
	payload []byte
	holds   bool
}

func (p *proof) VerifySignature(context.Context, string) ([]byte, error) {
	for _, key := range p.keys {
		if payload, err := p.signed.Verify(key); err == nil {
			p.payload, p.holds = payload, true
			return payload, nil
		}
	}
	return nil, errSignature
}

// The reasons a token is refused. They are for the log; the caller hears one sentence.
var (
	errTooLarge     = errors.New("longer than 16 KiB")
	errMalformed    = errors.New("not a signed token in compact form")
	errAlgorithm    = errors.New("signature algorithm is not allowed")
	errType         = errors.New("typ is not JWT")
	errUnknownKey   = errors.New("signed by an unknown key")
	errSignature    = errors.New("signature does not verify")
	errSecondReader = errors.New("refused by the OpenID library")
)

func (v *verifier) refuse(reason error) error {
	return &fault.Error{
		Kind: fault.Denied, Code: identity.CodeUnauthenticated, Status: http.StatusUnauthorized,
		Detail: "Your sign-in could not be verified.", Next: "Sign in again.",
		Err: fmt.Errorf("verifying a token by %s: %w", v.kind.Name, reason),
	}
}
