package firestore_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/fault"
)

func uid(id string) map[string]*pb.Value { return map[string]*pb.Value{"uid": value(id)} }

// paths are the paths of all documents, in order.
func (w *world) paths(t testing.TB) (all []string) {
	t.Helper()
	for _, d := range w.everything(t) {
		all = append(all, strings.TrimPrefix(d.Name, w.database+"/documents/"))
	}
	return all
}

func find(t testing.TB, w *world, q erasure.Query, limit int) (items []erasure.Item) {
	t.Helper()
	for cursor := ""; ; {
		page, err := w.store.Find(t.Context(), q, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items
		}
	}
}

func erase(t testing.TB, w *world, q erasure.Query, items ...erasure.Item) (outcomes []erasure.Outcome) {
	t.Helper()
	results, err := w.store.Erase(t.Context(), q, items)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		outcomes = append(outcomes, r.Outcome)
	}
	return outcomes
}

func document(w *world, tenant string, ids ...string) erasure.Query {
	q := w.Query(tenant)
	q.Action, q.Descend, q.Match = erasure.ActionDelete, true, erasure.Match{Kind: erasure.MatchDocument, Values: ids}
	return q
}

// TestBelow: what lies below goes first and all of it, below documents that do not exist too, and of neighbours nothing.
func TestBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	const people = "tenants/a/people/"
	mine := []string{"u1", "u1/orders/o1", "u1/orders/o2/lines/l1", "u1/deep/missing/orders/o3", "u2/orders/o1/lines/l9"}
	others := []string{people + "u10", people + "u10/orders/o1", people + "u", people + "u1\x00/orders/o1", "tenants/a/peoples/u1/orders/o1", "tenants/b/people/u1", "tenants/b/people/u1/orders/o1"}
	for _, p := range mine {
		w.put(t, people+p, uid("x"))
	}
	for _, p := range others {
		w.put(t, p, uid("x"))
	}
	q := document(w, "a", "u1", "u2", "u3")
	items := find(t, w, q, 1)
	if len(items) != 2 || items[1].Version != "" {
		t.Fatalf("found %+v", items)
	}
	if got := erase(t, w, q, items...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased, erasure.OutcomeErased}) {
		t.Errorf("outcomes %v", got)
	}
	slices.Sort(others)
	left := w.paths(t)
	if slices.Sort(left); !slices.Equal(left, others) {
		t.Errorf("left are %q, want %q", left, others)
	}
	if got := erase(t, w, q, items...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeGone, erasure.OutcomeGone}) {
		t.Errorf("outcomes %v the second time", got)
	}
	if again := find(t, w, q, 10); len(again) != 0 {
		t.Errorf("found again: %+v", again)
	}
}

// TestMoreBelowThanOnePage: an item stays until all below it is gone; others wait for their turn.
func TestMoreBelowThanOnePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	w.put(t, "tenants/a/people/u1", uid("u1"))
	w.put(t, "tenants/a/people/u2", uid("u2"))
	for i := range erasure.MaxPage + 20 {
		w.put(t, fmt.Sprintf("tenants/a/people/u1/orders/o%03d", i), uid("u1"))
	}
	q := document(w, "a", "u1", "u2")
	items := find(t, w, q, 10)
	var got []erasure.Outcome
	for range 2 {
		got = append(got, erase(t, w, q, items...)...)
	}
	if want := []erasure.Outcome{erasure.OutcomeIncomplete, erasure.OutcomeIncomplete, erasure.OutcomeErased, erasure.OutcomeErased}; !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	if left := w.paths(t); len(left) != 0 {
		t.Errorf("%d documents are left", len(left))
	}
}

// TestAnotherTenantBelow: one document below an item that is another tenant's saves the item.
func TestAnotherTenantBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindField, &erasetest.Wire{})
	of := func(tenant string) map[string]*pb.Value {
		return map[string]*pb.Value{erasetest.FieldTenant: value(tenant)}
	}
	w.put(t, "people/u1", of("a"))
	w.put(t, "people/u1/orders/o1", nil) // tells none: it is part of what it lies below
	w.put(t, "people/u1/orders/o2", of("b"))
	w.put(t, "people/u2", of("a"))
	w.put(t, "people/u2/orders/o1", of("a"))
	q := document(w, "a", "u1", "u2")
	if got := erase(t, w, q, find(t, w, q, 10)...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeForeign, erasure.OutcomeErased}) {
		t.Errorf("outcomes %v", got)
	}
	if left := w.paths(t); len(left) != 3 {
		t.Errorf("left are %q", left)
	}
}

