package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// child makes a table whose rows refer to those of another by the column above.
func child(t testing.TB, s *server, parent, name, does string) string {
	t.Helper()
	schema, _, _ := strings.Cut(parent, ".")
	return s.table(t, schema+"."+name, fmt.Sprintf("id bigint PRIMARY KEY, above bigint REFERENCES %s %s, tenant text", parent, does))
}

func count(t testing.TB, s *server, place string) int {
	t.Helper()
	return one[int](t, s, "SELECT count(*) FROM "+place)
}

// told is what each item becomes, by the key of its row, and why.
func told(t testing.TB, d *database, q erasure.Query) (outcomes map[string]erasure.Outcome, why string) {
	t.Helper()
	results, err := d.Erase(t.Context(), q, find(t, d, q))
	must(t, err)
	outcomes = map[string]erasure.Outcome{}
	for _, r := range results {
		key := strings.Split(r.Ref, `"`)[3]
		if outcomes[key] = r.Outcome; r.Why != "" {
			why = r.Why
		}
		if (r.Outcome == erasure.OutcomeHeld) != (r.Why != "") || !r.Until.IsZero() {
			t.Errorf("row %s is %s because %q until %s", key, r.Outcome, r.Why, r.Until)
		}
	}
	return outcomes, why
}

// TestCascades: a row that would take rows of another place with it, or change them, stays until the map says that they go
// too; one that takes nothing goes.
func TestCascades(t *testing.T) {
	t.Parallel()
	for _, does := range []string{"ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT"} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			s := started(t)
			place := people(t, s)
			orders := child(t, s, place, "orders", does)
			s.do(t, "INSERT INTO "+orders+" VALUES (1, 1, 'alpha'), (2, 1, NULL)")
			d, q := s.as(t, "eraser", limits{}), of(place)
			q.Match.Values = append(q.Match.Values, "zq-u2")
			for _, i := range find(t, s.as(t, "reader", limits{readOnly: true}), q) {
				held := strings.Contains(i.Ref, `"1"`)
				if i.Held.IsZero() == held || strings.Contains(i.Why, orders) != held {
					t.Errorf("%s is held until %s because %q", i.Ref, i.Held, i.Why)
				}
			}
			q.Descend = true // what goes with a row is named, or stays
			got, why := told(t, d, q)
			if !maps.Equal(got, map[string]erasure.Outcome{"1": erasure.OutcomeHeld, "2": erasure.OutcomeErased}) || !strings.Contains(why, orders) {
				t.Errorf("undeclared: %v, %q", got, why)
			}
			if one[int](t, s, "SELECT count(*) FROM "+orders+" WHERE above = 1") != 2 {
				t.Error("the rows of the other place were touched")
			}
			traces, err := d.Traces(t.Context())
			if must(t, err); !slices.ContainsFunc(traces.Reaches, func(r string) bool { return strings.Contains(r, orders) && strings.Contains(r, place) }) {
				t.Errorf("traces name %q", traces.Reaches)
			}
			q.Below = []string{orders}
			if items := find(t, d, q); len(items) != 1 || !items[0].Held.IsZero() {
				t.Errorf("declared, and found as %+v", items)
			}
			if got, _ := told(t, d, q); got["1"] != erasure.OutcomeErased || count(t, s, place) != 0 {
				t.Errorf("declared: %v", got)
			}
		})
	}
}

