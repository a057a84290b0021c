package datamap

import (
	"fmt"
	"slices"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Lookup reads identifiers of one kind from the items of one entry: erasure.Reader's Values, with Query, Field and
// erasure.MaxValues.
type Lookup struct {
	Entry  *Entry
	Kind   string // of the identifiers it finds
	Reader string // URL, for erasure.Readers
	Region string
	Query  erasure.Query
	Field  string
	// Reusable says that the identifier it is made with may be somebody else's later: what is read of items that were
	// made after the request is hers, and Query.CreatedBefore is for the caller to set.
	Reusable bool
}

// Lookups returns what can be looked up with the identifiers known, each kind after those it may be derived from. Errors
// as Compile.
func (m *Map) Lookups(tenant string, ids []Identifier) ([]Lookup, error) {
	if err := m.fit(tenant); err != nil {
		return nil, err
	}
	values, err := m.values(ids)
	if err != nil {
		return nil, err
	}
	var all []Lookup
	for _, k := range m.walk {
		some, err := m.lookupsOf(m.Kinds[k].ID, tenant, values)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// lookupsOf returns the lookups that find one kind.
func (m *Map) lookupsOf(kind, tenant string, values map[string][]string) ([]Lookup, error) {
	var all []Lookup
	for _, e := range m.Entries {
		for _, d := range e.Derives {
			if d.Kind != kind {
				continue
			}
			for _, s := range e.selectors() {
				if s.of() == kind || len(values[s.of()]) == 0 {
					continue
				}
				l, err := m.lookup(e, s, tenant, values[s.of()], kind, d.From)
				if err != nil {
					return nil, err
				}
				all = append(all, l)
			}
		}
	}
	return all, nil
}

// lookup reads a field of the items that a way of recognising finds.
func (m *Map) lookup(e *Entry, s *Selector, tenant string, values []string, kind, field string) (Lookup, error) {
	match, err := m.match(e, s, e.place(tenant), values)
	if err != nil {
		return Lookup{}, err
	}
	l := m.reading(e, tenant, match, kind, field)
	by, _ := m.Kind(s.of())
	l.Reusable = by.Reusable
	return l, nil
}

// reading only reads, whatever the entry's action.
func (m *Map) reading(e *Entry, tenant string, match erasure.Match, kind, field string) Lookup {
	step := m.step(e, tenant, match)
	step.Query.Action, step.Query.Changes, step.Query.CreatedField = "", nil, e.Created
	return Lookup{Entry: e, Kind: kind, Reader: step.Reader, Region: step.Region, Query: step.Query, Field: field}
}

// Resolve returns the identifiers with all that are derived from them: it asks for each kind after those it may be
// derived from. What is read counts as verified, for what it was read by is. Errors: those of ask and of Compile; an
// identifier read from a store that Guard refuses is Invalid, more than erasure.MaxValues of a kind are Exhausted.
func (m *Map) Resolve(tenant string, ids []Identifier, ask func(Lookup) ([]string, error)) ([]Identifier, error) {
	if err := m.fit(tenant); err != nil {
		return nil, err
	}
	all := slices.Clone(ids)
	for _, k := range m.walk {
		kind := m.Kinds[k].ID
		values, err := m.values(all)
		if err != nil {
			return nil, err
		}
		lookups, err := m.lookupsOf(kind, tenant, values)
		if err != nil {
			return nil, err
		}
		for _, l := range lookups {
			found, err := ask(l)
			if err != nil {
				return nil, fmt.Errorf("looking up identifiers of kind %q in entry %q: %w", kind, l.Entry.ID, err)
			}
			for _, value := range found {
				if id := (Identifier{kind, value, true}); !slices.Contains(all, id) {
					all = append(all, id)
				}
			}
		}
	}
	_, err := m.values(all)
	return all, err
}

// Directory returns the entry that tells whether somebody exists, nil where there is none.
func (m *Map) Directory() *Entry {
	for _, e := range m.Entries {
		if e.Directory {
			return e
		}
	}
	return nil
}

// OnFile returns the lookup of the address on file for an address that somebody gave. Errors: those of Compile; NotFound
// for a map without a directory that has addresses.
func (m *Map) OnFile(tenant, address string) (Lookup, error) {
	if err := m.fit(tenant); err != nil {
		return Lookup{}, err
	}
	e := m.Directory()
	if e == nil || e.byAddress() == nil {
		return Lookup{}, fault.New(fault.NotFound, "looking up an address: the data map has no directory with addresses")
	}
	s := e.byAddress()
	if err := refused(AsEmail.of(address), ""); err != nil {
		return Lookup{}, err
	}
	return m.lookup(e, s, tenant, []string{AsEmail.given(address)}, s.Of, e.Address)
}

// directory checks that at most one entry tells who exists, and that it can be asked with an address.
func (r *reader) directory() {
	var first *Entry
	for i, e := range r.m.Entries {
		key := at("entries", i)
		switch {
		case !e.Directory && e.Address != "":
			r.wrong(key+".address", "belongs to the directory", "directory: true beside it")
		case !e.Directory:
		case first != nil:
			r.wrong(key+".directory", "is the second one", "one entry that tells who exists")
		case e.Role != Controller:
			r.wrong(key+".directory", "is about people whose data is not ours", "role: controller")
		case e.Access:
			r.wrong(key+".directory", "would be first and last", "directory or access")
		case e.Address == "": // nobody is written to: requests come from who is signed in
		case e.byAddress() == nil:
			r.wrong(key+".address", "cannot be asked for", fmt.Sprintf("a field that select finds people by: {equals: FIELD, of: KIND}, where KIND is normalised as %s", AsEmail))
		default:
			kind, _ := r.m.Kind(e.byAddress().Of)
			if kind.Normalise != AsEmail {
				r.wrong(key+".address", "is found by an identifier that is no address", "an identifier with normalise: "+string(AsEmail))
			}
		}
		if e.Directory && first == nil {
			first = e
		}
	}
}

// byAddress is the way in which the directory finds somebody by her address, nil where there is none.
func (e *Entry) byAddress() *Selector {
	for _, s := range e.selectors() {
		if e.Address != "" && (s.Equals == e.Address || s.Column == e.Address) {
			return s
		}
	}
	return nil
}
