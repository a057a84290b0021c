package local

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// scan is how many documents one call reads, at most.
const scan = 10_000

func check(q erasure.Query) error {
	if err := q.Check(); err != nil {
		return err
	}
	if q.Tenant.Binding == erasure.BindPath && !bound(q) {
		return fault.New(fault.Invalid, "searching for entry %q: neither its place nor each name names the tenant", q.Entry)
	}
	return nil
}

// bound reports that whatever is found has the tenant's id as a part of its place or name.
func bound(q erasure.Query) bool {
	holds := func(name string) bool {
		return slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '.' }), q.Tenant.ID)
	}
	named := q.Match.Kind == erasure.MatchDocument || q.Match.Kind == erasure.MatchPrefix
	return holds(q.Place) || named && !slices.ContainsFunc(q.Match.Values, func(v string) bool { return !strings.Contains(v, "/") || !holds(v) })
}

// Find implements erasure.Reader.
func (s *Store) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (page erasure.Page, err error) {
	if err = check(q); err == nil {
		err = erasure.CheckLimit(limit)
	}
	after, bad := base64.RawURLEncoding.DecodeString(cursor)
	if bad != nil || len(cursor) > 0 && (after[0] != '>') {
		err = fault.New(fault.Invalid, "searching: the cursor is none of ours")
	}
	if err != nil {
		return page, err
	}
	if isGroup(q) {
		page, err = s.group(ctx, q, strings.TrimPrefix(string(after), ">"), limit)
	} else {
		walk := s.walk
		if q.Descend && names(q) != nil {
			walk = s.byName
		}
		err = walk(ctx, q, strings.TrimPrefix(string(after), ">"), func(name string, d document) bool {
			page.Items = append(page.Items, item(q, name, d))
			return len(page.Items) < limit
		}, &page.Next)
	}
	if page.Next != "" {
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(">" + page.Next))
	}
	return page, err
}

// walk calls fn with what the query finds behind a name, until fn returns false or enough was read; *next is then the
// last name, and "" at the end of the place.
func (s *Store) walk(ctx context.Context, q erasure.Query, after string, fn func(name string, d document) bool, next *string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	*next = ""
	return s.view(func(tree *bbolt.Bucket) error {
		b := tree.Bucket(bucketOf(q.Place))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		key, data := c.Seek([]byte(after))
		if after != "" && string(key) == after {
			key, data = c.Next()
		}
		for looked := 1; key != nil; looked++ {
			d, err := decode(data)
			if err != nil {
				return err
			}
			name := string(key)
			more := true
			if finds(q, name, d) && q.Before(created(q, d)) {
				more = fn(name, d)
			}
			if !more || looked == scan {
				*next = name
				return nil
			}
			key, data = c.Next()
		}
		return nil
	})
}

// every is walk from the beginning to the end, over the documents of the query's own tenant.
func (s *Store) every(ctx context.Context, q erasure.Query, fn func(d document) bool) error {
	more := true
	if isGroup(q) {
		places, err := s.members(q.Place)
		for _, place := range places {
			if q.Place = place; err == nil && more {
				err = s.every(ctx, q, func(d document) bool {
					more = fn(d)
					return more
				})
			}
		}
		return err
	}
	for next := ""; ; {
		found := 0
		err := s.walk(ctx, q, next, func(_ string, d document) bool {
			more = tenant(q, d) != q.Tenant.ID || fn(d)
			found++
			return more
		}, &next)
		if err == nil {
			err = erasure.Metered(ctx, found)
		}
		if err != nil || next == "" || !more {
			return err
		}
	}
}

func item(q erasure.Query, name string, d document) erasure.Item {
	i := erasure.Item{Ref: reference(q, name), Tenant: tenant(q, d)}
	if d.Version == 0 { // gone, with something below it
		return i
	}
	i.Version, i.Created = version(d.Version), created(q, d)
	i = q.Shows(i, func(field string) string {
		value, _ := erasure.At(d.Fields, field)
		shown, _ := text(value)
		return shown
	})
	if q.Action == erasure.ActionAnonymise {
		i.Totals = q.Adding(func(field string) (any, bool) { return erasure.At(d.Fields, field) })
		i.Clean = !change(q, d.Fields)
	}
	return i
}

