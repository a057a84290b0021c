package bolt_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/store"
)

// entries returns all that stands in the indexes of a file, by index and key.
func entries(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]string{}
	if err := db.View(func(tx *bbolt.Tx) error {
		tree := tx.Bucket([]byte("control"))
		return tree.ForEachBucket(func(name []byte) error {
			return tree.Bucket(name).ForEach(func(key, id []byte) error {
				if len(name) > 0 && name[0] == 'i' {
					all[fmt.Sprintf("%s %x", name, key)] = string(id)
				}
				return nil
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// However documents came to what they are, their indexes are those of a file into which they were written once.
func TestIndexesForgetTheWayThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(store.Index{"rank"}, store.Index{"kind"}, store.Index{"kind", "rank"})
	random := rand.New(rand.NewPCG(1, 2))
	last := map[string]map[string]any{}
	s := open(t, filepath.Join(dir, "long.db"), "control", o)
	for range 300 {
		id, doc := fmt.Sprint("id", random.IntN(8)), map[string]any{"note": random.IntN(1000)}
		if random.IntN(4) > 0 {
			doc["rank"] = random.IntN(3)
		}
		if random.IntN(4) > 0 {
			doc["kind"] = fmt.Sprint("kind", random.IntN(2))
		}
		gone := random.IntN(6) == 0
		if err := s.Tx(t.Context(), func(tx store.Tx) error {
			if gone {
				return tx.Delete("things", id)
			}
			return tx.Put("things", id, doc)
		}); err != nil {
			t.Fatal(err)
		}
		if last[id] = doc; gone {
			delete(last, id)
		}
	}
	fresh := open(t, filepath.Join(dir, "short.db"), "control", o)
	if err := fresh.Tx(t.Context(), func(tx store.Tx) error {
		for id, doc := range last {
			if err := tx.Create("things", id, doc); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Close(), fresh.Close()
	got, want := entries(t, filepath.Join(dir, "long.db")), entries(t, filepath.Join(dir, "short.db"))
	if len(want) == 0 || !maps.Equal(got, want) {
		t.Errorf("the indexes hold %v, want %v", got, want)
	}
}
