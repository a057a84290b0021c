package world

import (
	"context"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

// faultyStore is a database whose calls fail.
type faultyStore struct {
	store.Store
	faults *Faults
}

// under is the store as one call meets it.
func (s faultyStore) under(ctx context.Context) store.Store {
	inner := s.Store
	if s.faults.hit(ctx, StoreTwice) {
		inner = storetest.Twice(inner)
	}
	return storetest.Faulty(inner, func(p storetest.Point, _ int) error {
		if p == storetest.Applied {
			return s.faults.lost(ctx, StoreLost)
		}
		return s.faults.before(ctx, StoreBefore)
	})
}

// Get implements store.Store.
func (s faultyStore) Get(ctx context.Context, collection, id string, into any) error {
	return s.under(ctx).Get(ctx, collection, id, into)
}

// Query implements store.Store.
func (s faultyStore) Query(ctx context.Context, q store.Query) ([]store.Document, error) {
	return s.under(ctx).Query(ctx, q)
}

// Tx implements store.Store.
func (s faultyStore) Tx(ctx context.Context, fn func(store.Tx) error) error {
	return s.under(ctx).Tx(ctx, fn)
}

// inbox is the inbox of records.
type inbox struct {
	record.Inbox
	faults *Faults
}

// Create implements record.Inbox.
func (in inbox) Create(ctx context.Context, id string, data []byte) error {
	if err := in.faults.before(ctx, EvidenceBefore); err != nil {
		return err
	}
	if err := in.Inbox.Create(ctx, id, data); err != nil {
		return err
	}
	return in.faults.lost(ctx, EvidenceLost)
}

// objects is a folder of the evidence log.
type objects struct {
	log.Objects
	faults *Faults
}

// Get implements log.Objects.
func (o objects) Get(ctx context.Context, name string) (log.Object, error) {
	if err := o.faults.before(ctx, LogBefore); err != nil {
		return log.Object{}, err
	}
	return o.Objects.Get(ctx, name)
}

// List implements log.Objects.
func (o objects) List(ctx context.Context, prefix, after string, limit int) ([]log.Listed, error) {
	if err := o.faults.before(ctx, LogBefore); err != nil {
		return nil, err
	}
	return o.Objects.List(ctx, prefix, after, limit)
}

// write makes a write fail before or after it is done.
func (o objects) write(ctx context.Context, do func() (int64, error)) (int64, error) {
	if err := o.faults.before(ctx, LogBefore); err != nil {
		return 0, err
	}
	generation, err := do()
	if err != nil {
		return 0, err
	}
	if err := o.faults.lost(ctx, LogLost); err != nil {
		return 0, err
	}
	return generation, nil
}

// Create implements log.Objects.
func (o objects) Create(ctx context.Context, name string, data []byte) (int64, error) {
	return o.write(ctx, func() (int64, error) { return o.Objects.Create(ctx, name, data) })
}

// Swap implements log.Objects.
func (o objects) Swap(ctx context.Context, name string, data []byte, generation int64) (int64, error) {
	return o.write(ctx, func() (int64, error) { return o.Objects.Swap(ctx, name, data, generation) })
}

// Delete implements log.Objects.
func (o objects) Delete(ctx context.Context, name string, generation int64) error {
	_, err := o.write(ctx, func() (int64, error) { return 0, o.Objects.Delete(ctx, name, generation) })
	return err
}

// reader is a store of what is erased, for who searches it.
type reader struct {
	erasure.Reader
	faults *Faults
}

// Find implements erasure.Reader.
func (r reader) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := r.faults.before(ctx, DataBefore); err != nil {
		return erasure.Page{}, err
	}
	return r.Reader.Find(ctx, q, cursor, limit)
}

// Values implements erasure.Reader.
func (r reader) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	if err := r.faults.before(ctx, DataBefore); err != nil {
		return nil, err
	}
	return r.Reader.Values(ctx, q, field, limit)
}

// eraser is such a store for who erases.
type eraser struct {
	reader
	store erasure.Store
}

// Erase implements erasure.Store.
func (e eraser) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := e.faults.before(ctx, DataBefore); err != nil {
		return nil, err
	}
	results, err := e.store.Erase(ctx, q, items)
	if err != nil {
		return results, err
	}
	if err := e.faults.lost(ctx, DataLost); err != nil {
		return nil, err
	}
	return results, nil
}
