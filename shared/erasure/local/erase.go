package local

import (
	"context"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
)

// Erase implements erasure.Store. All items of a call go in one transaction.
func (s *Store) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) (results []erasure.Result, err error) {
	if err = check(q); err == nil {
		err = q.CheckErase(items)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	err = s.update(func(tree *bbolt.Bucket) error {
		results = nil
		for _, i := range items {
			outcome := erasure.OutcomeForeign
			if there, ours := in(q, i.Ref); ours {
				var err error
				if outcome, err = erase(tree, tree.Bucket(bucketOf(there.Place)), there, i); err != nil {
					return err
				}
			}
			results = append(results, erasure.Result{Ref: i.Ref, Outcome: outcome})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func erase(tree, b *bbolt.Bucket, q erasure.Query, i erasure.Item) (erasure.Outcome, error) {
	name, ours := strings.CutPrefix(i.Ref, reference(q, ""))
	if !ours {
		return erasure.OutcomeForeign, nil
	}
	var data []byte
	if b != nil {
		data = b.Get([]byte(name))
	}
	if data == nil {
		return late(tree, q, i, name)
	}
	d, err := decode(data)
	if err != nil {
		return "", err
	}
	changes := q.Action == erasure.ActionAnonymise
	totals := q.Totals(func(field string) (any, bool) { return erasure.At(d.Fields, field) })
	switch {
	case tenant(q, d) != q.Tenant.ID:
		return erasure.OutcomeForeign, nil
	case !recognises(q, q.Match, name, d), changes && !change(q, d.Fields):
		return erasure.OutcomeGone, nil
	case i.Version != version(d.Version):
		return erasure.OutcomeChanged, nil
	case q.TakesOut():
		takeOut(q, d.Fields)
		return erasure.OutcomeErased, write(tree, b, name, d)
	case changes:
		if err := addUp(tree, totals); err != nil {
			return "", err
		}
		return erasure.OutcomeErased, write(tree, b, name, d)
	}
	if q.Descend {
		if _, others, err := lower(tree, q, name); err != nil || others {
			return erasure.OutcomeForeign, err
		}
		if err := descend(tree, q, name); err != nil {
			return "", err
		}
	}
	return erasure.OutcomeErased, b.Delete([]byte(name))
}

// inner returns the map that holds the last part of a dotted path, and that part; nil where there is none.
func inner(fields map[string]any, path string) (map[string]any, string) {
	for {
		first, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return fields, first
		}
		fields, _ = fields[first].(map[string]any)
		path = rest
	}
}

// takeOut removes the subject from the list or the map the query names.
func takeOut(q erasure.Query, fields map[string]any) {
	at, last := inner(fields, q.Match.Field)
	switch v := at[last].(type) {
	case []any:
		at[last] = slices.DeleteFunc(v, func(member any) bool {
			id, is := text(member)
			return is && q.Match.Is(id)
		})
	case map[string]any:
		maps.DeleteFunc(v, func(key string, _ any) bool { return q.Match.Is(key) })
	}
}

// change does the query's changes and reports whether there was anything to do.
func change(q erasure.Query, fields map[string]any) (changed bool) {
	for _, c := range q.Changes {
		at, last := inner(fields, c.Field)
		old, found := at[last]
		if !found {
			continue
		}
		value, gone := c.Of(old)
		switch {
		case gone:
			delete(at, last)
			changed = true
		case value != old:
			at[last] = value
			changed = true
		}
	}
	return changed
}
