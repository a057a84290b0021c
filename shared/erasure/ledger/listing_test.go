package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

func nobody(context.Context, Again) error { return nil }

func ids(list []Again) (all []string) {
	for _, a := range list {
		all = append(all, a.ID)
	}
	return all
}

// The items of a place tell who is there, by their names or by a field, in one tenant. What a store of rows calls an item is
// nobody's id.
func TestListing(t *testing.T) {
	t.Parallel()
	l := open(t, inMemory(t, clock.NewManual(noon)), first)
	old, taken := noon.Add(-time.Hour), noon.Add(-time.Minute)
	people := place{rows: []row{
		{"tenants/acme/users/u1", "acme", old, map[string]string{"uid": "n1", "mail": "jo@acme.example"}},
		{"tenants/acme/users/u2", "acme", old, nil},
		{"tenants/acme/users/u2/orders/u5", "acme", old, nil},
		{"tenants/acme/users/u3", "acme", noon.Add(time.Hour), map[string]string{"uid": "n3"}},
		{"tenants/acme/users/u4", "acme", old, map[string]string{"uid": "n4"}},
		{"tenants/other/users/u1", "other", old, map[string]string{"uid": "n1"}},
	}}
	q := erasure.Query{Entry: "profile", Place: "tenants/acme/users", Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "acme"}, CreatedField: "created",
		Match: erasure.Match{Kind: erasure.MatchDocument, Values: []string{"nobody"}}, Action: erasure.ActionDelete}
	for _, id := range []string{"u1", "u3", "u5", "n3", "n4", `["public.users","7"]`} {
		add(t, l, uid(id), noon)
	}
	byName, sum := replay(t, l, Listing{Reader: people, Query: q, Role: ours, Kind: "uid", Address: "mail", Taken: taken}, taken)
	if !slices.Equal(ids(byName), []string{"u1"}) || byName[0].Address != "jo@acme.example" || byName[0].Entry != "profile" || sum != (Summary{Seen: 4, Again: 1, Newer: 1}) {
		t.Errorf("by name: %+v, %+v", byName, sum)
	}
	own := q
	own.CreatedField = "" // the store's own word, which may be the time of the restoring
	if again, _ := replay(t, l, Listing{Reader: people, Query: own, Role: ours, Kind: "uid", Taken: taken}, taken); !slices.Equal(ids(again), []string{"u1", "u3"}) {
		t.Errorf("by the store's own time: %v", ids(again))
	}
	byField, sum := replay(t, l, Everybody{Listing{Reader: people, Query: q, Role: ours, Kind: "uid", Field: "uid", Nobodys: true}, Listing{Reader: people, Query: q, Role: ours, Kind: "uid"}}, taken)
	if !slices.Equal(ids(byField), []string{"n4", "u1"}) || sum != (Summary{Seen: 3 + 4, Again: 2, Newer: 2}) {
		t.Errorf("by field, then by name: %v, %+v", ids(byField), sum)
	}
	_, err := l.Replay(t.Context(), Listing{Reader: people, Query: q, Role: ours, Kind: "uid", Field: "uid"}, taken, nobody)
	refused(t, "people whose field is empty", err, fault.Misconfigured)
	rows := place{rows: []row{{`["public.users","7"]`, "acme", old, nil}, {`{"in":"app.users","_id":"a/u1"}`, "acme", old, nil}}}
	q.Place = "public.users"
	sum, err = l.Replay(t.Context(), Listing{Reader: rows, Query: q, Role: ours, Kind: "uid"}, taken, nobody)
	if refused(t, "rows by their references", err, fault.Misconfigured); sum.Nameless != 2 {
		t.Errorf("rows by their references: %+v", sum)
	}
	sample := place{rows: []row{{"public.users#u1", "acme", old, nil}}}
	if again, _ := replay(t, l, Listing{Reader: sample, Query: q, Role: ours, Kind: "uid", Field: "_id"}, taken); !slices.Equal(ids(again), []string{"u1"}) {
		t.Errorf("sample data: %v", ids(again))
	}
	q.Tenant.ID = ""
	if _, err := l.Replay(t.Context(), Listing{Reader: people, Query: q, Role: ours, Kind: "uid"}, noon, nobody); err == nil {
		t.Error("people of no tenant are listed")
	}
	for _, broken := range []string{"x", erasure.Cursor(map[string]int{"I": 2}), erasure.Cursor(map[string]int{"I": -1})} {
		_, _, err := (Everybody{crowd{}, crowd{}}).Page(t.Context(), broken)
		refused(t, "the cursor "+broken, err, fault.Invalid)
	}
}

