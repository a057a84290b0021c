package run_test

import (
	"slices"
	"testing"
)

// TestPublic: what was erased and anybody could see is told with where, and nothing that only might have been there.
func TestPublic(t *testing.T) {
	t.Parallel()
	for place, want := range map[string][]string{"users": {"the directory of people"}, "folders": nil} {
		w := newWorld(t)
		w.use("identifiers:\n", "recipients: [{id: engine, name: Engine, by: mail, to: privacy@engine.example, gives: [uid]}]\nidentifiers:\n",
			`place: users,`, `place: users, published: "the directory of people", recipients: [engine],`)
		if w.people.put("folders", "x", "uid", "u1"); place == "users" {
			w.fill(1)
		}
		if o := w.search(w.erased(job(1)), 1); !slices.Equal(o.Public, want) {
			t.Errorf("%s: %+v", place, o)
		}
	}
}
