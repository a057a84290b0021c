package erasetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

var changes = []erasure.Change{
	{Field: FieldNote, Kind: erasure.ChangeDelete},
	{Field: FieldName, Kind: erasure.ChangeSet, Value: "erased"},
	{Field: FieldBorn, Kind: erasure.ChangeGeneralise, To: erasure.ToMonth},
	{Field: FieldCity, Kind: erasure.ChangeGeneralise, To: erasure.ToMap, Coarser: map[string]string{"Nantes": "France", "Bonn": "Germany"}},
	{Field: FieldEmail, Kind: erasure.ChangeDetach},
}

// anonymise is what is to be left of a document.
func anonymise(d map[string]any) map[string]any {
	out := maps.Clone(d)
	delete(out, FieldNote)
	delete(out, FieldEmail)
	for field, to := range map[string]func(string) string{
		FieldName: func(string) string { return "erased" },
		FieldBorn: func(born string) string {
			return map[string]string{"1990-05-17": "1990-05-01", "1990-05-01": "1990-05-01"}[born]
		},
		FieldCity: func(city string) string {
			return map[string]string{"Nantes": "France", "France": "France", "Bonn": "Germany", "Germany": "Germany"}[city]
		},
	} {
		if old, found := out[field].(string); found {
			out[field] = to(old)
		}
	}
	return out
}

func anonymised(t *testing.T, s *scene) {
	documents := map[string]map[string]any{
		"whole":  person(u1),
		"bare":   {FieldUID: u1, FieldAmount: int64(3)},
		"broken": person(u1, map[string]any{FieldBorn: "in May", FieldCity: "Lyon"}),
	}
	for name, d := range documents {
		s.Put(t, here, name, d)
		s.Put(t, there, name, d)
	}
	before, q := s.Export(t, there), s.of(here, u1)
	q.Action, q.Changes = erasure.ActionAnonymise, changes
	if s.Whole {
		_, err := s.Store().Erase(t.Context(), q, s.find(t, s.of(here, u1), 10))
		wants(t, "changing what is whole", err, fault.Invalid)
		return
	}
	dirty := 0
	items := mine(q, s.find(t, q, 2))
	for _, i := range items {
		if !i.Clean {
			dirty++
		}
	}
	if dirty != 2 || len(items) != 3 {
		t.Errorf("%d of %d items are to be anonymised, want 2 of 3", dirty, len(items))
	}
	outcomes := map[erasure.Outcome]int{}
	for _, o := range s.erase(t, q, items) {
		outcomes[o]++
	}
	if outcomes[erasure.OutcomeErased] != 2 || outcomes[erasure.OutcomeGone] != 1 {
		t.Errorf("outcomes %v", outcomes)
	}
	for name, d := range documents {
		s.holds(t, here, name, anonymise(d))
	}
	for _, i := range mine(q, s.find(t, q, 2)) {
		if !i.Clean {
			t.Error("an anonymised item is not clean")
		}
	}
	if got := s.erase(t, q, items); !same(got, erasure.OutcomeGone) {
		t.Errorf("outcomes %v the second time", got)
	}
	if after := s.Export(t, there); string(after) != string(before) {
		t.Error("the twin is not what it was")
	}
	q.Changes = []erasure.Change{{Field: FieldUID, Kind: erasure.ChangeDetach}}
	if _, err := s.finish(t.Context(), q, 2); err != nil {
		t.Fatal(err)
	}
	if left := mine(q, s.find(t, q, 2)); len(left) != 0 {
		t.Errorf("detached, %d are still found", len(left))
	}
}

// twins erases one person after another from one of two tenants that hold the same, and compares both with what a
// model expects.
func twins(t *testing.T, s *scene) {
	for seed := range require.Seeds(25) {
		// A test of its own, so that what its world holds of the server is given back.
		if !t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { twin(t, open(t, s.Harness, s.binding), rand.New(rand.NewPCG(uint64(seed), 1))) }) {
			return
		}
	}
}

func twin(t *testing.T, s *scene, r *rand.Rand) {
	documents := s.generate(r)
	for name, d := range documents {
		s.Put(t, here, name, d)
		s.Put(t, there, name, d)
	}
	before := s.Export(t, there)
	for range 2 {
		q := s.ask(r)
		if _, err := s.finish(t.Context(), q, 1+r.IntN(20)); err != nil {
			t.Fatal(err)
		}
		for name, d := range documents {
			switch {
			case !matches(d, q.Match):
			case q.TakesOut():
				documents[name] = without(d, q.Match.Field, q.Match.Values...)
			case q.Action == erasure.ActionAnonymise:
				documents[name] = anonymise(d)
			default:
				delete(documents, name)
				s.gone(t, here, name)
			}
		}
		for name, d := range documents {
			s.holds(t, here, name, d)
		}
		if left := mine(q, s.find(t, q, 300)); slices.ContainsFunc(left, func(i erasure.Item) bool { return !i.Clean }) {
			t.Errorf("after erasing by %s something is left", q.Match.Kind)
		}
		if after := s.Export(t, there); string(after) != string(before) {
			t.Fatalf("after erasing by %s the twin was\n%s\nand is\n%s", q.Match.Kind, before, after)
		}
	}
}

// people of the generated documents: neighbours, and the tenants' own names.
var people = []string{u1, u10, u2, strings.ToUpper(u1), Mark + "-u", here, there}

func (s *scene) generate(r *rand.Rand) map[string]map[string]any {
	some := func() string { return people[r.IntN(len(people))] }
	documents := map[string]map[string]any{}
	for i := range 4 + r.IntN(10) {
		d := person(some(), map[string]any{FieldCity: []any{"Nantes", "Bonn", "Lyon", nil}[r.IntN(4)], FieldEmail: some() + "@example.org"})
		if r.IntN(3) > 0 && s.has(erasure.MatchContains) {
			d[FieldMembers] = []any{some(), some(), "somebody"}[:r.IntN(4)]
		}
		if r.IntN(3) > 0 && s.has(erasure.MatchMapKey) {
			d[FieldRoles] = map[string]any{some(): "admin", some(): "viewer"}
		}
		if r.IntN(5) == 0 {
			delete(d, FieldUID)
		}
		documents[fmt.Sprintf("doc-%d", i)] = d
	}
	return documents
}

// ask makes a query about one or two people.
func (s *scene) ask(r *rand.Rand) erasure.Query {
	values := []string{people[r.IntN(len(people))], people[r.IntN(len(people))]}[:1+r.IntN(2)]
	q := s.of(here, values...)
	switch kind := s.Kinds[r.IntN(len(s.Kinds))]; {
	case kind == erasure.MatchContains:
		return s.by(here, kind, FieldMembers, values...)
	case kind == erasure.MatchMapKey:
		return s.by(here, kind, FieldRoles, values...)
	case r.IntN(2) == 0 && !s.Whole:
		q.Action, q.Changes = erasure.ActionAnonymise, changes
	}
	return q
}

// matches is what a query ought to find.
func matches(d map[string]any, m erasure.Match) bool {
	return slices.ContainsFunc(m.Values, func(value string) bool {
		switch in := d[m.Field].(type) {
		case string:
			return in == value
		case []any:
			return slices.Contains(in, any(value))
		case map[string]any:
			_, found := in[value]
			return found
		}
		return false
	})
}