const mapText = `
identifiers: [{id: email, reusable: true, normalise: email}, {id: uid}, {id: customer_id}]
entries:
  - {id: orders, store: "postgres://app@db.example/shop", place: public.orders, region: europe-west1, role: controller, tenant: {field: tenant}, select: {column: customer, of: customer_id}, action: delete, created: made, backup_class: none}
  - {id: news, store: "firestore://p/main", place: "tenants/{tenant}/news", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: email, of: email}, action: delete, backup_class: none}
  - {id: files, store: "gcs://b", place: "tenants/{tenant}/", region: europe-west1, role: controller, tenant: {path: true}, select: {prefix: "{uid}/"}, action: delete, backup_class: none}
  - {id: logins, store: "firestore://p/main", place: "tenants/{tenant}/logins", region: europe-west1, role: controller, tenant: {path: true}, select: {document: "{uid}"}, action: delete, backup_class: none}
  - {id: crm, store: "mongodb://db.example", place: "crm.people", region: europe-west1, role: controller, tenant: {field: t}, select: {document: "{customer_id}"}, action: delete, backup_class: none}
  - {id: users, store: "firestore://p/main", place: "tenants/{tenant}/users", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: email, of: email}, action: delete, created: made, directory: true, address: email,
     derives: [{identifier: uid, from: ids.uid}], backup_class: none}
`

func readMap(t *testing.T, text string) *datamap.Map {
	t.Helper()
	files := fstest.MapFS{}
	for name, data := range map[string]string{
		"company.yaml": "company: {name: X, domains: [x.example], zone: Europe/Berlin, country: DE, languages: [en], day_end: \"24:00\", environments: [{id: live, project: p, kind: live}]}",
		"people.yaml":  "people: [{id: a, email: a@x.example, name: A, roles: [owner], zone: Europe/Berlin, language: en}]", "promises/x.yaml": "promises: []", datamap.File: text,
	} {
		files["x/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	p, problems, err := policy.Load(files, "x")
	if err != nil {
		t.Fatal(err, problems)
	}
	m, problems := datamap.Read(p)
	if m == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	return m
}

// The map says in which places somebody's lasting id can be read, and where.
func TestListings(t *testing.T) {
	t.Parallel()
	opened := []string{}
	listed, left, err := Listings(readMap(t, mapText), "acme", noon, func(url string) (erasure.Reader, error) {
		opened = append(opened, url)
		return nil, nil
	})
	var got []string
	for _, l := range listed {
		got = append(got, fmt.Sprintf("%s:%s=%s,%s,%t", l.Query.Entry, l.Kind, l.Field, l.Address, l.Nobodys))
	}
	slices.Sort(got)
	slices.Sort(left)
	want := []string{"crm:customer_id=_id,,true", "logins:uid=,,true", "orders:customer_id=customer,,true", "users:uid=ids.uid,email,false"}
	if err != nil || !slices.Equal(got, want) || !slices.Equal(left, []string{"files", "news"}) || len(opened) != 4 {
		t.Errorf("listed %q, left %q, opened %q, %v", got, left, opened, err)
	}
	nowhere := strings.Replace(mapText, "directory: true, address: email,", "", 1)
	_, _, err = Listings(readMap(t, nowhere), "acme", noon, func(string) (erasure.Reader, error) { return nil, nil })
	refused(t, "a map without a directory", err, fault.Misconfigured)
}

// TestListingsOfSeeds: of each sample company it can be told who is there.
func TestListingsOfSeeds(t *testing.T) {
	t.Parallel()
	for _, seed := range []string{"baseline", "bepark", "bookafy", "labelsync", "sharedcontacts"} {
		p, _, err := policy.Load(policies.FS, seed)
		if err != nil {
			t.Fatal(err)
		}
		m, problems := datamap.Read(p)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		listed, _, err := Listings(m, "acme", noon, func(string) (erasure.Reader, error) { return nil, nil })
		if err != nil || !slices.ContainsFunc(listed, func(l Listing) bool { return l.Query.Entry == m.Directory().ID && !l.Nobodys }) {
			t.Errorf("%s: %d listings, %v", seed, len(listed), err)
		}
	}
}
