package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/fault"
)

// Wipe overwrites with zeros what no longer belongs to anything in the file: bbolt leaves the text of a deleted document in
// its page until it needs the page again. It reads the whole file, and writes only where something is left. Whoever writes
// meanwhile waits. A read under way is Conflict, and nothing is overwritten: it may still see what is gone.
//
// It reaches the file, not what the file system or the drive below keeps of it. Documents that are only expired stay.
func Wipe(db *bbolt.DB) error {
	tx, err := db.Begin(true) // from here on nothing changes, and whoever begins to read sees what is committed
	if err != nil {
		return transient(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written through it
	if n := db.Stats().OpenTxN; n > 0 {
		return fault.New(fault.Conflict, "wiping %q: %d reads are under way", db.Path(), n)
	}
	// What is committed must be found without the pages it was made from.
	if err := db.Sync(); err != nil {
		return transient(err)
	}
	file, err := os.OpenFile(db.Path(), os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(zero(file, tx, db.Info().PageSize), file.Sync(), file.Close())
	}
	if err != nil {
		return fault.New(fault.Transient, "wiping %q: %w", db.Path(), err)
	}
	return nil
}

// zero overwrites the pages that tx does not have: those that are free, and those behind its last one.
func zero(file *os.File, tx *bbolt.Tx, size int) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	page, blank := make([]byte, size), make([]byte, size)
	for id := 2; id < int(info.Size())/size; id++ { // the first two say where everything else is
		held, err := tx.Page(id)
		if err != nil {
			return fmt.Errorf("reading page %d: %w", id, err)
		}
		if held != nil && held.Type != "free" {
			id += held.OverflowCount
			continue
		}
		at := int64(id) * int64(size)
		if _, err := file.ReadAt(page, at); err != nil {
			return err
		}
		if bytes.Equal(page, blank) {
			continue
		}
		if _, err := file.WriteAt(blank, at); err != nil {
			return err
		}
	}
	return nil
}
