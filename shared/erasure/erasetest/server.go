package erasetest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Password is that of the users of servers in tests.
const Password = "correct horse"

// Person is whom tests of servers look for; no error may name her.
const Person = "zq-u1"

// Server is a process that all tests of a package share: the first that needs it starts it, and it ends with them.
type Server[S any] struct {
	Start func(t testing.TB) S
	Stop  func(S)

	mu      sync.Mutex
	running S
	is      bool
}

// Get returns the server, running.
func (s *Server[S]) Get(t testing.TB) S {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.is {
		s.running, s.is = s.Start(t), true
	}
	return s.running
}

// Main is what a TestMain ends with.
func (s *Server[S]) Main(m *testing.M) int {
	defer func() {
		if s.is {
			s.Stop(s.running)
		}
	}()
	return m.Run()
}

// Of is the query for Person's items of a place that tells tenants by a field.
func Of(entry, place string) erasure.Query {
	return erasure.Query{
		Entry: entry, Place: place, Action: erasure.ActionDelete, Tenant: erasure.Tenant{Binding: erasure.BindField, Field: "tenant", ID: "alpha"},
		Match: erasure.Match{Kind: erasure.MatchEquals, Field: "uid", Values: []string{Person}},
	}
}

// Wants wants an error of a kind, "" for none, that names neither a person nor a password.
func Wants(t testing.TB, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: error %v is of kind %q, want %s", what, err, fault.KindOf(err), kind)
	}
	if err != nil && (strings.Contains(err.Error(), "zq-") || strings.Contains(err.Error(), Password)) {
		t.Errorf("%s: the error names a person or a password: %v", what, err)
	}
}

// All wants every method of a store to fail in the same way. ref names an item of the query.
func All(t testing.TB, what string, s erasure.Store, q erasure.Query, ref string, kind fault.Kind) {
	t.Helper()
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"finding":  func() error { _, err := s.Find(ctx, q, "", 10); return err },
		"reading":  func() error { _, err := s.Values(ctx, q, "uid", 10); return err },
		"counting": func() error { _, err := s.Group(ctx, q, []string{"uid"}); return err },
		"listing":  func() error { _, err := s.Places(ctx, 1000); return err },
		"asking":   func() error { _, err := s.Traces(ctx); return err },
		"erasing": func() error {
			_, err := s.Erase(ctx, q, []erasure.Item{{Ref: ref, Tenant: "alpha"}})
			return err
		},
	} {
		Wants(t, what+", "+name, call(), kind)
	}
}

// Found are the items of the first page.
func Found(t testing.TB, s erasure.Reader, q erasure.Query) []erasure.Item {
	t.Helper()
	page, err := s.Find(t.Context(), q, "", erasure.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// Opening are options in which the secret "password" is one.
func Opening(o erasure.Options, password string) erasure.Options {
	o.Secret = func(_ context.Context, name string) ([]byte, error) {
		if name != "password" {
			return nil, fault.New(fault.NotFound, "reading a secret: another one")
		}
		return []byte(password), nil
	}
	return o
}
