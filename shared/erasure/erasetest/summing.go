package erasetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Summing is a World whose store adds to totals (erasure.ChangeAggregate); of any other that is Invalid.
type Summing interface {
	// Into returns a place for totals, empty until something is added.
	Into(t testing.TB) string
	// Totals returns what a place holds, in any order; Place and Name may be left out.
	Totals(t testing.TB, place string) []erasure.Total
}

// cities are those of the people of summing, and what is left of them.
var cities = map[string]string{"Lyon": "FR", "Nantes": "FR", "Ulm": "DE"}

// summing takes numbers away and adds each to a total once, and the request with them, whoever is killed at whatever request, and
// three at the same time.
func summing(t *testing.T, s *scene) {
	q := s.of(here, u1)
	q.Action, q.Mark = erasure.ActionAnonymise, "the key of one request"
	w, sums := s.World.(Summing)
	if !sums {
		q.Changes = []erasure.Change{{Field: FieldAmount, Kind: erasure.ChangeAggregate, Into: "totals"}}
		_, err := s.Store().Erase(t.Context(), q, []erasure.Item{{Ref: "x", Tenant: here}})
		wants(t, "adding to a total", err, fault.Invalid)
		return
	}
	const count = 60
	into, amounts, items := w.Into(t), map[string]float64{}, map[string]int64{}
	for i := range count {
		city := []string{"Lyon", "Nantes", "Ulm"}[i%3]
		more := map[string]any{FieldCity: city, FieldAmount: int64(i)}
		if i%10 == 0 {
			more[FieldAmount] = nil // nothing to add
		} else {
			amounts[cities[city]] += float64(i)
			items[cities[city]]++
		}
		for _, tenant := range []string{here, there} {
			s.Put(t, tenant, fmt.Sprintf("doc-%02d", i), person(u1, more))
		}
	}
	before := s.Export(t, there)
	q.Changes = []erasure.Change{
		{Field: FieldUID, Kind: erasure.ChangeDetach}, {Field: FieldAmount, Kind: erasure.ChangeAggregate, Into: into, By: []string{FieldCity}, Least: 4},
		{Field: FieldCity, Kind: erasure.ChangeGeneralise, To: erasure.ToMap, Coarser: cities},
	}
	adding := s.adding(t, q)
	s.dying(t, q, count/10)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range 100 {
				_, err := s.finish(t.Context(), q, 10)
				if clean(t, err); err == nil || !fault.Is(err, fault.Transient) {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	all.Wait()
	if left := mine(q, s.find(t, q, 10)); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
	got := w.Totals(t, into)
	for _, total := range got {
		by := total.By[FieldCity]
		if len(total.Marks) != 1 || total.Tenant != here || total.Entry != q.Entry || total.Field != FieldAmount || total.Amount != amounts[by] || total.Items != items[by] || len(total.By) != 1 {
			t.Errorf("a total is %+v, want %v of %d, of one person", total, amounts[by], items[by])
		}
		if strings.Contains(fmt.Sprint(total), Mark) {
			t.Errorf("a total tells of somebody: %+v", total)
		}
	}
	if len(got) != len(amounts) {
		t.Errorf("%d totals, want %d", len(got), len(amounts))
	}
	if after := s.Export(t, there); string(after) != string(before) {
		t.Error("the twin is not what it was")
	}
	s.counting(t, q, w, into, adding)
}

// adding are the names in a place of the totals that what the query finds adds to, each once.
func (s *scene) adding(t *testing.T, q erasure.Query) (names []string) {
	t.Helper()
	for _, i := range mine(q, s.find(t, q, 7)) {
		for _, name := range i.Totals {
			names = append(names, name[strings.LastIndex(name, "/")+1:])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// counting has others add to the same totals: each is counted once, as long as it matters, and by no name of theirs; of a whole
// tenant each person is.
func (s *scene) counting(t *testing.T, q erasure.Query, w Summing, into string, names []string) {
	t.Helper()
	people := func() (all []string) {
		t.Helper()
		page, err := s.Reader().Find(t.Context(), q.Sum(into, names), "", erasure.MaxPage)
		if clean(t, err); err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			all = append(all, i.Shown[erasure.TotalPeople])
		}
		return all
	}
	wants := func(want ...string) {
		t.Helper()
		if got := people(); !slices.Equal(got, want) {
			t.Errorf("totals are of %v people, want %v", got, want)
		}
	}
	wants("1", "1")
	add := func(q erasure.Query) {
		t.Helper()
		for i, city := range []string{"Lyon", "Ulm", "Nantes"} {
			s.Put(t, here, fmt.Sprintf("more-%d", i), person(u1, map[string]any{FieldCity: city}))
			s.Put(t, here, fmt.Sprintf("others-%d", i), person(u2, map[string]any{FieldCity: city}))
		}
		if _, err := s.finish(t.Context(), q, 10); err != nil {
			t.Fatal(err)
		}
	}
	add(q) // what came late of the same request
	wants("1", "1")
	q.Mark = ""
	add(q)
	wants("1", "1")
	q.Mark = "the key of another"
	add(q)
	wants("2", "2")
	q.Mark, q.Match, q.Whose = "the key of an account", erasure.Match{Kind: erasure.MatchTenant}, FieldUID
	q.Changes = q.Changes[1:]
	add(q)
	wants("4", "4")
	q.Mark = "the key of one too many"
	add(q)
	wants("4", "4")
	seen := map[string]bool{}
	for _, total := range w.Totals(t, into) {
		for _, m := range total.Marks {
			if seen[m] || len(m) != 32 || strings.Contains(m, Mark) {
				t.Errorf("a mark that is in two totals, or none: %s", m)
			}
			seen[m] = true
		}
	}
}

// dying begins again and again and is cut off at some request.
func (s *scene) dying(t *testing.T, q erasure.Query, limit int) {
	t.Helper()
	random := rand.New(rand.NewPCG(39, 39))
	for range 8 {
		ctx, cancel := context.WithCancel(t.Context())
		s.wire.in(1+random.IntN(6), cancel)
		_, err := s.finish(ctx, q, limit)
		clean(t, err)
		cancel()
		if err == nil {
			break
		}
	}
	s.wire.in(0, nil)
}
