// Package erasure holds what the data map, the requests and the stores of personal data say to each other: which
// data of whom, how it is found, what is done to it, and what became of each item.
//
// It promises that a Query is bound to one tenant, and that what a store returns about an item (Ref, Version) is
// enough to act on that item and no other. It does not decide anything: package datamap makes queries, package
// request decides, the packages named after a store act.
package erasure

import (
	"slices"
	"strings"
	"time"
)

// Limits of one call. A unit of work is one page.
const (
	MaxPage   = 300 // items in one page
	MaxValues = 100 // identifier values in one query
)

// Query asks one store for the items of one entry of the data map that belong to one subject (or, with
// MatchTenant, to one tenant as a whole). Only package datamap makes queries; a store refuses with fault.Invalid
// one whose Tenant is not bound.
type Query struct {
	Entry  string // id in the data map
	Place  string // in the store's notation: a collection path or group, a bucket, a table, a database and collection
	Tenant Tenant
	Match  Match
	// Not leaves out what one of these recognises as well: another search finds it. Find, Values and Group go by it; Erase
	// does not, for what its items are was said when they were found.
	Not     []Match
	Descend bool     // what lies below an item is part of it: subcollections, also under missing parents
	Below   []string // places whose items go with those they refer to, of a store that reaches into others by itself (ON DELETE CASCADE)
	// Except names collections inside a whole tenant's place, on Firestore: what lies in or below them is of other entries,
	// which erase or keep it by rules of their own.
	Except  []string
	Action  Action   // what Erase does to an item
	Changes []Change // of ActionAnonymise: at least one
	// Mark is a secret of the request, by which totals count it once (ChangeAggregate); "" for none: then they count nobody.
	Mark string
	// Whose is the field that tells whom an item is about, of MatchTenant: totals count each of them. "" where none does.
	Whose string
	// CreatedField is where an item tells when it was made: a dotted path, RFC 3339 text, microseconds or the store's
	// own time type. "" is the store's own record of it, where there is one.
	CreatedField string
	// CreatedBefore leaves out items made at or after it; zero leaves out none. An item whose time cannot be told is
	// not left out, and its Created is zero.
	CreatedBefore time.Time
	// Show names fields whose text Find returns with each item of the tenant: what a provider needs to end a grant. Searches
	// for what is to be erased show nothing.
	Show []string
}

// Binding says how an item tells its tenant.
type Binding string

// The bindings. A place declared global holds data of no tenant and is compiled only with a reviewer's note.
const (
	BindPath   Binding = "path"   // the tenant's id is a segment of Place or of the item's name
	BindField  Binding = "field"  // Tenant.Field of the item equals the tenant's id
	BindGlobal Binding = "global" // shared data, keyed by the subject alone
)

// Tenant binds a query. An item whose tenant differs or is absent is never touched: OutcomeForeign.
type Tenant struct {
	Binding Binding
	Field   string // of BindField: a dotted path, a column, or a metadata key
	ID      string // never empty, except for BindGlobal
}

// MatchKind says how an item is recognised.
type MatchKind string

// The ways of recognising an item. Text is compared exactly, bytes, case and all, but where Match.Fold says otherwise.
const (
	MatchRef      MatchKind = "ref"      // Values are the Refs of items that a Find of the place returned; nobody else's word is one
	MatchDocument MatchKind = "document" // Values are whole names: a document path, a primary key, an object's name
	MatchEquals   MatchKind = "equals"   // Field (dotted path or column) equals one of Values
	MatchContains MatchKind = "contains" // the list in Field holds one of Values; erasing takes the member out
	MatchMapKey   MatchKind = "map_key"  // the map in Field has one of Values as a key; erasing takes the key out
	MatchPrefix   MatchKind = "prefix"   // names that begin with one of Values, each of which ends with a separator
	MatchMetadata MatchKind = "metadata" // the object's metadata Field equals one of Values
	MatchTenant   MatchKind = "tenant"   // everything of the tenant: account closure
)

// Match recognises the items of a subject.
type Match struct {
	Kind   MatchKind
	Field  string
	Values []string // 1 to MaxValues, none empty; none for MatchTenant
	// Fold says that A to Z are compared whatever their case; of no other letter is it certain that it means the same. Of
	// MatchEquals, MatchContains, MatchMapKey and MatchMetadata alone. A store that could only do so by reading what it has of
	// everybody is Invalid: it never answers for the letters that were given and keeps silent about the others.
	Fold bool
}

// Is reports whether text is one of the values of a match that compares text; a prefix or a path is not told by it.
func (m Match) Is(text string) bool {
	return text != "" && slices.ContainsFunc(m.Values, func(v string) bool {
		return v == text || m.Fold && Lower(v) == Lower(text)
	})
}

