package parts

import (
	"context"
	"net/url"
	"slices"
	"sync"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// EnvData is set on a laptop, where sample data stands for every store of the map: what a store's own URL, without its
// account and parameters, is put behind to open it. Deployed, it is refused.
const EnvData = "OSTIARY_DATA"

// stores are the stores of the map that are open. They stay open: there are few, and an instance lives for minutes.
type stores struct {
	local string

	mu      sync.Mutex
	readers map[string]erasure.Reader
	erasers map[string]erasure.Store
	listers map[string]erasure.Lister
}

func localData(d *wiring.Deps) (string, error) {
	value, _ := d.Env(EnvData)
	if _, deployed := d.Env("K_SERVICE"); deployed && value != "" {
		return "", fault.New(fault.Misconfigured, "%s is set on a deployed function", EnvData)
	}
	return value, nil
}

// url is where a store of the map is opened.
func (s *stores) url(store string) string {
	if s.local == "" {
		return store
	}
	return s.local + url.QueryEscape(erasure.Bare(store))
}

// mayErase is what a manifest lists of a function that erases: the permission on the company's own databases.
var mayErase = manifest.Permission{Permission: "datastore.entities.delete", Resource: "data:firestore"}

// erases reports whether the function may erase anything.
func (p *Parts) erases() bool {
	for _, listed := range p.Manifest.Permissions {
		if listed == mayErase {
			return true
		}
	}
	return false
}

// Reader opens a store of the map for searching, once. A function that erases searches as the account that does: it is given
// the password of no other, and acts on nothing that the other may see and it may not.
func (p *Parts) Reader(ctx context.Context, store string) (erasure.Reader, error) {
	if other, known := p.Map.Erasing()[store]; known && p.erases() {
		store = other
	}
	return open(&p.stores, &p.stores.readers, store, func(url string) (erasure.Reader, error) {
		return erasure.Readers.Open(ctx, url, p.options())
	})
}

// Eraser opens a store of the map for erasing, once. Misconfigured where the manifest does not let the function erase.
func (p *Parts) Eraser(ctx context.Context, store string) (erasure.Store, error) {
	if !p.erases() {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest lets it search alone", p.Manifest.Name)
	}
	return open(&p.stores, &p.stores.erasers, store, func(url string) (erasure.Store, error) {
		return erasure.Stores.Open(ctx, url, p.options())
	})
}

// mayList is what a manifest lists of a function that looks for stores nobody has mapped.
var mayList = manifest.Permission{Permission: "datastore.databases.list", Resource: "data:project"}

// Lister opens what tells which stores there are, once. Misconfigured where the manifest does not let the function ask.
func (p *Parts) Lister(ctx context.Context, url string) (erasure.Lister, error) {
	if !slices.Contains(p.Manifest.Permissions, mayList) {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest lets it list no stores", p.Manifest.Name)
	}
	return open(&p.stores, &p.stores.listers, url, func(url string) (erasure.Lister, error) {
		return erasure.Listers.Open(ctx, url, p.options())
	})
}

func (p *Parts) options() erasure.Options {
	return erasure.Options{Clock: p.Clock, Loopback: p.stores.local != "", Secret: p.secret}
}

func open[T any](s *stores, all *map[string]T, store string, make func(url string) (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, known := (*all)[store]; known {
		return one, nil
	}
	one, err := make(s.url(store))
	if err != nil {
		return one, err
	}
	if *all == nil {
		*all = map[string]T{}
	}
	(*all)[store] = one
	return one, nil
}