// TestAnotherTenantFarBelow: it saves the item, and all below it, however much is read before it.
func TestAnotherTenantFarBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindField, &erasetest.Wire{})
	of := func(tenant string) map[string]*pb.Value {
		return map[string]*pb.Value{erasetest.FieldTenant: value(tenant)}
	}
	w.put(t, "people/u1", of("a"))
	for i := range erasure.MaxPage + 20 {
		w.put(t, fmt.Sprintf("people/u1/orders/o%03d", i), of("a"))
	}
	w.put(t, "people/u1/orders/z", of("b"))
	q := document(w, "a", "u1")
	if got := erase(t, w, q, find(t, w, q, 10)...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeForeign}) {
		t.Errorf("outcomes %v", got)
	}
	if left := w.paths(t); len(left) != erasure.MaxPage+22 {
		t.Errorf("%d documents are left", len(left))
	}
}

// TestBelowWhatIsGone: what is written late below a document that was deleted is found by the name of that document, and is
// whose it says: of nobody, unless the caller knows whose the document was.
func TestBelowWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindField, &erasetest.Wire{})
	of := func(tenant string) map[string]*pb.Value {
		return map[string]*pb.Value{erasetest.FieldTenant: value(tenant)}
	}
	q := document(w, "a", "own", "told", "untold", "other", "mixed", "none")
	w.put(t, "people/own", of("a"))
	if got := erase(t, w, q, find(t, w, q, 10)...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased}) {
		t.Fatalf("outcomes %v", got)
	}
	w.put(t, "people/own/orders/late", nil)
	w.put(t, "people/told/orders/o1", nil)
	w.put(t, "people/told/orders/o2", of("a"))
	w.put(t, "people/untold/deep/missing/orders/o1", nil)
	w.put(t, "people/other/orders/o1", of("b"))
	w.put(t, "people/mixed/orders/o1", of("a"))
	w.put(t, "people/mixed/orders/o2", of("b"))
	items := find(t, w, q, 2)
	tenants := map[string]string{}
	for _, i := range items {
		if tenants[i.Ref] = i.Tenant; i.Version != "" || !i.Created.IsZero() {
			t.Errorf("what does not exist is of the version %q and the time %s", i.Version, i.Created)
		}
	}
	if want := map[string]string{"people/own": "", "people/told": "a", "people/untold": "", "people/other": "b", "people/mixed": "b"}; !maps.Equal(tenants, want) {
		t.Errorf("found %v, want %v", tenants, want)
	}
	for i := range items {
		if items[i].Ref == "people/own" { // the caller has deleted it, as one of the tenant
			items[i].Tenant = "a"
		}
	}
	became := map[string]erasure.Outcome{}
	for i, o := range erase(t, w, q, items...) {
		became[items[i].Ref] = o
	}
	want := map[string]erasure.Outcome{"people/own": erasure.OutcomeErased, "people/told": erasure.OutcomeErased,
		"people/untold": erasure.OutcomeForeign, "people/other": erasure.OutcomeForeign, "people/mixed": erasure.OutcomeForeign}
	if left := w.paths(t); !maps.Equal(became, want) || len(left) != 4 {
		t.Errorf("outcomes %v, want %v; left %q", became, want, left)
	}
}

// TestWholeTenant: everything below a collection is found, whether or not what it lies below exists.
func TestWholeTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	for _, p := range []string{"a/people/u1", "a/people/u1/orders/o1", "a/people/u2/orders/o1/lines/l1", "a/peoples/u1", "b/people/u1"} {
		w.put(t, "tenants/"+p, uid("x"))
	}
	q := w.Query("a")
	q.Action, q.Descend, q.Match.Kind = erasure.ActionDelete, true, erasure.MatchTenant
	items := find(t, w, q, 2)
	if got := erase(t, w, q, items...); len(got) != 3 || slices.ContainsFunc(got, func(o erasure.Outcome) bool { return o != erasure.OutcomeErased }) {
		t.Errorf("outcomes %v", got)
	}
	if left := w.paths(t); !slices.Equal(left, []string{"tenants/a/peoples/u1", "tenants/b/people/u1"}) {
		t.Errorf("left are %q", left)
	}
}

