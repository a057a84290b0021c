// Package disk tells those who write to the local disk whether they wait until it has what they wrote.
//
// They do, unless the work is done under a context of PutOff. What is put off is in the hands of the operating system:
// a process that is killed loses nothing, a machine that loses its power may lose it, or the whole folder. Whoever puts
// off calls Settle in the end. Nothing deployed writes to a local disk, so nothing deployed is concerned.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

type putOff struct{}

// PutOff returns a context under which nothing waits for the disk.
func PutOff(ctx context.Context) context.Context { return context.WithValue(ctx, putOff{}, true) }

// Waits reports whether what is written under a context has to be on the disk before the call that wrote it returns.
func Waits(ctx context.Context) bool { return ctx.Value(putOff{}) == nil }

// fanOut is how many files are waited for at once: the disk brings in together what is asked for together.
const fanOut = 16

// slack is how much older than they are files may look: file systems keep times in coarse steps.
const slack = 2 * time.Second

// Settle waits until the disk has every file and folder below dir that was changed since a time of the machine's clock.
// A file that is gone when its turn comes is passed over.
func Settle(dir string, since time.Time) error {
	var group errgroup.Group
	group.SetLimit(fanOut)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return gone(err)
		}
		if !info.ModTime().Before(since.Add(-slack)) && (info.IsDir() || info.Mode().IsRegular()) {
			group.Go(func() error { return gone(settle(path)) })
		}
		return nil
	})
	if err := errors.Join(err, group.Wait()); err != nil {
		return fmt.Errorf("waiting for the disk to have %s: %w", dir, err)
	}
	return nil
}

func settle(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// gone takes it as no error that a file was deleted meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
