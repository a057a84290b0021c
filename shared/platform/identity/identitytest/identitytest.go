// Package identitytest is the conformance suite of verifiers: one table of forged, stale and malformed tokens
// that every driver of package identity must refuse for the right reason, and the genuine ones it must take.
// It plays the issuer on the wire, so the driver's own code fetches, caches and checks. It does not test whom a
// function lets in.
package identitytest

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

// Start is where the suite's clock stands at first.
var start = time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC)

// Kind describes the driver under test.
type Kind struct {
	URL          string         // of the driver, without the audience: "iap:", "oidc:https://..."
	Audience     string         // of the tokens
	Issuers      []string       // every good value of iss, the canonical one first
	Keys         string         // address of the key set
	Discovery    string         // address of the discovery document; "" where there is none
	Algorithm    string         // ES256 or RS256
	Claims       map[string]any // of a genuine token, beyond iss, aud, iat, exp, email; with sub
	MayBeSilent  bool           // email_verified may be absent
	ChecksParty  bool           // azp must be the audience
	LongestLived time.Duration  // age at which a token is refused, less the skew
}

const address = "jane.doe@labelsync.example"

// claims returns a genuine token's claims at a time.
func (k Kind) claims(now time.Time) map[string]any {
	c := map[string]any{
		"iss": k.Issuers[0], "aud": k.Audience, "email": address,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, k.Claims)
	return c
}

// bench is one verifier, its clock and the issuer it believes in.
type bench struct {
	Kind
	clock    *clock.Manual
	issuer   *authority
	verifier identity.Verifier
}

func (k Kind) bench(t *testing.T, keys *keyring) *bench {
	t.Helper()
	b := &bench{Kind: k, clock: clock.NewManual(start), issuer: newAuthority(k, keys.current)}
	b.verifier = b.open(t)
	return b
}

func (b *bench) open(t *testing.T) identity.Verifier {
	t.Helper()
	v, err := identity.Drivers.Open(t.Context(), b.URL+"?audience="+b.Audience,
		identity.Options{Clock: b.clock, Transport: b.issuer})
	if err != nil {
		t.Fatalf("opening the driver: %v", err)
	}
	return v
}

func (b *bench) advance(t *testing.T, d time.Duration) {
	t.Helper()
	if err := b.clock.Set(b.clock.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

// genuine signs a genuine token now, with claims changed: nil removes one.
func (b *bench) genuine(t *testing.T, s signer, changes map[string]any) string {
	t.Helper()
	return s.sign(t, change(b.claims(b.clock.Now()), changes), nil)
}

func change(claims, changes map[string]any) map[string]any {
	for name, value := range changes {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func (b *bench) accepts(t *testing.T, token string) identity.Identity {
	t.Helper()
	who, err := b.verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify refused a genuine token: %v", err)
	}
	return who
}

// refuses checks the whole contract of a refusal: kind, code, status, the right reason, and nothing of the token.
func (b *bench) refuses(t *testing.T, token, reason string) {
	t.Helper()
	who, err := b.verifier.Verify(t.Context(), token)
	if err == nil {
		t.Fatalf("Verify accepted it as %s", who.Subject)
	}
	if !fault.Is(err, fault.Denied) || fault.CodeOf(err) != identity.CodeUnauthenticated {
		t.Fatalf("Verify: kind %q, code %q (%v), want denied, %s", fault.KindOf(err), fault.CodeOf(err), err, identity.CodeUnauthenticated)
	}
	if f := err.(*fault.Error); f.Status != http.StatusUnauthorized || f.Detail == "" || f.Next == "" {
		t.Errorf("Verify: status %d, detail %q, next %q; want 401 and both texts", f.Status, f.Detail, f.Next)
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("Verify refused it for the wrong reason: %q, want %q", err, reason)
	}
	leaks(t, err, token)
}

func (b *bench) cannotTell(t *testing.T, token string) {
	t.Helper()
	_, err := b.verifier.Verify(t.Context(), token)
	if !fault.Is(err, fault.Transient) {
		t.Fatalf("Verify: %v (kind %q), want transient", err, fault.KindOf(err))
	}
	leaks(t, err, token)
}

func leaks(t *testing.T, err error, token string) {
	t.Helper()
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part) {
			t.Errorf("the error carries a part of the token")
		}
	}
	if strings.Contains(err.Error(), "jane") {
		t.Errorf("the error carries the person's address: %v", err)
	}
}
