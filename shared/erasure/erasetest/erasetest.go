// Package erasetest is the suite every store of personal data passes, against the real thing or a server that speaks its
// protocol. It holds what package erasure promises: the right items and no others, twin tenants untouched to the byte,
// nothing torn by a crash, and no word of a person in an error.
//
// A store that cannot recognise items in one of the ways leaves it out of Harness.Kinds; everything else is asked of
// all. What a store does on top (holds, what lies below a document, old versions) is for its own tests.
package erasetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
)

// Fields of the documents the suite puts, for stores that must declare them. Any of them may be absent.
const (
	FieldTenant  = "tenant_id"  // text; the World writes it where the tenant is bound by a field
	FieldUID     = "uid"        // text
	FieldOwner   = "owner"      // map[string]any with "id"; found as "owner.id"
	FieldMembers = "members"    // []any of text
	FieldRoles   = "roles"      // map[string]any of text
	FieldEmail   = "email"      // text
	FieldName    = "name"       // text
	FieldCity    = "city"       // text
	FieldBorn    = "born"       // text, YYYY-MM-DD
	FieldNote    = "note"       // text
	FieldAmount  = "amount"     // int64
	FieldCreated = "created_at" // text, RFC 3339 in UTC with whole seconds; a store may keep it as a time of its own
)

// Harness is one driver.
type Harness struct {
	// Bindings are how a place of this store may tell its tenants; the suite runs for each.
	Bindings []erasure.Binding
	// Kinds are the ways of recognising items it knows, MatchTenant and one of MatchEquals and MatchMetadata among them.
	Kinds []erasure.MatchKind
	// Folds are those of Kinds by which items are found whatever the case of A to Z; by the others that is Invalid.
	Folds []erasure.MatchKind
	// Nameless reports that items are not recognised by their Refs (MatchRef): Invalid.
	Nameless bool
	// URL is that of such a store in a data map; "" for one that tells nobody's identifiers (datamap.Listings).
	URL string
	// Nested reports that fields of fields are reached ("owner.id").
	Nested bool
	// Versions reports that what was written since it was found is told from what was found.
	Versions bool
	// Whole reports that items are deleted and never changed: Invalid for ActionAnonymise, and for Group.
	Whole bool
	// Slow leaves out the largest runs: a server that takes milliseconds for each document.
	Slow bool
	// Open returns an empty place of its own. wire.Touch is to be called before each request that the World's Reader and
	// Store send to their server, whatever becomes of it.
	Open func(t testing.TB, binding erasure.Binding, wire *Wire) World
}

// World is one place in a store, made afresh for each test.
type World interface {
	// Reader has the rights of who plans and verifies, Store of who erases.
	Reader() erasure.Reader
	Store() erasure.Store
	// Query returns a query of the place, bound to the tenant: Place and Tenant are set and nothing else.
	Query(tenant string) erasure.Query
	// Name is how Match.Values spells the item a tenant has under a name, for MatchDocument and MatchPrefix.
	Name(tenant, name string) string
	// Put writes a document, or replaces it; tenant "" is a document that tells no tenant, asked for where the binding is
	// a field and nowhere else. Both tenants may have the same name. Names are lower-case letters, digits and "-"; with
	// MatchPrefix among the kinds also "/".
	Put(t testing.TB, tenant, name string, document map[string]any)
	// Get returns a document as it was put, but for FieldTenant, which it leaves out; false where there is none. A field
	// that is null, and one that is absent, may both be left out.
	Get(t testing.TB, tenant, name string) (map[string]any, bool)
	// Export returns everything the store keeps of a tenant in the place, in an order that does not change: names,
	// values with their types, times and versions, what lies below.
	Export(t testing.TB, tenant string) []byte
	// Absent returns a reader and a query of a place that does not exist: NotFound. A nil reader means that in this
	// store every place exists.
	Absent(t testing.TB) (erasure.Reader, erasure.Query)
	// Stranger returns a store whose account has no rights, or wrong credentials: Denied. Nil where there are none.
	Stranger(t testing.TB) erasure.Store
	// Tired returns a store whose server answers every request that it is asked too much, and to come back in a
	// minute: Exhausted. Nil where its protocol has no such answer.
	Tired(t testing.TB) erasure.Store
}

// Wire counts the requests of one World.
type Wire struct {
	mu    sync.Mutex
	count int
	at    int
	do    func()
}

// Touch is called before each request.
func (w *Wire) Touch() {
	w.mu.Lock()
	w.count++
	var do func()
	if w.do != nil && w.count == w.at {
		do, w.do = w.do, nil
	}
	w.mu.Unlock()
	if do != nil {
		do()
	}
}

// Requests returns how many requests there have been.
func (w *Wire) Requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// in has do called once, before the n-th request from now.
func (w *Wire) in(n int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.do = w.count+n, do
}

type test func(*testing.T, *scene)

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	tests := map[string]test{
		"each way of recognising finds its items":         kinds,
		"what looks like a pattern is text":               hostile,
		"letters and capitals":                            letters,
		"what another search finds is left out":           leavingOut,
		"items are found by their names":                  byName,
		"digests are told":                                digests,
		"an unbound query is refused":                     refused,
		"pages are whole, whatever their size":            paging,
		"a walk survives erasing":                         walking,
		"items made later are left out":                   created,
		"identifiers are read":                            values,
		"what is asked to be shown is":                    showing,
		"groups are counted":                              groups,
		"erased twice is gone":                            twice,
		"written meanwhile is changed":                    changed,
		"a foreign tenant is never touched":               foreign,
		"members and keys are taken out":                  takingOut,
		"anonymised once and for all":                     anonymised,
		"totals take over what goes":                      summing,
		"twin tenants":                                    twins,
		"a tenant leaves as a whole":                      leaving,
		"killed at any request, resumed and done":         killed,
		"a place that does not exist, no rights, no rest": answers,
		"reads do not grow with the place":                flat,
		"three at the same time":                          three,
	}
	for _, binding := range h.Bindings {
		t.Run(string(binding), func(t *testing.T) {
			t.Parallel()
			for name, run := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					run(t, open(t, h, binding))
				})
			}
		})
	}
}

// Mark is in every identifier, name and address the suite makes: no error may hold it.
const Mark = "zq"

// The tenants, twins down to the identifiers of their people, and the people, neighbours in every order there is.
const (
	here, there = "alpha", "alphabet"
	u1, u10, u2 = Mark + "-u1", Mark + "-u10", Mark + "-u2"
)

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// scene is a World with what the tests ask of it again and again.
type scene struct {
	World
	Harness
	wire    *Wire
	binding erasure.Binding
}

func open(t testing.TB, h Harness, binding erasure.Binding) *scene {
	t.Helper()
	wire := &Wire{}
	return &scene{World: h.Open(t, binding, wire), Harness: h, wire: wire, binding: binding}
}

func (s *scene) has(kind erasure.MatchKind) bool { return slices.Contains(s.Kinds, kind) }

// of returns the query for everything with the uid, to be deleted.
func (s *scene) of(tenant string, uids ...string) erasure.Query {
	kind := erasure.MatchEquals
	if !s.has(kind) {
		kind = erasure.MatchMetadata
	}
	return s.by(tenant, kind, FieldUID, uids...)
}

func (s *scene) by(tenant string, kind erasure.MatchKind, field string, values ...string) erasure.Query {
	q := s.Query(tenant)
	q.Entry, q.Action, q.CreatedField = "suite", erasure.ActionDelete, FieldCreated
	q.Match = erasure.Match{Kind: kind, Field: field, Values: values}
	return q
}
