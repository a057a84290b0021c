package run_test

import (
	"fmt"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// Statistics stay what they are: each row that is made anonymous is looked at again, in its place and in its group. A row that
// somebody took or moved meanwhile is not counted as unchanged, and where nobody could look nothing is said.
func TestRows(t *testing.T) {
	t.Parallel()
	const plain, group = "", ", group: {fields: [city], min: 5}"
	during := func(w *world, do func(doc map[string]string)) {
		w.people.fail = func(call string) error {
			if call == "erased usage/1" {
				do(w.people.docs["usage/1"])
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		group string
		with  func(w *world)
		want  run.EntryCount
	}{
		"without a group": {plain, func(*world) {}, run.EntryCount{Sought: 3, Stood: 3}},
		"in a group":      {group, func(*world) {}, run.EntryCount{Sought: 3, Stood: 3, Same: 3}},
		"somebody takes a row": {group, func(w *world) {
			during(w, func(map[string]string) { delete(w.people.docs, "usage/1") })
		}, run.EntryCount{Sought: 3, Stood: 2, Same: 2}},
		"another tenant has it": {group, func(w *world) {
			during(w, func(doc map[string]string) { doc["tenant"] = "twin" })
		}, run.EntryCount{Sought: 3, Stood: 2, Same: 2}},
		"somebody moves a row": {group, func(w *world) {
			during(w, func(doc map[string]string) { doc["city"] = "Bonn" })
		}, run.EntryCount{Sought: 3, Stood: 3, Same: 2, Moved: 1}},
		"nobody can tell the group of one": {group, func(w *world) { delete(w.people.docs["usage/1"], "city") }, run.EntryCount{Sought: 3, Stood: 3, Same: 2}},
		"a store that finds nothing by name": {group, func(w *world) {
			w.people.query = func(q erasure.Query) error {
				if q.Match.Kind == erasure.MatchRef {
					return fault.New(fault.Invalid, "no such way")
				}
				return nil
			}
		}, run.EntryCount{}},
		"a connection that breaks half-way": {group, func(w *world) {
			broken := false
			w.people.fail = func(call string) error {
				if call != "erased usage/1" || broken {
					return nil
				}
				broken = true
				return fault.New(fault.Transient, "broken")
			}
		}, run.EntryCount{Sought: 3, Stood: 3, Same: 3}},
		"a store that is away when it is asked again": {group, func(w *world) {
			fails := 0
			w.people.query = func(q erasure.Query) error {
				if len(q.Show) > 0 && w.people.docs["usage/1"]["uid"] == "" && fails < 2 {
					fails++
					return fault.New(fault.Transient, "away")
				}
				return nil
			}
		}, run.EntryCount{Sought: 3, Stood: 3, Same: 3}},
	} {
		w := newWorld(t)
		const fields = "fields: [{field: uid, do: delete}, {field: name, do: delete}]"
		w.use(fields, fields+c.group)
		w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
		for i := range 3 {
			w.people.put("usage", fmt.Sprint(i), "uid", "u1", "name", "Jo", "city", "Ulm")
		}
		c.with(w)
		j := w.erased(job(1))
		w.people.fail = nil
		w.search(j, 1)
		r, err := w.engine().Account(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Entries {
			got := run.EntryCount{Sought: e.Sought, Stood: e.Stood, Same: e.Same, Moved: e.Moved}
			if e.Entry == "usage" && (got != c.want || e.Anonymised != 3) {
				t.Errorf("%s: of %d anonymised %+v, want %+v", name, e.Anonymised, got, c.want)
			} else if e.Entry != "usage" && got != (run.EntryCount{}) {
				t.Errorf("%s: %s is not anonymised: %+v", name, e.Entry, got)
			}
		}
		if doc := fmt.Sprint(w.people.docs); strings.Contains(doc, "Jo") {
			t.Errorf("%s: she is still there: %s", name, doc)
		}
	}
}