// Lower makes A to Z small, and leaves every other character as it is.
func Lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// Folded are the values of a match that folds, as Lower has them.
func (m Match) Folded() []string {
	var all []string
	for _, v := range m.Values {
		all = append(all, Lower(v))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Action is what Erase does to an item.
type Action string

// The actions. Of an item found by MatchContains or MatchMapKey, ActionDelete takes out the member and leaves the item.
const (
	ActionDelete    Action = "delete"
	ActionAnonymise Action = "anonymise"
)

// ChangeKind is what happens to one field of an anonymised item.
type ChangeKind string

// The changes. None keeps anything computed from the old value but ChangeGeneralise, which keeps its coarser part.
const (
	ChangeDelete     ChangeKind = "delete"     // the field is removed; a column becomes NULL
	ChangeSet        ChangeKind = "set"        // a fixed value, the same for everybody
	ChangeGeneralise ChangeKind = "generalise" // To says how coarse
	ChangeDetach     ChangeKind = "detach"     // a reference to the subject is removed (the field set to null)
	// ChangeAggregate removes the field as ChangeDelete does and adds what it held to a total, both in one atomic step. A store
	// that cannot do so is Invalid for it.
	ChangeAggregate ChangeKind = "aggregate"
)

// Granularity is what ChangeGeneralise leaves.
type Granularity string

// The granularities.
const (
	ToMonth Granularity = "month" // of a date: its first day of the month
	ToYear  Granularity = "year"  // of a date: the first of January
	ToMap   Granularity = "map"   // Coarser[old value], or "" where it is not listed
)

// Change is done to one field.
type Change struct {
	Field   string // dotted path or column
	Kind    ChangeKind
	Value   string // of ChangeSet
	To      Granularity
	Coarser map[string]string // of ToMap: city to country, say
	Into    string            `json:",omitempty"` // of ChangeAggregate: the place of the totals, in the same store
	By      []string          `json:",omitempty"` // of ChangeAggregate: fields by which there is a total each, as they stand after the change
	Least   int               `json:",omitempty"` // of ChangeAggregate: how many a total counts of those it is made of, and no more
}

// Item is one thing found: a document, an object with one generation, a row.
type Item struct {
	// Ref names the item in its store and nothing else; it may hold personal data, so it is sealed where it is kept and
	// never logged, recorded or shown.
	Ref     string
	Version string    // changes with every write of the item; "" where the store has none
	Created time.Time // zero where it cannot be told
	Tenant  string    // as the item tells it; "" absent
	// Clean reports that nothing is left to do: an anonymised item already has the values of Query.Changes.
	Clean bool
	// Held says until when the store itself refuses to erase the item (a retention lock, a hold); zero for not held.
	Held time.Time
	Why  string // of Held: the reason in plain words, without anything personal; "" where the store gives none
	// Shown holds the text of the fields that Query.Show names, as far as the item has them; empty for an item of another
	// tenant. It is handled as Ref is.
	Shown map[string]string
	// Below is how many things below the item go with it (Query.Descend), as far as the store counts them.
	Below int64 `json:",omitempty"`
	// Seen is Result.Seen of the last Erase of the item, for the next; sealed as Ref is.
	Seen string `json:",omitempty"`
	// Totals are those that erasing the item adds to, as Place and Name with "/" between them, of a query that Sums and an item
	// that is not Clean.
	Totals []string `json:"-"`
}

// Endless is until when an item is held that somebody has to let go.
var Endless = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Page is one step of a walk. Items are in the store's own unchanging order.
type Page struct {
	Items []Item // at most the limit asked for; may be empty although Next is not
	Next  string // where the walk goes on, "" at its end; opaque, sealed where it is kept
}

// Outcome is what became of one item.
type Outcome string

// The outcomes.
const (
	OutcomeErased     Outcome = "erased"     // gone, or anonymised, by this call
	OutcomeGone       Outcome = "gone"       // was no longer there, no longer matched, or was clean
	OutcomeChanged    Outcome = "changed"    // written since it was found: to be found again
	OutcomeForeign    Outcome = "foreign"    // its tenant differs or is absent: not touched, an alarm
	OutcomeHeld       Outcome = "held"       // the store refuses until Result.Until
	OutcomeIncomplete Outcome = "incomplete" // part of it is erased; a later call goes on (more below it than one page)
)

// Result is what became of one item.
type Result struct {
	Ref     string
	Outcome Outcome
	Until   time.Time // of OutcomeHeld; zero where the store does not say
	Why     string    // of OutcomeHeld, as Item.Why
	Seen    string    // of OutcomeIncomplete: how far it was looked below the item, where nothing is erased before all was seen
}

// Size is how many things an item is: itself, where it exists, and those below it.
func (i Item) Size() int64 {
	if i.Version == "" && i.Below > 0 {
		return i.Below
	}
	return 1 + i.Below
}

// Traces says what a store keeps of erased data, and for how long, whatever is asked of it. The receipt names it.
type Traces struct {
	SoftDelete time.Duration // erased objects can be restored this long; 0 for not at all
	Rewind     time.Duration // the database can be rewound this far (point-in-time recovery); 0 for not at all
	Unknown    []string      // what could not be asked, in plain words
	Reaches    []string      // what the store deletes or changes by itself when an item goes, in plain words
}
