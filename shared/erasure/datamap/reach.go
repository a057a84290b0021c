package datamap

import (
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// nested is what lies inside the items of an entry. It follows from the map alone: found once, for all steps.
type nested struct {
	within  []string // entries, where the step takes single items
	account []string // entries, where it takes all of a tenant
	inside  []string // collections
}

// of names the entries inside the items of a step.
func (n nested) of(whole bool) []string {
	if whole {
		return n.account
	}
	return n.within
}

// within returns the entries whose items may lie inside those of an entry's step, in the order of the file. Of a whole
// tenant two of one place find the same.
func (m *Map) within(e *Entry, whole bool) []string {
	var ids []string
	for _, o := range m.Entries {
		if o.ID != e.ID && (m.takes(e, o, false) || whole && o.Place != e.Place && m.takes(e, o, true)) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// takes reports whether items of o may lie inside those of e and go with them: below a document, behind a foreign key,
// under a prefix. whole is for a whole tenant's items.
func (m *Map) takes(e, o *Entry, whole bool) bool {
	if !m.together(e, o) {
		return false
	}
	switch schemeOf(e.Store) {
	case "postgres":
		return slices.Contains(e.Below, o.Place)
	case "firestore":
		return e.Descend && (below(e.Place, o.Place) || slices.Contains(e.Below, last(o.Place)))
	case "gcs":
		return slices.ContainsFunc(e.areas(whole), func(outer string) bool {
			return slices.ContainsFunc(o.areas(false), func(inner string) bool { return inside(outer, inner) && !inside(inner, outer) })
		})
	}
	return false
}

// inside names the collections that may lie at any depth inside a place bound by its path and are of other entries: at the
// end of an account each of those goes, or stays, by its own.
func (m *Map) inside(e *Entry) []string {
	var names []string
	if schemeOf(e.Store) != "firestore" || !e.Tenant.Path || strings.Contains(e.Place, anywhere) {
		return nil
	}
	for _, o := range m.Entries {
		if o.ID != e.ID && m.together(e, o) && below(e.Place, o.Place) && !slices.Contains(names, last(o.Place)) {
			names = append(names, last(o.Place))
		}
	}
	return names
}

// Holdable refuses what no hold can keep: an entry the map has not, and fields of an entry that changes nothing of them.
// Where whole items go, any of their fields may be held, and the item stays. Code: hold_invalid.
func (m *Map) Holdable(id string, fields []string) error {
	e, known := m.Entry(id)
	if !known {
		return fault.Refuse(fault.Invalid, "hold_invalid", "The data map has no such entry: nothing would be kept.", "Use the name of an entry of the plan.")
	}
	if e.Action != Anonymise {
		return nil
	}
	for _, field := range fields {
		if !slices.ContainsFunc(e.Fields, func(f Field) bool {
			return f.Field == field || strings.HasPrefix(f.Field, field+".") || strings.HasPrefix(field, f.Field+".")
		}) {
			return fault.Refuse(fault.Invalid, "hold_invalid", "Nothing is done to one of these fields, so that holding it would keep nothing.", "Use the fields that the plan names for the entry, or leave them out to keep the entry whole.")
		}
	}
	return nil
}

// shares reports whether one item may be of both entries.
func (m *Map) shares(e, o *Entry) bool {
	if !m.together(e, o) {
		return false
	}
	if schemeOf(e.Store) != "gcs" {
		return alike(e.Place, o.Place, drivers[schemeOf(e.Store)].separate) || covers(e.Place, o.Place) || covers(o.Place, e.Place)
	}
	return slices.ContainsFunc(e.areas(false), func(a string) bool {
		return slices.ContainsFunc(o.areas(false), func(b string) bool { return inside(a, b) || inside(b, a) })
	})
}

// together reports whether two entries are in one store.
func (m *Map) together(e, o *Entry) bool {
	a, b := bare(e.Store), bare(o.Store)
	if a == b || e.regional() == o.regional() || schemeOf(a) != schemeOf(b) {
		return a == b
	}
	return slices.ContainsFunc(e.stores(m.everywhere), func(one string) bool {
		return slices.ContainsFunc(o.stores(m.everywhere), func(other string) bool { return bare(one) == bare(other) })
	})
}

// areas are the beginnings of the names of the objects that an entry's ways recognise, or that are a whole tenant's.
func (e *Entry) areas(whole bool) []string {
	var areas []string
	for _, s := range e.selectors() {
		area := e.Place
		if !whole {
			area += s.Document + s.Prefix
		}
		areas = append(areas, area)
	}
	return areas
}

// inside reports whether what the place inner stands for may lie in the place outer, or be it.
func inside(outer, inner string) bool {
	a, b := strings.Split(strings.TrimSuffix(outer, "/"), "/"), strings.Split(strings.TrimSuffix(inner, "/"), "/")
	return outer == "" || len(a) <= len(b) && alike(strings.Join(a, "/"), strings.Join(b[:len(a)], "/"), "/")
}

// below reports whether documents of the place inner may lie below documents of outer. Either may be a group.
func below(outer, inner string) bool {
	aboveOuter, group, isGroup := strings.Cut(outer, anywhere)
	aboveInner, name, innerGroup := strings.Cut(inner, anywhere)
	switch {
	case innerGroup && name != outer && (strings.HasPrefix(outer, aboveInner) || strings.HasPrefix(aboveInner, outer+"/")):
		return true
	case isGroup:
		return strings.HasPrefix(inner, aboveOuter) && strings.Contains("/"+inner, "/"+group+"/")
	}
	return inside(outer, inner) && !alike(outer, inner, "/")
}

// covers reports whether a group of Firestore collections holds those of a place.
func covers(group, place string) bool {
	above, name, isGroup := strings.Cut(group, anywhere)
	at, _, other := strings.Cut(place, anywhere)
	return isGroup && last(place) == name && (strings.HasPrefix(at, above) || other && strings.HasPrefix(above, at))
}

// last is the name of a collection without what it lies in.
func last(place string) string { return place[strings.LastIndexByte(place, '/')+1:] }

// below checks what goes with the items of an entry.
func (r *reader) below(key string, e *Entry) {
	scheme := schemeOf(e.Store)
	if len(e.Below) > 0 && scheme != "postgres" && (scheme != "firestore" || !e.Descend) {
		r.wrong(key+".below", "names what this entry does not reach", "descend: true on Firestore, or tables of PostgreSQL")
	}
	for i, name := range e.Below {
		switch {
		case scheme == "postgres" && !placeForm[scheme].MatchString(name):
			r.wrong(at(key+".below", i), "is no table", allowedPlaces[scheme])
		case scheme == "firestore" && (!isField(name) || strings.Contains(name, ".")):
			r.wrong(at(key+".below", i), "is no collection group", "the name of a collection")
		}
	}
	for _, o := range r.m.Entries {
		if o.ID == e.ID {
			continue
		}
		part := key + map[string]string{"firestore": ".descend", "postgres": ".below", "gcs": ".place"}[scheme]
		switch {
		case (o.Action != Delete || o.Role != e.Role) && r.m.takes(e, o, false):
			r.wrong(part, fmt.Sprintf("would erase with its items what the entry %s does not: %s, %s", o.ID, o.Role, o.Action), "places side by side, each with an entry of its own")
		case o.Directory && r.m.takes(e, o, false):
			r.wrong(part, "would erase with its items who exists, which comes last", "places side by side, each with an entry of its own")
		case o.Retain != nil && e.Retain == nil && r.m.takes(e, o, true):
			r.wrong(part, fmt.Sprintf("would erase at the end of an account what the entry %s keeps", o.ID), "places side by side, such as tenants/{tenant}/users/ and tenants/{tenant}/invoices/")
		}
	}
}
