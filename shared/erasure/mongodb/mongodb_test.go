package mongodb

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	s, wires := started(t), sync.Map{}
	// One store for all worlds, for each connection costs both sides what a password is meant to cost.
	d := s.open(t, limits{monitor: &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		name, ok := e.Command.Lookup(e.CommandName).StringValueOK()
		if !ok {
			name, _ = e.Command.Lookup("filter", "name").StringValueOK()
		}
		name, _, _ = strings.Cut(name, ".")
		if wire, ok := wires.Load(name); ok {
			wire.(*erasetest.Wire).Touch()
		}
	}}})
	stranger := opened(t, "mongodb://admin@"+s.address+"/?secret=password", "guess", limits{})
	erasetest.Run(t, erasetest.Harness{
		Bindings: []erasure.Binding{erasure.BindField, erasure.BindPath},
		Folds:    []erasure.MatchKind{erasure.MatchEquals, erasure.MatchContains},
		Kinds:    []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchTenant},
		URL:      "mongodb://u@h/?secret=x",
		Nested:   true, Slow: true,
		Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
			c, _ := s.collection(t)
			for _, tenant := range []string{"alpha", "alphabet"} {
				must(t, s.admin.Database("suite").CreateCollection(t.Context(), c.Name()+"."+tenant))
			}
			wires.Store(c.Name(), wire)
			return &world{server: s, binding: binding, name: c.Name(), store: d, stranger: stranger}
		},
	})
}

// world is a collection of all tenants, or one of each. The server has no accounts that only read.
type world struct {
	*server
	binding         erasure.Binding
	name            string
	store, stranger *database
}

func (w *world) collection(tenant string) (c *mongo.Collection, filter bson.D) {
	if w.binding == erasure.BindPath {
		return w.admin.Database("suite").Collection(w.name + "." + tenant), bson.D{}
	}
	c = w.admin.Database("suite").Collection(w.name)
	if tenant == "" {
		return c, bson.D{{Key: "tenant_id", Value: bson.D{{Key: "$exists", Value: false}}}}
	}
	return c, bson.D{{Key: "tenant_id", Value: tenant}}
}

func (w *world) Reader() erasure.Reader { return w.store }
func (w *world) Store() erasure.Store   { return w.store }

func (w *world) Query(tenant string) erasure.Query {
	q := erasure.Query{Tenant: erasure.Tenant{Binding: w.binding, ID: tenant}, Place: "suite." + w.name}
	if w.binding == erasure.BindField {
		q.Tenant.Field = erasetest.FieldTenant
	} else {
		q.Place += "." + tenant
	}
	return q
}

func (w *world) Name(tenant, name string) string {
	if w.binding == erasure.BindPath {
		return name
	}
	return tenant + "/" + name
}

func (w *world) Put(t testing.TB, tenant, name string, document map[string]any) {
	t.Helper()
	d := bson.M{"_id": w.Name(tenant, name)}
	for field, value := range document {
		if text, isText := value.(string); field == erasetest.FieldCreated && isText {
			at, err := time.Parse(time.RFC3339, text)
			must(t, err)
			value = at
		}
		d[field] = value
	}
	if w.binding == erasure.BindField && tenant != "" {
		d["tenant_id"] = tenant
	}
	c, _ := w.collection(tenant)
	_, err := c.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: d["_id"]}}, d, options.Replace().SetUpsert(true))
	must(t, err)
}

func (w *world) Get(t testing.TB, tenant, name string) (map[string]any, bool) {
	t.Helper()
	c, _ := w.collection(tenant)
	raw, err := c.FindOne(t.Context(), bson.D{{Key: "_id", Value: w.Name(tenant, name)}}).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, false
	}
	must(t, err)
	text, err := bson.MarshalExtJSON(raw, false, false)
	must(t, err)
	var d map[string]any
	must(t, json.Unmarshal(text, &d))
	delete(d, "_id")
	delete(d, "tenant_id")
	if at, ok := d["created_at"].(map[string]any); ok {
		d["created_at"] = at["$date"]
	}
	return d, true
}

func (w *world) Export(t testing.TB, tenant string) (all []byte) {
	t.Helper()
	c, filter := w.collection(tenant)
	found, err := c.Find(t.Context(), filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	must(t, err)
	var documents []bson.Raw
	must(t, found.All(t.Context(), &documents))
	for _, d := range documents {
		text, err := bson.MarshalExtJSON(d, true, false)
		must(t, err)
		all = append(append(all, text...), '\n')
	}
	return all
}

func (w *world) Absent(testing.TB) (erasure.Reader, erasure.Query) {
	q := w.Query("alpha")
	q.Place = strings.Replace(q.Place, w.name, w.name+"none", 1)
	return w.store, q
}

func (w *world) Stranger(testing.TB) erasure.Store { return w.stranger }

func (*world) Tired(testing.TB) erasure.Store { return nil }
