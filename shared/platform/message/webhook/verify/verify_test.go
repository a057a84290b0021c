package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/message/webhook/verify"
)

// vector is one example; the signatures were made by another implementation, in Python.
type vector struct {
	Name      string   `json:"name"`
	Want      string   `json:"want"` // "" for a request to be believed; otherwise secret, headers, time or signature
	Secrets   []string `json:"secrets"`
	ID        string   `json:"id"`
	Timestamp string   `json:"timestamp"`
	Now       int64    `json:"now"` // of the receiver's clock, seconds since 1970
	Body      string   `json:"body"`
	Signature string   `json:"signature"`
}

func vectors(t testing.TB) (all []vector) {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v vector) header() http.Header {
	h := http.Header{}
	for name, value := range map[string]string{verify.HeaderID: v.ID, verify.HeaderTimestamp: v.Timestamp, verify.HeaderSignature: v.Signature} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

var kinds = map[string]error{"": nil, "secret": verify.ErrSecret, "headers": verify.ErrHeaders, "time": verify.ErrTime, "signature": verify.ErrSignature}

func TestVectors(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, v := range vectors(t) {
		want, known := kinds[v.Want]
		if err := verify.Verify(v.Secrets, v.header(), []byte(v.Body), time.Unix(v.Now, 0)); !known || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %q", v.Name, err, v.Want)
		}
		seen[v.Want]++
	}
	if len(seen) != len(kinds) || seen[""] < 8 {
		t.Errorf("the vectors show %v", seen)
	}
}

// TestSign: signing gives what other implementations give.
func TestSign(t *testing.T) {
	t.Parallel()
	v := vectors(t)[0]
	if got, err := verify.Sign(v.Secrets[0], v.ID, time.Unix(v.Now, 999_999_999), []byte(v.Body)); err != nil || got != v.Signature {
		t.Errorf("%s, %v; want %s", got, err, v.Signature)
	}
}

// TestManySignatures: a request cannot make the receiver compute without an end, nor hide the right signature far behind.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	v := vectors(t)[1]
	v.Signature = strings.Repeat("v1,AAAA ", 9) + v.Signature
	if err := verify.Verify(v.Secrets, v.header(), []byte(v.Body), time.Unix(v.Now, 0)); err != nil {
		t.Errorf("the tenth: %v", err)
	}
	v.Signature = "v1,AAAA " + v.Signature
	if err := verify.Verify(v.Secrets, v.header(), []byte(v.Body), time.Unix(v.Now, 0)); !errors.Is(err, verify.ErrSignature) {
		t.Errorf("the eleventh: %v", err)
	}
}

// Whatever a stranger sends, it is not believed.
func FuzzVerify(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.ID, v.Timestamp, v.Signature, v.Body)
	}
	secret := "whsec_" + "c29tZXRoaW5nIG5vYm9keSBlbHNlIGtub3dzIQ=="
	f.Fuzz(func(t *testing.T, id, timestamp, signature, body string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		if err := verify.Verify([]string{secret}, h, []byte(body), time.Unix(1772528400, 0)); err == nil {
			t.Error("believed")
		}
	})
}

// A receiver: the bytes as they came, verified before anything is made of them, and each message acted on once.
func ExampleVerify() {
	secrets := []string{"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="} // kept where secrets are kept
	now := func() time.Time { return time.Unix(1772528400, 0) }               // time.Now
	known := map[string]bool{}                                                // kept for some days

	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		if err := verify.Verify(secrets, r.Header, body, now()); err != nil {
			http.Error(w, "not believed", http.StatusUnauthorized)
			return
		}
		if id := r.Header.Get(verify.HeaderID); !known[id] {
			known[id] = true
			fmt.Printf("to act on: %s\n", body)
		}
		w.WriteHeader(http.StatusNoContent)
	}

	body := `{"type":"breach.notice"}`
	signature, err := verify.Sign(secrets[0], "5f2b9c0de1", now(), []byte(body)) // what the sender does
	if err != nil {
		fmt.Println(err)
	}
	for _, sent := range []string{body, body, `{"type":"all clear"}`} {
		r := httptest.NewRequest(http.MethodPost, "/in", strings.NewReader(sent))
		r.Header.Set(verify.HeaderID, "5f2b9c0de1")
		r.Header.Set(verify.HeaderTimestamp, "1772528400")
		r.Header.Set(verify.HeaderSignature, signature)
		w := httptest.NewRecorder()
		receive(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// to act on: {"type":"breach.notice"}
	// 204
	// 204
	// 401
}
