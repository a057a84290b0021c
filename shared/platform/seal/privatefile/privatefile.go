// Package privatefile keeps small files that hold keys or secrets for the local process: readable by their owner
// alone (mode 0600), written whole or not at all, and on the disk before a call returns. It encrypts nothing.
package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/platform/fault"
)

// Read returns the content of path. Absent is NotFound; a file that its group or anybody else may open is
// Misconfigured, as is one that cannot be read.
func Read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "reading %s: %w", path, err)
	}
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "reading %s: %w", path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "reading the mode of %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.New(fault.Misconfigured, "reading %s: not a regular file", path)
	}
	// Windows has no such modes: the folder's access list is all there is.
	if loose := info.Mode().Perm() & 0o077; loose != 0 && runtime.GOOS != "windows" {
		return nil, fault.New(fault.Misconfigured, "reading %s: others may open it (mode %04o); run chmod 600", path, info.Mode().Perm())
	}
	data := make([]byte, info.Size())
	if _, err := file.ReadAt(data, 0); err != nil && info.Size() > 0 {
		return nil, fault.New(fault.Misconfigured, "reading %s: %w", path, err)
	}
	return data, nil
}

// Create writes a new file, making its folder if need be. An existing one is left alone and is a Conflict.
func Create(path string, data []byte) error {
	// A link fails where a rename would replace: of two processes that create the same file, one wins whole.
	return write(path, data, os.Link)
}

// Replace writes the file, taking the place of an existing one in one step.
func Replace(path string, data []byte) error { return write(path, data, os.Rename) }

func write(path string, data []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.New(fault.Misconfigured, "making the folder of %s: %w", path, err)
	}
	prefix := "." + filepath.Base(path) + "-"
	disk.Sweep(dir, prefix)
	temporary, err := os.CreateTemp(dir, prefix) // CreateTemp gives mode 0600
	if err != nil {
		return fault.New(fault.Misconfigured, "writing %s: %w", path, err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err == nil {
		err = temporary.Sync()
	}
	if err := errors.Join(err, temporary.Close()); err != nil {
		return fault.New(fault.Transient, "writing %s: %w", path, err)
	}
	switch err := place(temporary.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return fault.New(fault.Conflict, "creating %s: %w", path, err)
	case err != nil:
		return fault.New(fault.Misconfigured, "writing %s: %w", path, err)
	}
	return syncFolder(dir)
}
