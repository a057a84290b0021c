package request

import "slices"

// Open is an entry that could not be searched or erased, or that a person has to look at.
type Open struct {
	Entry string `json:"entry"`
	Why   string `json:"why"`             // a word, such as unreachable or review
	Items int64  `json:"items,omitempty"` // of review and group
}

// Values of Open.Why that a person settles.
const (
	review  = "review"  // items that only she can judge
	unasked = "unasked" // nothing that is known of the person can be searched for there
	// Letters: an address may stand there in other small letters and capitals than a search finds.
	Letters = "letters"
	// Group: so few of the items that were made anonymous are alike that they may still be told apart, or nobody can tell.
	Group = "group"
)

// Settled reports whether a person has settled what stands open, by what Work.Reviewed has of it: of more than she saw all of it
// is open.
func (o Open) Settled(by map[string]int64) bool {
	n, known := by[key(o.Entry, o.Why)]
	switch o.Why {
	case review:
		return o.Items > 0 && o.Items <= n
	case unasked, Letters, Group:
		return known && o.Items <= n
	}
	return false
}

// settles reports whether it is a person who settles it.
func (o Open) settles() bool {
	return slices.Contains([]string{review, unasked, Letters, Group}, o.Why)
}

// key is under what a person's answer is kept: of items to be looked at, and of what nobody could search, under the entry's id.
func key(entry, why string) string {
	if why == Letters || why == Group {
		return entry + ":" + why
	}
	return entry
}
