package storetest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/store"
)

// testModel asks random queries of random documents, and compares with a plain list that is filtered and sorted
// value by value, without any encoding of keys.
func testModel(t *testing.T, su suite) {
	for seed := range su.seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		s, _ := su.store(t)
		m := model{}
		for range 4 {
			changed := m.change(random)
			if err := s.Tx(t.Context(), func(tx store.Tx) error {
				for id, doc := range changed {
					var err error
					if doc == nil {
						err = tx.Delete("things", id)
					} else {
						err = tx.Put("things", id, doc)
					}
					if err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for range 15 {
				q := m.query(random)
				if got, want := ids(t, s, q), m.answer(q); got != want {
					t.Fatalf("seed %d: %s found %q; want %q", seed, describe(q), got, want)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// model is the documents by id.
type model map[string]map[string]any

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// value is drawn from few, so that documents share them, and from the ends of what can be ordered.
func value(random *rand.Rand) any {
	return pick[any](random, false, true, int64(math.MinInt64), int64(-300), int64(-1), int64(0), int64(255), int64(256),
		int64(math.MaxInt64), "", "\x00", "\x00\x01", "\x00\xc3\xbf", "a", "a\x00", "a\x00\x00", "a\x01", "ab", "é", "\uffff", "😀")
}

func identity(random *rand.Rand) string {
	return pick(random, "a", "b", "\x00", "a\x00", "\x01", "é", "z") + pick(random, "", "0", "\x00", "~")
}

// change puts and deletes documents in the model and returns what it did; nil is a deletion.
func (m model) change(random *rand.Rand) map[string]any {
	changed := map[string]any{}
	for range 12 {
		id := identity(random)
		if random.IntN(5) == 0 {
			changed[id] = nil
			delete(m, id)
			continue
		}
		doc := map[string]any{"v": int64(1)}
		for _, field := range []string{"kind", "done", "rank"} {
			if random.IntN(6) > 0 {
				doc[field] = value(random)
			}
		}
		if random.IntN(2) == 0 {
			doc["kind"], doc["done"] = "k", true
		}
		m[id], changed[id] = doc, doc
	}
	return changed
}

func (m model) query(random *rand.Rand) store.Query {
	q := store.Query{Collection: "things", Limit: 1 + random.IntN(8)}
	fields := pick(random, []string{"rank"}, []string{"kind"}, []string{"kind", "rank"}, []string{"kind", "done", "rank"}, nil)
	for _, field := range fields {
		if field != "rank" {
			q.Equal = append(q.Equal, store.Field{Name: field, Value: pick(random, value(random), map[string]any{"kind": "k", "done": true}[field])})
		}
	}
	random.Shuffle(len(q.Equal), func(i, j int) { q.Equal[i], q.Equal[j] = q.Equal[j], q.Equal[i] })
	cursor := store.Cursor{ID: identity(random)}
	if slices.Contains(fields, "rank") {
		q.Range = &store.Range{Name: "rank"}
		if random.IntN(2) == 0 {
			q.Range.From = value(random)
		}
		if to := value(random); random.IntN(2) == 0 && (q.Range.From == nil || typeRank(to) == typeRank(q.Range.From)) {
			q.Range.To = to
		}
		q.Descending = random.IntN(2) == 0
		cursor.Value = value(random)
		// A cursor of another type than the bounds is refused.
		for _, bound := range []any{q.Range.From, q.Range.To} {
			for bound != nil && typeRank(cursor.Value) != typeRank(bound) {
				cursor.Value = value(random)
			}
		}
	}
	if random.IntN(2) == 0 {
		q.After = &cursor
	}
	return q
}

// answer is what the query should find.
func (m model) answer(q store.Query) string {
	type found struct {
		id    string
		value any
	}
	order := func(a, b found) int { return cmp.Or(compare(a.value, b.value), cmp.Compare(a.id, b.id)) }
	if q.Descending {
		upwards := order
		order = func(a, b found) int { return upwards(b, a) }
	}
	var all []found
	for id, doc := range m {
		f := found{id: id}
		matches := true
		for _, e := range q.Equal {
			have, present := doc[e.Name]
			matches = matches && present && have == e.Value
		}
		if r := q.Range; r != nil {
			have, present := doc[r.Name]
			f.value = have
			matches = matches && present && inRange(have, r)
		}
		if matches && (q.After == nil || order(f, found{q.After.ID, q.After.Value}) > 0) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, order)
	var ids []string
	for _, f := range all[:min(len(all), q.Limit)] {
		ids = append(ids, f.id)
	}
	return strings.Join(ids, " ")
}

func inRange(value any, r *store.Range) bool {
	for _, bound := range []any{r.From, r.To} {
		if bound != nil && typeRank(bound) != typeRank(value) {
			return false
		}
	}
	return (r.From == nil || compare(value, r.From) >= 0) && (r.To == nil || compare(value, r.To) < 0)
}

func typeRank(value any) int {
	switch value.(type) {
	case bool:
		return 1
	case int64:
		return 2
	case string:
		return 3
	}
	return 0
}

func compare(a, b any) int {
	if byType := cmp.Compare(typeRank(a), typeRank(b)); byType != 0 {
		return byType
	}
	switch a := a.(type) {
	case bool:
		switch {
		case a == b.(bool):
			return 0
		case a:
			return 1
		}
		return -1
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return cmp.Compare(a, b.(string))
	}
	return 0
}

func describe(q store.Query) string {
	text := fmt.Sprintf("equal %q descending %v limit %d", q.Equal, q.Descending, q.Limit)
	if q.Range != nil {
		text += fmt.Sprintf(" range %q", *q.Range)
	}
	if q.After != nil {
		text += fmt.Sprintf(" after %q", *q.After)
	}
	return text
}
