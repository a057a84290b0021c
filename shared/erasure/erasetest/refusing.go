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

// patterns are identifiers that mean something else to somebody: a query language, a path, a shell, an eye.
var patterns = []string{
	"*", "%", "_", ".", "..", "a/b", "../" + there, "$ne", `{"$gt":""}`, `{"$regex":".*"}`, "' OR '1'='1", `"; DROP TABLE people; --`,
	`\`, "`", Mark + "-u1\n", Mark + "-u1\t", " " + Mark + "-u1", Mark + "-u1 ", Mark + "-%", "z\u0443-u1", "\u202e" + Mark, "null", "true", "0",
	"[]", "{}", "undefined", "__name__", "roles." + u1, Mark + "-u*", strings.Repeat("x", 1400),
}

// hostile finds each pattern where it is the value itself, and nowhere else.
func hostile(t *testing.T, s *scene) {
	for _, tenant := range []string{here, there} {
		s.Put(t, tenant, "of-"+u1, s.full(u1))
		s.Put(t, tenant, "of-"+u10, person(u10))
	}
	for i, value := range patterns {
		s.Put(t, here, fmt.Sprintf("pattern-%d", i), map[string]any{FieldUID: value})
	}
	before := s.Export(t, there)
	for i, value := range append(slices.Clone(patterns), strings.Repeat(Mark+"-", 700)) {
		q := s.of(here, value)
		page, err := s.Reader().Find(t.Context(), q, "", 10)
		clean(t, err)
		found := len(mine(q, page.Items))
		if i < len(patterns) && (err != nil || found != 1) || i == len(patterns) && (found != 0 || err != nil && !fault.Is(err, fault.Invalid)) {
			t.Errorf("%.20q, equal: %d found, %v", value, found, err)
		}
		for _, kind := range s.Kinds {
			field := map[erasure.MatchKind]string{erasure.MatchContains: FieldMembers, erasure.MatchMapKey: FieldRoles}[kind]
			value := value
			if kind == erasure.MatchPrefix {
				value += "/"
			}
			if field == "" && kind != erasure.MatchDocument && kind != erasure.MatchPrefix {
				continue
			}
			page, err := s.Reader().Find(t.Context(), s.by(here, kind, field, value), "", 10)
			clean(t, err)
			if len(page.Items) != 0 || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("%.20q, %s: %d found, %v", value, kind, len(page.Items), err)
			}
		}
	}
	q := s.of(here, patterns...)
	if erased, err := s.finish(t.Context(), q, 10); err != nil || erased != len(patterns) {
		t.Errorf("%d patterns erased, %v; want %d", erased, err, len(patterns))
	}
	s.holds(t, here, "of-"+u10, person(u10))
	if after := s.Export(t, there); string(after) != string(before) {
		t.Error("the twin is not what it was")
	}
}

