package storetest

import (
	"context"
	"sync"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Point is a place where a store may fail.
type Point string

// The points, in the order a transaction passes them. A failure at Committed is the treacherous one: the
// transaction was applied, and its caller is told otherwise.
const (
	Get      Point = "get"   // outside of a transaction
	Query    Point = "query" // outside of a transaction
	Begin    Point = "begin"
	TxGet    Point = "tx get"
	TxQuery  Point = "tx query"
	TxCreate Point = "tx create"
	TxPut    Point = "tx put"
	TxDelete Point = "tx delete"
	Commit   Point = "commit"    // before anything is applied
	Applied  Point = "committed" // after everything is applied
)

// Fault decides about one passing of a point; n counts all passings of all points of one store, from 1. It
// returns the error that the call shall fail with, or nil. It may panic, as a process that dies. It is called by
// one goroutine at a time, and must not use the store.
type Fault func(p Point, n int) error

// Faulty returns the store, failing where fault says so.
func Faulty(s store.Store, fault Fault) store.Store { return &faulty{Store: s, fault: fault} }

// ErrInjected is the Transient error of FailNth and FailAt.
var ErrInjected = fault.New(fault.Transient, "an injected failure")

// FailNth fails the nth passing of any point, once.
func FailNth(nth int) Fault {
	return func(_ Point, n int) error {
		if n == nth {
			return ErrInjected
		}
		return nil
	}
}

// FailAt fails the nth passing of one point, once.
func FailAt(point Point, nth int) Fault {
	passed := 0
	return func(p Point, _ int) error {
		if p == point {
			passed++
		}
		if p == point && passed == nth {
			return ErrInjected
		}
		return nil
	}
}

type faulty struct {
	store.Store
	fault Fault
	mu    sync.Mutex
	n     int
}

func (f *faulty) at(p Point) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	return f.fault(p, f.n)
}

func (f *faulty) Get(ctx context.Context, collection, id string, into any) error {
	if err := f.at(Get); err != nil {
		return err
	}
	return f.Store.Get(ctx, collection, id, into)
}

func (f *faulty) Query(ctx context.Context, q store.Query) ([]store.Document, error) {
	if err := f.at(Query); err != nil {
		return nil, err
	}
	return f.Store.Query(ctx, q)
}

func (f *faulty) Tx(ctx context.Context, fn func(store.Tx) error) error {
	if err := f.at(Begin); err != nil {
		return err
	}
	if err := f.Store.Tx(ctx, func(tx store.Tx) error {
		if err := fn(faultyTx{tx, f}); err != nil {
			return err
		}
		return f.at(Commit)
	}); err != nil {
		return err
	}
	return f.at(Applied)
}

type faultyTx struct {
	store.Tx
	f *faulty
}

func (t faultyTx) Get(collection, id string, into any) error {
	if err := t.f.at(TxGet); err != nil {
		return err
	}
	return t.Tx.Get(collection, id, into)
}

func (t faultyTx) Query(q store.Query) ([]store.Document, error) {
	if err := t.f.at(TxQuery); err != nil {
		return nil, err
	}
	return t.Tx.Query(q)
}

func (t faultyTx) Create(collection, id string, doc any) error {
	if err := t.f.at(TxCreate); err != nil {
		return err
	}
	return t.Tx.Create(collection, id, doc)
}

func (t faultyTx) Put(collection, id string, doc any) error {
	if err := t.f.at(TxPut); err != nil {
		return err
	}
	return t.Tx.Put(collection, id, doc)
}

func (t faultyTx) Delete(collection, id string) error {
	if err := t.f.at(TxDelete); err != nil {
		return err
	}
	return t.Tx.Delete(collection, id)
}
