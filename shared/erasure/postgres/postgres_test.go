package postgres

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	s := started(t)
	erasetest.Run(t, erasetest.Harness{
		Bindings: []erasure.Binding{erasure.BindField, erasure.BindPath},
		Folds:    []erasure.MatchKind{erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey},
		Kinds:    []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchTenant},
		URL:      "postgres://u@h/db?secret=x",
		Nested:   true, Versions: true,
		Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
			w := &world{server: s, binding: binding, schema: s.schema(t), made: map[string]bool{}}
			w.reader, w.store = s.as(t, "reader", limits{readOnly: true, touch: wire.Touch}), s.as(t, "eraser", limits{touch: wire.Touch})
			for _, d := range []*database{w.reader, w.store} { // so that no later call counts the connecting
				_, err := d.Traces(t.Context())
				must(t, err)
			}
			return w
		},
	})
}

// world is a schema: one table of all tenants, with the tenant in the key, or one table a tenant.
type world struct {
	*server
	binding       erasure.Binding
	schema        string
	reader, store *database
	made          map[string]bool
}

const suiteColumns = `tenant_id text %s, doc_name text, uid text, owner jsonb, members text[], roles jsonb, email text, name text, city text, born text, note text, amount bigint, created_at timestamptz, PRIMARY KEY (%s)`

func (w *world) place(t testing.TB, tenant string) string {
	name, null, key := "docs", "NOT NULL", "tenant_id, doc_name"
	if w.binding == erasure.BindPath {
		name, null, key = tenant, "", "doc_name"
	}
	place := w.schema + "." + strconv.Quote(name)
	if !w.made[place] {
		w.made[place] = true
		w.table(t, place, fmt.Sprintf(suiteColumns, null, key))
		for _, column := range []string{"uid", "tenant_id"} {
			w.do(t, fmt.Sprintf("CREATE INDEX ON %s (%s)", place, column))
		}
		for _, column := range []string{"owner", "members", "roles"} {
			w.do(t, fmt.Sprintf("CREATE INDEX ON %s USING gin (%s)", place, column))
		}
	}
	return place
}

func (w *world) Reader() erasure.Reader { return w.reader }
func (w *world) Store() erasure.Store   { return w.store }

func (w *world) Query(tenant string) erasure.Query {
	q := erasure.Query{Tenant: erasure.Tenant{Binding: w.binding, ID: tenant}, Place: w.schema + ".docs"}
	if w.binding == erasure.BindField {
		q.Tenant.Field = erasetest.FieldTenant
	} else {
		q.Place = w.schema + "." + tenant
	}
	return q
}

func (w *world) Name(_, name string) string { return name }

func (w *world) Put(t testing.TB, tenant, name string, document map[string]any) {
	t.Helper()
	d := maps.Clone(document)
	d["tenant_id"], d["doc_name"] = tenant, name
	text, err := json.Marshal(d)
	must(t, err)
	place := w.place(t, tenant)
	w.do(t, "DELETE FROM "+place+" WHERE doc_name = $1 AND tenant_id = $2", name, tenant)
	w.do(t, "INSERT INTO "+place+" SELECT * FROM jsonb_populate_record(NULL::"+place+", $1)", string(text))
}

func (w *world) Get(t testing.TB, tenant, name string) (map[string]any, bool) {
	t.Helper()
	place := w.place(t, tenant)
	text := one[string](t, w.server, "SELECT jsonb_strip_nulls(to_jsonb(d))::text FROM "+place+" d WHERE doc_name = $1 AND tenant_id = $2", name, tenant)
	if text == "" {
		return nil, false
	}
	var d map[string]any
	must(t, json.Unmarshal([]byte(text), &d))
	delete(d, "tenant_id")
	delete(d, "doc_name")
	if at, ok := d["created_at"].(string); ok {
		d["created_at"] = strings.Replace(at, "+00:00", "Z", 1)
	}
	return d, true
}

func (w *world) Export(t testing.TB, tenant string) []byte {
	t.Helper()
	return []byte(one[string](t, w.server, "SELECT coalesce(jsonb_agg(to_jsonb(d) || jsonb_build_object('xmin', d.xmin::text) ORDER BY doc_name)::text, 'nothing') FROM "+w.place(t, tenant)+" d WHERE tenant_id = $1", tenant))
}

func (w *world) Absent(t testing.TB) (erasure.Reader, erasure.Query) {
	q := w.Query("alpha")
	q.Place = strings.Replace(q.Place, w.schema, w.schema+"none", 1)
	return w.reader, q
}

func (w *world) Stranger(t testing.TB) erasure.Store { return w.as(t, "stranger", limits{}) }

func (*world) Tired(testing.TB) erasure.Store { return nil }
