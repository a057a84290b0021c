package local_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/local"
)

// TestLate: what is written below a document that is gone is found by the document's name, erased with all that lies below it,
// and left alone where it tells another tenant.
func TestLate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		place  string
		tenant erasure.Tenant
		fields map[string]any
		others map[string]any // of another tenant's
	}{
		"by path":  {"tenants/acme/users", erasure.Tenant{Binding: erasure.BindPath, ID: "acme"}, map[string]any{"x": "y"}, nil},
		"by field": {"users", erasure.Tenant{Binding: erasure.BindField, Field: "of.tenant", ID: "acme"}, map[string]any{"of": map[string]any{"tenant": "acme"}}, map[string]any{"of": map[string]any{"tenant": "twin"}}},
		"untold":   {"users", erasure.Tenant{Binding: erasure.BindField, Field: "of.tenant", ID: "acme"}, map[string]any{"x": "y"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, filepath.Join(t.TempDir(), "data.db"), "firestore://p/d")
			put := func(place, name string, fields map[string]any) {
				t.Helper()
				if err := s.Put(place, name, fields, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			put(c.place+"/u1/devices", "late", c.fields)
			put(c.place+"/u1/devices/late/logs", "deep", c.fields)
			put(c.place+"/u10/devices", "neighbour", c.fields)
			q := erasure.Query{Entry: "users", Place: c.place, Tenant: c.tenant, Descend: true, Action: erasure.ActionDelete,
				Match: erasure.Match{Kind: erasure.MatchRef, Values: []string{c.place + "#u1", c.place + "#u2"}}}
			find := func(limit int) (items []erasure.Item) {
				t.Helper()
				for cursor := ""; ; {
					page, err := s.Find(t.Context(), q, cursor, limit)
					if err != nil {
						t.Fatal(err)
					}
					if items, cursor = append(items, page.Items...), page.Next; cursor == "" {
						return items
					}
				}
			}
			items := find(1)
			if len(items) != 1 || items[0].Ref != c.place+"#u1" || items[0].Version != "" || !items[0].Created.IsZero() {
				t.Fatalf("found %+v", items)
			}
			if told := items[0].Tenant == "acme"; told == (name == "untold") {
				t.Errorf("of the tenant %q", items[0].Tenant)
			}
			items[0].Tenant = "acme" // it was, and a document that is gone tells nothing
			if c.others != nil {
				put(c.place+"/u1/notes", "theirs", c.others)
				if found := find(5); len(found) != 1 || found[0].Tenant != "twin" {
					t.Errorf("with another tenant's below it: %+v", found)
				}
				becomes(t, s, q, items, erasure.OutcomeForeign)
				if err := s.Drop(c.place + "/u1/notes"); err != nil {
					t.Fatal(err)
				}
			}
			becomes(t, s, q, items, erasure.OutcomeErased)
			becomes(t, s, q, items, erasure.OutcomeGone)
			var left []string
			if err := s.Each(func(place, name string, _ map[string]any) error { left = append(left, place+"/"+name); return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(left, []string{c.place + "/u10/devices/neighbour"}) || len(find(5)) > 0 {
				t.Errorf("left are %v", left)
			}
		})
	}
}

func becomes(t *testing.T, s *local.Store, q erasure.Query, items []erasure.Item, want erasure.Outcome) {
	t.Helper()
	results, err := s.Erase(t.Context(), q, items)
	if err != nil || len(results) != 1 || results[0].Outcome != want {
		t.Errorf("it became %v, %v; want %s", results, err, want)
	}
}
