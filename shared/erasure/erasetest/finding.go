package erasetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// kinds erases by each way of recognising and looks at what is left.
func kinds(t *testing.T, s *scene) {
	for _, kind := range s.Kinds {
		field := map[erasure.MatchKind]string{erasure.MatchContains: FieldMembers, erasure.MatchMapKey: FieldRoles}[kind]
		switch kind {
		case erasure.MatchTenant:
			continue
		case erasure.MatchEquals, erasure.MatchMetadata:
			field = FieldUID
		}
		t.Run(string(kind), func(t *testing.T) { finds(t, open(t, s.Harness, s.binding), kind, field) })
	}
	if s.Nested {
		t.Run("nested", func(t *testing.T) {
			finds(t, open(t, s.Harness, s.binding), erasure.MatchEquals, FieldOwner+".id")
		})
	}
}

// finds puts documents of neighbours in both tenants, erases the first and looks at the others. Where field is "",
// items are recognised by their names.
func finds(t *testing.T, s *scene, kind erasure.MatchKind, field string) {
	end := map[erasure.MatchKind]string{erasure.MatchPrefix: "/"}[kind]
	value := func(name, uid string) string {
		if field == "" {
			return s.Name(here, name+end)
		}
		return uid
	}
	documents, subject := map[string]map[string]any{}, ""
	for name, uid := range map[string]string{"first": u1, "first0": u10, "second": u2, "shout": strings.ToUpper(u1), "nobody": ""} {
		d := s.full(uid)
		if uid == "" {
			d = map[string]any{FieldNote: "of nobody"}
		}
		if end != "" {
			name += end + "file"
		}
		if documents[name] = d; uid == u1 {
			subject = name
		}
		s.Put(t, here, name, d)
		s.Put(t, there, name, d)
	}
	before := s.Export(t, there)
	if found := s.find(t, s.by(here, kind, field, value("unknown", Mark+"-unknown")), 10); len(found) != 0 {
		t.Errorf("of an unknown person %d items are found", len(found))
	}
	q := s.by(here, kind, field, value("first", u1))
	own := mine(q, s.find(t, q, 10))
	if len(own) != 1 {
		t.Fatalf("%d items found, want 1", len(own))
	}
	if got := s.erase(t, q, own); !same(got, erasure.OutcomeErased) {
		t.Errorf("outcomes %v", got)
	}
	for name, d := range documents {
		switch {
		case name != subject:
			s.holds(t, here, name, d)
		case q.TakesOut():
			s.holds(t, here, name, without(d, field, u1))
		default:
			s.gone(t, here, name)
		}
	}
	if after := s.Export(t, there); string(after) != string(before) {
		t.Errorf("the twin was\n%s\nand is\n%s", before, after)
	}
}

// full is a document that each way of recognising finds.
func (s *scene) full(uid string) map[string]any {
	d := person(uid)
	if s.has(erasure.MatchContains) {
		d[FieldMembers] = []any{"somebody", uid}
	}
	if s.has(erasure.MatchMapKey) {
		d[FieldRoles] = map[string]any{uid + "x": "admin", "somebody": "viewer", uid: "x"}
	}
	if s.Nested {
		d[FieldOwner] = map[string]any{"id": uid, "since": "2019"}
	}
	return d
}

// without is a document whose list or map in field has lost the values.
func without(d map[string]any, field string, values ...string) map[string]any {
	out := map[string]any{}
	for f, v := range d {
		if f == field {
			switch inner := v.(type) {
			case []any:
				v = slices.DeleteFunc(slices.Clone(inner), func(m any) bool { return slices.Contains(values, m.(string)) })
			case map[string]any:
				kept := map[string]any{}
				for key, value := range inner {
					if !slices.Contains(values, key) {
						kept[key] = value
					}
				}
				v = kept
			}
		}
		out[f] = v
	}
	return out
}

