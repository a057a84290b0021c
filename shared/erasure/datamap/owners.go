package datamap

import (
	"slices"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Owners says how the owners of a tenant's account are found: the identifiers in a field of the items of one entry, of
// all of them or of those of which a field says so.
type Owners struct {
	Entry string `yaml:"entry"`
	Kind  string `yaml:"identifier"`
	From  string `yaml:"from"`  // dotted path or column of one identifier, or of a list
	Where string `yaml:"where"` // dotted path or column; "" for every item of the tenant
	Is    string `yaml:"is"`    // what Where says of an owner
}

// Owners returns the look-up of all owners of a tenant, for Owns. Errors: those of Compile for the tenant; NotFound for a
// map that does not say how they are found.
func (m *Map) Owners(tenant string) (Lookup, error) {
	if err := m.fit(tenant); err != nil {
		return Lookup{}, err
	}
	o := m.Owner
	if o == nil {
		return Lookup{}, fault.New(fault.NotFound, "looking up owners: the data map does not say how they are found")
	}
	e, _ := m.Entry(o.Entry)
	match := erasure.Match{Kind: erasure.MatchTenant}
	if o.Where != "" {
		match = erasure.Match{Kind: erasure.MatchEquals, Field: o.Where, Values: []string{o.Is}}
	}
	return m.reading(e, tenant, match, o.Kind, o.From), nil
}

// Owns reports whether a person with these identifiers is one of the owners that the look-up of Owners returned, and
// whether there is no other. Identifiers that nobody verified do not count.
func (m *Map) Owns(ids []Identifier, owners []string) (owner, last bool) {
	if m.Owner == nil {
		return false, false
	}
	kind, _ := m.Kind(m.Owner.Kind)
	others := false
	for _, o := range owners {
		hers := slices.ContainsFunc(ids, func(id Identifier) bool {
			return id.Verified && id.Kind == kind.ID && kind.Normalise.of(id.Value) == kind.Normalise.of(o)
		})
		owner, others = owner || hers, others || !hers
	}
	return owner, owner && !others
}

// owners checks that owners can be asked for, within one tenant.
func (r *reader) owners() {
	o := r.m.Owner
	if o == nil {
		return
	}
	e, known := r.m.Entry(o.Entry)
	if !known {
		r.wrong("owners.entry", "is no entry", "the id of an entry")
		return
	}
	switch {
	case e.Tenant.Global != "":
		r.wrong("owners.entry", "is of no tenant", "an entry bound by path or field")
	case !drivers[schemeOf(e.Store)].fields:
		r.wrong("owners.entry", "is in a store whose items have no fields", "an entry of a database")
	case !has(r.m.kinds, o.Kind):
		r.wrong("owners.identifier", "is no kind of identifier", r.allowedKinds())
	case !isField(o.From):
		r.wrong("owners.from", "is no field", allowedField)
	case (o.Where == "") != (o.Is == ""):
		r.wrong("owners", "says half of what tells an owner", "where and is, or neither")
	case o.Where != "" && (!isField(o.Where) || !oneLine(o.Is, maxFixed)):
		r.wrong("owners.where", "cannot be asked for", allowedField+", and in is what it says of an owner")
	}
}