// TestCascadesFurtherDown: what hangs below what goes along counts as well, however deep and in a circle.
func TestCascadesFurtherDown(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	posts := child(t, s, place, "posts", "ON DELETE CASCADE")
	s.do(t, "ALTER TABLE "+posts+" ADD reply bigint REFERENCES "+posts+" ON DELETE CASCADE")
	invoices := child(t, s, posts, "invoices", "ON DELETE CASCADE")
	s.do(t, "INSERT INTO "+posts+" VALUES (1, 1, 'alpha', NULL), (2, NULL, 'alpha', 1), (3, NULL, 'alpha', 2), (4, 2, 'alpha', NULL)")
	s.do(t, "UPDATE "+posts+" SET reply = 3 WHERE id = 1") // a circle
	s.do(t, "INSERT INTO "+invoices+" VALUES (1, 3, 'alpha')")
	d, q := s.as(t, "eraser", limits{}), of(place)
	q.Match.Values = append(q.Match.Values, "zq-u2")
	q.Descend, q.Below = true, []string{posts}
	got, why := told(t, d, q)
	if !maps.Equal(got, map[string]erasure.Outcome{"1": erasure.OutcomeHeld, "2": erasure.OutcomeErased}) || !strings.Contains(why, invoices) || count(t, s, invoices) != 1 || count(t, s, posts) != 3 {
		t.Errorf("an invoice three rows down: %v, %q", got, why)
	}
	s.do(t, "DELETE FROM "+invoices)
	s.do(t, "UPDATE "+posts+" SET tenant = 'beta' WHERE id = 3")
	if got, _ := told(t, d, q); got["1"] != erasure.OutcomeForeign || count(t, s, posts) != 3 {
		t.Errorf("a row of another tenant two rows down: %v", got)
	}
	s.do(t, "UPDATE "+posts+" SET tenant = NULL WHERE id = 3") // tells none: it is part of what it hangs on
	if got, _ := told(t, d, q); got["1"] != erasure.OutcomeErased || count(t, s, posts) != 0 {
		t.Errorf("nothing in the way: %v, %d posts", got, count(t, s, posts))
	}
}

// TestCascadesOfParts: tables in parts, keys of several columns, and a key that is not the primary one.
func TestCascadesOfParts(t *testing.T) {
	t.Parallel()
	s := started(t)
	in := s.schema(t)
	place := in + ".people"
	s.do(t, "CREATE TABLE "+place+" (tenant text, id bigint, uid text, PRIMARY KEY (tenant, id)) PARTITION BY LIST (tenant)")
	s.do(t, fmt.Sprintf("CREATE TABLE %s_alpha PARTITION OF %s FOR VALUES IN ('alpha')", place, place))
	s.do(t, fmt.Sprintf("CREATE TABLE %s.orders (id bigint, t text, p bigint, PRIMARY KEY (id), FOREIGN KEY (t, p) REFERENCES %s ON DELETE CASCADE) PARTITION BY RANGE (id)", in, place))
	s.do(t, fmt.Sprintf("CREATE TABLE %[1]s.orders_1 PARTITION OF %[1]s.orders FOR VALUES FROM (0) TO (1000)", in))
	s.do(t, fmt.Sprintf("CREATE TABLE %s.part (p bigint PRIMARY KEY, t text, FOREIGN KEY (t, p) REFERENCES %s_alpha ON DELETE CASCADE)", in, place))
	s.do(t, "INSERT INTO "+place+" VALUES ('alpha', 1, '"+person+"'), ('alpha', 2, '"+person+"'), ('alpha', 3, '"+person+"')")
	s.do(t, "INSERT INTO "+in+".orders VALUES (1, 'alpha', 1)")
	s.do(t, "INSERT INTO "+in+".part VALUES (2, 'alpha')")
	for _, p := range []string{place, in + ".orders", in + ".part"} {
		s.grant(t, p)
	}
	d, q := s.as(t, "eraser", limits{}), of(place)
	results, err := d.Erase(t.Context(), q, find(t, d, q))
	must(t, err)
	if results[0].Outcome != erasure.OutcomeHeld || results[1].Outcome != erasure.OutcomeHeld || results[2].Outcome != erasure.OutcomeErased {
		t.Errorf("outcomes %+v", results)
	}
	q.Descend, q.Below = true, []string{in + ".orders", in + ".part"}
	if told := outcomes(t, d, q); told[erasure.OutcomeErased] != 2 || count(t, s, in+".orders")+count(t, s, in+".part") != 0 {
		t.Errorf("declared: %v", told)
	}
}

