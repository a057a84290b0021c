package identitytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

var errDown = errors.New("connection refused")

// keySets: how keys are fetched, kept and dropped.
func keySets(t *testing.T, k Kind, keys *keyring) {
	for name, test := range map[string]func(t *testing.T, b *bench, keys *keyring){
		"unreachable without a copy":          unreachableAtFirst,
		"unreachable with a good copy":        unreachableLater,
		"rotation":                            rotation,
		"a withdrawn key dies with the copy":  withdrawal,
		"unknown ids do not hammer":           hammering,
		"unknown id while the issuer is away": unknownWhileAway,
		"one fetch for all who wait":          together,
		"one who leaves does not spoil it":    leaving,
		"age of the copy":                     ages,
		"unusable answers":                    answers,
		"keys of the wrong sort":              sorts,
		"discovery":                           discovery,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, k.bench(t, keys), keys) })
	}
	t.Run("an issuer that hangs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := k.bench(t, keys)
			b.issuer.say(k.Keys, answer{hang: true})
			began := clock.System{}.Now()
			b.cannotTell(t, b.genuine(t, keys.current, nil))
			if waited := (clock.System{}).Now().Sub(began); waited > 10*time.Second {
				t.Errorf("waited %s for the keys", waited)
			}
		})
	})
}

func unreachableAtFirst(t *testing.T, b *bench, keys *keyring) {
	b.issuer.say(b.Keys, answer{err: errDown})
	b.cannotTell(t, b.genuine(t, keys.current, nil))
	b.issuer.recover()
	b.accepts(t, b.genuine(t, keys.current, nil))
}

func unreachableLater(t *testing.T, b *bench, keys *keyring) {
	b.accepts(t, b.genuine(t, keys.current, nil))
	b.issuer.say(b.Keys, answer{err: errDown})
	b.advance(t, time.Hour-time.Microsecond)
	b.accepts(t, b.genuine(t, keys.current, nil))
	b.advance(t, time.Microsecond)
	b.cannotTell(t, b.genuine(t, keys.current, nil))
	b.issuer.recover()
	b.accepts(t, b.genuine(t, keys.current, nil))
}

func rotation(t *testing.T, b *bench, keys *keyring) {
	b.accepts(t, b.genuine(t, keys.current, nil))
	b.issuer.publish(keys.current, keys.next)
	b.refuses(t, b.genuine(t, keys.next, nil), "unknown key") // asked less than a minute ago
	b.advance(t, time.Minute)
	b.accepts(t, b.genuine(t, keys.next, nil))
	b.accepts(t, b.genuine(t, keys.current, nil))
}

func withdrawal(t *testing.T, b *bench, keys *keyring) {
	b.accepts(t, b.genuine(t, keys.current, nil))
	b.issuer.publish(keys.next)
	b.advance(t, time.Hour)
	b.refuses(t, b.genuine(t, keys.current, nil), "unknown key")
	b.accepts(t, b.genuine(t, keys.next, nil))
}

func hammering(t *testing.T, b *bench, keys *keyring) {
	b.accepts(t, b.genuine(t, keys.current, nil))
	forged := b.genuine(t, keys.strange, nil)
	b.advance(t, time.Minute)
	for range 50 {
		b.refuses(t, forged, "unknown key")
	}
	if n := b.issuer.count(b.Keys); n != 2 {
		t.Errorf("the issuer was asked %d times, want 2", n)
	}
}

func unknownWhileAway(t *testing.T, b *bench, keys *keyring) {
	b.accepts(t, b.genuine(t, keys.current, nil))
	b.advance(t, time.Minute)
	b.issuer.say(b.Keys, answer{err: errDown})
	for range 5 {
		b.cannotTell(t, b.genuine(t, keys.next, nil))
		b.accepts(t, b.genuine(t, keys.current, nil))
	}
	if n := b.issuer.count(b.Keys); n != 2 {
		t.Errorf("the issuer was asked %d times, want 2", n)
	}
}

func together(t *testing.T, b *bench, keys *keyring) {
	token := b.genuine(t, keys.current, nil)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if _, err := b.verifier.Verify(t.Context(), token); err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
	all.Wait()
	if n := b.issuer.count(b.Keys); n != 1 {
		t.Errorf("the issuer was asked %d times, want 1", n)
	}
}

func leaving(t *testing.T, b *bench, keys *keyring) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	token := b.genuine(t, keys.current, nil)
	if _, err := b.verifier.Verify(gone, token); err != nil && !fault.Is(err, fault.Transient) {
		t.Errorf("Verify by one who left: %v, want transient", err)
	}
	b.accepts(t, token)
}

