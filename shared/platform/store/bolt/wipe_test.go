package bolt_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
)

// TestWipe: of documents that were deleted, replaced, or moved about by their neighbours, the file holds nothing after a
// wipe, in documents and indexes; of the others it holds everything.
func TestWipe(t *testing.T) {
	t.Parallel()
	const gone, stays = "canary.seven@mail.example", "wren.eight@mail.example"
	path := filepath.Join(t.TempDir(), "store.db")
	db, release, err := bolt.File(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	s := open(t, path, "control", options(store.Index{"email"}))
	write := func(fn func(tx store.Tx, id string, n int) error) {
		t.Helper()
		for from := 0; from < 600; from += 100 {
			if err := s.Tx(t.Context(), func(tx store.Tx) error {
				for n := from; n < from+100; n++ {
					if err := fn(tx, fmt.Sprintf("%04d", n), n); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	mail := func(who string, n int) map[string]any {
		return map[string]any{"v": 1, "email": fmt.Sprint(n, ".", who), "text": strings.Repeat(who, 1+n%400)}
	}
	write(func(tx store.Tx, id string, n int) error { return tx.Put("things", id, mail(gone, n)) })
	write(func(tx store.Tx, id string, n int) error {
		if n%3 == 0 {
			return tx.Put("things", id, mail(stays, n))
		}
		return tx.Delete("things", id)
	})
	held := func(who string) bool {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(data, []byte(who))
	}
	if !held(gone) {
		t.Fatal("nothing was left before: the test shows nothing")
	}
	if err := db.View(func(*bbolt.Tx) error {
		if err := bolt.Wipe(db); !fault.Is(err, fault.Conflict) {
			t.Errorf("under somebody who reads: %v", err)
		}
		return nil
	}); err != nil || !held(gone) {
		t.Errorf("a read ended with %v", err)
	}
	if err := bolt.Wipe(db); err != nil {
		t.Fatal(err)
	}
	if held(gone) || !held(stays) {
		t.Errorf("what is gone is there: %v; what stays is there: %v", held(gone), held(stays))
	}
	if err := db.View(func(tx *bbolt.Tx) error {
		for problem := range tx.Check() {
			t.Error(problem)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if ids, err := s.Query(t.Context(), store.Query{Collection: "things", Limit: store.MaxQueryResults}); err != nil || len(ids) != 200 {
		t.Errorf("%d documents, %v", len(ids), err)
	}
	write(func(tx store.Tx, id string, n int) error { return tx.Put("things", id, mail(stays, n)) }) // and the file goes on
}

// BenchmarkWipe wipes a file of 20 MB of which nine tenths were deleted.
func BenchmarkWipe(b *testing.B) {
	path := filepath.Join(b.TempDir(), "store.db")
	db, release, err := bolt.File(path)
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	fill := func() {
		for part := range 20 {
			if err := db.Update(func(tx *bbolt.Tx) error {
				bucket, err := tx.CreateBucketIfNotExists(fmt.Append(nil, part))
				for n := 0; n < 1000 && err == nil; n++ {
					err = bucket.Put(fmt.Append(nil, n), bytes.Repeat([]byte("x"), 1000))
				}
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
		for part := range 18 {
			if err := db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(fmt.Append(nil, part)) }); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		b.StopTimer()
		fill()
		b.StartTimer()
		if err := bolt.Wipe(db); err != nil {
			b.Fatal(err)
		}
	}
}
