package auditlog

import "slices"

// Since returns what changed from an earlier policy to this one. Both are Full; what both hold is left out, whatever
// the order.
func (d Delta) Since(before Delta) Delta {
	change := Delta{Added: without(d.Added, before.Added), Removed: without(before.Added, d.Added)}
	change.Audit = without(d.Audit, before.Audit)
	for _, gone := range without(before.Audit, d.Audit) {
		gone.Removed = true
		change.Audit = append(change.Audit, gone)
	}
	return change
}

// GivenAgain returns what an earlier and a later policy hold and this one, between them, does not. All three are Full.
func (d Delta) GivenAgain(before, after Delta) []Binding {
	kept := slices.DeleteFunc(slices.Clone(before.Added), func(b Binding) bool { return !slices.Contains(after.Added, b) })
	return without(kept, d.Added)
}

func without[T comparable](all, but []T) (left []T) {
	known := make(map[T]bool, len(but))
	for _, one := range but {
		known[one] = true
	}
	for _, one := range all {
		if !known[one] {
			left = append(left, one)
			known[one] = true
		}
	}
	return left
}
