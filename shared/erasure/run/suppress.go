package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// suppressed is on record once somebody was put into the ledger of who was erased.
type suppressed struct {
	V       int    `json:"v"`
	Request string `json:"request"`
}

func suppressedID(request string) string { return request + ".ledger" }

// lasting are the identifiers of hers that nobody else can have, now or later. An address is none, whatever it is called,
// nor is a digest.
func (e *Engine) lasting(j Job, ids []datamap.Identifier) (all []datamap.Identifier) {
	digests := literal(j.Hashed)
	for _, id := range ids {
		kind, known := e.Map.Kind(id.Kind)
		if known && !kind.Reusable && id.Verified && !strings.Contains(id.Value, "@") && !slices.Contains(digests, id) {
			all = append(all, id)
		}
	}
	return all
}

// suppress has it put on record that somebody is being erased, before it cannot be told any more.
func (e *Engine) suppress(ctx context.Context, j Job, k known) error {
	if e.Suppress == nil {
		return nil
	}
	if j.Still != nil {
		if err := j.Still(ctx); err != nil {
			return err
		}
	}
	var ids []datamap.Identifier
	role := j.role()
	if j.Scope != Account {
		if ids = e.lasting(j, k.IDs); len(ids) == 0 {
			return nil // Account tells
		}
	}
	if err := e.Suppress(ctx, j.Tenant, role, ids, e.since(ctx, j, k)); err != nil {
		return fault.New(fault.Transient, "putting on record who is erased: %w", err) // the fault is the ledger's, not the request's
	}
	var names []string
	if e.Names != nil {
		var err error
		if names, err = e.Names(ctx, j.Tenant, role, ids); err != nil {
			return fault.New(fault.Transient, "putting on record who is erased: %w", err)
		}
	}
	return e.Store.Tx(ctx, func(tx store.Tx) error {
		for _, name := range names {
			if err := tx.Put(jobs, writtenID(name), suppressed{V: version, Request: j.Request}); err != nil {
				return err
			}
		}
		return tx.Put(jobs, suppressedID(j.Request), suppressed{V: version, Request: j.Request})
	})
}

func writtenID(name string) string { return "written." + name }

// Written returns the request by which somebody was erased whom the ledger calls by a name; "" for none that is open.
func Written(ctx context.Context, s store.Store, name string) (request string, err error) {
	var kept suppressed
	if err := s.Get(ctx, jobs, writtenID(name), &kept); fault.Is(err, fault.NotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return kept.Request, nil
}

// since is until when what was made is hers: of somebody who came back, what she has made since stands.
func (e *Engine) since(ctx context.Context, j Job, k known) time.Time {
	if j.Scope != Account && !j.Executed.IsZero() && e.returned(ctx, j, k.IDs).self {
		return j.Executed
	}
	return e.Clock.Now()
}

// unsuppressed reports whether a restored backup would bring her back and nobody could tell.
func (e *Engine) unsuppressed(ctx context.Context, j Job) (bool, error) {
	var kept suppressed
	err := e.Store.Get(ctx, jobs, suppressedID(j.Request), &kept)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return false, err
}