func ages(t *testing.T, outer *bench, keys *keyring) {
	for name, row := range map[string]struct {
		control, age string
		want         time.Duration
	}{
		"as told":            {"public, max-age=7200, must-revalidate", "", 2 * time.Hour},
		"already old":        {"max-age=7200", "3600", time.Hour},
		"older than told":    {"max-age=7200", "9000", 5 * time.Minute},
		"too short":          {"max-age=1", "", 5 * time.Minute},
		"no-store":           {"no-store", "", 5 * time.Minute},
		"nothing said":       {"", "", 5 * time.Minute},
		"too long":           {"max-age=31536000", "", 24 * time.Hour},
		"beyond a number":    {"max-age=99999999999999999999999", "", 24 * time.Hour},
		"not a number":       {"max-age=soon", "", 5 * time.Minute},
		"s-maxage is not it": {"s-maxage=7200", "", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := outer.bench(t, keys)
			b.issuer.caching(row.control, row.age)
			b.accepts(t, b.genuine(t, keys.current, nil))
			b.advance(t, row.want-time.Microsecond)
			b.accepts(t, b.genuine(t, keys.current, nil))
			if n := b.issuer.count(b.Keys); n != 1 {
				t.Errorf("asked %d times before the copy ended, want 1", n)
			}
			b.advance(t, time.Microsecond)
			b.accepts(t, b.genuine(t, keys.current, nil))
			if n := b.issuer.count(b.Keys); n != 2 {
				t.Errorf("asked %d times after the copy ended, want 2", n)
			}
		})
	}
}

func answers(t *testing.T, b *bench, keys *keyring) {
	good := string(encode(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{keys.current.public()}}))
	for name, say := range map[string]answer{
		"not found":    {status: 404, body: good},
		"server error": {status: 503, body: good},
		"redirect":     {status: 302, body: good},
		"not modified": {status: 304, body: good},
		"not JSON":     {status: 200, body: "<html>"},
		"no keys":      {status: 200, body: `{"keys":[]}`},
		"null":         {status: 200, body: `null`},
		"too large":    {status: 200, body: good + strings.Repeat(" ", 256<<10)},
	} {
		b.issuer.say(b.Keys, say)
		if _, err := b.verifier.Verify(t.Context(), b.genuine(t, keys.current, nil)); !fault.Is(err, fault.Transient) {
			t.Errorf("%s: %v, want transient", name, err)
		}
	}
	b.issuer.recover()
	b.accepts(t, b.genuine(t, keys.current, nil))
}

// sorts: a key that is not for signing tokens of this issuer does not count, whatever its id.
func sorts(t *testing.T, b *bench, keys *keyring) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := keys.current.public()
	encryption, mislabelled, nameless := good, good, good
	encryption.Use, mislabelled.Algorithm, nameless.KeyID = "enc", "HS256", ""
	for name, key := range map[string]jose.JSONWebKey{
		"small RSA": {Key: small.Public(), KeyID: good.KeyID}, "P-384": {Key: curve.Public(), KeyID: good.KeyID},
		"shared secret": {Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: good.KeyID},
		"private":       {Key: keys.current.key, KeyID: good.KeyID},
		"encryption":    encryption, "another algorithm": mislabelled, "no id": nameless,
	} {
		b.issuer.say(b.Keys, answer{status: 200, body: string(encode(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}}))})
		if _, err := b.verifier.Verify(t.Context(), b.genuine(t, keys.current, nil)); !fault.Is(err, fault.Transient) {
			t.Errorf("%s: %v, want transient", name, err)
		}
	}
	mixed := `{"keys":[{"kty":"EC","crv":"secp256k1","kid":"current"},7,` + string(encode(t, good)) + `]}`
	b.issuer.say(b.Keys, answer{status: 200, body: mixed})
	b.accepts(t, b.genuine(t, keys.current, nil))
}

func discovery(t *testing.T, b *bench, keys *keyring) {
	if b.Discovery == "" {
		return
	}
	document := func(issuer, address string) answer {
		return answer{status: 200, body: string(encode(t, map[string]string{"issuer": issuer, "jwks_uri": address}))}
	}
	for name, row := range map[string]struct {
		say  answer
		want fault.Kind
	}{
		"another issuer":     {document("https://issuer.evil.example", b.Keys), fault.Misconfigured},
		"a slash more":       {document(b.Issuers[0]+"/", b.Keys), fault.Misconfigured},
		"no address of keys": {document(b.Issuers[0], ""), fault.Misconfigured},
		"keys over http":     {document(b.Issuers[0], "http://issuer.example/keys"), fault.Misconfigured},
		"keys in a file":     {document(b.Issuers[0], "file:///etc/passwd"), fault.Misconfigured},
		"keys on loopback":   {document(b.Issuers[0], "http://127.0.0.1/keys"), fault.Misconfigured},
		"not JSON":           {answer{status: 200, body: "<html>"}, fault.Transient},
		"away":               {answer{err: errDown}, fault.Transient},
	} {
		b.issuer.say(b.Discovery, row.say)
		if _, err := b.verifier.Verify(t.Context(), b.genuine(t, keys.current, nil)); !fault.Is(err, row.want) {
			t.Errorf("%s: %v (kind %q), want %s", name, err, fault.KindOf(err), row.want)
		}
	}
	if n := b.issuer.count(b.Keys); n != 0 {
		t.Errorf("keys were fetched %d times without a good discovery document", n)
	}
	b.issuer.recover()
	b.accepts(t, b.genuine(t, keys.current, nil))
}
