package erasuretest

import (
	"context"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/local"
)

// faulty is a store that fails when its gate says so.
type faulty struct {
	*local.Store
	*gate
}

// Find implements erasure.Reader.
func (f *faulty) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := f.pass(); err != nil {
		return erasure.Page{}, err
	}
	return f.Store.Find(ctx, q, cursor, limit)
}

// Places implements erasure.Reader.
func (f *faulty) Places(ctx context.Context, limit int) ([]string, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	return f.Store.Places(ctx, limit)
}

// Stores implements erasure.Lister.
func (f *faulty) Stores(ctx context.Context, limit int) ([]string, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	return f.Store.Stores(ctx, limit)
}

// Erase implements erasure.Store.
func (f *faulty) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	return f.Store.Erase(ctx, q, items)
}
