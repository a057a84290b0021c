package datamap

import (
	"slices"
	"strings"
)

// Whose is somebody of a tenant whom the name of a document tells.
type Whose struct {
	Tenant string
	Role   Role
	ID     Identifier
}

// Written returns of whom a document of Firestore is, as far as its path alone tells: firestore://PROJECT/DATABASE as the store,
// and the path without what comes before it. A document below another is of whom that one is. Addresses, and what somebody else
// may have later, tell of nobody.
func (m *Map) Written(store, path string) (all []Whose) {
	parts := strings.Split(path, "/")
	for _, e := range m.Entries {
		urls := e.stores(m.everywhere)
		if schemeOf(e.Store) != "firestore" || !e.Tenant.Path || !slices.ContainsFunc(urls, func(url string) bool { return bare(url) == store }) {
			continue
		}
		place := strings.Split(e.Place, "/")
		if len(parts) <= len(place) || !alike(e.Place, strings.Join(parts[:len(place)], "/"), "/") {
			continue
		}
		tenant := parts[slices.Index(place, "{"+tenantName+"}")]
		for _, s := range e.selectors() {
			kind, known := m.Kind(s.of())
			name := parts[len(place)]
			if known && !kind.Reusable && s.Document == "{"+kind.ID+"}" && !strings.Contains(name, "@") {
				all = append(all, Whose{tenant, e.Role, Identifier{Kind: kind.ID, Value: name, Verified: true}})
			}
		}
	}
	return all
}
