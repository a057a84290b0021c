package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/internal/engine"
)

// A tree is one bucket with a bucket for each collection and index. Their names are paths, as no collection's name
// holds a slash; they are not nested further, as each level of buckets costs a page in each transaction:
//
//	documents/COLLECTION           id -> expiry (microseconds since 1970, 8 bytes), then canonical JSON
//	indexes/COLLECTION/["f","g"]   engine.Key -> id
//
// Every index in the file is maintained, also one the present schema does not declare: an index that is dropped and
// declared again is never stale.

func documentsName(collection string) []byte { return []byte("documents/" + collection) }

func indexPrefix(collection string) []byte { return []byte("indexes/" + collection + "/") }

func indexName(collection string, index store.Index) []byte {
	fields, _ := json.Marshal(index) // a list of strings always encodes
	return append(indexPrefix(collection), fields...)
}

const (
	expiryBytes = 8
	never       = math.MaxInt64 // microseconds
)

// reader reads one tree within a bbolt transaction. What bbolt returns is copied: it is gone with the transaction.
type reader struct{ tree *bbolt.Bucket }

func (r reader) Get(collection, id string) (engine.Body, bool, error) {
	value := r.tree.Bucket(documentsName(collection)).Get([]byte(id))
	if value == nil {
		return engine.Body{}, false, nil
	}
	body, err := unpack(value)
	return body, err == nil, err
}

func (r reader) Scan(p engine.Plan, keep func(engine.Body) bool) ([]engine.Item, error) {
	documents := r.tree.Bucket(documentsName(p.Query.Collection))
	walked := documents
	if p.Index != nil {
		walked = r.tree.Bucket(indexName(p.Query.Collection, p.Index))
	}
	cursor := walked.Cursor()
	first, next := ascending(cursor, p.Low)
	if p.Query.Descending {
		first, next = descending(cursor, p.High)
	}
	var items []engine.Item
	for key, value := first(); key != nil && p.Within(key) && len(items) < p.Query.Limit; key, value = next() {
		id := key
		if p.Index != nil {
			id, value = value, documents.Get(value)
		}
		body, err := unpack(value)
		if err != nil {
			return nil, err
		}
		if keep(body) {
			items = append(items, engine.Item{ID: string(id), Body: body})
		}
	}
	return items, nil
}

type step func() (key, value []byte)

func ascending(c *bbolt.Cursor, low []byte) (first, next step) {
	return func() ([]byte, []byte) { return c.Seek(low) }, c.Next
}

// descending begins at the last key before high.
func descending(c *bbolt.Cursor, high []byte) (first, next step) {
	return func() ([]byte, []byte) {
		if high == nil {
			return c.Last()
		}
		if key, _ := c.Seek(high); key == nil {
			return c.Last()
		}
		return c.Prev()
	}, c.Prev
}

// apply makes one change, the indexes included.
func apply(tree *bbolt.Bucket, w engine.Write) error {
	documents, id := tree.Bucket(documentsName(w.Collection)), []byte(w.ID)
	var before map[string]any
	if old := documents.Get(id); old != nil {
		if w.Create {
			return engine.AlreadyExists(w.Collection)
		}
		var err error
		if before, err = fieldsOf(old); err != nil {
			return err
		}
	}
	if w.Delete {
		if err := errors.Join(reindex(tree, w, before, nil), documents.Delete(id)); err != nil {
			return transient(err)
		}
		return nil
	}
	if err := errors.Join(reindex(tree, w, before, w.Body.Fields), documents.Put(id, pack(w.Body))); err != nil {
		return transient(err)
	}
	return nil
}

// reindex moves a document within each index, from where its fields before had it to where those after it do. Most writes
// leave most places as they are: those cost no page.
func reindex(tree *bbolt.Bucket, w engine.Write, before, after map[string]any) error {
	prefix, cursor := indexPrefix(w.Collection), tree.Cursor()
	for name, _ := cursor.Seek(prefix); bytes.HasPrefix(name, prefix); name, _ = cursor.Next() {
		var index store.Index
		if err := json.Unmarshal(name[len(prefix):], &index); err != nil {
			return err
		}
		old, was := engine.Key(index, before, w.ID)
		key, is := engine.Key(index, after, w.ID)
		if was && is && bytes.Equal(old, key) {
			continue
		}
		entries := tree.Bucket(name)
		if was {
			if err := entries.Delete(old); err != nil {
				return err
			}
		}
		if is {
			if err := entries.Put(key, []byte(w.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare makes the buckets the schema needs, and fills the indexes that are new.
func (b *backend) prepare(schema store.Schema) error {
	complete := false
	if err := b.db.View(func(tx *bbolt.Tx) error {
		complete = b.complete(tx, schema)
		return nil
	}); err != nil {
		return transient(err)
	}
	if complete { // the usual case: nothing to bring to the disk
		return nil
	}
	if err := b.db.Update(func(tx *bbolt.Tx) error { return b.build(tx, schema) }); err != nil {
		return fault.New(fault.Misconfigured, "preparing tree %q: %w", b.tree, err)
	}
	return nil
}

func (b *backend) complete(tx *bbolt.Tx, schema store.Schema) bool {
	tree := tx.Bucket(b.tree)
	if tree == nil {
		return false
	}
	for _, c := range schema {
		if tree.Bucket(documentsName(c.Name)) == nil {
			return false
		}
		for _, index := range c.Indexes {
			if tree.Bucket(indexName(c.Name, index)) == nil {
				return false
			}
		}
	}
	return true
}

func (b *backend) build(tx *bbolt.Tx, schema store.Schema) error {
	tree, err := tx.CreateBucketIfNotExists(b.tree)
	if err != nil {
		return err
	}
	for _, c := range schema {
		documents, err := tree.CreateBucketIfNotExists(documentsName(c.Name))
		if err != nil {
			return err
		}
		for _, index := range c.Indexes {
			name := indexName(c.Name, index)
			if tree.Bucket(name) != nil {
				continue
			}
			built, err := tree.CreateBucket(name)
			if err != nil {
				return err
			}
			if err := fill(built, documents, index); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill builds one index from all documents.
func fill(built, documents *bbolt.Bucket, index store.Index) error {
	return documents.ForEach(func(id, value []byte) error {
		fields, err := fieldsOf(value)
		if err != nil {
			return err
		}
		if key, indexed := engine.Key(index, fields, string(id)); indexed {
			return built.Put(key, bytes.Clone(id))
		}
		return nil
	})
}

func pack(b engine.Body) []byte {
	micros := int64(never)
	if !b.Expires.IsZero() {
		micros = b.Expires.UnixMicro()
	}
	value := make([]byte, 0, expiryBytes+len(b.JSON))
	return append(binary.BigEndian.AppendUint64(value, uint64(micros)), b.JSON...)
}

func unpack(value []byte) (engine.Body, error) {
	if len(value) < expiryBytes {
		return engine.Body{}, fault.New(fault.Misconfigured, "reading the bolt file: a document is cut short")
	}
	b := engine.Body{JSON: bytes.Clone(value[expiryBytes:])}
	if micros := int64(binary.BigEndian.Uint64(value)); micros != never {
		b.Expires = time.UnixMicro(micros).UTC()
	}
	return b, nil
}

func fieldsOf(value []byte) (map[string]any, error) {
	body, err := unpack(value)
	if err != nil {
		return nil, err
	}
	return engine.Parse(body.JSON)
}
