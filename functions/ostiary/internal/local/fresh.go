package local

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/disk"
)

// freshFile stands in a data folder that was begun here and into which nothing has come since but what the schedules
// wrote by themselves. It is gone, for good, before the first thing comes from outside: only beside it a sample life may
// be played, or the folder be emptied for one.
const freshFile = "fresh"

// begun marks a data folder that holds nothing yet. The lock on its database is ours.
func (w *World) begun(file *bbolt.DB) error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("looking into the data folder: %w", err)
	}
	empty := len(entries) == 1 // the database, just made
	err = file.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func([]byte, *bbolt.Bucket) error {
			empty = false
			return nil
		})
	})
	if err == nil && empty {
		err = os.WriteFile(filepath.Join(w.dir, freshFile), []byte("Nothing has come into this folder from outside yet.\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("marking the data folder: %w", err)
	}
	return nil
}

// fresh reports whether nothing came from outside. What cannot be read is taken for what somebody did.
func (w *World) fresh() bool {
	_, err := os.Stat(filepath.Join(w.dir, freshFile))
	return err == nil
}

// touch says that something comes from outside, durably, before it does.
func (w *World) touch() error {
	if w.touched.Load() {
		return nil
	}
	err := os.Remove(filepath.Join(w.dir, freshFile))
	if err == nil {
		err = disk.SyncFolder(w.dir)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("marking the data folder: %w", err)
	}
	w.touched.Store(true)
	return nil
}

// brings reports whether a request may bring something into the data folder.
func brings(r *http.Request) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) &&
		!slices.Contains([]string{"/_local/signin", "/_local/signout", "/_local/clock", "/_local/settle"}, r.URL.Path)
}
