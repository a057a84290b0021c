package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
)

// restored is how a restored store is asked about somebody who was erased at a time. What was made later stands, by whatever it
// is found. A store that keeps itself when an item was made may say when it was restored:
// what is found by an id that nobody else has was made before the backup then, and of the rest nobody can tell.
type restored struct {
	taken, before time.Time
	address       string
}

// named reports whether a query is about her address.
func (r restored) named(q erasure.Query) bool {
	return slices.ContainsFunc(q.Match.Values, func(v string) bool { return r.address != "" && strings.EqualFold(v, r.address) })
}

func (r restored) query(q erasure.Query) erasure.Query {
	if (r.named(q) || q.CreatedField != "") && q.CreatedBefore.IsZero() {
		q.CreatedBefore = r.before
	}
	return q
}

func (r restored) reader(of erasure.Reader) erasure.Reader { return restoredReader{of, r} }

type restoredReader struct {
	erasure.Reader
	restored
}

// Find implements erasure.Reader.
func (r restoredReader) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	q = r.query(q)
	if q.CreatedField != "" {
		return r.Reader.Find(ctx, q, cursor, limit)
	}
	before := q.CreatedBefore
	q.CreatedBefore = time.Time{}
	page, err := r.Reader.Find(ctx, q, cursor, limit)
	for i := range page.Items {
		made := &page.Items[i].Created
		switch {
		case made.Before(r.taken):
		case r.named(q):
			*made = time.Time{}
		default:
			*made = r.taken.Add(-time.Microsecond)
		}
	}
	q.CreatedBefore = before
	page.Items = slices.DeleteFunc(page.Items, func(i erasure.Item) bool { return !q.Before(i.Created) })
	return page, err
}

// Values implements erasure.Reader.
func (r restoredReader) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	return r.Reader.Values(ctx, r.query(q), field, limit)
}

// watchedReader shows how much was found.
type watchedReader struct {
	erasure.Reader
	bar *progress
}

// Find implements erasure.Reader.
func (r watchedReader) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	page, err := r.Reader.Find(ctx, q, cursor, limit)
	r.bar.read(int64(len(page.Items)))
	return page, err
}

// restoredStore reads as restored says, and shows how much was erased.
type restoredStore struct {
	erasure.Reader
	store erasure.Store
	restored
	bar *progress
}

// Erase implements erasure.Store.
func (s restoredStore) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if q = s.query(q); q.CreatedField == "" {
		q.CreatedBefore = time.Time{} // Find has looked
	}
	results, err := s.store.Erase(ctx, q, items)
	s.bar.read(int64(len(results)))
	return results, err
}

var _ erasure.Store = restoredStore{}
