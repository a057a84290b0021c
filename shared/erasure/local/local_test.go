package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	erasetest.Run(t, erasetest.Harness{
		Bindings: []erasure.Binding{erasure.BindPath, erasure.BindField},
		Folds:    []erasure.MatchKind{erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchMetadata},
		Kinds: []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchPrefix,
			erasure.MatchMetadata, erasure.MatchTenant},
		URL:    "firestore://p/main",
		Nested: true, Versions: true, Slow: true, // each write waits for the disk
		Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
			return &world{open(t, filepath.Join(t.TempDir(), "sample.db"), "shop"), binding, wire}
		},
	})
}

func open(t testing.TB, file, tree string) *local.Store {
	t.Helper()
	s, err := local.Open(file, tree)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// world is a tree. Where the place binds the tenant his people are at tenants/T/people, otherwise all are at shop.people.
type world struct {
	store   *local.Store
	binding erasure.Binding
	wire    *erasetest.Wire
}

// touching tells the wire of each call: there is no server behind it.
type touching struct {
	*local.Store
	wire *erasetest.Wire
}

func (s touching) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	s.wire.Touch()
	return s.Store.Find(ctx, q, cursor, limit)
}

func (s touching) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	s.wire.Touch()
	return s.Store.Erase(ctx, q, items)
}

func (w *world) Reader() erasure.Reader { return touching{w.store, w.wire} }
func (w *world) Store() erasure.Store   { return touching{w.store, w.wire} }

func (w *world) Query(tenant string) erasure.Query {
	if w.binding == erasure.BindPath {
		return erasure.Query{Place: "tenants/" + tenant + "/people", Tenant: erasure.Tenant{Binding: w.binding, ID: tenant}}
	}
	return erasure.Query{Place: "shop.people", Tenant: erasure.Tenant{Binding: w.binding, Field: erasetest.FieldTenant, ID: tenant}}
}

func (w *world) Name(tenant, name string) string {
	if w.binding == erasure.BindPath {
		return name
	}
	return tenant + "--" + name
}

func (w *world) Put(t testing.TB, tenant, name string, fields map[string]any) {
	t.Helper()
	fields = maps.Clone(fields)
	if w.binding == erasure.BindField && tenant != "" {
		fields[erasetest.FieldTenant] = tenant
	}
	if err := w.store.Put(w.Query(tenant).Place, w.Name(tenant, name), fields, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) Get(t testing.TB, tenant, name string) (found map[string]any, ok bool) {
	t.Helper()
	if err := w.store.Each(func(place, id string, fields map[string]any) error {
		if place == w.Query(tenant).Place && id == w.Name(tenant, name) {
			delete(fields, erasetest.FieldTenant)
			found, ok = fields, true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found, ok
}

func (w *world) Export(t testing.TB, tenant string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := w.store.Each(func(place, id string, fields map[string]any) error {
		if place != w.Query(tenant).Place || w.binding == erasure.BindField && !strings.HasPrefix(id, w.Name(tenant, "")) {
			return nil
		}
		b, err := json.Marshal(fields)
		fmt.Fprintln(&out, place, id, string(b))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (w *world) Absent(testing.TB) (erasure.Reader, erasure.Query) { return nil, erasure.Query{} }
func (w *world) Stranger(testing.TB) erasure.Store                 { return nil }
func (w *world) Tired(testing.TB) erasure.Store                    { return nil }

// TestBelow: the places below a document go with it, those of neighbours stay.
func TestBelow(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "sample.db"), "shop")
	for _, name := range []string{"tenants/a/users u1", "tenants/a/users u10", "tenants/a/users/u1/orders o1", "tenants/a/users/u1/orders/o1/lines l1", "tenants/a/users/u10/orders o1", "tenants/b/users/u1/orders o1"} {
		place, name, _ := strings.Cut(name, " ")
		if err := s.Put(place, name, map[string]any{"n": 1}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	q := erasure.Query{Place: "tenants/a/users", Action: erasure.ActionDelete, Descend: true, Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"},
		Match: erasure.Match{Kind: erasure.MatchDocument, Values: []string{"u1"}}}
	page, err := s.Find(t.Context(), q, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if results, err := s.Erase(t.Context(), q, page.Items); err != nil || len(results) != 1 || results[0].Outcome != erasure.OutcomeErased {
		t.Fatalf("results %v, %v", results, err)
	}
	want := []string{"tenants/a/users", "tenants/a/users/u10/orders", "tenants/b/users/u1/orders"}
	if got, err := s.Places(t.Context(), 3); err != nil || !slices.Equal(got, want) {
		t.Errorf("left are %q, %v; want %q", got, err, want)
	}
	if _, err := s.Places(t.Context(), 2); !fault.Is(err, fault.Exhausted) {
		t.Errorf("more than two places: %v", err)
	}
}

// TestStandingFor: a tree stands for a store of any URL and is kept apart from the others, in the file's second life too.
func TestStandingFor(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sample of ours.db")
	for _, other := range []string{"firestore://project/main", "gcs://files", "mongodb://host:27017/?secret=x"} {
		store, err := erasure.Stores.Open(t.Context(), driver.URL("bolt", file, "tree", other), erasure.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.(*local.Store).Put("tenants/a/", "tenants/a/x", map[string]any{"of": other}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, file, "gcs://files")
	var found []any
	if err := s.Each(func(_, _ string, fields map[string]any) error { found = append(found, fields["of"]); return nil }); err != nil || !slices.Equal(found, []any{"gcs://files"}) {
		t.Errorf("found %v, %v", found, err)
	}
	for _, raw := range []string{"bolt:", "bolt:x.db", "bolt:x.db?tree=", "bolt:x.db?tree=a&tree=b", "bolt:x.db?tree=a&x=y", "bolt://host/x.db?tree=a"} {
		if _, err := erasure.Readers.Open(t.Context(), raw, erasure.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestUnboundPlaces(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "sample.db"), "shop")
	for place, values := range map[string][]string{"": {"tenants/b/x/"}, "tenants/ab/": {"x/"}, "people": {"a"}} {
		q := erasure.Query{Place: place, Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"}, Match: erasure.Match{Kind: erasure.MatchDocument, Values: values}}
		if _, err := s.Find(t.Context(), q, "", 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", place, err)
		}
	}
}

func (w *world) Into(testing.TB) string { return "totals" }

func (w *world) Totals(t testing.TB, place string) (all []erasure.Total) {
	t.Helper()
	if err := w.store.Each(func(at, _ string, f map[string]any) error {
		if at == place {
			by := map[string]string{}
			for field, value := range f["by"].(map[string]any) {
				by[field] = value.(string)
			}
			var marks []string
			list, _ := f["marks"].([]any)
			for _, m := range list {
				marks = append(marks, m.(string))
			}
			all = append(all, erasure.Total{Tenant: f["tenant"].(string), Entry: f["entry"].(string), Field: f["field"].(string), By: by, Amount: float64(f["total"].(int64)), Items: f["items"].(int64), Marks: marks})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
