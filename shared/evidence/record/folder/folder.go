// Package folder is an evidence inbox in a folder of the local disk: one file a record, named by its id.
//
// It promises that a file that can be seen is whole and never changes, also over a crash and with several processes
// at work, and that what is kept is on the disk, unless the caller put that off (package disk). It does not keep the
// owner of the disk from changing files; a locked bucket does. A crash may leave a file that begins with a dot, which
// is nothing.
package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func init() { record.Inboxes.Register("folder", open) }

var _ driver.Open[record.Options, record.Inbox] = open

// open opens folder:DIR; DIR is relative to the working directory, or absolute. Each writer has a folder in it.
func open(_ context.Context, u *url.URL, o record.Options) (record.Inbox, error) {
	dir, _, err := driver.Path(u)
	if err != nil {
		return nil, err
	}
	if err := record.CheckWriter(o.Writer); err != nil {
		return nil, err
	}
	return New(filepath.Join(dir, o.Writer)), nil
}

// temporary begins the names of files that are being written.
const temporary = ".new-"

// Inbox is a folder of records.
type Inbox struct {
	dir   string
	swept sync.Once
}

// New returns the inbox in dir, which is made at the first record.
func New(dir string) *Inbox { return &Inbox{dir: dir} }

// Create keeps a record, as record.Inbox says.
func (in *Inbox) Create(ctx context.Context, id string, data []byte) error {
	if err := record.CheckObject(id, data); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "keeping record %s: %w", id, err)
	}
	err := in.create(ctx, id, data)
	if err == nil || fault.Is(err, fault.Conflict) {
		return err
	}
	return fault.New(fault.Transient, "keeping record %s: %w", id, err)
}

func (in *Inbox) create(ctx context.Context, id string, data []byte) error {
	if _, err := os.Stat(in.dir); errors.Is(err, fs.ErrNotExist) {
		if err := disk.MakeFolder(in.dir); err != nil {
			return err
		}
	}
	in.swept.Do(func() { disk.Sweep(in.dir, temporary) })
	written, err := in.write(ctx, data)
	if err != nil {
		return err
	}
	defer os.Remove(written)
	// A link, unlike a rename, never replaces what is there.
	err = os.Link(written, in.path(id))
	if errors.Is(err, fs.ErrExist) {
		kept, err := os.ReadFile(in.path(id))
		if err != nil {
			return err
		}
		if !bytes.Equal(kept, data) {
			return fault.New(fault.Conflict, "record %s is kept with other bytes", id)
		}
	} else if err != nil {
		return err
	}
	if !disk.Waits(ctx) {
		return nil
	}
	return disk.SyncFolder(in.dir) // also for a retry: the first attempt may have died before it
}

// write puts data into a temporary file, on the disk, and returns its path.
func (in *Inbox) write(ctx context.Context, data []byte) (string, error) {
	f, err := os.CreateTemp(in.dir, temporary)
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

func (in *Inbox) path(id string) string { return filepath.Join(in.dir, id) }

// Close does nothing: what was kept is durable.
func (in *Inbox) Close() error { return nil }

// List returns the ids of all records in order. It is for the machine at hand: nothing deployed can list an inbox.
func (in *Inbox) List(context.Context) ([]string, error) {
	entries, err := os.ReadDir(in.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Transient, "listing records: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name()[0] != '.' {
			ids = append(ids, e.Name())
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Read returns the bytes of one record; NotFound when there is none of that id.
func (in *Inbox) Read(_ context.Context, id string) ([]byte, error) {
	if err := record.CheckObject(id, []byte{0}); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(in.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "record %s does not exist", id)
	}
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", id, err)
	}
	return data, nil
}
