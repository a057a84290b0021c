package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// TestStores: a role that may read tells of every database of the server, mapped or not, and of no template.
func TestStores(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.do(t, "CREATE DATABASE forgotten")
	t.Cleanup(func() { s.do(t, "DROP DATABASE forgotten") })
	l, err := erasure.Listers.Open(t.Context(), "postgres://reader@127.0.0.1:"+s.port+"/postgres?secret=reader", erasure.Options{Secret: func(context.Context, string) ([]byte, error) { return []byte(secret), nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got, err := l.Stores(t.Context(), 100)
	if err != nil || !slices.Contains(got, "postgres://127.0.0.1:"+s.port+"/forgotten") || slices.ContainsFunc(got, func(url string) bool { return strings.Contains(url, "template") }) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := l.Stores(t.Context(), 1); !fault.Is(err, fault.Exhausted) {
		t.Errorf("more than one: %v", err)
	}
}
