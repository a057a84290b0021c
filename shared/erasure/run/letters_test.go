package run_test

import (
	"slices"
	"testing"

	"ostiary.internal/shared/erasure/request"
)

// TestLetters: where the store can, what stands there in other letters than the person typed is found and erased; where it
// cannot and nobody says how addresses are written there, the plan waits for a person, and so does the end, for as long as none
// has answered.
func TestLetters(t *testing.T) {
	t.Parallel()
	const small = "{equals: email, of: email, case: lower}, action: delete, created: created, backup_class: pitr}\n  - {id: usage"
	for name, c := range map[string]struct {
		replace []string
		place   string
		open    []request.Open
		left    bool
	}{
		"it can":                {[]string{`{id: notes, store: "firestore://p/d", place: notes`, `{id: notes, store: "postgres://u@h/db?secret=x", place: app.notes`, small, "{column: email, of: email}, action: delete, created: created, backup_class: pitr}\n  - {id: usage"}, "app.notes", nil, false},
		"it cannot":             {[]string{small, "{equals: email, of: email}, action: delete, created: created, backup_class: pitr}\n  - {id: usage"}, "notes", []request.Open{{Entry: "notes", Why: "letters"}}, true},
		"others are others'":    {[]string{small, "{equals: email, of: email, case: exact}, action: delete, created: created, backup_class: pitr}\n  - {id: usage"}, "notes", nil, true},
		"it has none in others": {nil, "notes", nil, true}, // which is the map's word
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.use(append(c.replace, "strict: true", "strict: false")...)
			w.fill(1)
			w.people.put(c.place, "loud", "email", "JO@Acme.Example", "created", "2026-02-01T00:00:00Z")
			w.people.put(c.place, "twin", "tenant", "twin", "email", "JO@Acme.Example", "created", "2026-02-01T00:00:00Z")
			j := job(1)
			p := w.plan(j)
			if !slices.Equal(p.Lost, c.open) || p.Summary("").Blind != int64(len(c.open)) {
				t.Errorf("planned with %v in doubt, %+v", p.Lost, p.Summary(""))
			}
			j = w.erased(j)
			if o := w.search(j, 1); !slices.Equal(o.Open, c.open) {
				t.Errorf("open %v", o.Open)
			}
			if left := w.people.docs[c.place+"/loud"] != nil; left != c.left {
				t.Errorf("it stands there: %v", left)
			}
			if w.people.docs[c.place+"/twin"] == nil {
				t.Error("of another tenant it does not")
			}
			j.Reviewed = map[string]int64{"notes:letters": 0}
			if o := w.search(j, 2); len(o.Open) > 0 {
				t.Errorf("a person has answered, and open is %v", o.Open)
			}
		})
	}
}
