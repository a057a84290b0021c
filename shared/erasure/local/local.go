// Package local keeps sample data in a bbolt file, for a laptop to search and erase as production's stores are: any store
// of a data map can be stood for by a tree of such a file, under the same places and names, with the same answers.
//
// It promises what erasure.Store does but for one thing: it has no indexes, so a search reads the whole place. A call
// reads ten thousand documents at most and then returns what it has, so memory does not grow with the place. What was
// erased has left the file's tree with the transaction that is on the disk; the freed pages of the file are not
// overwritten.
package local

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/bolt"
)

func init() {
	erasure.Readers.Register("bolt", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Reader, error) { return openURL(u) })
	erasure.Stores.Register("bolt", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Store, error) { return openURL(u) })
}

func openURL(u *url.URL) (*Store, error) {
	path, options, err := driver.Path(u, "tree")
	if err != nil {
		return nil, err
	}
	return Open(path, options.Get("tree"))
}

// Store is one tree of a file.
type Store struct {
	db      *bbolt.DB
	release func() error
	tree    []byte
}

var _ erasure.Store = (*Store)(nil)

// Open opens a tree, which is made by the first Put. Errors are those of bolt.File; Misconfigured for a tree without a
// name.
func Open(file, tree string) (*Store, error) {
	if tree == "" {
		return nil, fault.New(fault.Misconfigured, "data to erase: a tree of sample data has a name")
	}
	db, release, err := bolt.File(file)
	if err != nil {
		return nil, err
	}
	return &Store{db, release, []byte(sampled + tree)}, nil
}

// sampled keeps the trees of sample data apart from those of controls in the same file.
const sampled = "sample/"

// Close implements io.Closer.
func (s *Store) Close() error { return s.release() }

// document is how one is kept.
type document struct {
	Version uint64         `json:"version"` // no two writes of a tree have the same
	Created int64          `json:"created"` // microseconds since 1970
	Fields  map[string]any `json:"fields"`
}

func decode(data []byte) (d document, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		return d, fault.New(fault.Misconfigured, "reading sample data: a document is not one")
	}
	d.Fields, _ = whole(d.Fields).(map[string]any)
	return d, nil
}

// whole makes whole numbers of JSON's.
func whole(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = whole(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = whole(inner)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // JSON has no number that is none
		return f
	}
	return value
}

// bucketOf is the key of a place's bucket: bbolt has none without a name, and a place may be "".
func bucketOf(place string) []byte { return []byte("/" + place) }

// Named is one document and where it lies. Fields are what JSON can hold.
type Named struct {
	Place, Name string
	Fields      map[string]any
	Created     time.Time
}

// Put writes a document under a name in a place, or replaces it.
func (s *Store) Put(place, name string, fields map[string]any, created time.Time) error {
	return s.Fill([]Named{{place, name, fields, created}})
}

// Fill is Put of many, in one transaction.
func (s *Store) Fill(docs []Named) error {
	return s.update(func(tree *bbolt.Bucket) error {
		for _, d := range docs {
			if d.Name == "" {
				return fault.New(fault.Invalid, "writing sample data: a document has a name")
			}
			b, err := tree.CreateBucketIfNotExists(bucketOf(d.Place))
			if err != nil {
				return err
			}
			if err := write(tree, b, d.Name, document{Created: d.Created.UnixMicro(), Fields: d.Fields}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Drop takes a place away, with every document in it.
func (s *Store) Drop(place string) error {
	return s.update(func(tree *bbolt.Bucket) error {
		if tree.Bucket(bucketOf(place)) == nil {
			return nil
		}
		return tree.DeleteBucket(bucketOf(place))
	})
}

func write(tree, b *bbolt.Bucket, name string, d document) (err error) {
	if d.Version, err = tree.NextSequence(); err != nil {
		return err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return b.Put([]byte(name), data)
}

// Each calls fn with every document, place by place and name by name, until it returns an error, which Each returns.
func (s *Store) Each(fn func(place, name string, fields map[string]any) error) error {
	return s.view(func(tree *bbolt.Bucket) error {
		return tree.ForEachBucket(func(key []byte) error {
			return tree.Bucket(key).ForEach(func(name, data []byte) error {
				d, err := decode(data)
				if err != nil {
					return err
				}
				return fn(string(key[1:]), string(name), d.Fields)
			})
		})
	})
}

// view runs fn with the tree; without one it is not called.
func (s *Store) view(fn func(tree *bbolt.Bucket) error) error {
	return explain(s.db.View(func(tx *bbolt.Tx) error {
		if tree := tx.Bucket(s.tree); tree != nil {
			return fn(tree)
		}
		return nil
	}))
}

func (s *Store) update(fn func(tree *bbolt.Bucket) error) error {
	return explain(s.db.Update(func(tx *bbolt.Tx) error {
		tree, err := tx.CreateBucketIfNotExists(s.tree)
		if err != nil {
			return err
		}
		return fn(tree)
	}))
}

// explain classifies what bbolt and the disk below it say: a full disk may be emptied, a closed file reopened.
func explain(err error) error {
	if err == nil || fault.KindOf(err) != "" {
		return err
	}
	return fault.New(fault.Transient, "sample data: %w", err)
}

func version(n uint64) string { return strconv.FormatUint(n, 10) }
