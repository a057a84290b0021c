package local_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

// TestStores: the file tells which stores of a kind it stands for; one from which everything went is none.
func TestStores(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data.db")
	for _, tree := range []string{"firestore://p/main", "firestore://p/forgotten", "gcs://bucket", "firestore://p/empty"} {
		s, err := local.Open(file, tree)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if err := s.Put("place", "x", nil, time.Now()); err != nil {
			t.Fatal(err)
		}
		if tree == "firestore://p/empty" {
			if err := s.Drop("place"); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := erasure.Listers.Open(t.Context(), driver.URL("bolt", file, "tree", "firestore://p"), erasure.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, err := l.Stores(t.Context(), 2); err != nil || !slices.Equal(got, []string{"firestore://p/forgotten", "firestore://p/main"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := l.Stores(t.Context(), 1); !fault.Is(err, fault.Exhausted) {
		t.Errorf("more than one: %v", err)
	}
}
