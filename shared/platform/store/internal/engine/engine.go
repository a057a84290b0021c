// Package engine is what all store drivers share, so that they cannot differ: encoding and limits, the check of
// queries against declared indexes, expiry, and transactions that read first and write last.
//
// A driver brings a Backend, which knows neither schemas nor time. The package does no I/O of its own.
package engine

import (
	"context"
	"sync/atomic"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Backend is one database. It is safe for concurrent use. Errors it returns have a kind.
type Backend interface {
	// Read runs fn with a reader outside of any transaction; one call of the reader sees one state.
	Read(ctx context.Context, fn func(Reader) error) error

	// Update runs fn with a reader, then writes what fn returned, as one serialisable transaction. It may run fn
	// again. An error of fn ends it, nothing written, and is returned as it is, unless a failed read asks for
	// another run. Without writes it writes nothing.
	Update(ctx context.Context, fn func(Reader) ([]Write, error)) error

	// Close releases the database.
	Close() error
}

// Reader reads documents, expired ones included.
type Reader interface {
	Get(collection, id string) (body Body, found bool, err error)

	// Scan returns the first documents of the plan that keep holds for, in order, at most Plan.Query.Limit.
	Scan(p Plan, keep func(Body) bool) ([]Item, error)
}

// Item is a document found.
type Item struct {
	ID   string
	Body Body
}

// Store is a store.Store over a Backend.
type Store struct {
	schema  schema
	clock   clock.Clock
	backend Backend
	closed  atomic.Bool
}

// New returns a store over the backend; a faulty schema or a missing clock is Misconfigured.
func New(backend Backend, o store.Options) (*Store, error) {
	s, err := newSchema(o.Schema)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		return nil, fault.New(fault.Misconfigured, "opening a store without a clock")
	}
	return &Store{schema: s, clock: o.Clock, backend: backend}, nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, collection, id string, into any) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.backend.Read(ctx, func(r Reader) error {
		return get(s.schema, r, s.clock.Now(), collection, id, into)
	})
}

// Query implements store.Store.
func (s *Store) Query(ctx context.Context, q store.Query) (docs []store.Document, err error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	err = s.backend.Read(ctx, func(r Reader) error {
		docs, err = query(s.schema, r, s.clock.Now(), q)
		return err
	})
	return docs, err
}

// Tx implements store.Store.
func (s *Store) Tx(ctx context.Context, fn func(tx store.Tx) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.backend.Update(ctx, func(r Reader) ([]Write, error) { return s.attempt(ctx, r, fn) })
}

// Close implements store.Store; closing twice is not an error.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.backend.Close()
}

// ready refuses what begins after the end: redelivered, it finds another instance.
func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Transient, "asking the store: %w", err)
	}
	if s.closed.Load() {
		return fault.New(fault.Transient, "asking a store that is closed")
	}
	return nil
}

func get(s schema, r Reader, now time.Time, collection, id string, into any) error {
	if err := s.check(collection, id); err != nil {
		return wrap(err, "reading from", collection)
	}
	body, found, err := r.Get(collection, id)
	switch {
	case err != nil:
		return wrap(err, "reading from", collection)
	case !found || !body.Live(now):
		return fault.New(fault.NotFound, "reading from %q: no such document", collection)
	}
	return wrap(body.Decode(into), "reading from", collection)
}

func query(s schema, r Reader, now time.Time, q store.Query) ([]store.Document, error) {
	plan, err := s.plan(q)
	if err != nil {
		return nil, wrap(err, "querying", q.Collection)
	}
	items, err := r.Scan(plan, func(b Body) bool { return b.Live(now) })
	if err != nil {
		return nil, wrap(err, "querying", q.Collection)
	}
	docs := make([]store.Document, len(items))
	for i, item := range items {
		docs[i] = store.NewDocument(item.ID, func(into any) error {
			return wrap(item.Body.Decode(into), "querying", q.Collection)
		})
	}
	return docs, nil
}

// wrap names the collection in an error; the kind stays that of the cause.
func wrap(err error, doing, collection string) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.KindOf(err), "%s %q: %w", doing, collection, err)
}
