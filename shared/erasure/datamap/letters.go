package datamap

import (
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Case says how a store holds the letters A to Z of addresses, which people type as they like.
type Case string

// The cases. Any is the default. Where the store can search whatever the case it does; where it cannot, by the indexes it
// has (Letters), no search alone completes a request: a person looks, or the map says one of the others.
const (
	Small Case = "lower" // whoever writes there makes every address small: it is searched for so, and as it was given or read
	Exact Case = "exact" // an address in other letters is somebody else's: it is searched for as it was given or read
	Any   Case = "any"
)

// spelt are the values that a way of recognising is asked for, each once and sorted, and whether their case does not count.
// values are as they were given or read.
func (m *Map) spelt(e *Entry, s *Selector, values []string) (all []string, fold bool) {
	if !m.addresses(s) || s.Case == Exact {
		return values, false
	}
	fold = s.Case != Small && folds(e, s)
	for _, v := range values {
		all = append(all, AsEmail.of(v))
		if !fold { // what was read of some item counts more than the map's word; Letters says where there may be others
			all = append(all, v)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), fold
}

// values are the usable identifiers by kind, as they were given or read, each once and sorted.
func (m *Map) values(ids []Identifier) (map[string][]string, error) {
	values := map[string][]string{}
	for _, id := range ids {
		kind, known := m.Kind(id.Kind)
		if !known || !id.Verified {
			continue
		}
		if err := refused(kind.Normalise.of(id.Value), ""); err != nil {
			return nil, err
		}
		values[id.Kind] = append(values[id.Kind], kind.Normalise.given(id.Value))
	}
	for kind, all := range values {
		slices.Sort(all)
		values[kind] = slices.Compact(all)
		most := len(values[kind])
		if k, _ := m.Kind(kind); k.Normalise == AsEmail {
			small := slices.Clone(values[kind])
			for _, v := range values[kind] {
				small = append(small, k.Normalise.of(v))
			}
			slices.Sort(small)
			most = len(slices.Compact(small))
		}
		if most > erasure.MaxValues {
			return nil, fault.New(fault.Exhausted, "compiling the data map: more than %d identifiers of kind %q", erasure.MaxValues, kind)
		}
	}
	return values, nil
}

// addresses reports whether a way recognises people by their addresses.
func (m *Map) addresses(s *Selector) bool {
	kind, known := m.Kind(s.of())
	return known && kind.Normalise == AsEmail
}

// folds reports whether a store can search by a way whatever the case.
func folds(e *Entry, s *Selector) bool {
	for way := range s.ways() {
		return slices.Contains(drivers[schemeOf(e.Store)].folds, way)
	}
	return false
}

// blind reports whether addresses in other letters than were given may stay behind in an entry.
func (m *Map) blind(e *Entry, s *Selector) bool {
	return m.addresses(s) && s.Case != Small && s.Case != Exact && !folds(e, s)
}

// Letters returns the ids of the entries that are searched by an address of the person's, for a request about data of that
// role, in which it may stand in letters that are not found: nobody has said how they are written there, and the store cannot
// search whatever their case. Entries that tell further identifiers are among them whosever they are.
func (m *Map) Letters(role Role, ids []Identifier) (entries []string) {
	values, err := m.values(ids)
	for _, e := range m.Entries {
		if err == nil && (e.Role == role || len(e.Derives) > 0) && slices.ContainsFunc(e.selectors(), func(s *Selector) bool {
			return len(values[s.of()]) > 0 && m.blind(e, s)
		}) {
			entries = append(entries, e.ID)
		}
	}
	return entries
}

// letters checks what an entry says of the case.
func (r *reader) letters(key string, s *Selector) {
	switch kind, known := r.m.Kind(s.of()); {
	case s.Case == "":
	case s.Case != Small && s.Case != Exact && s.Case != Any:
		r.wrong(key+".case", "is unknown", strings.Join([]string{string(Small), string(Exact), string(Any)}, ", "))
	case known && kind.Normalise != AsEmail:
		r.wrong(key+".case", "does not belong here: only of addresses letters and capitals are one", "with an identifier that has normalise: "+string(AsEmail))
	}
}