// TestGroup: a group below one document, and everywhere.
func TestGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	for _, p := range []string{"tenants/a/people/u1/orders/o1", "tenants/a/shops/s1/orders/o2", "tenants/a/orders/o3", "tenants/ab/orders/o4", "tenants/b/people/a/orders/o5", "orders/o6"} {
		w.put(t, p, uid("u1"))
	}
	q := erasure.Query{Place: "tenants/a/**/orders", Action: erasure.ActionDelete, Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"},
		Match: erasure.Match{Kind: erasure.MatchEquals, Field: "uid", Values: []string{"u1"}}}
	items := find(t, w, q, 2)
	theirs := q
	theirs.Place, theirs.Tenant.ID = "tenants/b/**/orders", "b"
	items = append(items, find(t, w, theirs, 2)...)
	if got := erase(t, w, q, items...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased, erasure.OutcomeErased, erasure.OutcomeErased, erasure.OutcomeForeign}) {
		t.Errorf("outcomes %v", got)
	}
	q.Place = "**/orders"
	if _, err := w.store.Find(t.Context(), q, "", 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("a group that no tenant bounds: %v", err)
	}
	q.Tenant = erasure.Tenant{Binding: erasure.BindGlobal}
	if got := find(t, w, q, 2); len(got) != 3 {
		t.Errorf("everywhere: %+v", got)
	}
	q.Match = erasure.Match{Kind: erasure.MatchDocument, Values: []string{"tenants/ab/orders/o4"}}
	if got := find(t, w, q, 2); len(got) != 1 {
		t.Errorf("by its path: %+v", got)
	}
}

func TestRefusedPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	for _, place := range []string{"", "/", "people", "tenants/a", "tenants/b/people", "tenants/a/people/", "/tenants/a/people", "tenants//people", "tenants/../people", "tenants/a/__people__",
		"tenants/a/**", "tenants/a/**/", "**/a", "tenants/**/people", "tenants/a/people/**/orders", "tenants/a/**/x/y"} {
		q := document(w, "a", "u1")
		q.Place = place
		if _, err := w.store.Find(t.Context(), q, "", 10); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", place, err)
		}
	}
	for _, id := range []string{"tenants/b/people/u1", "tenants/a/people", "tenants/a/people/u1/orders/o1", "..", "__u1__", "/", "a//b", strings.Repeat("x", 1501)} {
		if _, err := w.store.Find(t.Context(), document(w, "a", id), "", 10); !fault.Is(err, fault.Invalid) {
			t.Errorf("the document %.30q: %v", id, err)
		}
	}
	changing := document(w, "a", "u1")
	changing.Action, changing.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "uid", Kind: erasure.ChangeDelete}}
	if _, err := w.store.Find(t.Context(), changing, "", 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("changing a document and what lies below: %v", err)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	for _, p := range []string{"users/u1", "tenants/a/people/u1", "tenants/a/people/u2/orders/o1", "tenants/b/missing/m/logs/l"} {
		w.put(t, p, uid("x"))
	}
	want := []string{"tenants", "tenants/*/missing", "tenants/*/missing/*/logs", "tenants/*/people", "tenants/*/people/*/orders", "users"}
	if got, err := w.store.Places(t.Context(), 6); err != nil || !slices.Equal(got, want) {
		t.Errorf("found %q, %v; want %q", got, err, want)
	}
	if _, err := w.store.Places(t.Context(), 5); !fault.Is(err, fault.Exhausted) {
		t.Errorf("more than five: %v", err)
	}
}

// TestRarePlaces: what lies below one document of many is found one day, as each look is at others.
func TestRarePlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	w.heap(t, "people", 400, uid("x"))
	w.put(t, "people/d000300/secrets/s", uid("x"))
	for look := 0; ; look++ {
		got, err := w.store.Places(t.Context(), 10)
		if err != nil || look == 200 {
			t.Fatalf("after %d looks: %q, %v", look, got, err)
		}
		if slices.Contains(got, "people/*/secrets") {
			return
		}
	}
}

