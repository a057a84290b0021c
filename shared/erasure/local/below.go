package local

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
)

// names are what documents are called in the place that a query recognises by their names; nil for other queries.
func names(q erasure.Query) (all []string) {
	for _, v := range q.Match.Values {
		switch name, ours := strings.CutPrefix(v, reference(q, "")); {
		case q.Match.Kind == erasure.MatchDocument:
			all = append(all, v)
		case q.Match.Kind == erasure.MatchRef && ours:
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// byName is walk over the documents whose names the query gives. One that is gone is there all the same, without a version,
// as long as something lies below it: somebody wrote it there later.
func (s *Store) byName(ctx context.Context, q erasure.Query, after string, fn func(name string, d document) bool, next *string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	*next = ""
	return s.view(func(tree *bbolt.Bucket) error {
		b := tree.Bucket(bucketOf(q.Place))
		for _, name := range names(q) {
			if name <= after {
				continue
			}
			var data []byte
			if b != nil {
				data = b.Get([]byte(name))
			}
			d, found, err := missing(tree, q, name)
			if data != nil {
				d, err = decode(data)
				found = err == nil && finds(q, name, d) && q.Before(created(q, d))
			}
			if err != nil {
				return err
			}
			if found && !fn(name, d) {
				*next = name
				return nil
			}
		}
		return nil
	})
}

// missing stands for a document that is gone and has something below it: it tells the tenant that is told there, another than
// the query's if there is one.
func missing(tree *bbolt.Bucket, q erasure.Query, name string) (d document, found bool, err error) {
	told, others, err := lower(tree, q, name)
	if err != nil || told == nil {
		return d, false, err
	}
	d.Fields = map[string]any{}
	if q.Tenant.Binding == erasure.BindField && (others || slices.Contains(told, q.Tenant.ID)) {
		at := slices.IndexFunc(told, func(t string) bool { return t != "" && (t != q.Tenant.ID) == others })
		holder, last := holding(d.Fields, q.Tenant.Field)
		holder[last] = told[at]
	}
	return d, true, nil
}

// holding makes the maps of a dotted path and returns the innermost, and the last part.
func holding(fields map[string]any, path string) (map[string]any, string) {
	for {
		first, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return fields, first
		}
		inner := map[string]any{}
		fields[first] = inner
		fields, path = inner, rest
	}
}

// lower returns the tenants that the documents below one tell, "" of those that tell none, and whether one is another than
// the query's. None means that nothing is there.
func lower(tree *bbolt.Bucket, q erasure.Query, name string) (told []string, others bool, err error) {
	err = places(tree, q, name, func(key []byte) error {
		return tree.Bucket(key).ForEach(func(_, data []byte) error {
			d, err := decode(data)
			tells := tenant(q, d)
			told, others = append(told, tells), others || tells != "" && tells != q.Tenant.ID
			return err
		})
	})
	return told, others, err
}

// places calls fn with the key of each place below a document.
func places(tree *bbolt.Bucket, q erasure.Query, name string, fn func(key []byte) error) error {
	below := bucketOf(q.Place + "/" + name + "/")
	var keys [][]byte
	c := tree.Cursor()
	for key, _ := c.Seek(below); bytes.HasPrefix(key, below); key, _ = c.Next() {
		keys = append(keys, slices.Clone(key))
	}
	for _, key := range keys {
		if err := fn(key); err != nil {
			return err
		}
	}
	return nil
}

// descend deletes the places below a document.
func descend(tree *bbolt.Bucket, q erasure.Query, name string) error {
	return places(tree, q, name, tree.DeleteBucket)
}

// late erases what was written below a document that was gone when it was found.
func late(tree *bbolt.Bucket, q erasure.Query, i erasure.Item, name string) (erasure.Outcome, error) {
	if !q.Descend || q.Action != erasure.ActionDelete || i.Version != "" {
		return erasure.OutcomeGone, nil
	}
	told, others, err := lower(tree, q, name)
	switch {
	case err != nil:
		return "", err
	case i.Tenant != q.Tenant.ID || others:
		return erasure.OutcomeForeign, nil
	case told == nil:
		return erasure.OutcomeGone, nil
	}
	return erasure.OutcomeErased, descend(tree, q, name)
}
