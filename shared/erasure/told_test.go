package erasure_test

import (
	"testing"

	"ostiary.internal/shared/erasure"
)

// What the changes make of a field is told of text, whatever the spelling of a date, and of nothing else.
func TestTold(t *testing.T) {
	t.Parallel()
	q := erasure.Query{Changes: []erasure.Change{
		{Field: "city", Kind: erasure.ChangeGeneralise, To: erasure.ToMap, Coarser: map[string]string{"Lyon": "FR"}},
		{Field: "at", Kind: erasure.ChangeGeneralise, To: erasure.ToMonth}, {Field: "plan", Kind: erasure.ChangeSet, Value: "any"},
	}}
	for _, c := range []struct {
		field, was, want string
		told             bool
	}{
		{"city", "Lyon", "FR", true}, {"city", "FR", "FR", true}, {"city", "Ulm", "", true}, {"city", "", "", false},
		{"at", "2026-03-05", "2026-03-01T00:00:00Z", true}, {"at", "2026-03-05T01:00:00+00:00", "2026-03-01T00:00:00Z", true},
		{"at", "2026-03-05 10:00", "", false}, {"at", "", "", false},
		{"plan", "gold", "any", true}, {"other", "x", "x", true}, {"other", "2026-03-05", "2026-03-05T00:00:00Z", true}, {"other", "", "", false},
	} {
		value, told := q.Told(c.field, c.was)
		if value != c.want || told != c.told {
			t.Errorf("%s, %q: %q, told %v", c.field, c.was, value, told)
		}
		if again, _ := (erasure.Query{}).Told(c.field, value); again != value {
			t.Errorf("%s, %q: read as %q, as it stands %q", c.field, c.was, value, again)
		}
	}
}
