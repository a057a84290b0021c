package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

// Listing lists the people whom the items of one place tell of, in one tenant.
type Listing struct {
	Reader erasure.Reader
	Query  erasure.Query // of the entry, bound to the tenant; its Match, Action, Changes and Show do not count
	Role   datamap.Role  // of the entry
	Kind   string        // of the ids
	// Field holds somebody's id; "" where the item's name in its place is the id, as in users/{uid}. What a store calls an
	// item is not read for it: of a database of rows that is no name.
	Field string
	// Address is the field with the address on file, "" for none.
	Address string
	// Nobodys lets items tell of nobody: orders of guests. In the directory each item is somebody.
	Nobodys bool
	// Taken is when the backup was made: a store that keeps itself when an item was made may say when it was restored.
	Taken time.Time
}

// Page implements People. Errors as of erasure.Reader.
func (l Listing) Page(ctx context.Context, cursor string) ([]Known, string, error) {
	q := l.Query
	q.Match, q.Action, q.Changes, q.Descend, q.Below, q.Show = erasure.Match{Kind: erasure.MatchTenant}, "", nil, false, nil, nil
	for _, field := range []string{l.Field, l.Address} {
		if field != "" && !slices.Contains(q.Show, field) {
			q.Show = append(q.Show, field)
		}
	}
	page, err := l.Reader.Find(ctx, q, cursor, erasure.MaxPage)
	if err != nil {
		return nil, "", err
	}
	var people []Known
	for _, item := range page.Items {
		name, inPlace := nameOf(q.Place, item.Ref)
		if inPlace && strings.Contains(name, "/") || item.Tenant != q.Tenant.ID {
			continue // it lies below an item, or is another tenant's
		}
		known := Known{Subject: Subject{q.Tenant.ID, l.Role, l.Kind, name}, Created: item.Created, Entry: q.Entry, Address: item.Shown[l.Address]}
		switch shown := item.Shown[l.Field]; {
		case l.Field == "", l.Field == mongoName && inPlace:
		default:
			known.ID = shown
		}
		if q.CreatedField == "" && !item.Created.Before(l.Taken) {
			known.Created = time.Time{}
		}
		if known.ID != "" || !l.Nobodys {
			people = append(people, known)
		}
	}
	return people, page.Next, nil
}

// mongoName is the field in which MongoDB has the name of a document; sample data that stands for it has names alone.
const mongoName = "_id"

// nameOf is what an item is called in its place, where the store's references say so.
func nameOf(place, ref string) (name string, said bool) {
	for _, separator := range []string{"/", "#"} { // of Firestore and of the sample data that stands for it
		if name, said := strings.CutPrefix(ref, place+separator); said {
			return name, true
		}
	}
	return "", false
}

// Everybody lists the people of one place after another.
type Everybody []People

// Page implements People.
func (e Everybody) Page(ctx context.Context, cursor string) ([]Known, string, error) {
	var at struct {
		I    int
		Next string
	}
	if err := erasure.ReadCursor(cursor, &at); err != nil || at.I < 0 || at.I >= len(e) {
		if err == nil && len(e) == 0 {
			return nil, "", nil
		}
		return nil, "", fault.New(fault.Invalid, "listing people: the cursor is none of ours")
	}
	people, next, err := e[at.I].Page(ctx, at.Next)
	if at.Next = next; next == "" {
		at.I++
	}
	if err != nil || at.I == len(e) {
		return people, "", err
	}
	return people, erasure.Cursor(at), nil
}

// Listings returns how everybody in a tenant's data is listed whom the ledger may know, by the entries of the map whose
// items tell an id that nobody else will have later; and the ids of the other entries, whose items are found by what
// those tell. The readers are for the caller to fill in: open gets the URL of each. Misconfigured where the map has no
// directory, or one that tells no such id: then nobody can say who is there.
func Listings(m *datamap.Map, tenant string, taken time.Time, open func(url string) (erasure.Reader, error)) (listed []Listing, left []string, err error) {
	steps, err := m.Close(tenant)
	if err != nil {
		return nil, nil, err
	}
	directory := false
	for _, s := range steps {
		kind, field, told := tells(m, s.Entry)
		if !told {
			left = append(left, s.Entry.ID)
			continue
		}
		directory = directory || s.Entry.Directory
		l := Listing{Query: s.Query, Role: s.Entry.Role, Kind: kind, Field: field, Nobodys: !s.Entry.Directory, Taken: taken}
		if l.Query.CreatedField = s.Entry.Created; s.Entry.Directory {
			l.Address = s.Entry.Address
		}
		if l.Reader, err = open(s.Reader); err != nil {
			return nil, nil, err
		}
		listed = append(listed, l)
	}
	if !directory {
		return nil, nil, fault.New(fault.Misconfigured, "listing people: the data map has no directory: true whose items tell an id that is never given again")
	}
	return listed, left, nil
}

// tells returns the kind of id that the items of an entry tell, and the field that holds it, "" for their name.
func tells(m *datamap.Map, e *datamap.Entry) (kind, field string, told bool) {
	lasting := func(id string) bool {
		k, known := m.Kind(id)
		return known && !k.Reusable && k.Normalise == ""
	}
	scheme, _, _ := strings.Cut(e.Store, "://")
	for s := &e.Select; s != nil; s = s.Or {
		named := strings.TrimSuffix(strings.TrimPrefix(s.Document, "{"), "}")
		switch {
		case lasting(s.Of) && s.Equals+s.Column != "":
			return s.Of, s.Equals + s.Column, true
		case s.Document == "{"+named+"}" && lasting(named) && scheme == "firestore" && !strings.Contains(e.Place, "**"):
			return named, "", true
		case s.Document == "{"+named+"}" && lasting(named) && strings.HasPrefix(scheme, "mongodb"):
			return named, mongoName, true
		}
	}
	for _, d := range e.Derives {
		if lasting(d.Kind) {
			return d.Kind, d.From, true
		}
	}
	return "", "", false
}
