package vpcfirewall

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

// TestRefusals lets the service refuse one kind of request, and expects the kind of error each method promises.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path        string
		status              int
		reason              string
		read, apply, remove fault.Kind
	}{
		"list, quota":    {"GET", "/firewalls", 429, "rateLimitExceeded", fault.Transient, fault.Transient, fault.Transient},
		"list, no right": {"GET", "/firewalls", 403, "forbidden", fault.Denied, fault.Denied, fault.Denied},
		"list, gone":     {"GET", "/firewalls", 404, "notFound", fault.Misconfigured, fault.Misconfigured, fault.Misconfigured},
		"list, down":     {"GET", "/firewalls", 503, "backendError", fault.Transient, fault.Transient, fault.Transient},
		"get, gone":      {"GET", "/edge-v4-00", 404, "notFound", "", fault.Conflict, fault.Transient},
		"get, no right":  {"GET", "/edge-v4-00", 403, "forbidden", "", fault.Denied, fault.Denied},
		"patch, busy":    {"PATCH", "/edge-v4-00", 409, "resourceNotReady", "", fault.Conflict, fault.Transient},
		"patch, changed": {"PATCH", "/edge-v4-00", 412, "conditionNotMet", "", fault.Conflict, fault.Transient},
		"patch, gone":    {"PATCH", "/edge-v4-00", 404, "notFound", "", fault.Conflict, fault.Transient},
		"patch, quota":   {"PATCH", "/edge-v4-00", 429, "rateLimitExceeded", "", fault.Exhausted, fault.Exhausted},
		"patch, limit":   {"PATCH", "/edge-v4-00", 403, "quotaExceeded", "", fault.Exhausted, fault.Exhausted},
		"patch, wrong":   {"PATCH", "/edge-v4-00", 400, "invalid", "", fault.Misconfigured, fault.Misconfigured},
		"wait, no right": {"POST", "/wait", 403, "forbidden", "", fault.Denied, fault.Denied},
		"wait, unknown":  {"POST", "/wait", 404, "notFound", "", fault.Transient, fault.Transient},
		"wait, down":     {"POST", "/wait", 500, "internalError", "", fault.Transient, fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVPC(t, 1)
			target := v.door(t, 4, 4, nil)
			mustApply(t, target, numbered(0, 2))
			etag := read(t, target).Etag
			v.Answer = func(w http.ResponseWriter, r *http.Request) bool {
				if refused := r.Method == c.method && strings.HasSuffix(r.URL.Path, c.path); !refused {
					return false
				}
				w.Header().Set("Retry-After", "7")
				v.Fail(w, c.status, c.reason)
				return true
			}
			_, err := target.Read(t.Context())
			expect(t, "reading", err, c.read)
			err = target.Apply(t.Context(), numbered(1, 2), allowlist.Write{Etag: etag})
			expect(t, "applying", err, c.apply)
			v.Settle()
			expect(t, "removing", target.Remove(t.Context(), numbered(1, 1).Prefixes()), c.remove)
		})
	}
}

func expect(t *testing.T, doing string, err error, kind fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != kind || err == nil != (kind == "") {
		t.Errorf("%s: %v is of kind %q, want %q", doing, err, fault.KindOf(err), kind)
	}
	if err == nil {
		return
	}
	if strings.Contains(err.Error(), "81.") || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%s: the error names an address: %v", doing, err)
	}
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.RetryAfter != 7*time.Second {
		t.Errorf("%s: to be tried again after %+v", doing, e)
	}
}

