package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

// fixed answers every request with one body.
type fixed string

func (f fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(f))), Request: r}, nil
}

// FuzzVerify: whatever arrives as a token, it is refused and nothing breaks. The tables of real forgeries are in
// identitytest.
func FuzzVerify(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "a", Use: "sig"}}})
	if err != nil {
		f.Fatal(err)
	}
	v, err := New(Kind{
		Name: "fuzz", Issuers: []string{"https://issuer.example"}, Algorithms: []jose.SignatureAlgorithm{jose.ES256},
		Keys: At("https://issuer.example/keys"), MaxAge: time.Hour,
	}, "ours", identity.Options{Clock: clock.NewManual(time.Unix(1_800_000_000, 0)), Transport: fixed(set)})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"", "..", "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AAAA", "eyJhbGciOiJub25lIn0.e30.", "e30.e30.e30",
		"eyJhbGciOiJFUzI1NiIsImtpZCI6ImEiLCJ0eXAiOjd9.e30.AAAA", "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2UsImtpZCI6ImEifQ.e30.AAAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		who, err := v.Verify(t.Context(), raw)
		if !fault.Is(err, fault.Denied) || who.Subject != "" {
			t.Errorf("Verify(%q) = %+v, %v; want denied", raw, who, err)
		}
	})
}

// FuzzDecode: what our reader takes, encoding/json reads alike, name by name.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"a":{"b":[1,"x",null,true,1e3]}}`, `[]`, `null`, `{"a":1}{}`,
		`{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "{\"\xff\":1}", `{"ſ":1,"s":2}`, `{"a":1,}`, ` {"a" : 1 } `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		claims, err := decode(raw)
		if err != nil {
			return
		}
		var other map[string]any
		if err := json.Unmarshal(raw, &other); err != nil || len(other) != len(claims) {
			t.Fatalf("decode(%q) = %v, encoding/json: %v, %v", raw, claims, other, err)
		}
		mine, _ := json.Marshal(claims)
		var again map[string]any
		if err := json.Unmarshal(mine, &again); err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(other)
		if got, _ := json.Marshal(again); string(got) != string(want) {
			t.Errorf("decode(%q) reads %s, encoding/json %s", raw, got, want)
		}
	})
}
