package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	engine "ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// held opens the control's own database, which tells what two people hold of somebody. Without one, nobody can tell.
func (o *opened) held(ctx context.Context, zone *time.Location) error {
	o.zone = zone
	if o.erasure == "" {
		return nil
	}
	kept, err := store.Drivers.Open(ctx, o.erasure, store.Options{Schema: append(request.Collection(), engine.Collection()...), Clock: o.clock})
	if err != nil {
		return fmt.Errorf("opening the control's database: %w", err)
	}
	o.requests, o.closers = kept, append(o.closers, kept)
	return nil
}

// holds are what two people hold of somebody, in requests of hers; of a whole tenant, in anybody's.
func (o *opened) holds(ctx context.Context, who *returned) (all []engine.Hold, err error) {
	if o.requests == nil {
		return nil, nil
	}
	asked, err := o.asked(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("reading what is held: %w", err)
	}
	for _, r := range asked {
		for _, h := range r.Holds {
			all = append(all, engine.Hold{Entry: h.Entry, Fields: h.Fields, Until: h.Until.End(o.zone), Ground: h.Ground, Citation: h.Citation})
		}
	}
	return all, nil
}

// asked are the open requests by which somebody was erased, or all of a tenant.
func (o *opened) asked(ctx context.Context, who *returned) (all []request.Request, err error) {
	if who.scope() == engine.Account {
		return o.open(ctx, who.Tenant)
	}
	names, err := o.ledger.Names(ledger.Subject{Tenant: who.Tenant, Role: who.Role, Kind: who.Kind, ID: who.ID})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, name := range names {
		found, err := engine.Written(ctx, o.requests, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		var r request.Request
		if err := o.requests.Get(ctx, request.Requests, id, &r); fault.Is(err, fault.NotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// open are the requests of a tenant that are not closed.
func (o *opened) open(ctx context.Context, tenant string) (all []request.Request, err error) {
	q := store.Query{Collection: request.Requests, Range: &store.Range{Name: "next"}, Limit: store.MaxQueryResults}
	for {
		waiting, err := store.Find[request.Request](o.requests.Query(ctx, q))
		if err != nil {
			return nil, err
		}
		for _, r := range waiting {
			if r.Tenant == tenant {
				all = append(all, r)
			}
		}
		if len(waiting) < q.Limit {
			return all, nil
		}
		last := waiting[len(waiting)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}
