package datamap

import (
	"maps"
	"slices"
	"strings"
)

// Unmapped compares the map with what stores hold, by URL as Stores returns them and with the answers of their Places,
// and returns what it does not know, sorted, as Place.String has it. In strict mode no request is completed before
// somebody has said what lies there.
func (m *Map) Unmapped(found map[string][]string) []string {
	var unknown []string
	for _, store := range slices.Sorted(maps.Keys(found)) {
		for _, place := range found[store] {
			if p := (Place{store, place}); !m.knows(p) {
				unknown = append(unknown, p.String())
			}
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}

// knows reports whether a place is in an entry, free of personal data or declared to be outside.
func (m *Map) knows(p Place) bool {
	for _, e := range m.Entries {
		if slices.Contains(e.stores(m.everywhere), p.Store) && e.covers(p.Place) {
			return true
		}
	}
	is := func(pattern string) bool {
		return pattern == p.Place || schemeOf(p.Store) == "firestore" && meant(pattern, p.Place)
	}
	for _, o := range m.Outside {
		if place, ours := strings.CutPrefix(o.Place, bare(p.Store)+"/"); ours && is(place) {
			return true
		}
	}
	return slices.ContainsFunc(m.Free, func(f Place) bool {
		return f.Store == p.Store && (f.Place == "*" || is(f.Place))
	})
}

// anywhere begins the name of a group of Firestore collections.
const anywhere = "**/"

// covers reports whether the entry's items may lie in a place that its store names.
func (e *Entry) covers(place string) bool {
	switch schemeOf(e.Store) {
	case "firestore":
		if group, isGroup := strings.CutPrefix(place, anywhere); isGroup { // a store that does not say where
			own := last(e.Place)
			return group == own && own != e.Place || slices.Contains(e.Below, group)
		}
		return meant(e.Place, place) || slices.Contains(e.Below, last(place)) && under(e.Place, place)
	case "gcs":
		for _, head := range e.heads() {
			if head == "" || alike(head, strings.TrimSuffix(place, "/"), "/") {
				return true
			}
		}
		return false
	case "postgres":
		return alike(e.Place, place, ".") || slices.Contains(e.Below, place)
	}
	return alike(e.Place, place, drivers[schemeOf(e.Store)].separate)
}

// meant reports whether a collection of Firestore, with the ids of documents above it or "*" in their place, is one that a place of
// the map stands for.
func meant(pattern, place string) bool {
	above, group, isGroup := strings.Cut(pattern, anywhere)
	a, b := strings.Split(strings.TrimSuffix(above, "/"), "/"), strings.Split(place, "/")
	switch {
	case !isGroup:
		return len(a) == len(b) && begins(a, b)
	case above == "":
		return last(place) == group
	}
	return last(place) == group && len(a) < len(b) && begins(a, b)
}

// under reports whether a collection of Firestore lies below documents of one that a place of the map stands for.
func under(pattern, place string) bool {
	parts := strings.Split(place, "/")
	for n := 1; n < len(parts); n += 2 { // collection, id, collection, ...
		if meant(pattern, strings.Join(parts[:n], "/")) {
			return true
		}
	}
	return false
}

// begins reports whether the parts of a place begin with those of a pattern: one in braces is any, and so is "*".
func begins(pattern, place []string) bool {
	for i := range pattern {
		if pattern[i] != place[i] && place[i] != "*" && !strings.HasPrefix(pattern[i], "{") {
			return false
		}
	}
	return true
}

// heads are the first parts of the names of a bucket's objects, "" where they have none in common.
func (e *Entry) heads() []string {
	var heads []string
	for _, s := range e.selectors() {
		head, _, deeper := strings.Cut(e.Place+s.Document+s.Prefix, "/")
		if !deeper {
			head = ""
		}
		heads = append(heads, head)
	}
	return heads
}

// alike reports whether a place is one of those a template stands for: a part in braces is any one part.
func alike(pattern, place, separator string) bool {
	a, b := strings.Split(pattern, separator), strings.Split(place, separator)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}
