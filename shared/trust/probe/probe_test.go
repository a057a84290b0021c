package probe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/probe"
	"ostiary.internal/shared/trust/probe/outside"
)

var start = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)

// certificate is one for localhost, good for 90 days from start, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(90 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// world is a server on this machine, a policy that promises things of it, and what the probes recorded.
type world struct {
	*probe.Service
	clock  *clock.Manual
	mu     sync.Mutex
	record []record.Record
}

const promise = `promises:
  - id: X1
    text: {en: "We promise it."}
    source: {file: page, section: one}
    check: outside
    severity: high
    params: {targets: ["%s"]%s}
    kept_by: [{probe: %s}]
`

func newWorld(t *testing.T, name probe.Name, target, params string, pool *x509.CertPool) *world {
	t.Helper()
	folder := fstest.MapFS{
		"acme/company.yaml":      {Data: []byte("company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en]}\n")},
		"acme/people.yaml":       {Data: []byte("people: [{id: ann, email: ann@acme.example, name: Ann, roles: [owner, security, dpo], zone: Europe/Paris, language: en}]\n")},
		"acme/promises/one.yaml": {Data: fmt.Appendf(nil, promise, target, params, name)},
	}
	p, problems, err := policy.Load(folder, "acme")
	if err != nil || policy.Refuse(problems) != nil {
		t.Fatal(err, problems)
	}
	if problems := probe.Check(p); len(problems) > 0 {
		t.Fatal(problems)
	}
	w := &world{clock: clock.NewManual(start)}
	kept, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection(), probe.Collection()}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	box := outbox.New(kept, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: func(_ context.Context, e outbox.Entry) error {
		r, err := record.Parse(e.Data)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.record = append(w.record, r)
		return err
	}})
	eye, err := outside.New(reach.Loopback, w.clock, pool)
	if err != nil {
		t.Fatal(err)
	}
	if w.Service, err = probe.New(probe.Config{Store: kept, Box: box, Eye: eye, Policy: p, Canary: func(context.Context) ([]byte, error) { return []byte("canary"), nil }}); err != nil {
		t.Fatal(err)
	}
	return w
}

// said is what the newest record says: state, metric and value.
func (w *world) said(t *testing.T) string {
	t.Helper()
	if len(w.record) == 0 {
		return "nothing"
	}
	r := w.record[len(w.record)-1]
	return strings.TrimSpace(fmt.Sprintf("%s %s %d", r.Result.State, r.Result.Metric, r.Result.Value))
}

// site answers as a careful company's would, or as a careless one's.
func site(good bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if good {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
		}
		switch {
		case r.URL.Path == "/status":
			at := start.Add(-time.Hour)
			if !good {
				at = start.Add(-72 * time.Hour)
			}
			fmt.Fprintf(w, `{"page":{"updated_at":%q}}`, at.Format(time.RFC3339))
		case r.URL.Path == "/policy" && good:
			fmt.Fprint(w, "<html><style>We promise it.</style><p>We <b>promise</b>&nbsp;it.</p>")
		case r.URL.Path == "/policy":
			fmt.Fprint(w, "<html><!-- We promise it. --><p>We used to promise it.</p>")
		case strings.HasPrefix(r.URL.Path, "/v1/canary/") && r.Header.Get("Authorization") == "Bearer canary":
			fmt.Fprint(w, "mine")
		case r.URL.Path == "/openapi.json":
			fmt.Fprint(w, `{"openapi":"3.1.0","security":[{"oauth":[]}],"paths":{"/v1/things":{"get":{}},"/v1/things/{id}":{"get":{}},"/v1/open":{"get":{"security":[]}},"/v1/new":{"post":{}}}}`)
		case strings.HasPrefix(r.URL.Path, "/v1/"):
			if good {
				w.WriteHeader(http.StatusForbidden)
			}
			fmt.Fprint(w, "theirs")
		case strings.Contains(r.URL.RawQuery, "UNION") && good:
			w.WriteHeader(http.StatusForbidden)
		default:
			fmt.Fprint(w, "hello")
		}
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   probe.Name
		path   string
		params string
		good   bool
		want   string
	}{
		{probe.TLSVersion, "", "", true, "kept tls_version_x10 12"},
		{probe.TLSVersion, "", `, tls: ">=1.3"`, true, "broken tls_version_x10 12"},
		{probe.TLSVersion, "", "", false, "broken tls_version_x10 10"},
		{probe.CertificateValid, "", "", true, "kept certificate_days 90"},
		{probe.CertificateValid, "", ", sig: sha256WithRSA", true, "broken failed_targets 1"},
		{probe.CertificateValid, "", ", sig: ECDSA-SHA256", true, "kept certificate_days 90"},
		{probe.SecurityHeaders, "", "", true, "kept failed_targets 0"},
		{probe.SecurityHeaders, "", "", false, "broken failed_targets 1"},
		{probe.RefusesAnonymous, "/v1/things", "", true, "kept failed_targets 0"},
		{probe.RefusesAnonymous, "/v1/things", "", false, "broken failed_targets 1"},
		{probe.RefusesAnonymous, "/openapi.json", "", true, "kept failed_targets 0"},
		{probe.RefusesAnonymous, "/openapi.json", "", false, "broken failed_targets 1"},
		{probe.RefusesForeign, "/v1/{canary|other}/things", "", true, "kept failed_targets 0"},
		{probe.RefusesForeign, "/v1/{canary|other}/things", "", false, "broken failed_targets 1"},
		{probe.MalformedRefused, "", "", true, "kept failed_targets 0"},
		{probe.MalformedRefused, "", "", false, "broken failed_targets 1"},
		{probe.StatusPageAge, "/status", "", true, "kept status_page_age_s 3600"},
		{probe.StatusPageAge, "/status", "", false, "broken status_page_age_s 259200"},
		{probe.StatusPageAge, "/nothing", "", true, "unknown  0"},
		{probe.PolicyPageText, "/policy", "", true, "kept  0"},
		{probe.PolicyPageText, "/policy", "", false, "unknown  0"},
	} {
		t.Run(fmt.Sprint(test.name, test.path, test.params, test.good), func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t)
			server := httptest.NewUnstartedServer(site(test.good))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
			if !test.good {
				server.TLS.MinVersion = tls.VersionTLS10
			}
			server.StartTLS()
			defer server.Close()
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			target := "localhost:" + port
			if test.path != "" {
				target = "https://" + target + test.path
			}
			w := newWorld(t, test.name, target, test.params, pool)
			if err := w.Run(t.Context(), w.clock.Now()); err != nil {
				t.Fatal(err)
			}
			if got := w.said(t); got != strings.TrimSpace(test.want) {
				t.Errorf("said %q, want %q: %+v", got, test.want, w.record[0])
			}
		})
	}
}

