package datamap

// Touch reports whether what is done to a tenant's items of one entry may be done to those of another by that: an item may be
// of both, or lie inside one of the other's. Of an entry that the map does not have it is false.
func (m *Map) Touch(a, b string) bool {
	one, known := m.Entry(a)
	other, also := m.Entry(b)
	if !known || !also {
		return false
	}
	return a == b || m.shares(one, other) || m.takes(one, other, true) || m.takes(other, one, true)
}
