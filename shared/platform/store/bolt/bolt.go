// Package bolt keeps a store in a bbolt file: the embedded default of a laptop, durable and without any server.
//
// A committed transaction has reached the disk, unless the caller put that off (package disk). Transactions run one
// after another, each holding the file's write lock while its body runs. One process at a time has the file. Expired
// documents stay on disk until they are replaced or deleted; they are never seen. What was deleted or replaced stays in the
// file, where nobody sees it, until its page is used again or Wipe is called.
package bolt

import (
	"context"
	"net/url"
	"regexp"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/disk"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/internal/engine"
)

func init() { store.Drivers.Register("bolt", openURL) }

var treeName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Open opens the store of one control in the file at path: the bucket tree of that name. Indexes that the schema
// declares and the file lacks are built now. Errors: those of File; Misconfigured for a faulty schema, and where a
// document on file cannot be indexed.
func Open(path, tree string, o store.Options) (store.Store, error) {
	if !treeName.MatchString(tree) {
		return nil, fault.New(fault.Misconfigured, "opening a bolt store: tree %q is not a lower-case name", tree)
	}
	b := &backend{tree: []byte(tree)}
	s, err := engine.New(b, o)
	if err != nil {
		return nil, err
	}
	if b.db, b.release, err = File(path); err != nil {
		return nil, err
	}
	if err := b.prepare(o.Schema); err != nil {
		_ = b.release() // the first error counts
		return nil, err
	}
	return s, nil
}

// openURL opens bolt:FILE?tree=CONTROL.
func openURL(_ context.Context, u *url.URL, o store.Options) (store.Store, error) {
	path, options, err := driver.Path(u, "tree")
	if err != nil {
		return nil, err
	}
	return Open(path, options.Get("tree"), o)
}

// backend is one bucket tree of a file.
type backend struct {
	db      *bbolt.DB
	release func() error
	tree    []byte
}

func (b *backend) Read(_ context.Context, fn func(engine.Reader) error) error {
	var outcome error
	err := b.db.View(func(tx *bbolt.Tx) error {
		outcome = fn(reader{tx.Bucket(b.tree)})
		return nil
	})
	if err != nil {
		return transient(err)
	}
	return outcome
}

func (b *backend) Update(ctx context.Context, fn func(engine.Reader) ([]engine.Write, error)) error {
	tx, err := b.db.Begin(true)
	if err != nil {
		return transient(err)
	}
	// Also after a panic of fn. Without writes there is nothing to bring to the disk, hence nothing to wait for.
	defer func() { _ = tx.Rollback() }()
	tree := tx.Bucket(b.tree)
	writes, err := fn(reader{tree})
	if err != nil || len(writes) == 0 {
		return err
	}
	for _, w := range writes {
		if err := apply(tree, w); err != nil {
			return err
		}
	}
	b.db.NoSync = !disk.Waits(ctx) // Commit reads it under the lock that we hold
	if err := tx.Commit(); err != nil {
		return transient(err)
	}
	return nil
}

func (b *backend) Close() error { return b.release() }

// transient classifies what bbolt and the disk below it say: a full disk may be emptied, a closed file reopened.
func transient(err error) error {
	return fault.New(fault.Transient, "using the bolt file: %w", err)
}
