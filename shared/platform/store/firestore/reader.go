package firestore

import (
	"context"
	"maps"
	"time"

	"cloud.google.com/go/firestore"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/internal/engine"
)

// reader is the view of one read, or of one attempt at a transaction.
type reader struct {
	client *firestore.Client
	getAll func([]*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error)
	run    func(firestore.Query) *firestore.DocumentIterator
	failed error // of the first read, as the client gave it
}

func outside(ctx context.Context, client *firestore.Client) *reader {
	return &reader{
		client: client,
		getAll: func(refs []*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
			return client.GetAll(ctx, refs)
		},
		run: func(q firestore.Query) *firestore.DocumentIterator { return q.Documents(ctx) },
	}
}

func inside(tx *firestore.Transaction, client *firestore.Client) *reader {
	return &reader{
		client: client,
		getAll: tx.GetAll,
		run:    func(q firestore.Query) *firestore.DocumentIterator { return tx.Documents(q) },
	}
}

func (r *reader) Get(collection, id string) (engine.Body, bool, error) {
	// Transaction.Get says NotFound of a document and of a whole database alike; this call tells them apart.
	found, err := r.getAll([]*firestore.DocumentRef{r.client.Collection(collection).Doc(id)})
	if err != nil {
		return engine.Body{}, false, r.fail(err)
	}
	if !found[0].Exists() {
		return engine.Body{}, false, nil
	}
	b, err := body(found[0])
	return b, err == nil, err
}

func (r *reader) Scan(p engine.Plan, keep func(engine.Body) bool) ([]engine.Item, error) {
	q := query(r.client, p.Query)
	var items []engine.Item
	for {
		asked := p.Query.Limit - len(items)
		found, err := r.run(q.Limit(asked)).GetAll()
		if err != nil {
			return nil, r.fail(err)
		}
		for _, document := range found {
			b, err := body(document)
			if err != nil {
				return nil, err
			}
			if keep(b) {
				items = append(items, engine.Item{ID: document.Ref.ID, Body: b})
			}
		}
		if len(found) < asked || len(items) == p.Query.Limit {
			return items, nil
		}
		// Some had expired and Firestore has not deleted them yet: go on behind the last.
		q = q.StartAfter(found[len(found)-1])
	}
}

func (r *reader) fail(err error) error {
	if r.failed == nil {
		r.failed = err
	}
	return classify(err)
}

// query writes a checked query in Firestore's terms.
func query(client *firestore.Client, q store.Query) firestore.Query {
	out := client.Collection(q.Collection).Query
	for _, f := range q.Equal {
		out = out.WherePath(firestore.FieldPath{f.Name}, "==", nativeValue(f.Name, f.Value))
	}
	direction := firestore.Asc
	if q.Descending {
		direction = firestore.Desc
	}
	var cursor []any
	if r := q.Range; r != nil {
		field := firestore.FieldPath{r.Name}
		if r.From != nil {
			out = out.WherePath(field, ">=", nativeValue(r.Name, r.From))
		}
		if r.To != nil {
			out = out.WherePath(field, "<", nativeValue(r.Name, r.To))
		}
		out = out.OrderByPath(field, direction)
		if q.After != nil {
			cursor = append(cursor, nativeValue(r.Name, q.After.Value))
		}
	}
	out = out.OrderBy(firestore.DocumentID, direction)
	if q.After != nil {
		out = out.StartAfter(append(cursor, q.After.ID)...)
	}
	return out
}

// native returns the fields Firestore is to keep.
func native(b engine.Body) map[string]any {
	if b.Expires.IsZero() {
		return b.Fields
	}
	fields := maps.Clone(b.Fields)
	fields[store.ExpiresField] = b.Expires
	return fields
}

func nativeValue(field string, value any) any {
	if text, ok := value.(string); ok && field == store.ExpiresField {
		if t, err := engine.ParseExpires(text); err == nil {
			return t
		}
	}
	return value
}

// body is the reverse of native. A field of a type we never write is Misconfigured: somebody else wrote it.
func body(document *firestore.DocumentSnapshot) (engine.Body, error) {
	fields := document.Data()
	var b engine.Body
	if value, ok := fields[store.ExpiresField]; ok {
		expires, ok := value.(time.Time)
		if !ok {
			return b, foreign(document)
		}
		b.Expires = expires.UTC()
		fields[store.ExpiresField] = b.Expires.Format(engine.ExpiresLayout)
	}
	if !ours(fields) {
		return b, foreign(document)
	}
	canonical, err := engine.Canonical(fields)
	if err != nil {
		return b, foreign(document)
	}
	b.JSON, b.Fields = canonical, fields
	return b, nil
}

func ours(value any) bool {
	switch v := value.(type) {
	case nil, bool, string, int64, float64:
		return true
	case []any:
		for _, inner := range v {
			if !ours(inner) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, inner := range v {
			if !ours(inner) {
				return false
			}
		}
		return true
	}
	return false
}

func foreign(document *firestore.DocumentSnapshot) error {
	return fault.New(fault.Misconfigured, "a document of %q holds a value of a foreign type", document.Ref.Parent.ID)
}
