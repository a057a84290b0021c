package local

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

func init() {
	erasure.Listers.Register("bolt", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Lister, error) { return openURL(u) })
}

// Stores implements erasure.Lister: the trees of the file that hold documents and stand for stores of the same kind as this
// one. Sample data knows no projects.
func (s *Store) Stores(ctx context.Context, limit int) (all []string, err error) {
	prefix := sampled
	if scheme, _, found := strings.Cut(string(s.tree[len(sampled):]), "://"); found {
		prefix += scheme + "://"
	}
	err = explain(s.db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, tree *bbolt.Bucket) error {
			if !bytes.HasPrefix(name, []byte(prefix)) {
				return ctx.Err()
			}
			full := false
			err := tree.ForEachBucket(func(place []byte) error {
				first, _ := tree.Bucket(place).Cursor().First()
				full = full || first != nil
				return nil
			})
			if full {
				all = append(all, string(name[len(sampled):]))
			}
			return err
		})
	}))
	if err == nil && len(all) > limit {
		return nil, fault.New(fault.Exhausted, "listing sample data: there are more than %d stores", limit)
	}
	slices.Sort(all)
	return all, err
}