func paging(t *testing.T, s *scene) {
	const count = 23
	for i := range count {
		s.Put(t, here, fmt.Sprintf("doc-%02d", i), person(u1))
		s.Put(t, here, fmt.Sprintf("eoc-%02d", i), person(fmt.Sprintf("%s-%d", u2, i)))
	}
	s.Put(t, there, "doc-00", person(u1))
	q := s.of(here, u1)
	whole := s.find(t, q, erasure.MaxPage)
	if len(mine(q, whole)) != count {
		t.Fatalf("%d items found, want %d", len(mine(q, whole)), count)
	}
	for _, limit := range []int{1, 2, 7, count - 1, count, count + 1} {
		if got := s.find(t, q, limit); !slices.EqualFunc(got, whole, func(a, b erasure.Item) bool { return a.Ref == b.Ref && a.Version == b.Version }) {
			t.Errorf("by pages of %d the walk is another", limit)
		}
	}
	var many []string
	for i := range erasure.MaxValues {
		many = append(many, fmt.Sprintf("%s-%d", u2, i))
	}
	refs := map[string]bool{}
	for _, i := range s.find(t, s.of(here, many...), 5) {
		refs[i.Ref] = true
	}
	if len(refs) != count {
		t.Errorf("of %d people %d items are found, want %d", len(many), len(refs), count)
	}
	// An item of several of them is found once, however many questions it takes.
	first, last := many[0], many[len(many)-1]
	for kind, d := range map[erasure.MatchKind]map[string]any{
		erasure.MatchContains: {FieldMembers: []any{last, first}}, erasure.MatchMapKey: {FieldRoles: map[string]any{last: "admin", first: "viewer"}},
	} {
		if !s.has(kind) {
			continue
		}
		field := map[erasure.MatchKind]string{erasure.MatchContains: FieldMembers, erasure.MatchMapKey: FieldRoles}[kind]
		s.Put(t, here, strings.ReplaceAll(field, "_", "-"), d)
		if found := s.find(t, s.by(here, kind, field, many...), 5); len(found) != 1 {
			t.Errorf("by %s one item is found %d times", kind, len(found))
		}
	}
}