// refused: a query that is bound to nobody is an error, never an empty answer and never everything.
func refused(t *testing.T, s *scene) {
	s.Put(t, here, "of-"+u1, person(u1))
	s.Put(t, there, "of-"+u1, person(u1))
	exports := string(s.Export(t, here)) + string(s.Export(t, there))
	good := s.of(here, u1)
	bad := map[string]func(*erasure.Query){
		"no tenant":         func(q *erasure.Query) { q.Tenant = erasure.Tenant{} },
		"no tenant's id":    func(q *erasure.Query) { q.Tenant.ID = "" },
		"no binding":        func(q *erasure.Query) { q.Tenant.Binding = "" },
		"a global tenant":   func(q *erasure.Query) { q.Tenant.Binding = erasure.BindGlobal },
		"no value":          func(q *erasure.Query) { q.Match.Values = nil },
		"an empty value":    func(q *erasure.Query) { q.Match.Values = []string{u1, ""} },
		"a null byte":       func(q *erasure.Query) { q.Match.Values = []string{u1 + "\x00"} },
		"no text":           func(q *erasure.Query) { q.Match.Values = []string{u1 + "\xff"} },
		"too many values":   func(q *erasure.Query) { q.Match.Values = slices.Repeat([]string{u1}, erasure.MaxValues+1) },
		"no field":          func(q *erasure.Query) { q.Match.Field = "" },
		"an unknown kind":   func(q *erasure.Query) { q.Match.Kind = "like" },
		"no kind":           func(q *erasure.Query) { q.Match.Kind = "" },
		"a tenant and more": func(q *erasure.Query) { q.Match.Kind = erasure.MatchTenant },
		"a bare prefix":     func(q *erasure.Query) { q.Match = erasure.Match{Kind: erasure.MatchPrefix, Values: []string{u1}} },
		"everything":        func(q *erasure.Query) { q.Match = erasure.Match{Kind: erasure.MatchPrefix, Values: []string{"/"}} },
		"an unknown action": func(q *erasure.Query) { q.Action = "hash" },
		"nothing to change": func(q *erasure.Query) { q.Action = erasure.ActionAnonymise },
		"changes to delete": func(q *erasure.Query) { q.Changes = []erasure.Change{{Field: FieldNote, Kind: erasure.ChangeDelete}} },
		"an unknown change": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: FieldNote, Kind: "hmac"}}
		},
		"a change of naught": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Kind: erasure.ChangeSet}}
		},
	}
	for _, kind := range []erasure.MatchKind{erasure.MatchDocument, erasure.MatchEquals, erasure.MatchContains, erasure.MatchMapKey, erasure.MatchPrefix, erasure.MatchMetadata} {
		if !s.has(kind) {
			bad["unknown here: "+string(kind)] = func(q *erasure.Query) { q.Match.Kind, q.Match.Values = kind, []string{u1 + "/"} }
		}
	}
	for name, spoil := range bad {
		q := good
		spoil(&q)
		_, err := s.Reader().Find(t.Context(), q, "", 10)
		wants(t, name+", finding", err, fault.Invalid)
		_, err = s.Reader().Values(t.Context(), q, FieldEmail, 10)
		wants(t, name+", reading", err, fault.Invalid)
		_, err = s.Reader().Group(t.Context(), q, []string{FieldCity})
		wants(t, name+", counting", err, fault.Invalid)
		_, err = s.Store().Erase(t.Context(), q, s.find(t, good, 10))
		wants(t, name+", erasing", err, fault.Invalid)
	}
	for _, limit := range []int{-1, 0, erasure.MaxPage + 1} {
		_, err := s.Reader().Find(t.Context(), good, "", limit)
		wants(t, fmt.Sprintf("a page of %d", limit), err, fault.Invalid)
	}
	_, err := s.Reader().Find(t.Context(), good, Mark+"-no-cursor", 10)
	wants(t, "a cursor of nobody's", err, fault.Invalid)
	_, err = s.Store().Erase(t.Context(), good, []erasure.Item{{Ref: Mark + "-no\nref//", Version: Mark + "-none", Tenant: here}})
	if clean(t, err); err != nil && !fault.Is(err, fault.Invalid) {
		t.Errorf("erasing what no Find returned: %v", err)
	}
	if now := string(s.Export(t, here)) + string(s.Export(t, there)); now != exports {
		t.Error("what was refused left its mark")
	}
}

// answers: a place that does not exist, an account without rights, a server that wants rest.
func answers(t *testing.T, s *scene) {
	if reader, q := s.Absent(t); reader != nil {
		q.Entry, q.Action, q.Match = "suite", erasure.ActionDelete, s.of(here, u1).Match
		_, err := reader.Find(t.Context(), q, "", 10)
		wants(t, "a place that does not exist", err, fault.NotFound)
	}
	s.Put(t, here, "of-"+u1, person(u1))
	q := s.of(here, u1)
	items := s.find(t, q, 10)
	for what, c := range map[string]struct {
		store erasure.Store
		kind  fault.Kind
	}{"no rights": {s.Stranger(t), fault.Denied}, "no rest": {s.Tired(t), fault.Exhausted}} {
		if c.store == nil {
			continue
		}
		_, finding := c.store.Find(t.Context(), q, "", 10)
		_, reading := c.store.Values(t.Context(), q, FieldEmail, 10)
		_, erasing := c.store.Erase(t.Context(), q, items)
		for doing, err := range map[string]error{"finding": finding, "reading": reading, "erasing": erasing} {
			wants(t, what+", "+doing, err, c.kind)
			if wait := retryAfter(err); c.kind == fault.Exhausted && wait != time.Minute {
				t.Errorf("%s, %s: come back in %s, want a minute", what, doing, wait)
			}
		}
	}
	s.holds(t, here, "of-"+u1, person(u1))
}
