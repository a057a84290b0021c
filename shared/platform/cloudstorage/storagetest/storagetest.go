// Package storagetest lets a process of its own reach the Cloud Storage of a test, as Google's client reaches an emulator: by
// the environment variable STORAGE_EMULATOR_HOST.
//
// It promises that the process has the permissions it is given and no other. It is for tests; nothing deployed links it.
package storagetest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"ostiary.internal/shared/platform/gcstest"
)

// Variable tells the client of a process where its Cloud Storage is.
const Variable = "STORAGE_EMULATOR_HOST"

// Host returns what Variable has to say for a process with permissions as of gcstest.Server.Client. It ends with the test. No
// other client of s may be made meanwhile.
func Host(t testing.TB, s *gcstest.Server, permissions ...string) string {
	t.Helper()
	var granted http.RoundTripper
	var at *url.URL
	s.Wrap = func(next http.RoundTripper) http.RoundTripper {
		granted = next
		return seen(func(r *http.Request) (*http.Response, error) { at = r.URL; return next.RoundTrip(r) })
	}
	client := s.Client(t, permissions...)
	s.Wrap = nil
	_, _ = client.Bucket("where").Attrs(t.Context()) // whatever the answer: it shows where the server is
	if at == nil {
		t.Fatal("the client asked nobody")
	}
	proxy := &httputil.ReverseProxy{Transport: granted, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: at.Scheme, Host: at.Host})
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

type seen func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (s seen) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }
