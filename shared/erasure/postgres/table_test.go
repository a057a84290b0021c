package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

func outcomes(t testing.TB, d *database, q erasure.Query) map[erasure.Outcome]int {
	t.Helper()
	results, err := d.Erase(t.Context(), q, find(t, d, q))
	must(t, err)
	told := map[erasure.Outcome]int{}
	for _, r := range results {
		told[r.Outcome]++
	}
	return told
}

// TestPlacesThatCannotBe: what the store cannot carry out is refused when it is planned, not found empty.
func TestPlacesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := started(t)
	in := s.schema(t)
	people := s.table(t, in+".people", "id bigint PRIMARY KEY, tenant text, uid text, ref uuid, tags text[], meta jsonb, seq int")
	s.table(t, in+".keyless", "tenant text, uid text")
	s.do(t, "CREATE VIEW "+in+".view AS SELECT * FROM "+people)
	s.do(t, "GRANT SELECT ON "+in+".view TO eraser")
	s.table(t, in+".pair", "a text, b text, tenant text, uid text, PRIMARY KEY (a, b)")
	d := s.as(t, "eraser", limits{})
	for name, spoil := range map[string]func(*erasure.Query){
		"no schema":            func(q *erasure.Query) { q.Place = "people" },
		"no name":              func(q *erasure.Query) { q.Place = in + "." },
		"no key":               func(q *erasure.Query) { q.Place = in + ".keyless" },
		"a view":               func(q *erasure.Query) { q.Place = in + ".view" },
		"a key of two columns": func(q *erasure.Query) { q.Place, q.Match.Kind = in+".pair", erasure.MatchDocument },
		"no such column":       func(q *erasure.Query) { q.Match.Field = "uuid" },
		"no such tenant":       func(q *erasure.Query) { q.Tenant.Field = "customer" },
		"no such time":         func(q *erasure.Query) { q.CreatedField = "made" },
		"not of the type":      func(q *erasure.Query) { q.Match.Field = "ref" },
		"not a number":         func(q *erasure.Query) { q.Match.Kind = erasure.MatchDocument },
		"not a list":           func(q *erasure.Query) { q.Match.Kind = erasure.MatchContains },
		"not a map":            func(q *erasure.Query) { q.Match.Kind, q.Match.Field = erasure.MatchMapKey, "tags" },
		"a path into text":     func(q *erasure.Query) { q.Match.Field = "uid.id" },
		"a tenant elsewhere":   func(q *erasure.Query) { q.Tenant = erasure.Tenant{Binding: erasure.BindPath, ID: "alpha"} },
		"the key to be changed": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "id", Kind: erasure.ChangeDetach}}
		},
		"the tenant to be changed": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "tenant", Kind: erasure.ChangeDetach}}
		},
		"no such change": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "phone", Kind: erasure.ChangeDelete}}
		},
	} {
		q := of(people)
		spoil(&q)
		_, err := d.Find(t.Context(), q, "", 10)
		wants(t, name, err, fault.Invalid)
	}
	_, err := d.Group(t.Context(), of(people), []string{"city"})
	wants(t, "no such field to count", err, fault.Invalid)
	_, err = d.Values(t.Context(), of(people), "city", 10)
	wants(t, "no such field to read", err, fault.Invalid)
}

// TestLargeTables: a search that would go through the whole of a large table is refused until there is an index.
func TestLargeTables(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := s.table(t, s.schema(t)+".large", "tenant text, id bigint, uid text, meta jsonb, PRIMARY KEY (tenant, id)")
	s.do(t, "INSERT INTO "+place+" SELECT 'alpha', n, 'zq-u' || n, '{}' FROM generate_series(1, 200000) n")
	d, q := s.as(t, "eraser", limits{}), of(place)
	nested := q
	nested.Match.Field = "meta.owner"
	for _, q := range []erasure.Query{q, nested} {
		_, err := d.Find(t.Context(), q, "", 10)
		wants(t, "by "+q.Match.Field, err, fault.Invalid)
	}
	s.do(t, "CREATE INDEX ON "+place+" (uid)")
	s.do(t, "ANALYZE "+place)
	if items := find(t, d, q); len(items) != 1 {
		t.Errorf("%d items by the index", len(items))
	}
	whatever := q
	whatever.Match.Values, whatever.Match.Fold = []string{"ZQ-U17"}, true
	_, err := d.Find(t.Context(), whatever, "", 10)
	wants(t, "whatever the case, by an index that tells it", err, fault.Invalid)
	s.do(t, "CREATE INDEX ON "+place+` (lower(uid COLLATE "C"))`)
	s.do(t, "ANALYZE "+place)
	if items := find(t, d, whatever); len(items) != 1 {
		t.Errorf("%d items by an index of small letters", len(items))
	}
	f, err := fit(t.Context(), d.pool, whatever)
	must(t, err)
	st := &statement{}
	plan, err := texts(t.Context(), d.pool, "EXPLAIN "+f.read()+" WHERE "+f.candidates(st), st.args...)
	if err != nil || !strings.Contains(strings.Join(plan, " "), "Index") {
		t.Errorf("the server does it by %q, %v", plan, err)
	}
	q.Match = erasure.Match{Kind: erasure.MatchDocument, Values: []string{"17"}}
	if items := find(t, d, q); len(items) != 1 {
		t.Errorf("%d items by the key", len(items))
	}
	q.Match = erasure.Match{Kind: erasure.MatchTenant}
	if items := find(t, d, q); len(items) != erasure.MaxPage {
		t.Errorf("%d items of the tenant", len(items))
	}
}

