package erasetest

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// fieldOf is where the suite keeps what a way of recognising looks at.
func fieldOf(kind erasure.MatchKind) string {
	return map[erasure.MatchKind]string{
		erasure.MatchContains: FieldMembers, erasure.MatchMapKey: FieldRoles, erasure.MatchEquals: FieldUID, erasure.MatchMetadata: FieldUID,
	}[kind]
}

// spelled are one address as people type it, and neighbours of it.
var (
	spelled   = []string{Mark + ".Ana@Example.ORG", Mark + ".ana@example.org", strings.ToUpper(Mark + ".ana@example.org")}
	unrelated = []string{Mark + ".ana@example.or", Mark + ".ana@example.orgg", Mark + "-ana@example.org", Mark + ".\u00e4na@example.org", Mark + ".ana@example.org\n", "\u017fana@example.org", "%"}
)

// letters: where a store can, it finds an address whatever its case, in every way of recognising, erases all of it and nothing
// else; where it cannot, it says so and never answers for some of the letters.
func letters(t *testing.T, s *scene) {
	for _, kind := range s.Kinds {
		if kind == erasure.MatchTenant {
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			s := open(t, s.Harness, s.binding)
			q := s.by(here, kind, fieldOf(kind), strings.ToUpper(spelled[0]))
			if kind == erasure.MatchPrefix {
				q.Match.Values[0] += "/"
			}
			q.Match.Fold = true
			if !slices.Contains(s.Folds, kind) {
				_, err := s.Reader().Find(t.Context(), q, "", 10)
				wants(t, "finding whatever the case", err, fault.Invalid)
				_, err = s.Reader().Values(t.Context(), q, FieldEmail, 10)
				wants(t, "reading whatever the case", err, fault.Invalid)
				s.Put(t, here, "of-"+u1, person(u1))
				_, err = s.Store().Erase(t.Context(), q, s.find(t, s.of(here, u1), 1))
				wants(t, "erasing whatever the case", err, fault.Invalid)
				return
			}
			s.folded(t, q)
		})
	}
}

func (s *scene) folded(t *testing.T, q erasure.Query) {
	t.Helper()
	holding := func(address string) map[string]any {
		d := person(u2)
		switch q.Match.Kind {
		case erasure.MatchContains:
			d[FieldMembers] = []any{"somebody", address}
		case erasure.MatchMapKey:
			d[FieldRoles] = map[string]any{"somebody": "viewer", address: "admin"}
		default:
			d[FieldUID] = address
		}
		return d
	}
	for i, address := range spelled {
		s.Put(t, here, "hers-"+string(rune('a'+i)), holding(address))
		s.Put(t, there, "hers-"+string(rune('a'+i)), holding(address))
	}
	others := map[string]map[string]any{}
	for i, address := range unrelated {
		if q.Match.Kind == erasure.MatchMapKey && strings.ContainsAny(address, "%\n") {
			continue
		}
		name := "other-" + string(rune('a'+i))
		others[name] = holding(address)
		s.Put(t, here, name, others[name])
	}
	before := s.Export(t, there)
	if found := mine(q, s.find(t, q, 2)); len(found) != len(spelled) {
		t.Errorf("%d items found, want %d", len(found), len(spelled))
	}
	emails, err := s.Reader().Values(t.Context(), q, FieldEmail, 10)
	if err != nil || len(emails) != 1 {
		t.Errorf("read %d addresses, %v", len(emails), err)
	}
	if erased, err := s.finish(t.Context(), q, 2); err != nil || erased != len(spelled) {
		t.Errorf("%d erased, %v", erased, err)
	}
	for i, address := range spelled {
		if name := "hers-" + string(rune('a'+i)); q.TakesOut() {
			s.holds(t, here, name, without(holding(address), q.Match.Field, address))
		} else {
			s.gone(t, here, name)
		}
	}
	for name, d := range others {
		s.holds(t, here, name, d)
	}
	if after := s.Export(t, there); string(after) != string(before) {
		t.Error("the twin is not what it was")
	}
}

