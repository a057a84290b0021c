package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"ostiary.internal/functions/ostiary/internal/local"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// everybody lists who is in the stores: the people of each tenant, and the tenants themselves.
func (o *opened) everybody(ctx context.Context, p *policy.Policy, report *replayed, bar *progress) (all ledger.Everybody, err error) {
	tenants := slices.Clone(o.tenants)
	for _, t := range p.Tenants {
		tenants = append(tenants, t.ID)
	}
	slices.Sort(tenants)
	if report.Unlooked, err = o.ledger.Unlooked(ctx, tenants); err != nil {
		return nil, err
	}
	for _, tenant := range slices.Compact(tenants) {
		report.Tenants++
		listed, unread, err := ledger.Listings(o.m, tenant, o.taken, func(url string) (erasure.Reader, error) { return o.reader(ctx, url) })
		if err != nil {
			return nil, err
		}
		report.Unread = unread
		for _, l := range listed {
			all = append(all, watched{l, bar, report})
		}
		all = append(all, whole{o, tenant})
	}
	return all, nil
}

// whole lists a tenant itself where there is anything of it. How old that is its items do not tell: some are older.
type whole struct {
	*opened
	tenant string
}

// Page implements ledger.People.
func (w whole) Page(ctx context.Context, _ string) ([]ledger.Known, string, error) {
	steps, err := w.m.Close(w.tenant)
	if err != nil {
		return nil, "", err
	}
	var unasked error // counts where nothing is found
	for _, s := range steps {
		q := s.Query
		q.Action, q.Changes = "", nil
		var page erasure.Page
		reader, err := w.reader(ctx, s.Reader)
		if err == nil {
			page, err = reader.Find(ctx, q, "", 1)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			unasked = err
		}
		if len(page.Items) > 0 {
			return []ledger.Known{{Subject: ledger.Subject{Tenant: w.tenant, Kind: ledger.Whole, ID: w.tenant}, Entry: s.Entry.ID}}, "", nil
		}
	}
	return nil, "", unasked
}

// watched shows how many items were looked at, and notes which places are not there: what was not restored there may have
// been restored elsewhere.
type watched struct {
	ledger.Listing
	bar    *progress
	report *replayed
}

// Page implements ledger.People.
func (w watched) Page(ctx context.Context, cursor string) ([]ledger.Known, string, error) {
	people, next, err := w.Listing.Page(ctx, cursor)
	if fault.Is(err, fault.NotFound) {
		if !slices.Contains(w.report.Missing, w.Query.Entry) {
			w.report.Missing = append(w.report.Missing, w.Query.Entry)
		}
		return nil, "", nil
	}
	w.bar.read(int64(len(people)))
	return people, next, err
}

// opened is what a replay works with.
type opened struct {
	backups
	m       *datamap.Map
	clock   clock.Clock // of the server whose data folder it is, where it is one's
	ledger  *ledger.Ledger
	secrets secret.Store
	readers map[string]erasure.Reader
	stores  map[string]erasure.Store
	closers []io.Closer
	// requests is the control's own database, nil where none is named; zone is the company's.
	requests store.Store
	zone     *time.Location
}

// open opens the ledger. keep does not count: nothing is added.
func (b backups) open(ctx context.Context, m *datamap.Map) (*opened, error) {
	o := &opened{backups: b, m: m, clock: clock.System{}, readers: map[string]erasure.Reader{}, stores: map[string]erasure.Store{}}
	for from := range b.restored { // what is misspelt would be looked for where nobody restored it
		if !slices.ContainsFunc(m.Stores(), func(url string) bool { return erasure.Bare(url) == from }) {
			return nil, fault.New(fault.Misconfigured, "--restored: %s is no store of the data map", from)
		}
	}
	if b.data != "" {
		var err error
		if o.clock, err = local.ClockOf(b.data); err != nil {
			return nil, err
		}
	}
	secrets, err := secret.Drivers.Open(ctx, b.secrets, secret.Options{Clock: o.clock})
	if err != nil {
		return nil, fmt.Errorf("opening the ledger's keys: %w", err)
	}
	o.secrets, o.closers = secrets, append(o.closers, secrets)
	var keys []ledger.Key
	text, err := secrets.Get(ctx, b.key)
	if err == nil {
		keys, err = ledger.ReadKeys(text)
	}
	if err != nil {
		o.close()
		return nil, fmt.Errorf("reading the ledger's keys: %w", err)
	}
	s, err := store.Drivers.Open(ctx, b.ledger, store.Options{Schema: store.Schema{ledger.Collection()}, Clock: o.clock})
	if err != nil {
		o.close()
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	o.closers = append(o.closers, s)
	if o.ledger, err = ledger.New(s, ledger.LeastKeep, keys...); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *opened) close() {
	for _, c := range slices.Backward(o.closers) {
		_ = c.Close() // nothing was written through it that is not on the disk
	}
}

// url is where a store of the map is now.
func (o *opened) url(of string) string {
	if to, elsewhere := o.restored[erasure.Bare(of)]; elsewhere {
		return to
	}
	if o.sample != "" {
		return o.sample + url.QueryEscape(erasure.Bare(of))
	}
	return of
}

func (o *opened) options() erasure.Options {
	return erasure.Options{Clock: o.clock, Loopback: o.sample != "", Secret: o.secrets.Get}
}

func (o *opened) reader(ctx context.Context, url string) (erasure.Reader, error) {
	return once(o, o.readers, o.url(url), func(url string) (erasure.Reader, error) { return erasure.Readers.Open(ctx, url, o.options()) })
}

func (o *opened) store(ctx context.Context, url string) (erasure.Store, error) {
	return once(o, o.stores, o.url(url), func(url string) (erasure.Store, error) { return erasure.Stores.Open(ctx, url, o.options()) })
}

func once[T io.Closer](o *opened, all map[string]T, url string, open func(url string) (T, error)) (T, error) {
	if one, known := all[url]; known {
		return one, nil
	}
	one, err := open(url)
	if err != nil {
		return one, fmt.Errorf("opening a restored store: %w", err)
	}
	all[url], o.closers = one, append(o.closers, one)
	return one, nil
}
