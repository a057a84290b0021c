package datamap

import (
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
)

// Listing reads the values of one kind of identifier off the items of a tenant.
type Listing struct {
	Lookup      // Field is "" where an item's name in its place is the value
	Many   bool // Field holds a list, which Reader's Values reads of items by their Refs
}

// Listings returns how the values of one kind of identifier are read off all items of a tenant: of every entry that is
// searched by that kind, where the tenant answers for it, it tells who exists or other identifiers are derived from it.
// Whoever has a digest of a value compares it with each of them.
// dark are the entries that cannot be listed so, in the order of the file: those of no tenant, and those whose items hold no
// value that can be shown. Errors as Compile for the tenant.
func (m *Map) Listings(tenant, kind string) (list []Listing, dark []string, err error) {
	if err := m.fit(tenant); err != nil {
		return nil, nil, err
	}
	for _, e := range m.Entries {
		if e.Role != Processor && !e.Directory && len(e.Derives) == 0 {
			continue
		}
		for _, s := range e.selectors() {
			if s.of() != kind {
				continue
			}
			field, told := e.shows(s, kind)
			if !told {
				dark = append(dark, e.ID)
				continue
			}
			list = append(list, Listing{m.reading(e, tenant, erasure.Match{Kind: erasure.MatchTenant}, kind, field), s.Contains != ""})
		}
	}
	return list, slices.Compact(dark), nil
}

// Hashable reports whether everybody of a kind can be listed wherever Listings looks.
func (m *Map) Hashable(kind string) bool {
	for _, e := range m.Entries {
		if e.Role != Processor && !e.Directory && len(e.Derives) == 0 {
			continue
		}
		for _, s := range e.selectors() {
			if _, told := e.shows(s, kind); s.of() == kind && !told {
				return false
			}
		}
	}
	return true
}

// NameField is the field in which MongoDB has the name of a document; sample data that stands for it has names alone.
const NameField = "_id"

// shows returns the field in which each item of a tenant's has the value it is recognised by, "" for its name.
func (e *Entry) shows(s *Selector, kind string) (field string, told bool) {
	scheme := schemeOf(e.Store)
	switch named := s.Document == "{"+kind+"}"; {
	case e.Tenant.Global != "":
		return "", false
	case s.Equals+s.Column != "":
		return s.Equals + s.Column, true
	case s.Contains != "":
		return s.Contains, true
	case named && scheme == "firestore" && !strings.Contains(e.Place, anywhere):
		return "", true
	case named && strings.HasPrefix(scheme, "mongodb"):
		return NameField, true
	}
	return "", false
}
