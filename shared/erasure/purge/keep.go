package purge

import (
	"context"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// keeping is the document that says for how long the ledger of who was erased keeps its entries.
const keeping = "_ledger"

// lengthen has the ledger keep its entries as long as backups are kept now: once for each length.
func (s *Sweeper) lengthen(ctx context.Context) error {
	if s.Lengthen == nil {
		return nil
	}
	var known pass
	if err := s.Store.Get(ctx, passes, keeping, &known); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if known.Map == s.Longest.String() {
		return nil
	}
	if err := s.Lengthen(ctx, s.Longest); err != nil {
		return err
	}
	done := pass{V: version, Rule: keeping, Tenant: staff, Map: s.Longest.String(), Done: true}
	return s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(passes, keeping, done) })
}
