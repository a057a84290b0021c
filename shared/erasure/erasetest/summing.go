package erasetest

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// summing takes numbers away and adds each to a total once, whoever is killed at whatever request, and three at the same time.
func summing(t *testing.T, s *scene) {
	q := s.of(here, u1)
	q.Action = erasure.ActionAnonymise
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
		{Field: FieldUID, Kind: erasure.ChangeDetach}, {Field: FieldAmount, Kind: erasure.ChangeAggregate, Into: into, By: []string{FieldCity}},
		{Field: FieldCity, Kind: erasure.ChangeGeneralise, To: erasure.ToMap, Coarser: cities},
	}
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
		if total.Tenant != here || total.Entry != q.Entry || total.Field != FieldAmount || total.Amount != amounts[by] || total.Items != items[by] || len(total.By) != 1 {
			t.Errorf("a total is %+v, want %v of %d", total, amounts[by], items[by])
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
