package local

import (
	"context"
	"strings"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
)

// anywhere stands in a place for any path, as in Firestore: what follows is the last part of the places that are meant, and
// what is before is how they begin.
const anywhere = "**/"

// isGroup reports whether a query is about all places of a name.
func isGroup(q erasure.Query) bool { return strings.Contains(q.Place, anywhere) }

// meant reports whether a place is one of those that a group stands for.
func meant(group, place string) bool {
	above, last, _ := strings.Cut(group, anywhere)
	below, inside := strings.CutPrefix(place, above)
	return inside && (below == last || strings.HasSuffix(below, "/"+last))
}

// members are the places of the tree that a group stands for.
func (s *Store) members(group string) (places []string, err error) {
	err = s.view(func(tree *bbolt.Bucket) error {
		return tree.ForEachBucket(func(key []byte) error {
			if place := string(key[1:]); meant(group, place) {
				places = append(places, place)
			}
			return nil
		})
	})
	return places, err
}

// in is a query about the one place of a group that an item is in; false for an item of none of them.
func in(q erasure.Query, ref string) (erasure.Query, bool) {
	if !isGroup(q) {
		return q, true
	}
	place, _, named := strings.Cut(ref, "#")
	named = named && meant(q.Place, place)
	q.Place = place
	return q, named
}

// group is Find in all places of a group. What it returns is named as in the place it is in.
func (s *Store) group(ctx context.Context, q erasure.Query, after string, limit int) (page erasure.Page, err error) {
	err = s.view(func(tree *bbolt.Bucket) error {
		return tree.ForEachBucket(func(key []byte) error {
			place := string(key[1:])
			if len(page.Items) == limit || !meant(q.Place, place) {
				return ctx.Err()
			}
			there := q
			there.Place = place
			return tree.Bucket(key).ForEach(func(key, data []byte) error {
				name := string(key)
				mark := place + "\x00" + name
				if mark <= after || len(page.Items) == limit {
					return nil
				}
				d, err := decode(data)
				if err == nil && finds(there, name, d) && q.Before(created(q, d)) {
					page.Items = append(page.Items, item(there, name, d))
					page.Next = mark
				}
				return err
			})
		})
	})
	if err != nil || len(page.Items) < limit {
		page.Next = ""
	}
	return page, err
}