// TestOperations: a write that was accepted may still fail, and is not done before its operation is.
func TestOperations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		want   fault.Kind
	}{
		"done":              {`{"name":"operation-1","status":"DONE"}`, ""},
		"failed":            {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":400,"error":{"errors":[{"code":"INVALID","message":"81.2.69.142"}]}}`, fault.Misconfigured},
		"failed, no status": {`{"name":"operation-1","status":"DONE","error":{"errors":[{"code":"INTERNAL"}]}}`, fault.Transient},
		"failed, no error":  {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":503}`, fault.Transient},
		"failed, status ok": {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":200,"error":{}}`, fault.Transient},
		"quota":             {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":403,"error":{"errors":[{"code":"QUOTA_EXCEEDED"}]}}`, fault.Exhausted},
		"no right":          {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":403,"error":{"errors":[{"code":"PERMISSIONS_ERROR"}]}}`, fault.Denied},
		"vanished":          {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":404,"error":{"errors":[{"code":"RESOURCE_NOT_FOUND"}]}}`, fault.Conflict},
		"busy":              {`{"name":"operation-1","status":"DONE","httpErrorStatusCode":409,"error":{"errors":[{"code":"RESOURCE_NOT_READY"}]}}`, fault.Conflict},
		"never done":        {`{"name":"operation-1","status":"RUNNING"}`, fault.Transient},
		"none":              {`{}`, fault.Transient},
		"HTML":              {`<html>`, fault.Transient},
		"cut":               {`{"name":"operation-1","sta`, fault.Transient},
		"huge":              {`{"name":"` + strings.Repeat("x", googledoor.MostOfAnswer), fault.Transient},
	} {
		for _, method := range []string{http.MethodPatch, http.MethodPost} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				v := newVPC(t, 1)
				asked := 0
				answer := func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodPost {
						asked++
					}
					if never := c.answer == `{"name":"operation-1","status":"RUNNING"}` && r.Method == http.MethodPost; r.Method != method && !never {
						return false
					}
					fmt.Fprint(w, c.answer)
					return true
				}
				target := v.door(t, 4, 4, nil)
				v.Answer = answer
				err := apply(t, target, numbered(0, 1))
				if fault.KindOf(err) != c.want || err == nil != (c.want == "") || err != nil && strings.Contains(err.Error(), "81.") {
					t.Errorf("%v is of kind %q, want %q", err, fault.KindOf(err), c.want)
				}
				if asked > googledoor.MostWaits {
					t.Errorf("asked %d times", asked)
				}
				v.Answer = nil
				v.Settle()
				mustApply(t, target, numbered(0, 2))
				v.Answer = answer
				want := c.want
				if want == fault.Conflict {
					want = fault.Transient
				}
				if err := target.Remove(t.Context(), numbered(0, 1).Prefixes()); fault.KindOf(err) != want || err == nil != (want == "") {
					t.Errorf("removing: %v is of kind %q, want %q", err, fault.KindOf(err), want)
				}
			})
		}
	}
}

// TestSlowly: an operation takes its time; Apply returns when what it wrote is in force.
func TestSlowly(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 2)
	v.Slow = googledoor.MostWaits
	target := v.door(t, 4, 8, nil)
	mustApply(t, target, numbered(0, 8))
	if v.Calls["wait"] == 0 {
		t.Error("nobody waited")
	}
	v.Slow = 4 * googledoor.MostWaits
	if err := apply(t, target, numbered(0, 1)); !fault.Is(err, fault.Transient) {
		t.Errorf("an operation that takes longer than anybody waits: %v", err)
	}
	if err := apply(t, target, numbered(0, 2)); !fault.Is(err, fault.Conflict) {
		t.Errorf("a rule whose change is under way: %v", err)
	}
	v.Settle()
	v.Slow = 3
	mustApply(t, target, numbered(0, 2))
}

// TestTurns: who waits for the turn to write gives up when told to.
func TestTurns(t *testing.T) {
	t.Parallel()
	target := newVPC(t, 1).door(t, 4, 4, nil)
	target.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := target.Remove(ctx, nil); !fault.Is(err, fault.Transient) || !strings.Contains(err.Error(), "waiting to write") {
		t.Errorf("removing out of turn: %v", err)
	}
	<-target.turn
	if err := target.Remove(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestConnecting: a client that could not be made is made at the next call.
func TestConnecting(t *testing.T) {
	t.Parallel()
	v := newVPC(t, 1)
	tries := 0
	target, err := New(project, "edge", 4, allowlist.Options{Name: "vpc"}, func(ctx context.Context) (*compute.Service, error) {
		if tries++; tries <= 3 {
			return nil, fault.New(fault.Misconfigured, "connecting: no credentials")
		}
		return v.door(t, 4, 4, nil).service.Get(ctx)
	})
	if err != nil || tries != 0 {
		t.Fatalf("opening: %v after %d connections", err, tries)
	}
	_, err = target.Read(t.Context())
	for _, err := range []error{err, target.Apply(t.Context(), allowlist.Set{}, allowlist.Write{}), target.Remove(t.Context(), nil)} {
		if !fault.Is(err, fault.Misconfigured) {
			t.Errorf("without credentials: %v", err)
		}
	}
	if seen := read(t, target); seen.Torn != "" {
		t.Errorf("with them: %+v", seen)
	}
}

// TestDial: credentials are looked for when they are needed, and serve longer than the call that needed them first.
func TestDial(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials.json")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	if _, err := Dial(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without credentials: %v", err)
	}
	v := newVPC(t, 1)
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"t","token_type":"Bearer","expires_in":3600}`)
	}))
	defer tokens.Close()
	secret, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(secret)})
	account, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@b.example", "private_key": string(block), "token_uri": tokens.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, account, 0o600); err != nil {
		t.Fatal(err)
	}
	first, cancel := context.WithCancel(t.Context())
	client, err := Dial(first)
	cancel()
	if err != nil || client.BasePath != "https://compute.googleapis.com/compute/v1/" {
		t.Fatalf("with them: %+v, %v", client, err)
	}
	client.BasePath = v.Server.URL + "/"
	v.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer t" {
			t.Errorf("asked as %q", r.Header.Get("Authorization"))
		}
		return false
	}
	if _, err := client.Firewalls.Get(project, "edge-v4-00").Context(t.Context()).Do(); err != nil {
		t.Errorf("after the first call ended: %v", err)
	}
}
