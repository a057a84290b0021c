package datamap

import (
	"fmt"
	"slices"
	"strings"
)

// totals is the place in which an aggregate adds up, as the store of a region names it.
func (e *Entry) totals(f Field, region string) string {
	return strings.TrimPrefix(expand(f.Into, map[string]string{regionName: region}), bare(e.url(region, readAccount))+"/")
}

// into checks that the totals of an aggregate are kept where nobody's data is, in the entry's own store, which has to be able to
// change an item and a total in one step; and that no total is of fewer people than the group.
func (r *reader) into() {
	for i, e := range r.m.Entries {
		for j := range e.Fields {
			f, key := &e.Fields[j], fmt.Sprintf("entries[%d].fields[%d]", i, j)
			if f.Into == "" {
				continue
			}
			text, ok := r.projected(key+".into", f.Into)
			if !ok {
				continue
			}
			f.Into = text
			if d := drivers[schemeOf(e.Store)]; !d.totals {
				r.wrong(key+".do", "cannot be done in this store: an item and its total would not change in one step", "delete, or an entry of Firestore or PostgreSQL")
				continue
			}
			for _, one := range r.m.spread(text) {
				p, found := r.m.placeOf(one)
				switch {
				case !found || !slices.Contains(r.m.Free, p):
					r.wrong(key+".into", "is no place without personal data", "one of no_personal_data")
				case !slices.Contains(e.stores(r.m.everywhere), p.Store):
					r.wrong(key+".into", "is in another store: the item and its total would not change in one step", "a place of the entry's own store")
				}
			}
			for k, field := range f.By {
				if e.Group == nil || !slices.Contains(e.Group.Fields, field) {
					r.wrong(at(key+".by", k), "is not checked: a total could be of one person", "a field of group, of whose values there are several people each")
				}
			}
		}
	}
}
