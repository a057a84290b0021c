package datamap

import "ostiary.internal/shared/platform/fault"

// Where returns the URL, for searching, of the store in which an entry's items of a tenant lie, and their place in it. Errors:
// those of Compile for the tenant; NotFound for no entry of the map.
func (m *Map) Where(entry, tenant string) (store, place string, err error) {
	if err := m.fit(tenant); err != nil {
		return "", "", err
	}
	e, known := m.Entry(entry)
	if !known {
		return "", "", fault.New(fault.NotFound, "finding an entry of the data map: there is no %q", entry)
	}
	return e.url(m.region(e, tenant), readAccount), e.place(tenant), nil
}

// Erasing returns, for the URL by which each store of an entry is searched, the one by which the account that erases opens it.
func (m *Map) Erasing() map[string]string {
	all := map[string]string{}
	for _, e := range m.Entries {
		all[e.url(e.Region, readAccount)] = e.url(e.Region, eraseAccount)
		for _, region := range m.regions {
			all[e.url(region, readAccount)] = e.url(region, eraseAccount)
		}
	}
	return all
}
