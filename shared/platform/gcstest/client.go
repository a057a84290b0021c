package gcstest

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"testing"

	"cloud.google.com/go/storage"
	"google.golang.org/api/option"
)

// Client returns the real client, connected to the server, with permissions of the form "storage.objects.get BUCKET" and
// no others. It closes with the test.
func (s *Server) Client(t testing.TB, permissions ...string) *storage.Client {
	t.Helper()
	client, err := s.Connect(permissions...)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Everything stands for every permission on every bucket.
const Everything = "*"

// Connect returns the function by which an adapter makes its client, with permissions as of Client.
func (s *Server) Connect(permissions ...string) func(context.Context) (*storage.Client, error) {
	token := rand.Text()
	s.mu.Lock()
	s.grants[token] = slices.Clone(permissions)
	s.mu.Unlock()
	transport := http.RoundTripper(bearer{token})
	if s.Wrap != nil {
		transport = s.Wrap(transport)
	}
	return func(ctx context.Context) (*storage.Client, error) {
		return storage.NewClient(ctx, storage.WithJSONReads(), option.WithoutAuthentication(),
			option.WithHTTPClient(&http.Client{Transport: transport}), option.WithEndpoint(s.server.URL+"/storage/v1/"))
	}
}

type bearer struct{ token string }

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}
