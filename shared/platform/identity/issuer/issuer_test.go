package issuer_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/google"
	"ostiary.internal/shared/platform/identity/iap"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/identity/oidc"
)

const (
	productURL = "https://id.labelsync.example/app"
	audience   = "/local/registerip"
	person     = "Jane.Doe@labelsync.example"
	machine    = "push@labelsync.iam.gserviceaccount.com"
)

var start = time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC)

// opened are the verifiers of the deployed code, fed by the local issuer.
type opened struct {
	*issuer.Issuer
	clock     *clock.Manual
	verifiers map[issuer.Kind]identity.Verifier
}

func open(t *testing.T, path string) opened {
	t.Helper()
	clk := clock.NewManual(start)
	o := opened{issuer.New(path, productURL, clk), clk, map[issuer.Kind]identity.Verifier{}}
	for kind, url := range map[issuer.Kind]string{
		issuer.Staff: "iap:", issuer.Service: "google:", issuer.Customer: "oidc:" + productURL,
	} {
		v, err := identity.Drivers.Open(t.Context(), url+"?audience="+audience,
			identity.Options{Clock: clk, Transport: o.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		o.verifiers[kind] = v
	}
	return o
}

func (o opened) issue(t *testing.T, c issuer.Claims) string {
	t.Helper()
	if c.Audience == "" {
		c.Audience = audience
	}
	token, err := o.Issue(c)
	if err != nil {
		t.Fatalf("Issue: %v", err)
	}
	return token
}

func keyFile(t *testing.T) string { return filepath.Join(t.TempDir(), "issuer.json") }

func TestTokensPassTheDeployedVerifiers(t *testing.T) {
	t.Parallel()
	o := open(t, keyFile(t))
	verify := func(c issuer.Claims) identity.Identity {
		t.Helper()
		who, err := o.verifiers[c.Kind].Verify(t.Context(), o.issue(t, c))
		if err != nil {
			t.Fatalf("Verify %s: %v", c.Kind, err)
		}
		return who
	}
	staff := verify(issuer.Claims{Kind: issuer.Staff, Email: person})
	if staff.Email != strings.ToLower(person) || staff.Subject != "accounts.google.com:"+issuer.Number(person) ||
		staff.HostedDomain != "labelsync.example" || staff.ServiceAccount {
		t.Errorf("staff: %+v", staff)
	}
	if !staff.Issued.Equal(start) || !staff.Expires.Equal(start.Add(issuer.Life)) {
		t.Errorf("staff: issued %s, expires %s", staff.Issued, staff.Expires)
	}
	service := verify(issuer.Claims{Kind: issuer.Service, Email: machine})
	if !service.ServiceAccount || service.Subject != issuer.Number(machine) || service.HostedDomain != "" {
		t.Errorf("service: %+v", service)
	}
	verify(issuer.Claims{Kind: issuer.Service, Email: person})
	customer := verify(issuer.Claims{Kind: issuer.Customer, Email: "anna@customer.example", Tenant: "acme"})
	if customer.Claims["tenant"] != "acme" || customer.Email != "anna@customer.example" || !customer.AuthTime.Equal(start) {
		t.Errorf("customer: %+v", customer)
	}
	for name, row := range map[string]struct {
		claim any
		want  time.Time
	}{"an hour ago": {start.Add(-time.Hour).Unix(), start.Add(-time.Hour)}, "left out": {nil, time.Time{}}} {
		if got := verify(issuer.Claims{Kind: issuer.Customer, Email: "anna@customer.example", Override: map[string]any{"auth_time": row.claim}}); !got.AuthTime.Equal(row.want) {
			t.Errorf("signed in %s: %s", name, got.AuthTime)
		}
	}
	if !staff.AuthTime.IsZero() {
		t.Errorf("staff: signed in %s, which tokens of the proxy do not say", staff.AuthTime)
	}
	if n := issuer.Number(person); len(n) != 21 || n != issuer.Number(strings.ToLower(person)) || n == issuer.Number(machine) {
		t.Errorf("Number: %s is not a stable number of 21 digits", n)
	}
}

// Whatever sign-in is asked to sign, the deployed checks decide.
func TestOverrides(t *testing.T) {
	t.Parallel()
	o := open(t, keyFile(t))
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	for name, row := range map[string]struct {
		claims issuer.Claims
		reason string // "" when the token is good
	}{
		"another audience":  {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"aud": "other"}}, "audience"},
		"no audience":       {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"aud": nil}}, "audience"},
		"expired":           {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"exp": at(-time.Hour)}}, "expired"},
		"expired, as float": {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"exp": float64(at(-time.Hour))}}, "expired"},
		"too old":           {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"iat": at(-2 * time.Hour)}}, "too long ago"},
		"in the future":     {issuer.Claims{Kind: issuer.Customer, Override: map[string]any{"iat": at(time.Hour)}}, "future"},
		"no e-mail":         {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"email": nil}}, "email"},
		"not verified":      {issuer.Claims{Kind: issuer.Service, Override: map[string]any{"email_verified": false}}, "not verified"},
		"verified unknown":  {issuer.Claims{Kind: issuer.Customer, Override: map[string]any{"email_verified": nil}}, "not verified"},
		"another issuer":    {issuer.Claims{Kind: issuer.Customer, Override: map[string]any{"iss": iap.Issuer}}, "issuer"},
		"another domain":    {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"hd": "evil.example"}}, ""},
		"consumer account":  {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"hd": nil}}, ""},
		"methods":           {issuer.Claims{Kind: issuer.Staff, Override: map[string]any{"amr": []string{"mfa"}, "auth_time": at(0)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.claims.Email = person
			_, err := o.verifiers[row.claims.Kind].Verify(t.Context(), o.issue(t, row.claims))
			if row.reason == "" && err != nil || row.reason != "" && (!fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), row.reason)) {
				t.Errorf("Verify: %v, want %q", err, row.reason)
			}
		})
	}
	// A token of one sort opens no other door.
	for issued := range o.verifiers {
		token := o.issue(t, issuer.Claims{Kind: issued, Email: person})
		for asked, v := range o.verifiers {
			if _, err := v.Verify(t.Context(), token); (err == nil) != (issued == asked) {
				t.Errorf("a %s token at the %s verifier: %v", issued, asked, err)
			}
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	i := issuer.New(path, "", clock.NewManual(start))
	for name, row := range map[string]struct {
		claims issuer.Claims
		want   fault.Kind
	}{
		"unknown kind":       {issuer.Claims{Kind: "root", Email: person, Audience: "a"}, fault.Invalid},
		"malformed address":  {issuer.Claims{Kind: issuer.Staff, Email: "jane", Audience: "a"}, fault.Invalid},
		"no audience":        {issuer.Claims{Kind: issuer.Staff, Email: person}, fault.Invalid},
		"no issuer":          {issuer.Claims{Kind: issuer.Customer, Email: person, Audience: "a"}, fault.Misconfigured},
		"claim without JSON": {issuer.Claims{Kind: issuer.Staff, Email: person, Audience: "a", Override: map[string]any{"x": func() {}}}, fault.Invalid},
	} {
		if _, err := i.Issue(row.claims); !fault.Is(err, row.want) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
}

// Keys outlive the process, are made once, and are nobody else's to read.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	first := open(t, path)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key file is there before the first use: %v", err)
	}
	var all sync.WaitGroup
	tokens := make([]string, 4)
	for n := range tokens {
		all.Go(func() {
			one := issuer.New(path, productURL, clock.NewManual(start))
			tokens[n], _ = one.Issue(issuer.Claims{Kind: issuer.Staff, Email: person, Audience: audience})
		})
	}
	all.Wait()
	for _, token := range tokens {
		if _, err := first.verifiers[issuer.Staff].Verify(t.Context(), token); err != nil {
			t.Errorf("four processes, one file: %v", err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, mode %v; want 0600", err, info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}

func TestKeyFileRefused(t *testing.T) {
	t.Parallel()
	path := keyFile(t)
	open(t, path).issue(t, issuer.Claims{Kind: issuer.Staff, Email: person})
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var public map[string]json.RawMessage
	if err := json.Unmarshal(good, &public); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"others may read": {string(good), 0o640},
		"empty":           {"", 0o600},
		"cut":             {string(good[:len(good)/2]), 0o600},
		"no keys":         {`{"v":1}`, 0o600},
		"later shape":     {strings.Replace(string(good), `"v":1`, `"v":2`, 1), 0o600},
		"keys exchanged":  {`{"v":1,"es256":` + string(public["rs256"]) + `,"rs256":` + string(public["es256"]) + `}`, 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := keyFile(t)
			if err := os.WriteFile(path, []byte(row.content), row.mode); err != nil {
				t.Fatal(err)
			}
			_, err := issuer.New(path, "", clock.NewManual(start)).Issue(issuer.Claims{Kind: issuer.Staff, Email: person, Audience: "a"})
			if !fault.Is(err, fault.Misconfigured) {
				t.Errorf("Issue: %v, want misconfigured", err)
			}
			if now, _ := os.ReadFile(path); string(now) != row.content {
				t.Errorf("the file was replaced")
			}
		})
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: open(t, keyFile(t)).Transport()}
	for _, address := range []string{iap.Keys, google.Keys, productURL + oidc.DiscoveryPath} {
		response, err := client.Get(address)
		if err != nil {
			t.Fatalf("GET %s: %v", address, err)
		}
		var document map[string]any
		if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
			t.Errorf("GET %s: %v", address, err)
		}
		response.Body.Close()
		for _, private := range []string{"d", "p", "q", "k"} {
			if keys, ok := document["keys"].([]any); ok && keys[0].(map[string]any)[private] != nil {
				t.Errorf("GET %s gives away the private part %q", address, private)
			}
		}
	}
	for _, address := range []string{
		"https://www.googleapis.com/oauth2/v3/certs?x=1", "https://www.googleapis.com/", "http://www.gstatic.com/iap/verify/public_key-jwk",
		"https://id.labelsync.example/.well-known/openid-configuration", "http://169.254.169.254/", "https://example.com/",
	} {
		if response, err := client.Get(address); err == nil {
			response.Body.Close()
			t.Errorf("GET %s was answered", address)
		}
	}
	if response, err := client.Post(iap.Keys, "", strings.NewReader("x")); err == nil {
		response.Body.Close()
		t.Errorf("POST was answered")
	}
}

// Without a customer issuer the empty URL must not become an address.
func TestTransportWithoutIssuerURL(t *testing.T) {
	t.Parallel()
	i := issuer.New(keyFile(t), "", clock.NewManual(start))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, oidc.DiscoveryPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := i.Transport().RoundTrip(request); err == nil {
		response.Body.Close()
		t.Errorf("an issuer without a URL answered discovery")
	}
}
