package mongodb

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

var (
	oid, _ = bson.ObjectIDFromHex("65920080a1b2c3d4e5f60718") // of 2024-01-01
	moment = bson.NewDateTimeFromTime(time.Date(2024, 5, 17, 11, 0, 0, 0, time.UTC))
	binary = bson.Binary{Subtype: uuidSubtype, Data: []byte("0123456789abcdef")}
)

const binaryWord = "30313233-3435-3637-3839-616263646566"

// TestIdentifiersOfEveryType: ids are walked whatever their types, and found by the text that spells them.
func TestIdentifiersOfEveryType(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	d, q := s.open(t, limits{}), of(place)
	words := map[any]string{int32(7): "7", int64(1) << 40: "1099511627776", 8.0: "8", "text": "text", oid: oid.Hex(), "12": "12"}
	ids := []any{int32(7), int64(1) << 40, 8.0, "text", oid, binary, bson.NewDateTimeFromTime(time.Unix(0, 0)), true, "12"}
	for _, id := range ids {
		put(t, c, bson.D{{Key: "_id", Value: id}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}})
	}
	var walked []string
	for cursor := ""; ; {
		page, err := d.Find(t.Context(), q, cursor, 1)
		must(t, err)
		for _, i := range page.Items {
			walked = append(walked, i.Ref)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	whole := find(t, d, q)
	if len(whole) != len(ids) || !slices.EqualFunc(whole, walked, func(i erasure.Item, ref string) bool { return i.Ref == ref }) {
		t.Errorf("at once %v, one by one %q", whole, walked)
	}
	for id, w := range words {
		q.Match = erasure.Match{Kind: erasure.MatchDocument, Values: []string{w}}
		if items := find(t, d, q); len(items) != 1 {
			t.Errorf("by %T %q: %v", id, w, items)
		}
	}
	q.Match.Values = []string{binaryWord}
	if items := find(t, d, q); len(items) != 1 {
		t.Errorf("by a UUID: %v", items)
	}
	q.Match.Values = []string{"07", "7.0", "65920080A1B2C3D4E5F60718", "true"}
	if items := find(t, d, q); len(items) != 0 {
		t.Errorf("by what is nearly an id: %v", items)
	}
	q = of(place)
	for _, i := range whole {
		if want := map[bool]time.Time{true: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}[i.Ref == fmt.Sprintf(`{"in":"%s","_id":{"$oid":"%s"}}`, place, oid.Hex())]; !i.Created.Equal(want) {
			t.Errorf("%s was made %s, want %s", i.Ref, i.Created, want)
		}
	}
	results, err := d.Erase(t.Context(), q, whole)
	must(t, err)
	if slices.ContainsFunc(results, func(r erasure.Result) bool { return r.Outcome != erasure.OutcomeErased }) || len(results) != len(ids) {
		t.Errorf("results %v", results)
	}
}

// TestReferences: a person, a tenant and the members of a list may be ObjectIDs, numbers or UUIDs; what stays keeps its type.
func TestReferences(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: oid}, {Key: "owner", Value: bson.D{{Key: "id", Value: int32(12)}}}, {Key: "list", Value: bson.A{oid, moment, int32(12), "12", binary, "other"}},
		{Key: "keys", Value: bson.D{{Key: "k1", Value: moment}, {Key: "k2", Value: bson.Null{}}}}})
	d, q := s.open(t, limits{}), of(place)
	q.Tenant.ID = oid.Hex()
	take := func(kind erasure.MatchKind, field string, values ...string) {
		t.Helper()
		q.Match = erasure.Match{Kind: kind, Field: field, Values: values}
		items := find(t, d, q)
		if len(items) != 1 || items[0].Tenant != oid.Hex() {
			t.Fatalf("by %s: %v", field, items)
		}
		results, err := d.Erase(t.Context(), q, items)
		if must(t, err); results[0].Outcome != erasure.OutcomeErased {
			t.Errorf("by %s: %v", field, results)
		}
	}
	take(erasure.MatchContains, "list", "12", binaryWord)
	take(erasure.MatchMapKey, "keys", "k2", "k3")
	left, err := c.FindOne(t.Context(), bson.D{}).Raw()
	must(t, err)
	if got, want := left.Lookup("list").String()+left.Lookup("keys").String(), `[{"$oid":"65920080a1b2c3d4e5f60718"},{"$date":{"$numberLong":"1715943600000"}},"other"]{"k1": {"$date":{"$numberLong":"1715943600000"}}}`; got != want {
		t.Errorf("left is %s, want %s", got, want)
	}
	if got, err := d.Values(t.Context(), q, "list", 3); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %q, %v", got, err)
	}
	q.Match = erasure.Match{Kind: erasure.MatchEquals, Field: "owner.id", Values: []string{"12"}}
	if got, err := d.Values(t.Context(), q, "list", 3); err != nil || !slices.Equal(got, []string{oid.Hex(), "other"}) {
		t.Errorf("read %q, %v", got, err)
	}
	take(erasure.MatchEquals, "owner.id", "12")
}

