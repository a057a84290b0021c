package datamap

import (
	"slices"
	"strings"
)

// Around returns the URLs, for erasure.Listers, of where there may be stores that nobody has mapped: the live projects, for
// databases and buckets, and the servers of PostgreSQL the map knows. A server of MongoDB is one store.
func (m *Map) Around() []string {
	var all []string
	for _, project := range m.live {
		all = append(all, "firestore://"+project, "gcs://"+project)
	}
	for _, store := range m.Stores() {
		if schemeOf(store) == "postgres" {
			all = append(all, store)
		}
	}
	return all
}

// Strange returns which of the stores that there are the map does not know, sorted. In strict mode no request is completed
// before somebody has said what lies there. A store is known that an entry is in, that has a place without personal data, or
// that lies outside, as a whole or with a place.
func (m *Map) Strange(stores []string) []string {
	known := map[string]bool{}
	for _, store := range m.Stores() {
		known[bare(store)] = true
	}
	var strange []string
	for _, store := range stores {
		outside := slices.ContainsFunc(m.Outside, func(o Outside) bool { return o.Place == store || strings.HasPrefix(o.Place, store+"/") })
		if !known[store] && !outside {
			strange = append(strange, store)
		}
	}
	slices.Sort(strange)
	return slices.Compact(strange)
}
