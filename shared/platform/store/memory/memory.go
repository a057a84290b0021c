// Package memory keeps a store in memory, for replay and for tests: the same checks and the same transactions as
// the other drivers, and nothing survives the process.
//
// A transaction holds the whole store while its body runs. Queries look at every document of a collection.
package memory

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"sync"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/internal/engine"
)

func init() { store.Drivers.Register("memory", opener()) }

// New returns an empty store of its own. A faulty schema or a missing clock is Misconfigured.
func New(o store.Options) (store.Store, error) {
	s, err := engine.New(&backend{documents: newDocuments()}, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// opener opens memory:NAME. Stores of one name share their documents, as two functions share a database, until the
// last of them is closed; without a name each is its own.
func opener() driver.Open[store.Options, store.Store] {
	var mu sync.Mutex
	type shared struct {
		*documents
		users int
	}
	named := map[string]*shared{}
	return func(_ context.Context, u *url.URL, o store.Options) (store.Store, error) {
		name := u.Opaque
		if u.Host != "" || u.Path != "" || u.RawQuery != "" {
			return nil, fault.New(fault.Misconfigured, "store: a memory URL is memory:NAME")
		}
		if name == "" {
			return New(o)
		}
		mu.Lock()
		defer mu.Unlock()
		b := named[name]
		if b == nil {
			b = &shared{documents: newDocuments()}
		}
		leave := func() {
			mu.Lock()
			defer mu.Unlock()
			if b.users--; b.users == 0 {
				delete(named, name)
			}
		}
		s, err := engine.New(&backend{documents: b.documents, leave: leave}, o)
		if err != nil {
			return nil, err
		}
		b.users++
		named[name] = b
		return s, nil
	}
}

// documents are the documents of all collections.
type documents struct {
	mu          sync.RWMutex
	collections map[string]map[string]engine.Body
}

// backend is one handle on documents.
type backend struct {
	*documents
	leave func() // told when the handle is closed; may be nil
}

func newDocuments() *documents {
	return &documents{collections: map[string]map[string]engine.Body{}}
}

func (b *backend) Read(_ context.Context, fn func(engine.Reader) error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return fn(b)
}

func (b *backend) Update(_ context.Context, fn func(engine.Reader) ([]engine.Write, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	writes, err := fn(b)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if _, exists := b.collections[w.Collection][w.ID]; exists && w.Create {
			return engine.AlreadyExists(w.Collection)
		}
	}
	for _, w := range writes {
		if w.Delete {
			delete(b.collections[w.Collection], w.ID)
			continue
		}
		if b.collections[w.Collection] == nil {
			b.collections[w.Collection] = map[string]engine.Body{}
		}
		b.collections[w.Collection][w.ID] = w.Body
	}
	return nil
}

func (b *backend) Close() error {
	if b.leave != nil {
		b.leave()
	}
	return nil
}

// Get is called with the lock held, as is Scan.
func (b *backend) Get(collection, id string) (engine.Body, bool, error) {
	body, found := b.collections[collection][id]
	return body, found, nil
}

func (b *backend) Scan(p engine.Plan, keep func(engine.Body) bool) ([]engine.Item, error) {
	type match struct {
		key  []byte
		item engine.Item
	}
	var matches []match
	for id, body := range b.collections[p.Query.Collection] {
		key, indexed := engine.Key(p.Index, body.Fields, id)
		if indexed && p.Within(key) && keep(body) {
			matches = append(matches, match{key, engine.Item{ID: id, Body: body}})
		}
	}
	slices.SortFunc(matches, func(a, b match) int { return bytes.Compare(a.key, b.key) })
	if p.Query.Descending {
		slices.Reverse(matches)
	}
	var items []engine.Item
	for _, m := range matches[:min(len(matches), p.Query.Limit)] {
		items = append(items, m.item)
	}
	return items, nil
}
