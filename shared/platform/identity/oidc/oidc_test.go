package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/identitytest"
	"ostiary.internal/shared/platform/identity/oidc"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"RS256", "ES256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			const issuer = "https://id.labelsync.example/realms/app"
			identitytest.Run(t, identitytest.Kind{
				URL:          "oidc:" + issuer,
				Audience:     "labelsync-app",
				Issuers:      []string{issuer},
				Keys:         "https://keys.labelsync.example/app.json",
				Discovery:    issuer + oidc.DiscoveryPath,
				Algorithm:    algorithm,
				Claims:       map[string]any{"sub": "user-4711", "email_verified": true},
				LongestLived: 24 * time.Hour,
			})
		})
	}
}

// Only https may carry keys, but for this very machine.
func TestIssuerURL(t *testing.T) {
	t.Parallel()
	for raw, good := range map[string]bool{
		"oidc:https://id.example":               true,
		"oidc:https://id.example/realms/app":    true,
		"oidc:http://127.0.0.1:8080":            true,
		"oidc:http://localhost:8080":            true,
		"oidc:http://[::1]:8080":                true,
		"oidc:http://id.example":                false,
		"oidc:http://localhost.evil.example":    false,
		"oidc:http://127.0.0.1.evil.example":    false,
		"oidc:https://user:secret@id.example":   false,
		"oidc:https://":                         false,
		"oidc:":                                 false,
		"oidc://id.example":                     false,
		"oidc:id.example":                       false,
		"oidc:file:///etc/issuer":               false,
		"oidc:https://127.0.0.1@evil.example/x": false,
	} {
		_, err := identity.Drivers.Open(t.Context(), raw+"?audience=a", identity.Options{Clock: clock.System{}})
		if good != (err == nil) || !good && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("opening %s: %v", raw, err)
		}
	}
}

// The default transport, a real server and a redirect: the keys are not sought where it points.
func TestRealServer(t *testing.T) {
	t.Parallel()
	var followed bool
	var base string
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+oidc.DiscoveryPath, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": base, "jwks_uri": base + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	mux.HandleFunc("GET /elsewhere", func(http.ResponseWriter, *http.Request) { followed = true })
	server := httptest.NewServer(mux)
	defer server.Close()
	base = server.URL

	v, err := identity.Drivers.Open(t.Context(), "oidc:"+base+"?audience=a", identity.Options{Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	// The header says RS256 and a key id; nothing else matters before the keys are there.
	_, err = v.Verify(t.Context(), "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AAAA")
	if !fault.Is(err, fault.Transient) || followed {
		t.Errorf("Verify: %v, followed the redirect: %t; want transient, false", err, followed)
	}
}
