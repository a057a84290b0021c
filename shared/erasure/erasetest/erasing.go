package erasetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

func twice(t *testing.T, s *scene) {
	for i := range 3 {
		s.Put(t, here, fmt.Sprintf("doc-%d", i), person(u1))
	}
	q := s.of(here, u1)
	items := s.find(t, q, 10)
	if got := s.erase(t, q, items); !same(got, erasure.OutcomeErased) || len(got) != 3 {
		t.Errorf("outcomes %v", got)
	}
	if got := s.erase(t, q, items); !same(got, erasure.OutcomeGone) {
		t.Errorf("outcomes %v the second time", got)
	}
	if got := s.erase(t, q, nil); len(got) != 0 {
		t.Errorf("outcomes %v of nothing", got)
	}
}

// changed writes items between finding and erasing them.
func changed(t *testing.T, s *scene) {
	for _, name := range []string{"same", "rewritten", "given-away"} {
		s.Put(t, here, name, person(u1))
	}
	q := s.of(here, u1)
	items := s.find(t, q, 10)
	rewritten := person(u1, map[string]any{FieldNote: "called again"})
	s.Put(t, here, "rewritten", rewritten)
	s.Put(t, here, "given-away", person(u10))
	got := map[erasure.Outcome]int{}
	for _, o := range s.erase(t, q, items) {
		got[o]++
	}
	// Where each write makes another item, what was rewritten is gone, or is the old item still.
	if erased := got[erasure.OutcomeErased]; got[erasure.OutcomeGone]+got[erasure.OutcomeChanged]+erased != 3 || (erased == 1) != s.Versions {
		t.Errorf("outcomes %v", got)
	}
	s.gone(t, here, "same")
	s.holds(t, here, "given-away", person(u10))
	if s.Versions {
		s.holds(t, here, "rewritten", rewritten)
	}
	if _, err := s.finish(t.Context(), q, 10); err != nil {
		t.Fatal(err)
	}
	s.gone(t, here, "rewritten")
}

// foreign: items of another tenant, and of none, are shown where they match, and never touched.
func foreign(t *testing.T, s *scene) {
	tenants := []string{here, there}
	if s.binding == erasure.BindField {
		tenants = append(tenants, "")
	}
	for _, tenant := range tenants {
		s.Put(t, tenant, "of-"+u1, person(u1))
	}
	exports := func() (all string) {
		for _, tenant := range tenants[1:] {
			all += string(s.Export(t, tenant))
		}
		return all
	}
	before, q := exports(), s.of(here, u1)
	items := s.find(t, q, 10)
	if s.binding == erasure.BindField {
		var told []string
		for _, i := range items {
			told = append(told, i.Tenant)
		}
		if slices.Sort(told); !slices.Equal(told, []string{"", here, there}) {
			t.Errorf("items of the tenants %q are found", told)
		}
		for i, o := range s.erase(t, q, items) {
			if want := map[bool]erasure.Outcome{true: erasure.OutcomeErased, false: erasure.OutcomeForeign}[items[i].Tenant == here]; o != want {
				t.Errorf("an item of %q: %s, want %s", items[i].Tenant, o, want)
			}
		}
	}
	theirs := s.of(there, u1)
	forged := mine(theirs, s.find(t, theirs, 10))
	if len(forged) != 1 {
		t.Fatalf("%d items of the other tenant", len(forged))
	}
	forged[0].Tenant = here
	results, err := s.Store().Erase(t.Context(), q, forged)
	if clean(t, err); err == nil && (len(results) != 1 || results[0].Outcome != erasure.OutcomeForeign) || err != nil && !fault.Is(err, fault.Invalid) {
		t.Errorf("an item of the other tenant, passed off as ours: %v, %v", results, err)
	}
	if exports() != before {
		t.Error("another tenant was touched")
	}
}