// walking erases each page before it asks for the next, while somebody else erases ahead of it.
func walking(t *testing.T, s *scene) {
	const count = 40
	for i := range count {
		s.Put(t, here, fmt.Sprintf("doc-%02d", i), person(u1))
		s.Put(t, here, fmt.Sprintf("eoc-%02d", i), person(u10))
	}
	q := s.of(here, u1)
	whole := s.find(t, q, erasure.MaxPage)
	ahead, erased := whole[len(whole)-3:], 0
	for cursor, pages := "", 0; ; pages++ {
		page, err := s.Store().Find(t.Context(), q, cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		erased += len(page.Items)
		if got := s.erase(t, q, page.Items); !same(got, erasure.OutcomeErased) {
			t.Errorf("outcomes %v of page %d", got, pages)
		}
		if pages == 1 {
			s.erase(t, q, ahead)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
		if pages == endless {
			t.Fatal("the walk does not end")
		}
	}
	if left := s.find(t, q, 10); len(left) != 0 || erased != count-len(ahead) {
		t.Errorf("one walk erased %d, and %d are left", erased, len(left))
	}
	if left := s.find(t, s.of(here, u10), 10); len(left) != count {
		t.Errorf("the neighbour has %d items, want %d", len(left), count)
	}
}

func created(t *testing.T, s *scene) {
	later := start.Add(24 * time.Hour)
	s.Put(t, here, "early", person(u1))
	s.Put(t, here, "late", person(u1, map[string]any{FieldCreated: later.Format(time.RFC3339)}))
	s.Put(t, here, "unknown", person(u1, map[string]any{FieldCreated: nil}))
	q := s.of(here, u1)
	q.CreatedBefore = later
	seen := map[time.Time]int{}
	for _, i := range s.find(t, q, 1) {
		seen[i.Created.UTC()]++
	}
	if len(seen) != 2 || seen[start] != 1 || seen[time.Time{}] != 1 {
		t.Errorf("found by time: %v", seen)
	}
	if _, err := s.finish(t.Context(), q, 10); err != nil {
		t.Fatal(err)
	}
	s.gone(t, here, "early")
	s.gone(t, here, "unknown")
	s.holds(t, here, "late", person(u1, map[string]any{FieldCreated: later.Format(time.RFC3339)}))

	own := s.of(here, u1)
	own.CreatedField, own.CreatedBefore = "", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, i := range s.find(t, own, 10) {
		if !i.Created.IsZero() {
			t.Errorf("an item made at %s is found before 2000", i.Created)
		}
	}
}

func values(t *testing.T, s *scene) {
	for i, email := range []any{"b@" + Mark + ".example", "a@" + Mark + ".example", "b@" + Mark + ".example", "", nil} {
		s.Put(t, here, fmt.Sprintf("doc-%d", i), person(u1, map[string]any{FieldEmail: email}))
	}
	s.Put(t, here, "neighbour", person(u10))
	s.Put(t, there, "doc-0", person(u1, map[string]any{FieldEmail: "c@" + Mark + ".example"}))
	got, err := s.Reader().Values(t.Context(), s.of(here, u1), FieldEmail, 2)
	if err != nil || !slices.Equal(got, []string{"a@" + Mark + ".example", "b@" + Mark + ".example"}) {
		t.Errorf("read %q, %v", got, err)
	}
	_, err = s.Reader().Values(t.Context(), s.of(here, u1), FieldEmail, 1)
	wants(t, "one value of two", err, fault.Exhausted)
	if got, err := s.Reader().Values(t.Context(), s.of(here, u2), FieldEmail, 2); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %q, %v", got, err)
	}
}

func groups(t *testing.T, s *scene) {
	if s.Whole {
		_, err := s.Reader().Group(t.Context(), s.of(here, u1), []string{FieldCity})
		wants(t, "counting what is whole", err, fault.Invalid)
		return
	}
	for i, city := range []string{"Nantes", "Nantes", "Nantes", "Lille"} {
		uid := []string{u1, u2, u10, u1}[i]
		s.Put(t, here, fmt.Sprintf("doc-%d", i), person(uid, map[string]any{FieldCity: city}))
		s.Put(t, there, fmt.Sprintf("doc-%d", i), person(uid, map[string]any{FieldCity: "Lille"}))
	}
	for _, test := range []struct {
		uid    string
		fields []string
		want   int
	}{
		{u2, []string{FieldCity}, 3}, {u1, []string{FieldCity}, 1}, {u1, []string{FieldBorn}, 4}, {u2, []string{FieldBorn, FieldCity}, 3},
		{u2, []string{FieldUID, FieldCity}, 1}, {Mark + "-none", []string{FieldCity}, 0},
	} {
		if got, err := s.Reader().Group(t.Context(), s.of(here, test.uid), test.fields); err != nil || got != test.want {
			t.Errorf("%s share %v with %d, %v; want %d", test.uid, test.fields, got, err, test.want)
		}
	}
}

// flat: what is asked for a person does not grow with what belongs to others. Metadata is in no index.
func flat(t *testing.T, s *scene) {
	if !s.has(erasure.MatchEquals) {
		return
	}
	s.Put(t, here, "mine", person(u1))
	q, asked, put := s.of(here, u1), []int{}, 0
	for _, others := range []int{10, 100} {
		for ; put < others; put++ {
			s.Put(t, here, fmt.Sprintf("other-%d", put), person(fmt.Sprintf("%s-%d", u2, put)))
		}
		before := s.wire.Requests()
		if found := s.find(t, q, 10); len(found) != 1 {
			t.Fatalf("%d items found", len(found))
		}
		asked = append(asked, s.wire.Requests()-before)
	}
	if asked[0] != asked[1] || asked[0] == 0 {
		t.Errorf("requests for one person as the place grows: %v", asked)
	}
}