// TestCascadesOfChanges: a changed key that others follow is as good as a row that takes others with it.
func TestCascadesOfChanges(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	s.do(t, "ALTER TABLE "+place+" ADD UNIQUE (uid), ADD note text")
	s.do(t, "UPDATE "+place+" SET note = 'called'")
	in, _, _ := strings.Cut(place, ".")
	visits := s.table(t, in+".visits", "id bigint PRIMARY KEY, uid text REFERENCES "+place+" (uid) ON UPDATE CASCADE")
	s.do(t, "INSERT INTO "+visits+" VALUES (1, '"+person+"')")
	d, q := s.as(t, "eraser", limits{}), of(place)
	q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "note", Kind: erasure.ChangeDelete}}
	if got, _ := told(t, d, q); got["1"] != erasure.OutcomeErased {
		t.Errorf("a column nobody follows: %v", got)
	}
	q.Changes[0].Field = "uid"
	if got, why := told(t, d, q); got["1"] != erasure.OutcomeHeld || !strings.Contains(why, visits) {
		t.Errorf("a column others follow: %v, %q", got, why)
	}
	q.Below = []string{visits}
	if got, _ := told(t, d, q); got["1"] != erasure.OutcomeErased || one[int](t, s, "SELECT count(*) FROM "+visits+" WHERE uid IS NULL") != 1 {
		t.Errorf("declared: %v", got)
	}
}

// TestCascadesNobodyMaySee: where the account may not look, nobody can tell what would go along.
func TestCascadesNobodyMaySee(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	orders := child(t, s, place, "orders", "ON DELETE CASCADE")
	s.do(t, "REVOKE ALL ON "+orders+" FROM eraser")
	d, q := s.as(t, "eraser", limits{}), of(place)
	_, err := d.Erase(t.Context(), q, []erasure.Item{{Ref: `["` + place + `","1"]`, Tenant: "alpha"}})
	if wants(t, "a table that may not be read", err, fault.Denied); err == nil || !strings.Contains(err.Error(), orders) {
		t.Errorf("it does not say which: %v", err)
	}
}

// TestTriggersElsewhere: a trigger that writes into another table would keep what is erased, or erase what is to be kept.
func TestTriggersElsewhere(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	audit := strings.Replace(place, "people", "audit", 1)
	s.table(t, audit, "was jsonb")
	s.do(t, "GRANT INSERT ON "+audit+" TO eraser")
	s.do(t, "CREATE FUNCTION "+place+"_copy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO "+audit+" VALUES (to_jsonb(OLD)); RETURN OLD; END'")
	s.do(t, "CREATE TRIGGER copy BEFORE DELETE ON "+place+" FOR EACH ROW EXECUTE FUNCTION "+place+"_copy()")
	d, q := s.as(t, "eraser", limits{}), of(place)
	_, err := d.Erase(t.Context(), q, find(t, d, q))
	if wants(t, "a trigger that copies", err, fault.Invalid); err == nil || !strings.Contains(err.Error(), audit) || count(t, s, place) != 2 || count(t, s, audit) != 0 {
		t.Errorf("it was not undone, or does not say what it was: %v", err)
	}
	traces, err := d.Traces(t.Context())
	if must(t, err); !slices.ContainsFunc(traces.Reaches, func(r string) bool { return strings.Contains(r, place) && strings.Contains(r, "trigger") }) {
		t.Errorf("traces name %q", traces.Reaches)
	}
	q.Descend, q.Below = true, []string{audit}
	for range 2 { // what was counted of the first is not held against the second
		if told := outcomes(t, d, q); told[erasure.OutcomeErased] != 1 {
			t.Errorf("declared: %v", told)
		}
		q.Match.Values = []string{"zq-u2"}
	}
}
