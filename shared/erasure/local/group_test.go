package local_test

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/local"
)

// TestGroup: what lies in places of one name is found in all of them, a page at a time, named as where it is.
func TestGroup(t *testing.T) {
	t.Parallel()
	s, err := local.Open(t.TempDir()+"/data.db", "group")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for place, names := range map[string][]string{"tenants/a/grants": {"u1", "u2"}, "tenants/b/grants": {"u1"}, "grants": {"x"}, "tenants/a/migrants": {"u1"}} {
		for _, name := range names {
			if err := s.Put(place, name, map[string]any{"account": "g", "token": "t"}, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	q := erasure.Query{
		Entry: "e", Place: "**/grants", Tenant: erasure.Tenant{Binding: erasure.BindGlobal},
		Match: erasure.Match{Kind: erasure.MatchEquals, Field: "account", Values: []string{"g"}}, Show: []string{"token", "absent"},
	}
	for limit := 1; limit <= 5; limit++ {
		var found []string
		for cursor := ""; ; {
			page, err := s.Find(t.Context(), q, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range page.Items {
				found = append(found, i.Ref)
				if len(i.Shown) != 1 || i.Shown["token"] != "t" {
					t.Errorf("shown is %v", i.Shown)
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if want := []string{"grants#x", "tenants/a/grants#u1", "tenants/a/grants#u2", "tenants/b/grants#u1"}; !slices.Equal(found, want) {
			t.Errorf("pages of %d: found %q", limit, found)
		}
	}
}

// TestGroupErased: items of places of one name are counted and erased in all of them, below one document where the place says
// so, and nowhere else.
func TestGroupErased(t *testing.T) {
	t.Parallel()
	s, err := local.Open(t.TempDir()+"/data.db", "group")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, place := range []string{"tenants/a/grants", "tenants/a/users/u1/grants", "tenants/ab/grants", "tenants/a/migrants"} {
		if err := s.Put(place, "g", map[string]any{"account": "g", "city": "Ulm", "id": place}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	q := erasure.Query{
		Entry: "e", Place: "tenants/a/**/grants", Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"}, Action: erasure.ActionDelete,
		Match: erasure.Match{Kind: erasure.MatchEquals, Field: "account", Values: []string{"g"}},
	}
	if ids, err := s.Values(t.Context(), q, "id", 10); err != nil || !slices.Equal(ids, []string{"tenants/a/grants", "tenants/a/users/u1/grants"}) {
		t.Errorf("read %q, %v", ids, err)
	}
	if n, err := s.Group(t.Context(), q, []string{"city"}); err != nil || n != 2 {
		t.Errorf("%d share their city, %v", n, err)
	}
	page, err := s.Find(t.Context(), q, "", 10)
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("found %+v, %v", page, err)
	}
	forged := append(page.Items, erasure.Item{Ref: "tenants/ab/grants#g", Version: "3", Tenant: "a"})
	results, err := s.Erase(t.Context(), q, forged)
	if err != nil || len(results) != 3 || results[0].Outcome != erasure.OutcomeErased || results[1].Outcome != erasure.OutcomeErased || results[2].Outcome != erasure.OutcomeForeign {
		t.Errorf("erased %v, %v", results, err)
	}
	if places, err := s.Places(t.Context(), 10); err != nil || !slices.Equal(places, []string{"tenants/a/migrants", "tenants/ab/grants"}) {
		t.Errorf("left are %q, %v", places, err)
	}
}