// reference names a document in its tree.
func reference(q erasure.Query, name string) string { return q.Place + "#" + name }

func created(q erasure.Query, d document) time.Time {
	if q.CreatedField == "" {
		return time.UnixMicro(d.Created).UTC()
	}
	value, _ := erasure.At(d.Fields, q.CreatedField)
	return erasure.Moment(value)
}

func tenant(q erasure.Query, d document) string {
	if q.Tenant.Binding != erasure.BindField {
		return q.Tenant.ID
	}
	value, _ := erasure.At(d.Fields, q.Tenant.Field)
	id, _ := text(value)
	return id
}

// text returns an identifier as text: text as it is, a whole number in decimal; false for anything else.
func text(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

// Values implements erasure.Reader.
func (s *Store) Values(ctx context.Context, q erasure.Query, field string, limit int) (values []string, err error) {
	if err = check(q); err == nil && (field == "" || limit < 1) {
		err = fault.New(fault.Invalid, "reading of entry %q: no field, or no limit", q.Entry)
	}
	if err != nil {
		return nil, err
	}
	if err = s.every(ctx, q, func(d document) bool {
		found, _ := erasure.At(d.Fields, field)
		list, isList := found.([]any)
		if !isList {
			list = []any{found}
		}
		for _, v := range list {
			if id, is := text(v); is {
				values = append(values, id)
			}
		}
		slices.Sort(values)
		values = slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" })
		return len(values) <= limit
	}); err != nil {
		return nil, err
	}
	if len(values) > limit {
		return nil, fault.New(fault.Exhausted, "reading of entry %q: more than %d identifiers follow from it", q.Entry, limit)
	}
	return values, nil
}

// Group implements erasure.Reader. Documents that lack a field share that.
func (s *Store) Group(ctx context.Context, q erasure.Query, fields []string) (smallest int, err error) {
	if err = check(q); err == nil && (len(fields) == 0 || slices.Contains(fields, "")) {
		err = fault.New(fault.Invalid, "counting of entry %q: no field is named", q.Entry)
	}
	if err != nil {
		return 0, err
	}
	key := func(d document) string {
		var parts []any
		for _, f := range fields {
			value, found := erasure.At(d.Fields, f)
			parts = append(parts, value, found)
		}
		return fmt.Sprintf("%#v", parts)
	}
	shared := map[string]int{}
	if err := s.every(ctx, q, func(d document) bool { shared[key(d)] = 0; return true }); err != nil {
		return 0, err
	}
	all := q
	all.Match, all.CreatedBefore = erasure.Match{Kind: erasure.MatchTenant}, time.Time{}
	if err := s.every(ctx, all, func(d document) bool {
		if n, counted := shared[key(d)]; counted {
			shared[key(d)] = n + 1
		}
		return true
	}); err != nil {
		return 0, err
	}
	for _, n := range shared {
		if smallest == 0 || n < smallest {
			smallest = n
		}
	}
	return smallest, nil
}

// named is a place as the store that this one stands for names it: a bucket tells the first parts of names.
func (s *Store) named(place string) string {
	top, _, deeper := strings.Cut(place, "/")
	if deeper && strings.HasPrefix(string(s.tree), "sample/gcs://") {
		return top + "/"
	}
	return place
}

// Places implements erasure.Reader: the places that hold documents.
func (s *Store) Places(ctx context.Context, limit int) (places []string, err error) {
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "listing sample data: no limit")
	}
	err = s.view(func(tree *bbolt.Bucket) error {
		return tree.ForEachBucket(func(key []byte) error {
			if first, _ := tree.Bucket(key).Cursor().First(); first != nil {
				places = append(places, s.named(string(key[1:])))
			}
			return ctx.Err()
		})
	})
	if err == nil && len(places) > limit {
		return nil, fault.New(fault.Exhausted, "listing sample data: there are more than %d places", limit)
	}
	return places, err
}

// Traces implements erasure.Reader: nothing in the file can be brought back through it.
func (s *Store) Traces(context.Context) (erasure.Traces, error) { return erasure.Traces{}, nil }
