package request

import "slices"

// Open is an entry that could not be searched or erased, or that a person has to look at.
type Open struct {
	Entry string `json:"entry"`
	Why   string `json:"why"`             // a word, such as unreachable or review
	Items int64  `json:"items,omitempty"` // of review and group
	// Set stands for the very items of review, by a keyed sum over their names that only the engine can make: so many others are
	// another set. "" where it does not say.
	Set string `json:"set,omitempty"`
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
	n, known := by[o.key()]
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

func (o Open) key() string { return Look{Entry: o.Entry, Why: o.Why, Set: o.Set}.key() }

// key is under what a person's answer is kept: of what nobody could search under the entry's id, of items to be looked at with
// the set of them behind it.
func (l Look) key() string {
	switch {
	case l.Why == Letters || l.Why == Group:
		return l.Entry + ":" + l.Why
	case l.Set != "":
		return l.Entry + inSet + l.Set
	}
	return l.Entry
}

// inSet stands between an entry and a set of its items; no id of an entry holds it.
const inSet = "@"

// Saw reports whether a person has settled what a plan or a search found for people to look at.
func (r Request) Saw(l Look) bool { return r.Reviewed[l.key()] >= l.Items }