// TestAnonymise: fields keep their types, and what is absent stays absent.
func TestAnonymise(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	born := bson.NewDateTimeFromTime(time.Date(1990, 5, 17, 11, 0, 0, 0, time.UTC))
	put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}, {Key: "born", Value: born}, {Key: "p", Value: bson.D{{Key: "city", Value: "Lyon"}, {Key: "zip", Value: int32(69001)}, {Key: "n", Value: moment}}}, {Key: "score", Value: 3.5}})
	d, q := s.open(t, limits{}), of(place)
	q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{
		{Field: "born", Kind: erasure.ChangeGeneralise, To: erasure.ToYear}, {Field: "p.city", Kind: erasure.ChangeSet, Value: "none"}, {Field: "p.zip", Kind: erasure.ChangeDelete},
		{Field: "p.none.at.all", Kind: erasure.ChangeSet, Value: "x"}, {Field: "score", Kind: erasure.ChangeDetach},
	}
	results, err := d.Erase(t.Context(), q, find(t, d, q))
	if must(t, err); results[0].Outcome != erasure.OutcomeErased {
		t.Errorf("results %v", results)
	}
	if items := find(t, d, q); len(items) != 1 || !items[0].Clean {
		t.Errorf("changed, and found as %v", items)
	}
	left, err := c.FindOne(t.Context(), bson.D{}).Raw()
	must(t, err)
	if got, want := left.Lookup("born").Time().UTC().Format(time.DateOnly)+left.Lookup("p").String()+left.Lookup("score").String(), `1990-01-01{"city": "none","n": {"$date":{"$numberLong":"1715943600000"}}}null`; got != want {
		t.Errorf("left is %s, want %s", got, want)
	}
	q.Changes = []erasure.Change{{Field: "uid", Kind: erasure.ChangeSet, Value: ""}, {Field: "uid.id", Kind: erasure.ChangeDelete}}
	if results, err = d.Erase(t.Context(), q, find(t, d, q)); err != nil || results[0].Outcome != erasure.OutcomeErased {
		t.Errorf("%v, %v", results, err)
	}
}

// TestWhatCannotBe: what the store cannot carry out is refused, not found empty.
func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	put(t, c, bson.D{{Key: "_id", Value: "a"}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}, {Key: "tags", Value: bson.A{person}}, {Key: "people", Value: bson.A{bson.D{{Key: "id", Value: person}}}}})
	d := s.open(t, limits{})
	for name, spoil := range map[string]func(*erasure.Query){
		"no database":             func(q *erasure.Query) { q.Place = "people" },
		"no collection":           func(q *erasure.Query) { q.Place = "suite." },
		"an operator for a place": func(q *erasure.Query) { q.Place = "suite.$cmd" },
		"an operator for a field": func(q *erasure.Query) { q.Match.Field = "$where" },
		"an operator in a field":  func(q *erasure.Query) { q.Match.Field = "uid.$ne" },
		"an operator for a key":   func(q *erasure.Query) { q.Match.Kind, q.Match.Values = erasure.MatchMapKey, []string{"$ne"} },
		"a key with a dot":        func(q *erasure.Query) { q.Match.Kind, q.Match.Values = erasure.MatchMapKey, []string{"zq.u1"} },
		"an empty part":           func(q *erasure.Query) { q.Tenant.Field = "tenant." },
		"the key to be changed": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "_id", Kind: erasure.ChangeDelete}}
		},
		"the tenant to be changed": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "tenant", Kind: erasure.ChangeDetach}}
		},
		"a tenant elsewhere":      func(q *erasure.Query) { q.Tenant = erasure.Tenant{Binding: erasure.BindPath, ID: "suit"} },
		"a list where a value is": func(q *erasure.Query) { q.Match.Field = "tags" },
		"a value where a list is": func(q *erasure.Query) { q.Match.Kind = erasure.MatchContains },
		"a path through a list":   func(q *erasure.Query) { q.Match.Field = "people.id" },
		"a change through a list": func(q *erasure.Query) {
			q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "people.id", Kind: erasure.ChangeDelete}}
		},
	} {
		q := of(place)
		spoil(&q)
		_, err := d.Find(t.Context(), q, "", 10)
		wants(t, name, err, fault.Invalid)
	}
	_, err := d.Group(t.Context(), of(place), []string{"tags"})
	wants(t, "groups of lists", err, fault.Invalid)
}

