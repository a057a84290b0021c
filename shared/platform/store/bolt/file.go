package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"ostiary.internal/shared/platform/fault"
)

// lockWait is how long another process may hold the file before we give up: a process that is just ending lets go
// of it in time, and a person who starts a second one learns so within a second.
const lockWait = 800 * time.Millisecond

// files are the open files of this process. The file itself is the shared state, and its lock is the process's:
// opening it twice would wait for ourselves.
var files = struct {
	sync.Mutex
	open map[string]*handle
}{open: map[string]*handle{}}

type handle struct {
	db    *bbolt.DB
	users int
}

// File opens the bbolt file at path, creating it and its folder (readable by the owner alone) if need be. All
// callers in one process share one handle; the file is closed when the last has called its release, which may be
// called twice. A file held by another process is Conflict within a second; one that cannot be opened is
// Misconfigured.
//
// Each user keeps to top-level buckets of its own.
func File(path string) (db *bbolt.DB, release func() error, err error) {
	path, err = resolve(path)
	if err != nil {
		return nil, nil, err
	}
	files.Lock()
	defer files.Unlock()
	h := files.open[path]
	if h == nil {
		if h, err = open(path); err != nil {
			return nil, nil, err
		}
		files.open[path] = h
	}
	h.users++
	var once sync.Once
	return h.db, func() (err error) {
		once.Do(func() { err = h.release(path) })
		return err
	}, nil
}

// Settle waits until everything that was committed is on the disk, and has whoever commits next wait again. What was put
// off may have left the file, until then, in a state that a machine without power does not recover from.
func Settle(db *bbolt.DB) error {
	tx, err := db.Begin(true)
	if err != nil {
		return transient(err)
	}
	db.NoSync = false
	if err := errors.Join(tx.Rollback(), db.Sync()); err != nil {
		return transient(err)
	}
	return nil
}

// Clear deletes everything in the file, whoever's it is.
func Clear(db *bbolt.DB) error {
	err := db.Update(func(tx *bbolt.Tx) error {
		var names [][]byte
		if err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			names = append(names, bytes.Clone(name))
			return nil
		}); err != nil {
			return err
		}
		for _, name := range names {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return transient(err)
	}
	return nil
}

func open(path string) (*handle, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fault.New(fault.Conflict, "opening %q: another process has it open", path)
	case err != nil:
		return nil, fault.New(fault.Misconfigured, "opening %q: %w", path, err)
	}
	return &handle{db: db}, nil
}

func (h *handle) release(path string) error {
	files.Lock()
	defer files.Unlock()
	if h.users--; h.users > 0 {
		return nil
	}
	delete(files.open, path)
	if err := h.db.Close(); err != nil {
		return fmt.Errorf("closing %q: %w", path, err)
	}
	return nil
}

// resolve makes one name of all names of a file, and its folder.
func resolve(path string) (string, error) {
	if path == "" {
		return "", fault.New(fault.Misconfigured, "opening a bolt file: no path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fault.New(fault.Misconfigured, "opening %q: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fault.New(fault.Misconfigured, "opening %q: %w", path, err)
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) { // the file is still to be made
		real, err = filepath.EvalSymlinks(filepath.Dir(path))
		real = filepath.Join(real, filepath.Base(path))
	}
	if err != nil {
		return "", fault.New(fault.Misconfigured, "opening %q: %w", path, err)
	}
	return real, nil
}
