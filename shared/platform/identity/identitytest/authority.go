package identitytest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// signer is one key pair of an issuer, or of somebody who would like to be one.
type signer struct {
	id        string
	algorithm jose.SignatureAlgorithm
	key       crypto.Signer
}

// keyring are the keys of a run; making RSA keys is slow, so the tests share them.
type keyring struct{ current, next, strange signer }

func newKeyring(t *testing.T, algorithm string) *keyring {
	t.Helper()
	return &keyring{
		newSigner(t, "current", algorithm), newSigner(t, "next", algorithm), newSigner(t, "strange", algorithm),
	}
}

func newSigner(t *testing.T, id, algorithm string) signer {
	t.Helper()
	s := signer{id: id, algorithm: jose.SignatureAlgorithm(algorithm)}
	var err error
	if s.algorithm == jose.RS256 {
		s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// named returns the same key under another id.
func (s signer) named(id string) signer {
	s.id = id
	return s
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.id, Algorithm: string(s.algorithm), Use: "sig"}
}

// sign signs claims (a map, or the exact bytes) with the header entries given; nil removes one of the usual.
func (s signer) sign(t *testing.T, claims any, header map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	entries := change(map[string]any{"typ": "JWT", "kid": s.id}, header)
	for name, value := range entries {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	return sign(t, jose.SigningKey{Algorithm: s.algorithm, Key: s.key}, options, claims)
}

// signHMAC signs with the public key as a shared secret: the classic confusion of algorithms.
func (s signer) signHMAC(t *testing.T, claims any) string {
	t.Helper()
	secret, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", s.id)
	return sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: secret}, options, claims)
}

func sign(t *testing.T, key jose.SigningKey, options *jose.SignerOptions, claims any) string {
	t.Helper()
	with, err := jose.NewSigner(key, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := with.Sign(encode(t, claims))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// unsigned makes a token of the algorithm none.
func unsigned(t *testing.T, claims any, header string) string {
	t.Helper()
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(header)) + "." + part(encode(t, claims)) + "."
}

func encode(t *testing.T, claims any) []byte {
	t.Helper()
	if raw, ok := claims.([]byte); ok {
		return raw
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// answer is what the authority says at one address instead of the truth.
type answer struct {
	status int
	body   string
	err    error
	hang   bool // until the request's context ends
}

// authority is the issuer on the wire: an http.RoundTripper that serves keys and, for OpenID, discovery.
type authority struct {
	mu        sync.Mutex
	kind      Kind
	published []jose.JSONWebKey
	header    http.Header
	instead   map[string]answer
	asked     map[string]int
}

func newAuthority(k Kind, published ...signer) *authority {
	a := &authority{kind: k, header: http.Header{"Cache-Control": {"public, max-age=3600"}}, asked: map[string]int{}}
	a.publish(published...)
	return a
}

func (a *authority) publish(keys ...signer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.published = nil
	for _, key := range keys {
		a.published = append(a.published, key.public())
	}
}

// say replaces the answer at one address, until recover.
func (a *authority) say(address string, with answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead = map[string]answer{address: with}
}

func (a *authority) recover() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead = nil
}

// caching replaces the header Cache-Control, and Age where it is given.
func (a *authority) caching(control, age string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.header = http.Header{"Cache-Control": {control}}
	if age != "" {
		a.header.Set("Age", age)
	}
}

func (a *authority) count(address string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[address]
}

// RoundTrip implements http.RoundTripper.
func (a *authority) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	address := r.URL.String()
	a.asked[address]++
	say, lies := a.instead[address]
	header, keys := a.header.Clone(), a.published
	a.mu.Unlock()

	if lies && say.hang {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	if lies && say.err != nil {
		return nil, say.err
	}
	if lies {
		return respond(r, say.status, say.body, header), nil
	}
	switch address {
	case a.kind.Keys:
		body, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		return respond(r, http.StatusOK, string(body), header), err
	case a.kind.Discovery:
		body, err := json.Marshal(map[string]any{"issuer": a.kind.Issuers[0], "jwks_uri": a.kind.Keys})
		return respond(r, http.StatusOK, string(body), header), err
	}
	return nil, errors.New("nobody is meant to ask " + address)
}

func respond(r *http.Request, status int, body string, header http.Header) *http.Response {
	return &http.Response{
		StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}
