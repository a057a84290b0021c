// Package file reads Terraform's state from a file, where its backend local keeps it.
//
// It promises that a state that is replaced while it is read is told with the version of what was read, and that the lock Terraform
// lays beside it is told. It is for local mode and for a laptop; whoever may write the file may say anything.
package file

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func init() {
	diff.Sources.Register("file", func(_ context.Context, u *url.URL, _ diff.SourceOptions) (diff.Source, error) {
		path, _, err := driver.Path(u)
		if err != nil {
			return nil, err
		}
		return New(path), nil
	})
}

// Source reads one file.
type Source struct{ path string }

var _ diff.Source = (*Source)(nil)

// New returns a source of the state in a file.
func New(path string) *Source { return &Source{path} }

// Close implements diff.Source.
func (s *Source) Close() error { return nil }

// Open implements diff.Source. Version is when the file was written, and its length.
func (s *Source) Open(context.Context) (diff.State, error) {
	// The lock first: an apply that ends in between is told as one that goes on, never the other way round.
	lock := filepath.Join(filepath.Dir(s.path), "."+filepath.Base(s.path)+".lock.info")
	_, err := os.Stat(lock)
	held := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diff.State{}, fault.New(kindOf(err), "looking for the lock of the state: it cannot be looked at")
	}
	f, err := os.Open(s.path)
	if err != nil {
		return diff.State{}, fault.New(kindOf(err), "opening the state: it cannot be opened")
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return diff.State{}, fault.New(fault.Misconfigured, "opening the state: it is no file")
	}
	version := strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36)
	return diff.State{Data: f, Version: version, Applying: held}, nil
}

func kindOf(err error) fault.Kind {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.NotFound
	case errors.Is(err, fs.ErrPermission):
		return fault.Denied
	}
	return fault.Transient
}