// TestNumbers: an identifier is the same person as a number, and a tenant the same tenant.
func TestNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindField, &erasetest.Wire{})
	of := func(tenant, uid any) map[string]*pb.Value {
		return map[string]*pb.Value{erasetest.FieldTenant: value(tenant), "uid": value(uid), "members": value([]any{uid, int64(8)})}
	}
	w.put(t, "people/text", of("7", "42"))
	w.put(t, "people/number", of(int64(7), int64(42)))
	w.put(t, "people/neighbour", of(int64(7), int64(421)))
	w.put(t, "people/stranger", of(int64(70), int64(42)))
	q := w.Query("7")
	q.Action, q.Match = erasure.ActionDelete, erasure.Match{Kind: erasure.MatchContains, Field: "members", Values: []string{"42"}}
	if got := erase(t, w, q, find(t, w, q, 10)...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased, erasure.OutcomeForeign, erasure.OutcomeErased}) {
		t.Errorf("members: outcomes %v", got)
	}
	q.Match = erasure.Match{Kind: erasure.MatchEquals, Field: "uid", Values: []string{"42", "042", "4.2"}}
	if ids, err := w.store.Values(t.Context(), q, "members", 5); err != nil || !slices.Equal(ids, []string{"8"}) {
		t.Errorf("members are %q, %v", ids, err)
	}
	if got := erase(t, w, q, find(t, w, q, 10)...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased, erasure.OutcomeForeign, erasure.OutcomeErased}) {
		t.Errorf("outcomes %v", got)
	}
	q.Match = erasure.Match{Kind: erasure.MatchTenant}
	if got := erase(t, w, q, find(t, w, q, 10)...); len(got) != 1 || !slices.Equal(w.paths(t), []string{"people/stranger"}) {
		t.Errorf("the tenant's: %v, left %q", got, w.paths(t))
	}
}

// TestEndOfAccount: at the end of an account a place is emptied at any depth, but for what lies in or below collections of
// other entries, whoever names it; what goes by its age is what the place itself holds.
func TestEndOfAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	for _, path := range []string{"users/u1", "users/u1/devices/d1", "users/u1/invoices/i1", "users/u1/invoices/i1/lines/l1", "users/u2/devices/d2/invoices/i2", "users/u3"} {
		w.put(t, "tenants/a/"+path, uid("u1"))
		w.put(t, "tenants/b/"+path, uid("u1"))
	}
	q := erasure.Query{Entry: "users", Place: "tenants/a/users", Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"}, Match: erasure.Match{Kind: erasure.MatchTenant}, Action: erasure.ActionDelete}
	refs := func(q erasure.Query) (all []string) {
		for _, i := range find(t, w, q, 2) {
			all = append(all, strings.TrimPrefix(i.Ref, "tenants/a/users/"))
		}
		slices.Sort(all)
		return all
	}
	if got, want := refs(q), []string{"u1", "u1/devices/d1", "u1/invoices/i1", "u1/invoices/i1/lines/l1", "u2/devices/d2/invoices/i2", "u3"}; !slices.Equal(got, want) {
		t.Errorf("all of a place: %v", got)
	}
	q.Except = []string{"invoices"}
	if got, want := refs(q), []string{"u1", "u1/devices/d1", "u3"}; !slices.Equal(got, want) {
		t.Errorf("all of a place but invoices: %v", got)
	}
	if got := erase(t, w, q, erasure.Item{Ref: "tenants/a/users/u1/invoices/i1/lines/l1", Tenant: "a"}); got[0] != erasure.OutcomeForeign {
		t.Errorf("a line of an invoice is erased: %v", got)
	}
	erase(t, w, q, find(t, w, q, 100)...)
	left := slices.DeleteFunc(w.paths(t), func(p string) bool { return !strings.HasPrefix(p, "tenants/a/") })
	if want := []string{"tenants/a/users/u1/invoices/i1", "tenants/a/users/u1/invoices/i1/lines/l1", "tenants/a/users/u2/devices/d2/invoices/i2"}; !slices.Equal(left, want) {
		t.Errorf("left are %v", left)
	}
	q.Except, q.CreatedBefore = nil, time.Now().Add(time.Hour)
	if got := refs(q); len(got) != 0 {
		t.Errorf("by age go what lies below: %v", got)
	}
}