// takingOut leaves the item and everybody else in it.
func takingOut(t *testing.T, s *scene) {
	for kind, field := range map[erasure.MatchKind]string{erasure.MatchContains: FieldMembers, erasure.MatchMapKey: FieldRoles} {
		if !s.has(kind) {
			continue
		}
		full := person(u2, map[string]any{FieldMembers: []any{u10, u1, u2, u1}, FieldRoles: map[string]any{u1: "admin", u10: "viewer"}})
		for _, tenant := range []string{here, there} {
			s.Put(t, tenant, string(field), full)
		}
		q := s.by(here, kind, field, u1, u2)
		items := mine(q, s.find(t, q, 1))
		if got := s.erase(t, q, items); !same(got, erasure.OutcomeErased) || len(got) != 1 {
			t.Errorf("%s: outcomes %v", kind, got)
		}
		s.holds(t, here, string(field), without(full, field, u1, u2))
		s.holds(t, there, string(field), full)
		if got := s.erase(t, q, items); !same(got, erasure.OutcomeGone) {
			t.Errorf("%s: outcomes %v the second time", kind, got)
		}
		if left := mine(q, s.find(t, q, 10)); len(left) != 0 {
			t.Errorf("%s: %d are left", kind, len(left))
		}
		s.Put(t, here, string(field), person(u10))
	}
}

// three erase at the same time: each item is erased by one of them.
func three(t *testing.T, s *scene) {
	const count = 30
	for i := range count {
		s.Put(t, here, fmt.Sprintf("doc-%02d", i), person(u1))
	}
	q, total := s.of(here, u1), 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for {
				erased, err := s.finish(t.Context(), q, 10)
				mu.Lock()
				total += erased
				mu.Unlock()
				if clean(t, err); err == nil || !fault.Is(err, fault.Transient) && !fault.Is(err, fault.Conflict) {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	all.Wait()
	if total != count {
		t.Errorf("%d of %d items were erased", total, count)
	}
}

// killed cuts a large erasure off at one request after another and resumes it.
func killed(t *testing.T, s *scene) {
	count := min(require.Seeds(600), 1500)
	if s.Slow {
		count = 300
	}
	for i := range count {
		s.Put(t, here, fmt.Sprintf("doc-%04d", i), person(u1))
	}
	s.Put(t, here, "of-"+u10, person(u10))
	s.Put(t, there, "of-"+u1, person(u1))
	before, q := s.Export(t, there), s.of(here, u1)
	random := rand.New(rand.NewPCG(7, 7))
	erased, deaths := 0, 0
	for deaths < 12 {
		ctx, cancel := context.WithCancel(t.Context())
		s.wire.in(1+random.IntN(12), cancel)
		n, err := s.finish(ctx, q, count/15)
		cancel()
		if erased += n; err == nil {
			break
		}
		if clean(t, err); ctx.Err() == nil {
			t.Fatal(err)
		}
		deaths++
	}
	s.wire.in(0, nil)
	n, err := s.finish(t.Context(), q, erasure.MaxPage)
	if erased += n; err != nil || erased > count || deaths == 0 {
		t.Errorf("%d of %d erased after %d deaths, %v", erased, count, deaths, err)
	}
	if left := mine(q, s.find(t, q, 10)); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
	s.holds(t, here, "of-"+u10, person(u10))
	if after := s.Export(t, there); string(after) != string(before) {
		t.Error("the twin is not what it was")
	}
}

// leaving closes an account.
func leaving(t *testing.T, s *scene) {
	tenants := []string{there}
	if s.binding == erasure.BindField {
		tenants = append(tenants, "")
	}
	for i := range 12 {
		for _, tenant := range append(tenants, here) {
			s.Put(t, tenant, fmt.Sprintf("doc-%02d", i), person(fmt.Sprintf("%s-%d", u1, i)))
		}
	}
	exports := func() (all string) {
		for _, tenant := range tenants {
			all += string(s.Export(t, tenant))
		}
		return all
	}
	before, empty := exports(), s.Export(t, strings.ToUpper(here))
	q := s.by(here, erasure.MatchTenant, "")
	if erased, err := s.finish(t.Context(), q, 5); err != nil || erased != 12 {
		t.Errorf("%d erased, %v; want 12", erased, err)
	}
	if left := s.Export(t, here); string(left) != string(empty) {
		t.Errorf("of the tenant is left: %s", left)
	}
	if exports() != before {
		t.Error("another tenant was touched")
	}
}