// TestReferences: the server does not reach into other tables behind our back, and what it keeps is told.
func TestReferences(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	children := strings.Replace(place, "people", "orders", 1)
	s.do(t, "CREATE TABLE "+children+" (id bigint PRIMARY KEY, person bigint REFERENCES "+place+")")
	s.do(t, "INSERT INTO "+children+" VALUES (1, 1)")
	d, q := s.as(t, "eraser", limits{}), of(place)
	q.Match.Values = append(q.Match.Values, "zq-u2")
	both := find(t, d, q)
	_, err := d.Erase(t.Context(), q, both)
	wants(t, "a row that others refer to", err, fault.Invalid)
	if left := find(t, d, q); len(left) != 2 {
		t.Errorf("a page was torn: %d rows are left", len(left))
	}
}

// TestTriggers: a table that answers a deletion with something else is not taken for one that deleted.
func TestTriggers(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	s.do(t, "CREATE FUNCTION "+place+"_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
	s.do(t, "CREATE TRIGGER kept BEFORE DELETE OR UPDATE ON "+place+" FOR EACH ROW EXECUTE FUNCTION "+place+"_kept()")
	d, q := s.as(t, "eraser", limits{}), of(place)
	_, err := d.Erase(t.Context(), q, find(t, d, q))
	wants(t, "a row that a trigger keeps", err, fault.Invalid)
	q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "uid", Kind: erasure.ChangeDetach}}
	_, err = d.Erase(t.Context(), q, find(t, d, q))
	wants(t, "a row that a trigger does not let change", err, fault.Invalid)
}

// TestNames: what stands in a name is never a part of the statement.
func TestNames(t *testing.T) {
	t.Parallel()
	s := started(t)
	in := s.schema(t)
	s.do(t, fmt.Sprintf(`CREATE TABLE %s."a.""b; DROP TABLE x --" ("t'en$1" text, "Na""me" text PRIMARY KEY, "u?d" text)`, in))
	place := in + `.a."b; DROP TABLE x --`
	s.do(t, fmt.Sprintf(`GRANT ALL ON %s."a.""b; DROP TABLE x --" TO eraser`, in))
	s.do(t, fmt.Sprintf(`INSERT INTO %s."a.""b; DROP TABLE x --" VALUES ('alpha', $1, $1), ('alpha', 'other', 'other')`, in), `'"; --$1`)
	d, q := s.as(t, "eraser", limits{}), of(place)
	q.Tenant.Field, q.Match.Field, q.Match.Values = "t'en$1", "u?d", []string{`'"; --$1`}
	q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "u?d", Kind: erasure.ChangeSet, Value: `'); --`}}
	if told := outcomes(t, d, q); told[erasure.OutcomeErased] != 1 {
		t.Errorf("changing: %v", told)
	}
	q = of(place)
	q.Tenant.Field, q.Match = "t'en$1", erasure.Match{Kind: erasure.MatchDocument, Values: []string{`'"; --$1`}}
	if told := outcomes(t, d, q); told[erasure.OutcomeErased] != 1 {
		t.Errorf("deleting: %v", told)
	}
	if left := one[int](t, s, fmt.Sprintf(`SELECT count(*) FROM %s."a.""b; DROP TABLE x --"`, in)); left != 1 {
		t.Errorf("%d rows are left, want 1", left)
	}
}

