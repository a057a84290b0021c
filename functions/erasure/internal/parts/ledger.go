package parts

import (
	"context"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/purge"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/store"
)

// SecretLedger is the secret with the ledger's keys, as ledger.ReadKeys reads them.
const SecretLedger = "ledger-key"

// OpenLedger opens the ledger of who was erased. Without it the engine erases nobody: a backup would bring her back.
func (p *Parts) OpenLedger(ctx context.Context) error {
	kept, err := p.suppressions(ctx)
	if err != nil {
		return err
	}
	p.ledger = lazy.New(func(ctx context.Context) (*ledger.Ledger, error) {
		text, err := p.secret(ctx, SecretLedger)
		if err != nil {
			return nil, err
		}
		keys, err := ledger.ReadKeys(text)
		if err != nil {
			return nil, err
		}
		return ledger.New(kept, Longest(p.Map), keys...)
	})
	return nil
}

// Lengthen has a sweeper keep the ledger of who was erased for as long as backups are kept.
func (p *Parts) Lengthen(ctx context.Context, s *purge.Sweeper) error {
	kept, err := p.suppressions(ctx)
	if err != nil {
		return err
	}
	s.Longest = Longest(p.Map)
	s.Lengthen = func(ctx context.Context, keep time.Duration) error { return ledger.Lengthen(ctx, kept, keep) }
	return nil
}

// suppressions opens the database of the ledger.
func (p *Parts) suppressions(ctx context.Context) (store.Store, error) {
	url, _ := p.Env(wiring.EnvLedger)
	if url == "" {
		return nil, fault.New(fault.Misconfigured, "%s: %s is not set", p.Manifest.Name, wiring.EnvLedger)
	}
	kept, err := store.Drivers.Open(ctx, url, store.Options{Schema: store.Schema{ledger.Collection()}, Clock: p.Clock})
	if err != nil {
		return nil, err
	}
	p.Keep(kept)
	return kept, nil
}

// Longest is how long the longest backup of the data map is kept, or what the ledger takes at least.
func Longest(m *datamap.Map) time.Duration {
	longest := ledger.LeastKeep
	for _, b := range m.Backups {
		longest = max(longest, time.Duration(b.Days)*24*time.Hour)
	}
	return longest
}

// suppress puts on record who is being erased, by ids that nobody else can have, in the data of a role; of a tenant as a whole, the tenant.
func (p *Parts) suppress(ctx context.Context, tenant string, role datamap.Role, ids []datamap.Identifier, at time.Time) error {
	book, err := p.ledger.Get(ctx)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return book.Add(ctx, ledger.Subject{Tenant: tenant, Kind: ledger.Whole, ID: tenant}, at)
	}
	for _, id := range ids {
		if err := book.Add(ctx, ledger.Subject{Tenant: tenant, Role: role, Kind: id.Kind, ID: id.Value}, at); err != nil {
			return err
		}
	}
	return nil
}
