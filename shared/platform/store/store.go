// Package store is the house's database seam: documents in collections, transactions, declared indexes.
// In production it is one Firestore database per control; on a laptop one bucket tree of a bbolt file.
//
// A document is any value that encoding/json turns into an object. Integers keep 64 bits, text must be UTF-8.
// A top-level field "expires" (RFC 3339, or absent) ends the document: from that instant it is invisible to
// every read, whatever the database has or has not yet deleted. Every stored document carries a field "v", the
// version of its shape.
package store

import (
	"context"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/driver"
)

// Limits all implementations refuse alike (they are Firestore's): fault.Invalid above them.
const (
	MaxDocumentBytes = 1_000_000 // encoded as JSON; Firestore's own count is 1 MiB
	MaxIDBytes       = 1_500     // ids are UTF-8, not empty, not "." or "..", without "/", not __x__
	MaxDepth         = 20        // nested maps and lists; a list never holds a list
	MaxQueryResults  = 1_000     // Query.Limit is between 1 and this
)

// ExpiresField is the top-level field that ends a document.
const ExpiresField = "expires"

// Index names the fields one query uses: fields compared for equality first, at last the field it ranges over
// and orders by, if any. Only top-level fields can be indexed.
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
// outside the limits), Misconfigured (undeclared collection or index), Transient.
type Store interface {
	// Get reads one document into a pointer. Absent or expired is NotFound, and into is left alone.
	Get(ctx context.Context, collection, id string, into any) error

	// Query returns the matching documents in order; an empty answer is not an error.
	Query(ctx context.Context, q Query) ([]Document, error)

	// Tx runs fn in a serialisable transaction and commits when fn returns nil. An error of fn ends it at once,
	// nothing written, and is returned as it is. fn may run more than once and must have no effect but through
	// tx and variables it resets. All reads come before the first write; a later read is Invalid.
	Tx(ctx context.Context, fn func(tx Tx) error) error

	// Close releases the connection or file.
	Close() error
}

// Tx is the inside of a transaction. It must not be used after fn returned.
type Tx interface {
	Get(collection, id string, into any) error
	Query(q Query) ([]Document, error)

	// Create adds a document; if one exists (and has not expired) the transaction fails with Conflict.
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
	Descending bool    // order by the range field, then by id, both downwards
	After      *Cursor // continue behind this document: exclusive
	Limit      int     // 1 to MaxQueryResults
}

// Field compares one top-level field with a string, bool or integer.
type Field struct {
	Name  string
	Value any
}

// Range bounds one field: From is inclusive, To exclusive, nil is open. With both nil it only orders.
// Documents without the field are not found. Without a Range the order is by id, by bytes.
type Range struct {
	Name     string
	From, To any
}

// Cursor is the place of a document in a query's order.
type Cursor struct {
	Value any // of the range field; nil without a Range
	ID    string
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