// TestSilence: what cannot be seen is unknown, is tried again soon, and does not count as looked at.
func TestSilence(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	server := httptest.NewUnstartedServer(site(true))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	w := newWorld(t, probe.TLSVersion, "localhost:"+port, "", pool)
	pass := func(d time.Duration, records int, state string, seen int64) {
		t.Helper()
		if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
			t.Fatal(err)
		}
		if err := w.Run(t.Context(), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		beats, err := w.Beats(t.Context(), w.clock.Now())
		if err != nil || len(beats) != 1 || beats[0].Population.Seen != seen || beats[0].Population.Expected != 1 {
			t.Fatalf("beats %+v %v", beats, err)
		}
		if got := w.said(t); len(w.record) != records || !strings.HasPrefix(got, state) {
			t.Fatalf("%d records, the last %q", len(w.record), got)
		}
	}
	pass(0, 1, "kept", 1)
	pass(59*time.Minute, 1, "kept", 1) // not due
	pass(time.Minute, 2, "kept", 1)
	server.Close()
	pass(time.Hour, 3, "unknown", 0)
	pass(14*time.Minute, 3, "unknown", 0)
	pass(time.Minute, 4, "unknown", 0)
	if r := w.record[3]; r.Population.Errors != 1 || r.Facts["detail"] != "unreachable" || !r.Expires.After(w.clock.Now()) {
		t.Errorf("%+v", r)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	check(t, probe.RefusesForeign, map[string]bool{
		"https://api.acme.example/v1/tenants/{canary|other}/things": false, "https://api.acme.example:8443/{a|b}": false, "https://api.acme.example/?tenant={a|b}": false,
		"https://api.acme.example/v1/tenants/canary": true, "https://api.acme.example/{canary}": true, "https://api.acme.example/{a|a}": true, "https://api.acme.example/{a|}": true,
		"https://api.acme.example/{a|b}/{c|d}": true, "https://api.acme.example/{a|../b}": true, "http://api.acme.example/{a|b}": true, "https://{a|b}.acme.example/": true,
		"https://api.acme{.example|.example.evil}/": true, "https://api.acme.example{/x|.evil/x}": true, "https://10.0.0.1/{a|b}": true,
	})
	check(t, probe.TLSVersion, map[string]bool{"www.acme.example": false, "https://www.acme.example/": true, "10.0.0.1": true, "www": true, "a..b": true, "x.example:0": true, "x.example:70000": true, "user@x.example": true})
}

func check(t *testing.T, name probe.Name, targets map[string]bool) {
	t.Helper()
	for target, wrong := range targets {
		folder := fstest.MapFS{
			"acme/company.yaml":      {Data: []byte("company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en]}\n")},
			"acme/people.yaml":       {Data: []byte("people: [{id: ann, email: ann@acme.example, name: Ann, roles: [owner, security, dpo], zone: Europe/Paris, language: en}]\n")},
			"acme/promises/one.yaml": {Data: fmt.Appendf(nil, promise, target, "", name)},
		}
		p, _, err := policy.Load(folder, "acme")
		if err != nil {
			t.Fatal(err)
		}
		if problems := probe.Check(p); (len(problems) > 0) != wrong {
			t.Errorf("%s: %v", target, problems)
		}
	}
}
