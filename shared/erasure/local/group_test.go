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