// leavingOut: an item that another search finds is left out of this one, and is erased all the same by whoever has it.
func leavingOut(t *testing.T, s *scene) {
	for name, uid := range map[string]string{"first": u1, "second": u2} {
		s.Put(t, here, name, s.full(uid))
		s.Put(t, there, name, s.full(uid))
	}
	whole := s.of(here, u1, u2)
	all := mine(whole, s.find(t, whole, 10))
	for _, kind := range s.Kinds {
		if kind == erasure.MatchTenant || kind == erasure.MatchDocument || kind == erasure.MatchPrefix {
			continue
		}
		q := whole
		q.Not = []erasure.Match{{Kind: kind, Field: fieldOf(kind), Values: []string{u10, u1}}}
		left := mine(q, s.find(t, q, 1))
		if len(left) != 1 || left[0].Ref == s.refOf(t, u1) {
			t.Errorf("but for what %s finds: %d items", kind, len(left))
		}
		if emails, err := s.Reader().Values(t.Context(), q, FieldEmail, 10); err != nil || !slices.Equal(emails, []string{u2 + "@example.org"}) {
			t.Errorf("but for what %s finds: %q, %v", kind, emails, err)
		}
	}
	named := whole
	named.Not = []erasure.Match{{Kind: erasure.MatchDocument, Values: []string{s.Name(here, "first")}}}
	if s.has(erasure.MatchDocument) {
		if left := mine(named, s.find(t, named, 10)); len(left) != 1 || left[0].Ref == s.refOf(t, u1) {
			t.Errorf("but for what is called so: %d items", len(left))
		}
	}
	whole.Not = []erasure.Match{whole.Match}
	if got := s.erase(t, whole, all); !same(got, erasure.OutcomeErased) || len(got) != 2 {
		t.Errorf("outcomes %v", got)
	}
	whole.Not = []erasure.Match{{Kind: erasure.MatchTenant}}
	_, err := s.Reader().Find(t.Context(), whole, "", 10)
	wants(t, "all but a tenant", err, fault.Invalid)
}

// refOf is the name of the tenant's one item of somebody.
func (s *scene) refOf(t *testing.T, uid string) string {
	t.Helper()
	q := s.of(here, uid)
	found := mine(q, s.find(t, q, 10))
	if len(found) != 1 {
		t.Fatalf("%d items of one person", len(found))
	}
	return found[0].Ref
}

// byName: items that Find returned are found again by what they were called, those that are there and no others, and of no
// other tenant; what they held by then does not count.
func byName(t *testing.T, s *scene) {
	for _, tenant := range []string{here, there} {
		for name, uid := range map[string]string{"first": u1, "second": u2, "third": u10} {
			s.Put(t, tenant, name, person(uid))
		}
	}
	q := s.of(here, u1, u2)
	var refs []string
	for _, i := range mine(q, s.find(t, q, 10)) {
		refs = append(refs, i.Ref)
	}
	q.Match = erasure.Match{Kind: erasure.MatchRef, Values: refs}
	if s.Nameless {
		_, err := s.Reader().Find(t.Context(), q, "", 10)
		wants(t, "finding by names", err, fault.Invalid)
		return
	}
	s.Put(t, here, "first", person(Mark+"-somebody"))
	if found := mine(q, s.find(t, q, 1)); len(found) != 2 {
		t.Errorf("%d of 2 items are found by their names", len(found))
	}
	if n, err := s.Reader().Group(t.Context(), q, []string{FieldCity}); err != nil || n != 3 {
		t.Errorf("they share their city with %d, %v; want 3", n, err)
	}
	s.erase(t, s.of(here, u2), s.find(t, s.of(here, u2), 10))
	if found := mine(q, s.find(t, q, 10)); len(found) != 1 {
		t.Errorf("%d items are found, one of two being gone", len(found))
	}
	q.Match.Values = []string{Mark + "-u1", "first"}
	page, err := s.Reader().Find(t.Context(), q, "", 10)
	if clean(t, err); len(page.Items) > 0 || err != nil && !fault.Is(err, fault.Invalid) {
		t.Errorf("by what is no name %d items are found, %v", len(page.Items), err)
	}
}
