//go:build unix

package privatefile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"ostiary.internal/shared/platform/fault"
)

// Lock makes the caller the only writer of path, over all processes of this machine, until unlock is called. It
// waits for the present writer. The lock is an empty file beside path, which stays.
func Lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.New(fault.Misconfigured, "making the folder of %s: %w", path, err)
	}
	file, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "locking %s: %w", path, err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, fault.New(fault.Transient, "locking %s: %w", path, err)
	}
	return func() { file.Close() }, nil // the system drops the lock with the last handle
}

// syncFolder puts the folder's entries on the disk: without it a crash may forget a rename.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fault.New(fault.Misconfigured, "opening folder %s: %w", dir, err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fault.New(fault.Transient, "writing folder %s: %w", dir, err)
	}
	return nil
}
