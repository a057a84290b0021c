package datamap

import "slices"

// Away reports whether a region is none of those in which this deployment works.
func (m *Map) Away(region string) bool {
	return len(m.Here) > 0 && !slices.Contains(m.Here, region)
}

// Elsewhere reports whether a store, by either of its URLs, is in another region, and nothing here is in it.
func (m *Map) Elsewhere(url string) bool {
	is := false
	for _, e := range m.Entries {
		for _, region := range e.regions(m.everywhere) {
			if e.url(region, readAccount) == url || e.url(region, eraseAccount) == url {
				if is = true; !m.Away(region) {
					return false
				}
			}
		}
	}
	return is
}

// here checks the regions of this deployment.
func (r *reader) here() {
	for i, region := range r.m.Here {
		key := at("regions", i)
		switch {
		case !regionForm.MatchString(region):
			r.wrong(key, "is no region", allowedRegion)
		case slices.Contains(r.m.Here[:i], region):
			r.wrong(key, "is listed already", "each once")
		case !slices.ContainsFunc(r.m.Entries, func(e *Entry) bool { return slices.Contains(e.regions(r.m.everywhere), region) }):
			r.wrong(key, "is a region in which nothing lies", "the region of an entry, or of a tenant")
		}
	}
}

// regions are those in which the entry's data may be, of tenants that chose any of these.
func (e *Entry) regions(chosen []string) []string {
	all := []string{e.Region}
	if e.regional() {
		all = append(all, chosen...)
	}
	return all
}
