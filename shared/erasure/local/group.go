package local

import (
	"context"
	"strings"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
)

// anywhere begins a place that stands for all places whose last part is what follows, as in Firestore.
const anywhere = "**/"

// group is Find in all places of a group. What it returns is named as in the place it is in.
func (s *Store) group(ctx context.Context, q erasure.Query, after string, limit int) (page erasure.Page, err error) {
	last := strings.TrimPrefix(q.Place, anywhere)
	err = s.view(func(tree *bbolt.Bucket) error {
		return tree.ForEachBucket(func(key []byte) error {
			place := string(key[1:])
			if len(page.Items) == limit || place != last && !strings.HasSuffix(place, "/"+last) {
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
				if err == nil && recognises(q, name, d) && q.Before(created(q, d)) {
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
