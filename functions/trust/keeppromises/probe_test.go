package keeppromises

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/trust/probe"
	"ostiary.internal/shared/trust/probe/outside"
)

const apart = `promises:
  - id: X1
    text: {en: "Nobody sees what is another's."}
    source: {file: page, section: one}
    check: tenant-isolation
    severity: high
    params: {targets: ["https://localhost:%s/tenants/{canary|other}/things"]}
    kept_by: [{probe: api-refuses-foreign-tenant}]
`

// TestCanary: the probe shows the secret token to an interface, and what that says of another tenant is on record; where
// the token cannot be read nothing is known, and the rest of the run goes on.
func TestCanary(t *testing.T) {
	t.Parallel()
	leaks := false
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := strings.HasPrefix(r.URL.Path, "/tenants/canary/")
		switch {
		case r.Header.Get("Authorization") != "Bearer ey.canary.x":
			w.WriteHeader(http.StatusUnauthorized)
		case own || leaks:
			fmt.Fprint(w, "things")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	cert := localhost(t)
	api.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	api.StartTLS()
	defer api.Close()
	_, port, _ := strings.Cut(api.Listener.Addr().String(), ":")

	w := newWorld(t, map[string]string{"promises/apart.yaml": fmt.Sprintf(apart, port)})
	w.PutSecret(canaryToken, []byte("ey.canary.x\n"))
	k := w.another(t)
	said := func() (record.State, string) {
		t.Helper()
		w.Advance(t, time.Hour)
		must(t, k.probe(t.Context(), w.Clock.Now()))
		found := slices.DeleteFunc(w.of(t, record.Observation), func(r record.Record) bool { return r.Control != "api-refuses-foreign-tenant" })
		if len(found) == 0 {
			t.Fatal("the probe left no record")
		}
		return found[len(found)-1].Result.State, found[len(found)-1].Facts["detail"]
	}
	if state, detail := said(); state != record.Unknown || detail != "unreachable" {
		t.Errorf("a server nobody vouches for: %s %s", state, detail)
	}
	k.probes.(*probe.Service).Eye = vouched(t, w, cert)
	if state, detail := said(); state != record.Kept {
		t.Errorf("another tenant is hidden: %s %s", state, detail)
	}
	leaks = true
	if state, detail := said(); state != record.Broken {
		t.Errorf("another tenant is shown: %s %s", state, detail)
	}
	leaks = false
	w.Secrets.Down()
	if state, detail := said(); state != record.Unknown || detail != "no-canary-token" {
		t.Errorf("without the token: %s %s", state, detail)
	}
	w.Secrets.Up()
	w.PutSecret(canaryToken, []byte("ey.ended.x"))
	if state, detail := said(); state != record.Unknown || detail != "own-tenant-not-answered" {
		t.Errorf("a token that is good no more: %s %s", state, detail)
	}
	for _, r := range w.of(t, record.Observation) {
		data, err := r.Canonical()
		must(t, err)
		if strings.Contains(string(data), "ey.") {
			t.Errorf("the token is on record: %s", data)
		}
	}
}

// vouched is an eye that trusts the servers of a certificate.
func vouched(t *testing.T, w *world, cert tls.Certificate) probe.Eye {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	eye, err := outside.New(reach.Loopback, w.Clock, pool)
	must(t, err)
	return eye
}

// localhost is a certificate for this machine's name.
func localhost(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