// TestTypes: columns of the server's own types are found by the text they show, and changed within their type.
func TestTypes(t *testing.T) {
	t.Parallel()
	s := started(t)
	in := s.schema(t)
	s.do(t, "CREATE COLLATION "+in+".ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
	s.do(t, "CREATE TYPE "+in+".mood AS ENUM ('glad', 'sad')")
	place := s.table(t, in+".typed", fmt.Sprintf(`id uuid, part int, tenant int NOT NULL, uid text COLLATE %[1]s.ci, num bigint, nums bigint[], born date, seen timestamptz, local timestamp, price numeric(10,2),
		mood %[1]s.mood, keep varchar(5) NOT NULL, flag bool, meta jsonb, made bigint, PRIMARY KEY (id, part)`, in))
	s.do(t, "GRANT USAGE ON TYPE "+in+".mood TO eraser")
	row := func(part int, uid string) {
		s.do(t, "INSERT INTO "+place+` VALUES ('6f9619ff-8b86-4011-b42d-00c04fc964ff', $1, 7, $2, 12, '{12,13}', '1990-05-17', '2024-05-17T09:30:00.25+02', '2024-05-17 09:30:00', 12.5, 'sad', 'abc', true,
			'{"owner": {"id": 12, "since": "2019-04-03"}, "big": 12345678901234567890.5, "list": ["12", 12, {"x": null}]}', 1704067200000000)`, part, uid)
	}
	row(1, person)
	row(2, strings.ToUpper(person))
	d := s.as(t, "eraser", limits{})
	q := of(place)
	q.Tenant.ID, q.CreatedField = "7", "made"
	if items := find(t, d, q); len(items) != 1 || !items[0].Created.Equal(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) || items[0].Tenant != "7" {
		t.Errorf("under a collation that knows no case: %v", items)
	}
	for field, m := range map[string]erasure.Match{
		"num": {Kind: erasure.MatchEquals, Values: []string{"12", "5"}}, "id": {Kind: erasure.MatchEquals, Values: []string{"6f9619ff-8b86-4011-b42d-00c04fc964ff"}},
		"nums": {Kind: erasure.MatchContains, Values: []string{"13"}}, "mood": {Kind: erasure.MatchEquals, Values: []string{"sad"}},
		"meta.owner.id": {Kind: erasure.MatchEquals, Values: []string{"12"}}, "meta.list": {Kind: erasure.MatchContains, Values: []string{"12"}},
		"meta.owner": {Kind: erasure.MatchMapKey, Values: []string{"since"}}, "meta": {Kind: erasure.MatchMapKey, Values: []string{"big"}},
	} {
		q := q
		q.Match = m
		if q.Match.Field = field; len(find(t, d, q)) != 2 {
			t.Errorf("by %s: %d rows, want 2", field, len(find(t, d, q)))
		}
	}
	for _, fields := range [][]string{{"born", "seen", "local", "made"}, {"price", "mood", "flag", "nums"}, {"meta.owner", "num"}, {"meta.none"}} {
		if k, err := d.Group(t.Context(), q, fields); err != nil || k != 2 {
			t.Errorf("%d rows share %q, %v; want 2", k, fields, err)
		}
	}
	if k, err := d.Group(t.Context(), q, []string{"part"}); err != nil || k != 1 {
		t.Errorf("%d rows share a key, %v", k, err)
	}
	q.Action = erasure.ActionAnonymise
	for _, c := range []erasure.Change{
		{Field: "born", Kind: erasure.ChangeGeneralise, To: erasure.ToMonth}, {Field: "seen", Kind: erasure.ChangeGeneralise, To: erasure.ToYear},
		{Field: "local", Kind: erasure.ChangeGeneralise, To: erasure.ToMonth}, {Field: "price", Kind: erasure.ChangeSet, Value: "0"},
		{Field: "mood", Kind: erasure.ChangeSet, Value: "glad"}, {Field: "keep", Kind: erasure.ChangeSet, Value: "gone"}, {Field: "flag", Kind: erasure.ChangeSet, Value: "false"},
		{Field: "meta.owner.id", Kind: erasure.ChangeDetach}, {Field: "meta.owner.since", Kind: erasure.ChangeGeneralise, To: erasure.ToYear},
		{Field: "meta.list", Kind: erasure.ChangeDelete}, {Field: "meta.none.at.all", Kind: erasure.ChangeSet, Value: "x"}, {Field: "num", Kind: erasure.ChangeDelete},
	} {
		q.Changes = append(q.Changes, c)
	}
	if told := outcomes(t, d, q); told[erasure.OutcomeErased] != 1 {
		t.Errorf("changing: %v", told)
	}
	if items := find(t, d, q); len(items) != 1 || !items[0].Clean {
		t.Errorf("changed, and found as %v", items)
	}
	got := one[string](t, s, "SELECT jsonb_build_array(num, born, seen, local, price, mood, keep, flag, meta)::text FROM "+place+" WHERE part = 1")
	if want := `[null, "1990-05-01", "2024-01-01T00:00:00+00:00", "2024-05-01T00:00:00", 0.00, "glad", "gone", false, {"big": 12345678901234567890.5, "owner": {"id": null, "since": "2019-01-01"}}]`; got != want {
		t.Errorf("the row says\n%s, want\n%s", got, want)
	}
	q.Changes = []erasure.Change{{Field: "keep", Kind: erasure.ChangeDelete}}
	_, err := d.Erase(t.Context(), q, find(t, d, q))
	wants(t, "NULL where none may be", err, fault.Invalid)
	q.Changes = []erasure.Change{{Field: "keep", Kind: erasure.ChangeSet, Value: "longer than it may be"}}
	_, err = d.Erase(t.Context(), q, find(t, d, q))
	wants(t, "a value that does not fit", err, fault.Invalid)
	q.Action, q.Changes, q.Match = erasure.ActionDelete, nil, erasure.Match{Kind: erasure.MatchContains, Field: "nums", Values: []string{"12"}}
	if told := outcomes(t, d, q); told[erasure.OutcomeErased] != 2 || one[string](t, s, "SELECT string_agg(nums::text, '') FROM "+place) != "{13}{13}" {
		t.Errorf("taking a number out of a list: %v", told)
	}
}

// TestPartitions: a table in parts is one place.
func TestPartitions(t *testing.T) {
	t.Parallel()
	s := started(t)
	in := s.schema(t)
	place := in + ".parted"
	s.do(t, "CREATE TABLE "+place+" (tenant text, id bigint, uid text, PRIMARY KEY (tenant, id)) PARTITION BY LIST (tenant)")
	for _, tenant := range []string{"alpha", "beta"} {
		s.do(t, fmt.Sprintf("CREATE TABLE %s_%s PARTITION OF %s FOR VALUES IN ('%s')", place, tenant, place, tenant))
		s.do(t, "INSERT INTO "+place+" VALUES ($1, 1, $2), ($1, 2, $2)", tenant, person)
	}
	s.grant(t, place)
	d, q := s.as(t, "eraser", limits{}), of(place)
	if told := outcomes(t, d, q); !maps.Equal(told, map[erasure.Outcome]int{erasure.OutcomeErased: 2, erasure.OutcomeForeign: 2}) {
		t.Errorf("outcomes %v", told)
	}
	all, err := d.Places(t.Context(), 10000)
	must(t, err)
	if !slices.Contains(all, place) || slices.Contains(all, place+"_alpha") || !slices.IsSorted(all) || slices.ContainsFunc(all, func(p string) bool { return strings.HasPrefix(p, "pg_") }) {
		t.Errorf("places %q", all)
	}
	_, err = d.Places(t.Context(), 0)
	wants(t, "more places than were asked for", err, fault.Exhausted)
	traces, err := d.Traces(t.Context())
	if must(t, err); len(traces.Unknown) != 1 || traces.SoftDelete != 0 {
		t.Errorf("traces %v", traces)
	}
}

// TestExtensions: an index of an extension's type is used although its operators are not on the search path, and case counts
// although they ignore it.
func TestExtensions(t *testing.T) {
	t.Parallel()
	s := started(t)
	if one[int](t, s, "SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") == 0 {
		require.Tool(t, "postgresql-contrib (citext)", false)
	}
	in := s.schema(t)
	s.do(t, "CREATE EXTENSION citext SCHEMA "+in)
	place := s.table(t, in+".mixed", fmt.Sprintf("id bigint PRIMARY KEY, tenant text, uid %s.citext", in))
	s.do(t, "INSERT INTO "+place+" SELECT n, 'alpha', 'ZQ-u' || n FROM generate_series(1, 2000) n")
	s.do(t, "INSERT INTO "+place+" VALUES (0, 'alpha', '"+person+"')")
	s.do(t, "CREATE INDEX ON "+place+" (uid)")
	s.do(t, "ANALYZE "+place)
	d, q := s.as(t, "eraser", limits{}), of(place)
	if items := find(t, d, q); len(items) != 1 || items[0].Ref != fmt.Sprintf(`["%s","0"]`, place) {
		t.Errorf("found %v", items)
	}
	f, err := fit(t.Context(), d.pool, q)
	must(t, err)
	st := &statement{}
	where := f.candidates(st)
	plan, err := texts(t.Context(), d.pool, "EXPLAIN "+f.read()+" WHERE "+where, st.args...)
	if must(t, err); !strings.Contains(strings.Join(plan, "\n"), "Index") {
		t.Errorf("the plan is %q", plan)
	}
}
