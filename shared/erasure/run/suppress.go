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
	List    string `json:"list,omitempty"` // of what the ledger calls her
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
	hers, role := e.lasting(j, k.IDs), j.role()
	ids := hers
	if j.Scope == Account {
		ids = nil
	} else if len(hers) == 0 {
		return nil // Account tells
	}
	names, err := e.told(ctx, j, role, ids, e.until(ctx, j, k))
	if global := slices.ContainsFunc(e.Map.Entries, func(e *datamap.Entry) bool { return e.Tenant.Global != "" }); err == nil && j.Global && global && len(hers) > 0 {
		var more []string
		more, err = e.told(ctx, j, datamap.Global, hers, e.until(ctx, j, k))
		names = append(names, more...)
	}
	if err != nil {
		return fault.New(fault.Transient, "putting on record who is erased: %w", err) // the fault is the ledger's, not the request's
	}
	return e.Store.Tx(ctx, func(tx store.Tx) error {
		for _, name := range names {
			if err := tx.Put(jobs, writtenID(name)+"."+j.Request, suppressed{V: version, Request: j.Request, List: writtenID(name)}); err != nil {
				return err
			}
		}
		return tx.Put(jobs, suppressedID(j.Request), suppressed{V: version, Request: j.Request})
	})
}

// told puts somebody on record, and returns what she is called there.
func (e *Engine) told(ctx context.Context, j Job, role datamap.Role, ids []datamap.Identifier, at time.Time) ([]string, error) {
	if err := e.Suppress(ctx, j.Tenant, role, ids, at); err != nil || e.Names == nil {
		return nil, err
	}
	return e.Names(ctx, j.Tenant, role, ids)
}

func writtenID(name string) string { return "written." + name }

// Written returns the requests by which somebody was erased whom the ledger calls by a name, as far as they are not closed.
func Written(ctx context.Context, s store.Store, name string) (requests []string, err error) {
	q := store.Query{Collection: jobs, Equal: []store.Field{{Name: "list", Value: writtenID(name)}}, Limit: store.MaxQueryResults}
	list, err := store.Find[suppressed](s.Query(ctx, q))
	for _, kept := range list {
		requests = append(requests, kept.Request)
	}
	return requests, err
}

// until is until when what was made is hers: of somebody who came back, what she has made since stands, and of an account in
// which somebody is again, what was made there.
func (e *Engine) until(ctx context.Context, j Job, k known) time.Time {
	if j.Executed.IsZero() {
		return e.Clock.Now()
	}
	if b := e.returned(ctx, j, k.IDs); b.whole || b.self {
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
