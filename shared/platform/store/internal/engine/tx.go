package engine

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Write is one change of a transaction: at most one for each document.
type Write struct {
	Collection string
	ID         string
	Body       Body // meaningless with Delete
	Delete     bool
	Create     bool // the document must be absent; the driver fails the whole transaction with Conflict
}

// place names a document.
type place struct{ collection, id string }

// tx collects a transaction's writes, so that every driver sees reads first and then writes.
type tx struct {
	schema schema
	reader Reader
	now    time.Time
	writes []Write
	at     map[place]int // index in writes
	bytes  int
	failed error // of the first read or misuse that fails the transaction
	ended  bool
}

// attempt runs fn once against the reader and returns what it wants written.
func (s *Store) attempt(ctx context.Context, r Reader, fn func(store.Tx) error) ([]Write, error) {
	t := &tx{schema: s.schema, reader: r, now: s.clock.Now(), at: map[place]int{}}
	err := fn(t)
	t.ended = true
	if err != nil {
		return nil, err
	}
	if t.failed != nil {
		return nil, t.failed
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.New(fault.Transient, "running a transaction: %w", err)
	}
	return t.writes, t.overwriteExpired()
}

// overwriteExpired turns the creation of a document that has expired, and that the database has not deleted yet,
// into its replacement. Only collections that declare expiry pay for the read.
func (t *tx) overwriteExpired() error {
	for i, w := range t.writes {
		if !w.Create || !t.schema[w.Collection].Expires {
			continue
		}
		body, found, err := t.reader.Get(w.Collection, w.ID)
		switch {
		case err != nil:
			return err
		case found && body.Live(t.now):
			return AlreadyExists(w.Collection)
		case found:
			t.writes[i].Create = false
		}
	}
	return nil
}

// AlreadyExists is the error of a document created twice.
func AlreadyExists(collection string) error {
	return fault.New(fault.Conflict, "creating a document of %q: it exists", collection)
}

func (t *tx) Get(collection, id string, into any) error {
	if err := t.mayRead(); err != nil {
		return err
	}
	return t.note(get(t.schema, t.reader, t.now, collection, id, into))
}

func (t *tx) Query(q store.Query) ([]store.Document, error) {
	if err := t.mayRead(); err != nil {
		return nil, err
	}
	docs, err := query(t.schema, t.reader, t.now, q)
	return docs, t.note(err)
}

// note remembers an error that fails the transaction even if fn goes on: a decision taken without the read may be
// wrong, a transaction lacking a write is another one, and a database that aborted it wants it run again.
func (t *tx) note(err error) error {
	if err != nil && t.failed == nil && !fault.Is(err, fault.NotFound) {
		t.failed = err
	}
	return err
}

func (t *tx) mayRead() error {
	if t.ended {
		return errEnded()
	}
	if len(t.writes) > 0 {
		return t.note(fault.New(fault.Invalid, "reading after a write in one transaction"))
	}
	return nil
}

func errEnded() error { return fault.New(fault.Invalid, "using a transaction that has ended") }

func (t *tx) Create(collection, id string, doc any) error {
	return t.write(Write{Collection: collection, ID: id, Create: true}, doc)
}

func (t *tx) Put(collection, id string, doc any) error {
	return t.write(Write{Collection: collection, ID: id}, doc)
}

func (t *tx) Delete(collection, id string) error {
	return t.write(Write{Collection: collection, ID: id, Delete: true}, nil)
}

func (t *tx) write(w Write, doc any) (err error) {
	if t.ended {
		return errEnded()
	}
	if w.Delete {
		err = t.schema.check(w.Collection, w.ID)
	} else if w.Body, err = t.schema.encode(w.Collection, w.ID, doc); err == nil {
		t.bytes += len(w.Body.JSON)
	}
	if err == nil && t.bytes > store.MaxTransactionBytes {
		err = fault.New(fault.Invalid, "more than %d bytes in one transaction", store.MaxTransactionBytes)
	}
	if err == nil {
		err = t.add(w)
	}
	return t.note(wrap(err, "writing to", w.Collection))
}

// add joins the write with an earlier one of the same document.
func (t *tx) add(w Write) error {
	at := place{w.Collection, w.ID}
	i, again := t.at[at]
	if !again {
		t.at[at] = len(t.writes)
		t.writes = append(t.writes, w)
		return nil
	}
	switch earlier := t.writes[i]; {
	case w.Create && earlier.Delete:
		w.Create = false // absent by our own hand
	case w.Create:
		return AlreadyExists(w.Collection)
	case w.Delete && earlier.Create:
		return fault.New(fault.Invalid, "deleting a document created in the same transaction")
	default:
		w.Create = earlier.Create
	}
	t.writes[i] = w
	return nil
}
