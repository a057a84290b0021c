package storetest

import (
	"context"

	"ostiary.internal/shared/platform/store"
)

// Twice returns the store with every transaction body run twice, its first run's writes thrown away: what a
// database does that lost a race. A body that leaves something behind outside of its transaction shows it.
func Twice(s store.Store) store.Store { return twice{s} }

type twice struct{ store.Store }

func (s twice) Tx(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		if err := fn(discard{tx}); err != nil {
			return err
		}
		return fn(tx)
	})
}

// discard reads, and writes nothing.
type discard struct{ store.Tx }

func (discard) Create(string, string, any) error { return nil }
func (discard) Put(string, string, any) error    { return nil }
func (discard) Delete(string, string) error      { return nil }
