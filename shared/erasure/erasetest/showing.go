package erasetest

import (
	"testing"

	"ostiary.internal/shared/erasure"
)

// showing: what a query wants to be shown comes with each item, of the tenant's own and of nobody else's; other queries
// show nothing.
func showing(t *testing.T, s *scene) {
	for _, tenant := range []string{here, there} {
		s.Put(t, tenant, "one", map[string]any{FieldUID: u1, FieldName: Mark + " first of " + tenant, FieldNote: "note"})
		s.Put(t, tenant, "two", map[string]any{FieldUID: u1, FieldName: Mark + " second of " + tenant})
	}
	q := s.of(here, u1)
	for _, show := range [][]string{nil, {FieldName, FieldNote}} {
		q.Show = show
		shown := map[string]int{}
		for cursor := ""; ; {
			page, err := s.Reader().Find(t.Context(), q, cursor, erasure.MaxPage)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range page.Items {
				for field, text := range i.Shown {
					if i.Tenant != here {
						t.Errorf("an item of another tenant shows its %s", field)
					}
					shown[text]++
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		want := map[string]int{Mark + " first of " + here: 1, Mark + " second of " + here: 1, "note": 1}
		if len(shown) != len(want)*min(1, len(show)) {
			t.Errorf("asked for %q, shown are %d texts", show, len(shown))
		}
		for text := range shown {
			if shown[text] != want[text] {
				t.Errorf("%q is shown %d times", text, shown[text])
			}
		}
	}
}
