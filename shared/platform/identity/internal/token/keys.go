package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

// Bounds of the key cache, by the injected clock, and of one fetch.
const (
	minKeyAge     = 5 * time.Minute
	maxKeyAge     = 24 * time.Hour
	refreshPause  = time.Minute // between two refreshes while the keys at hand are still good
	fetchTimeout  = 5 * time.Second
	maxFetchBytes = 256 << 10
	minRSABits    = 2048 // RFC 7518 section 3.3
	maxRSABits    = 8192 // larger ones only cost time
)

// Fetch reads a small JSON document. Errors are Transient.
type Fetch func(ctx context.Context, address string) (body []byte, header http.Header, err error)

// Locate returns the address of the key set (RFC 7517 section 5).
type Locate func(ctx context.Context, fetch Fetch) (address string, err error)

// At is the Locate of an issuer whose keys have a fixed address.
func At(address string) Locate {
	return func(context.Context, Fetch) (string, error) { return address, nil }
}

// keySet holds an issuer's public keys no longer than the issuer allows. An expired copy is never used.
type keySet struct {
	kind   Kind
	clock  clock.Clock
	client *http.Client
	flight singleflight.Group

	mu      sync.Mutex
	keys    map[string][]crypto.PublicKey
	fetched time.Time // the keys are good from here
	until   time.Time // to here, exclusive
	tried   time.Time
	failed  error // outcome of the last refresh
}

func newKeySet(k Kind, o identity.Options) *keySet {
	return &keySet{kind: k, clock: o.Clock, client: &http.Client{
		Transport: o.Transport,
		// Keys live at the address we know, not where that address points today.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// find returns the keys of an id, mostly one. A set without it is refreshed, at most once a minute while it is
// good. Errors: errUnknownKey; Transient when the answer would need keys that cannot be had.
func (s *keySet) find(ctx context.Context, id string) ([]crypto.PublicKey, error) {
	if keys := s.look(id); len(keys) > 0 {
		return keys, nil
	}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	if keys := s.look(id); len(keys) > 0 {
		return keys, nil
	}
	return nil, errUnknownKey
}

func (s *keySet) look(id string) []crypto.PublicKey {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.good(now) {
		return nil
	}
	return s.keys[id]
}

// good reports whether the copy at hand may be used. A clock set back makes it useless too.
func (s *keySet) good(now time.Time) bool { return !now.Before(s.fetched) && now.Before(s.until) }

// refresh fetches the keys, once for all who wait, and for no longer than the caller cares to wait.
func (s *keySet) refresh(ctx context.Context) error {
	done := s.flight.DoChan("", func() (any, error) {
		// The one who came first may leave; the others still want the keys.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return nil, s.refreshOnce(ctx)
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return fault.New(fault.Transient, "fetching the keys of %s: %w", s.kind.Name, ctx.Err())
	}
}

func (s *keySet) refreshOnce(ctx context.Context) error {
	now := s.clock.Now()
	s.mu.Lock()
	if pause := now.Sub(s.tried); s.good(now) && pause >= 0 && pause < refreshPause {
		defer s.mu.Unlock()
		return s.failed
	}
	s.tried = now
	s.mu.Unlock()

	keys, age, err := s.fetchKeys(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
	if err == nil {
		s.keys, s.fetched, s.until = keys, now, now.Add(age)
	}
	return err
}

func (s *keySet) fetchKeys(ctx context.Context) (map[string][]crypto.PublicKey, time.Duration, error) {
	address, err := s.kind.Keys(ctx, s.fetch)
	if err != nil {
		return nil, 0, err
	}
	body, header, err := s.fetch(ctx, address)
	if err != nil {
		return nil, 0, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, 0, s.away("the answer is not a key set")
	}
	keys := map[string][]crypto.PublicKey{}
	for _, raw := range set.Keys {
		if key, ok := usable(raw, s.kind.Algorithms); ok {
			keys[key.KeyID] = append(keys[key.KeyID], key.Key)
		}
	}
	if len(keys) == 0 {
		return nil, 0, s.away("the key set holds no usable key")
	}
	return keys, age(header), nil
}

// usable reports whether a key can sign tokens of these algorithms. Others in the set are skipped, as RFC 7517
// section 5 asks; so is a private key somebody published.
func usable(raw []byte, algorithms []jose.SignatureAlgorithm) (jose.JSONWebKey, bool) {
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(raw); err != nil || key.KeyID == "" || key.Use != "" && key.Use != "sig" {
		return key, false
	}
	var algorithm jose.SignatureAlgorithm
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			algorithm = jose.ES256
		}
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			algorithm = jose.RS256
		}
	}
	if key.Algorithm != "" && key.Algorithm != string(algorithm) {
		return key, false
	}
	for _, a := range algorithms {
		if a == algorithm {
			return key, true
		}
	}
	return key, false
}

// age is how long an answer may be kept (RFC 9111 sections 5.1 and 5.2.2.1), within our bounds.
func age(header http.Header) time.Duration {
	var seconds int64
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if strings.EqualFold(name, "max-age") {
			seconds, _ = strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
		}
	}
	if passed, err := strconv.ParseInt(header.Get("Age"), 10, 64); err == nil && passed > 0 {
		seconds -= passed
	}
	seconds = min(max(seconds, int64(minKeyAge/time.Second)), int64(maxKeyAge/time.Second))
	return time.Duration(seconds) * time.Second
}

func (s *keySet) fetch(ctx context.Context, address string) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, s.away("the address is unreadable")
	}
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, nil, fault.New(fault.Transient, "fetching the keys of %s: %w", s.kind.Name, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, s.away(fmt.Sprintf("status %d", response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxFetchBytes+1))
	if err != nil {
		return nil, nil, fault.New(fault.Transient, "reading the keys of %s: %w", s.kind.Name, err)
	}
	if len(body) > maxFetchBytes {
		return nil, nil, s.away("the answer is larger than 256 KiB")
	}
	return body, response.Header, nil
}

func (s *keySet) away(why string) error {
	return fault.New(fault.Transient, "fetching the keys of %s: %s", s.kind.Name, why)
}
