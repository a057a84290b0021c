// Package folder keeps a store of the evidence log in a folder of the local disk: one file an object, in folders as
// its name says.
//
// It promises that a file that can be seen is whole, also over a crash and with several processes at work, and that
// what was created or swapped is on the disk, unless the caller put that off (package disk); a deletion may be undone
// by a crash. The folder of an evidence inbox is such a store: what record/folder puts there, this package lists, reads
// and deletes. It does not keep the owner of the disk from changing files. Files that begin with a dot are its own.
//
// A generation is a hash of the content: an object that is made again with the same bytes has the same generation,
// which is all the log needs, and no second file has to agree with the first.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal/privatefile"
)

func init() { log.Stores.Register("folder", open) }

var _ driver.Open[log.Options, log.Objects] = open

// open opens folder:DIR; DIR is relative to the working directory, or absolute.
func open(_ context.Context, u *url.URL, _ log.Options) (log.Objects, error) {
	dir, _, err := driver.Path(u)
	if err != nil {
		return nil, err
	}
	return New(dir), nil
}

// Names of the store's own files.
const (
	temporary = ".new-"    // begins those that are being written
	lockName  = ".objects" // the one lock of the folder
)

// maxBytes bounds what is read: the largest bundle of entries has 16 MiB.
const maxBytes = 64 << 20

// Objects is a store in a folder.
type Objects struct {
	dir   string
	mu    sync.Mutex // before the lock on the disk: that one costs a thread to wait for
	swept sync.Once
}

// New returns the store in dir, which is made at the first object.
func New(dir string) *Objects { return &Objects{dir: dir} }

// Get returns an object, as log.Objects says; so do the other methods. What the disk refuses is Transient.
func (o *Objects) Get(ctx context.Context, name string) (log.Object, error) {
	if err := check(ctx, name); err != nil {
		return log.Object{}, err
	}
	if info, err := os.Stat(o.path(name)); err == nil && info.Size() > maxBytes {
		return log.Object{}, fault.New(fault.Invalid, "reading object %s: it has more than %d bytes", name, maxBytes)
	}
	data, err := os.ReadFile(o.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return log.Object{}, fault.New(fault.NotFound, "object %s does not exist", name)
	}
	if err != nil {
		return log.Object{}, fault.New(fault.Transient, "reading object %s: %w", name, err)
	}
	return log.Object{Data: data, Generation: generationOf(data)}, nil
}

func (o *Objects) Create(ctx context.Context, name string, data []byte) (int64, error) {
	if err := check(ctx, name); err != nil {
		return 0, err
	}
	// A link, unlike a rename, never replaces what is there.
	return o.put(ctx, name, data, os.Link)
}

func (o *Objects) Swap(ctx context.Context, name string, data []byte, generation int64) (int64, error) {
	if generation == 0 {
		return o.Create(ctx, name, data)
	}
	if err := check(ctx, name); err != nil {
		return 0, err
	}
	unlock, err := o.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	if now, err := o.Get(ctx, name); fault.Is(err, fault.NotFound) || err == nil && now.Generation != generation {
		return 0, fault.New(fault.Conflict, "object %s is of another generation", name)
	} else if err != nil {
		return 0, err
	}
	return o.put(ctx, name, data, os.Rename)
}

func (o *Objects) Delete(ctx context.Context, name string, generation int64) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	unlock, err := o.lock()
	if err != nil {
		return err
	}
	defer unlock()
	switch now, err := o.look(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.New(fault.Transient, "deleting object %s: %w", name, err)
	case now.Generation != generation:
		return fault.New(fault.Conflict, "object %s is of another generation", name)
	}
	if err := os.Remove(o.path(name)); err != nil {
		return fault.New(fault.Transient, "deleting object %s: %w", name, err)
	}
	return nil
}

// Close does nothing: what was kept is durable.
func (o *Objects) Close() error { return nil }

// lock makes the caller the only one who replaces or deletes, over all processes.
func (o *Objects) lock() (unlock func(), err error) {
	o.mu.Lock()
	release, err := privatefile.Lock(filepath.Join(o.dir, lockName))
	if err != nil {
		o.mu.Unlock()
		return nil, err
	}
	return func() {
		release()
		o.mu.Unlock()
	}, nil
}

// put writes an object and gives it its name by place, durably.
func (o *Objects) put(ctx context.Context, name string, data []byte, place func(from, to string) error) (int64, error) {
	path := o.path(name)
	dir := filepath.Dir(path)
	written, err := o.write(ctx, data)
	if err != nil {
		return 0, fault.New(fault.Transient, "writing object %s: %w", name, err)
	}
	defer os.Remove(written)
	if err = place(written, path); errors.Is(err, fs.ErrNotExist) {
		if err = disk.MakeFolder(dir); err == nil {
			err = place(written, path)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return 0, fault.New(fault.Conflict, "object %s exists", name)
	}
	if err == nil && disk.Waits(ctx) {
		err = disk.SyncFolder(dir)
	}
	if err != nil {
		return 0, fault.New(fault.Transient, "writing object %s: %w", name, err)
	}
	return generationOf(data), nil
}

// write puts data into a temporary file, on the disk, and returns its path. It lies at the top of the store, where what
// killed processes left is found without a look into every folder.
func (o *Objects) write(ctx context.Context, data []byte) (string, error) {
	o.swept.Do(func() { disk.Sweep(o.dir, temporary) })
	f, err := os.CreateTemp(o.dir, temporary)
	if errors.Is(err, fs.ErrNotExist) {
		if err = disk.MakeFolder(o.dir); err == nil {
			f, err = os.CreateTemp(o.dir, temporary)
		}
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil && disk.Waits(ctx) {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func (o *Objects) path(name string) string { return filepath.Join(o.dir, filepath.FromSlash(name)) }

func generationOf(data []byte) int64 {
	sum := sha256.Sum256(data)
	return generation(sum[:])
}

// generation is that of a hash: never 0, and never negative.
func generation(sum []byte) int64 { return int64(binary.BigEndian.Uint64(sum)>>1 | 1) }

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "reaching an object: %w", err)
	}
	return log.CheckName(name)
}
