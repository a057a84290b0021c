package datamap

import (
	"maps"
	"slices"
	"strings"
)

// graphs puts kinds of identifiers and entries in their orders, and tells of circles.
func (r *reader) graphs() {
	r.walk()
	direct := make([]map[int]bool, len(r.m.Entries))
	for i, e := range r.m.Entries {
		direct[i] = map[int]bool{}
		for j, o := range r.m.Entries {
			if i != j && r.m.comesFirst(o, e) {
				direct[i][j] = true
			}
		}
	}
	var circle []int
	if r.m.order, circle = arrange(direct); circle != nil {
		said := names(circle, func(i int) string { return r.m.Entries[i].ID })
		for _, i := range circle {
			key := at("entries", i)
			if len(r.m.Entries[i].After) > 0 {
				key += ".after"
			}
			r.wrong(key, "comes after itself: "+said, "an order without a circle; access comes first, the directory last, what lies below before what it lies under")
		}
		return
	}
	r.m.before = make([]map[int]bool, len(r.m.Entries))
	for _, i := range r.m.order {
		r.m.before[i] = map[int]bool{}
		for j := range direct[i] {
			r.m.before[i][j] = true
			maps.Copy(r.m.before[i], r.m.before[j])
		}
	}
	r.m.nested = map[string]nested{}
	for _, e := range r.m.Entries {
		r.m.nested[e.ID] = nested{within: r.m.within(e, false), account: r.m.within(e, true), inside: r.m.inside(e)}
	}
}

// walk puts each kind of identifier after those it is derived from.
func (r *reader) walk() {
	m := r.m
	derived := make([]map[int]bool, len(m.Kinds))
	for i := range m.Kinds {
		derived[i] = map[int]bool{}
	}
	for _, e := range m.Entries {
		for _, d := range e.Derives {
			to, known := m.kinds[d.Kind]
			for _, s := range e.selectors() {
				if from, also := m.kinds[s.of()]; known && also && from != to {
					derived[to][from] = true
				}
			}
		}
	}
	var circle []int
	if m.walk, circle = arrange(derived); circle == nil {
		return
	}
	said := names(circle, func(i int) string { return m.Kinds[i].ID })
	for i, e := range m.Entries {
		for j, d := range e.Derives {
			if k, known := m.kinds[d.Kind]; known && slices.Contains(circle, k) {
				r.wrong(at(at("entries", i)+".derives", j), "derives an identifier by way of itself: "+said, "identifiers that lead one way")
			}
		}
	}
}

// comesFirst reports whether a comes before b by what the two are or say. The directory is last even where it lies below
// something.
func (m *Map) comesFirst(a, b *Entry) bool {
	return slices.Contains(b.After, a.ID) || a.Access && !b.Access || b.Directory && !a.Directory || m.lower(a, b) && !a.Directory
}

// lower reports whether a's items may lie inside or below b's, and not the other way round as well.
func (m *Map) lower(a, b *Entry) bool {
	under := func(a, b *Entry) bool {
		nested := m.together(a, b) && schemeOf(a.Store) == "firestore" && inside(b.Place, a.Place) && !alike(b.Place, a.Place, "/")
		return nested || m.takes(b, a, false) || a.Place != b.Place && m.takes(b, a, true)
	}
	return under(a, b) && !under(b, a)
}

// arrange sorts so that each comes after those it names, and otherwise as given. Without such an order it returns those
// of one circle, each named by the next.
func arrange(after []map[int]bool) (order, cycle []int) {
	done := make([]bool, len(after))
	ready := func(i int) bool {
		for j := range after[i] {
			if !done[j] {
				return false
			}
		}
		return true
	}
	for len(order) < len(after) {
		next := -1
		for i := range after {
			if !done[i] && ready(i) {
				next = i
				break
			}
		}
		if next < 0 {
			return order, circle(after, done)
		}
		done[next] = true
		order = append(order, next)
	}
	return order, nil
}

// circle follows what cannot be done until it comes back.
func circle(after []map[int]bool, done []bool) []int {
	at := slices.Index(done, false)
	var path []int
	for !slices.Contains(path, at) {
		path = append(path, at)
		least := -1
		for j := range after[at] {
			if !done[j] && (least < 0 || j < least) {
				least = j
			}
		}
		at = least
	}
	return path[slices.Index(path, at):]
}

func names(indexes []int, name func(int) string) string {
	var all []string
	for _, i := range indexes {
		all = append(all, name(i))
	}
	return strings.Join(all, ", ")
}
