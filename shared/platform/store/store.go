// Package store is the house's database seam: documents in collections, transactions, declared indexes.
// In production it is one Firestore database per control; on a laptop one bucket tree of a bbolt file.
//
// A document is any value that encoding/json turns into an object. Integers keep 64 bits, text must be UTF-8.
// A top-level field "expires" (RFC 3339, null or absent) ends the document: from that instant it is invisible to
// every read, whatever the database has or has not yet deleted; it is kept in UTC, cut to microseconds. Every
// stored document carries a field "v", the version of its shape.
//
// It does not promise to order text as people do (order is by bytes), nor times written as text: a time a query
// ranges over is stored as an integer of microseconds. Ids and fields are never put into an error's text, as they
// may concern a person.
package store

import (
	"context"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Limits all implementations refuse alike (they are Firestore's): fault.Invalid above them.
const (
	MaxDocumentBytes    = 1_000_000 // encoded as JSON; and 1 MiB by Firestore's own count, of 8 a number and 32 a map
	MaxIDBytes          = 1_500     // ids are UTF-8, not empty, not "." or "..", without "/", not __x__
	MaxNameBytes        = 1_500     // of a field, at any depth; not empty, not __x__
	MaxIndexedBytes     = 1_500     // of a string in an indexed field: Firestore would cut it
	MaxDepth            = 20        // maps and lists nested below the document; a list never holds a list
	MaxValues           = 10_000    // values in one document, at any depth: Firestore makes at most 40,000 index entries
	MaxTransactionBytes = 5_000_000 // of all documents one transaction writes
	MaxQueryResults     = 1_000     // Query.Limit is between 1 and this
)

// ExpiresField is the top-level field that ends a document.
const ExpiresField = "expires"

// Index names the fields one query uses: fields compared for equality first, at last the field it ranges over
// and orders by, if any. Only top-level fields can be indexed; they hold a string, a bool or an integer, or are
// absent. Queries use an index in both directions. A query for neither equality nor a range needs no index.
type Index []string

// Collection declares a collection and every query made on it. A query without a declared index is
// Misconfigured in all implementations: what works on a laptop works in production.
type Collection struct {
	Name    string
	Indexes []Index
	Expires bool // its documents carry "expires": a time-to-live policy is provisioned
}

// Schema is what one control keeps in its database.
type Schema []Collection

// Options are what every driver receives.
type Options struct {
	Schema Schema
	Clock  clock.Clock // decides which documents have expired
}

// Drivers opens stores by URL: bolt:FILE?tree=CONTROL, memory:NAME, firestore://PROJECT/DATABASE.
var Drivers = driver.NewRegistry[Options, Store]("store")

// Store is one control's database. It is safe for concurrent use. Errors are of the kinds of package fault:
// NotFound, Conflict (a document created twice, or a transaction that lost too often), Invalid (a document
// outside the limits), Misconfigured (undeclared collection or index, or a stored document the Go type cannot
// hold), Denied (the database refuses this service account), Transient.
type Store interface {
	// Get reads one document into a pointer, replacing what it points to as a whole. On any error, such as
	// NotFound for a document absent or expired, into is left alone.
	Get(ctx context.Context, collection, id string, into any) error

	// Query returns the matching documents in order; an empty answer is not an error.
	Query(ctx context.Context, q Query) ([]Document, error)

	// Tx runs fn in a serialisable transaction and commits when fn returns nil. An error of fn ends it at once,
	// nothing written, and is returned as it is. fn may run more than once and must have no effect but through
	// tx and variables it resets; in particular it does not call the Store, which may wait for this transaction.
	// All reads come before the first write; a later read is Invalid. A call on tx that failed for another reason
	// than NotFound fails the transaction even if fn goes on. After Transient it is not known whether the transaction
	// was committed: write it so that running it again does no harm (Create a document named after the event).
	Tx(ctx context.Context, fn func(tx Tx) error) error

	// Close releases the connection or file.
	Close() error
}

// Tx is the inside of a transaction. It must not be used after fn returned, nor by several goroutines. Documents
// are encoded and checked by the call that writes them; changing them later changes nothing.
type Tx interface {
	Get(collection, id string, into any) error
	Query(q Query) ([]Document, error)

	// Create adds a document; if one exists (and has not expired) the transaction fails with Conflict, at the
	// latest when it commits. A document created is not deleted in the same transaction: Invalid.
	Create(collection, id string, doc any) error
	// Put adds or replaces a document.
	Put(collection, id string, doc any) error
	// Delete removes a document; an absent one is not an error.
	Delete(collection, id string) error
}

// Query selects documents of one collection through a declared index.
type Query struct {
	Collection string
	Equal      []Field // every one must hold
	Range      *Range  // at most one, on the index's last field; gives the order too
	Descending bool    // order by the range field, then by id, both downwards; only with a Range
	After      *Cursor // continue behind this document: exclusive
	Limit      int     // 1 to MaxQueryResults
}

// Field compares one top-level field with a string, bool or integer.
type Field struct {
	Name  string
	Value any
}

// Range bounds one field: From is inclusive, To exclusive, nil is open; a bound finds values of its own type.
// With both nil it only orders: bools, then integers, then strings by bytes; equal values by id. Documents
// without the field are not found. Without a Range the order is by id, by bytes.
type Range struct {
	Name     string
	From, To any
}

// Cursor is the place of a document in a query's order.
type Cursor struct {
	Value any // of the range field; nil without a Range
	ID    string
}

// Find decodes the results of a query: store.Find[T](tx.Query(q)), store.Find[T](s.Query(ctx, q)).
func Find[T any](docs []Document, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	found := make([]T, len(docs))
	for i, d := range docs {
		if err := d.Decode(&found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Document is one result of a query.
type Document struct {
	ID     string
	decode func(into any) error
}

// NewDocument is for drivers: decode fills a pointer from the stored bytes.
func NewDocument(id string, decode func(into any) error) Document { return Document{id, decode} }

// Decode fills a pointer to the document's type.
func (d Document) Decode(into any) error { return d.decode(into) }