// TestNeighbours: how others write their documents keeps nobody from erasing her own. A tenant in a list is none.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	document := func(id string, tenant, uid any) bson.D {
		return bson.D{{Key: "_id", Value: id}, {Key: "tenant", Value: tenant}, {Key: "uid", Value: uid}, {Key: "note", Value: bson.D{{Key: "text", Value: "x"}}}}
	}
	listed := bson.A{person}
	put(t, c, document("a", "beta", listed), document("b", "alpha", person), document("c", nil, listed), document("d", bson.A{"alpha"}, person), document("e", "beta", person))
	_, err := c.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: "e"}}, bson.D{{Key: "$set", Value: bson.D{{Key: "note", Value: bson.A{bson.D{{Key: "text", Value: "x"}}}}}}})
	must(t, err)
	d, q := s.open(t, limits{}), of(place)
	changing := q
	changing.Action, changing.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "note.text", Kind: erasure.ChangeDelete}}
	for _, q := range []erasure.Query{changing, q} {
		items := find(t, d, q)
		var tenants []string
		for _, i := range items {
			tenants = append(tenants, i.Tenant)
		}
		if !slices.Equal(tenants, []string{"alpha", "", "beta"}) {
			t.Fatalf("to %s: found of the tenants %q", q.Action, tenants)
		}
		results, err := d.Erase(t.Context(), q, items)
		must(t, err)
		for i, want := range []erasure.Outcome{erasure.OutcomeErased, erasure.OutcomeForeign, erasure.OutcomeForeign} {
			if results[i].Outcome != want {
				t.Errorf("to %s, of %q: %s", q.Action, tenants[i], results[i].Outcome)
			}
		}
	}
	if left, err := c.CountDocuments(t.Context(), bson.D{}); err != nil || left != 4 {
		t.Errorf("%d documents are left, %v", left, err)
	}
	closing := q
	closing.Match = erasure.Match{Kind: erasure.MatchTenant}
	if items := find(t, d, closing); len(items) != 0 {
		t.Errorf("of the whole tenant: %+v", items)
	}
}

// TestLargeCollections: a search that would go through the whole of a large collection is refused until there is an index.
func TestLargeCollections(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	var many []any
	for i := range smallCollection + 1 {
		many = append(many, bson.D{{Key: "_id", Value: i}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: fmt.Sprint("zq-u", i)}})
	}
	_, err := c.InsertMany(t.Context(), many)
	must(t, err)
	d, q := s.open(t, limits{}), of(place)
	_, err = d.Find(t.Context(), q, "", 10)
	wants(t, "without an index", err, fault.Invalid)
	_, err = c.Indexes().CreateOne(t.Context(), index("uid"))
	must(t, err)
	if items := find(t, d, q); len(items) != 1 {
		t.Errorf("%d items by the index", len(items))
	}
	whatever := q
	whatever.Match.Fold = true
	_, err = d.Find(t.Context(), whatever, "", 10)
	wants(t, "whatever the case, by an index that tells it", err, fault.Invalid)
	q.Match = erasure.Match{Kind: erasure.MatchDocument, Values: []string{"17"}}
	if items := find(t, d, q); len(items) != 1 {
		t.Errorf("%d items by their id", len(items))
	}
	all, err := d.Places(t.Context(), 10000)
	must(t, err)
	if !slices.Contains(all, place) || !slices.IsSorted(all) || slices.ContainsFunc(all, func(p string) bool { return p[:6] == "admin." }) {
		t.Errorf("places %q", all)
	}
	_, err = d.Places(t.Context(), 0)
	wants(t, "more places than were asked for", err, fault.Exhausted)
	if traces, err := d.Traces(t.Context()); err != nil || len(traces.Unknown) != 1 {
		t.Errorf("traces %v, %v", traces, err)
	}
}

// TestDecimals: the test's server has no decimals, but references to them are written and read, and spell identifiers.
func TestDecimals(t *testing.T) {
	t.Parallel()
	decimal, err := bson.ParseDecimal128("12.50")
	must(t, err)
	raw, err := bson.Marshal(bson.D{{Key: "_id", Value: decimal}})
	must(t, err)
	value := bson.Raw(raw).Lookup("_id")
	name, err := ref("db.c", value)
	must(t, err)
	if back, err := id("db.c", name); err != nil || !back.Equal(value) || word(back) != "12.50" {
		t.Errorf("%s is read as %v, %v", name, back, err)
	}
	for _, bad := range []string{"", "{}", `{"_id":1}`, name[:len(name)-1], `{"in":"db.d","_id":{"$numberInt":"1"}}`, `{"in":"db.c"}`} {
		_, err := id("db.c", bad)
		wants(t, bad, err, fault.Invalid)
	}
}

// TestShownKeys: what a document is called can be shown as any field can, spelt as an identifier.
func TestShownKeys(t *testing.T) {
	t.Parallel()
	s := started(t)
	c, place := s.collection(t)
	id := bson.NewObjectID()
	put(t, c, bson.D{{Key: "_id", Value: id}, {Key: "tenant", Value: "alpha"}, {Key: "uid", Value: person}})
	q := of(place)
	q.Action, q.Match, q.Show = "", erasure.Match{Kind: erasure.MatchTenant}, []string{"_id", "uid"}
	if items := find(t, s.open(t, limits{}), q); len(items) != 1 || items[0].Shown["_id"] != id.Hex() || items[0].Shown["uid"] != person {
		t.Errorf("found %+v", items)
	}
}
