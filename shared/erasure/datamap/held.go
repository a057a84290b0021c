package datamap

// Held returns the lookups that tell whether what is held for a tenant as its processor has an address: one for each way in
// which such an entry finds people by theirs. Their items are asked for, and no field. Errors as Compile.
func (m *Map) Held(tenant, address string) ([]Lookup, error) {
	if err := m.fit(tenant); err != nil {
		return nil, err
	}
	if err := refused(AsEmail.of(address), ""); err != nil {
		return nil, err
	}
	var all []Lookup
	for _, e := range m.Entries {
		if e.Role != Processor || e.Tenant.Global != "" {
			continue
		}
		for _, s := range e.selectors() {
			if kind, known := m.Kind(s.of()); !known || kind.Normalise != AsEmail || kind.Staff {
				continue
			}
			l, err := m.lookup(e, s, tenant, []string{AsEmail.given(address)}, s.of(), "")
			if err != nil {
				return nil, err
			}
			all = append(all, l)
		}
	}
	return all, nil
}
