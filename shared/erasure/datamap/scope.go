package datamap

import (
	"slices"

	"ostiary.internal/shared/erasure/opendsr"
)

// Instructable returns the kinds of identifiers by which a tenant can name people of his: those with an identity type of
// OpenDSR by which an entry he answers for is searched. By any other a search would find nobody.
func (m *Map) Instructable() map[opendsr.IdentityType]Kind {
	kinds := map[opendsr.IdentityType]Kind{}
	for _, e := range m.Entries {
		for _, s := range e.selectors() {
			if k, _ := m.Kind(s.of()); e.Role == Processor && k.OpenDSR != "" {
				kinds[k.OpenDSR] = k
			}
		}
	}
	return kinds
}

// Forward returns the ids of the entries that may hold data of a person for whom the tenant answers. Nothing is searched
// for it: the request goes to the tenant, and whether there is data is not for us to say.
func (m *Map) Forward(ids []Identifier) []string {
	var entries []string
	values, err := m.values(ids)
	for _, e := range m.Entries {
		if err == nil && e.asked(values) && e.Role == Processor {
			entries = append(entries, e.ID)
		}
	}
	return entries
}

// Unasked returns the ids of entries of a role in which nothing can be searched, for no identifier of their kinds is known;
// a plan lists them. Entries that hold staff alone are not among them unless the person is one of it.
func (m *Map) Unasked(role Role, ids []Identifier) []string {
	var entries []string
	values, err := m.values(ids)
	staff := slices.ContainsFunc(m.Kinds, func(k Kind) bool { return k.Staff && len(values[k.ID]) > 0 })
	for _, e := range m.Entries {
		if err == nil && !e.asked(values) && e.Role == role && (staff || !m.staffOnly(e)) {
			entries = append(entries, e.ID)
		}
	}
	return entries
}

// staffOnly reports whether an entry is searched by nothing that could name a customer.
func (m *Map) staffOnly(e *Entry) bool {
	return !slices.ContainsFunc(e.selectors(), func(s *Selector) bool {
		kind, _ := m.Kind(s.of())
		return !kind.Staff
	})
}

// Unused returns the kinds of identifiers given that the map does not have, or that nobody verified.
func (m *Map) Unused(ids []Identifier) []string {
	var kinds []string
	for _, id := range ids {
		if !id.Verified || !has(m.kinds, id.Kind) {
			kinds = append(kinds, id.Kind)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}
