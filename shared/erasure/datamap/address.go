package datamap

import "ostiary.internal/shared/platform/fault"

// AddressOf returns the lookup of the address on file of whom an identifier names by which the directory finds people.
// Errors as OnFile; NotFound also where the directory finds nobody by identifiers of that kind, or where another may have
// the identifier later.
func (m *Map) AddressOf(tenant string, id Identifier) (Lookup, error) {
	if err := m.fit(tenant); err != nil {
		return Lookup{}, err
	}
	values, err := m.values([]Identifier{id})
	if err != nil {
		return Lookup{}, err
	}
	e := m.Directory()
	if kind, known := m.Kind(id.Kind); e != nil && e.Address != "" && known && !kind.Reusable && len(values[id.Kind]) > 0 {
		for _, s := range e.selectors() {
			if s.of() == id.Kind {
				return m.lookup(e, s, tenant, values[id.Kind], e.byAddress().Of, e.Address)
			}
		}
	}
	return Lookup{}, fault.New(fault.NotFound, "looking up an address: the directory finds nobody by that kind of identifier, or has no addresses")
}
