package receipt

import (
	"slices"
	"time"
)

// Waiting reports whether one of the third parties that were asked, or told, has still to answer, or a person to say what
// became of it: a receipt with these rows will be amended.
func Waiting(grants []Grant, told []Recipient) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool { return g.Outcome == GrantPending || g.Outcome == GrantManual }) ||
		slices.ContainsFunc(told, func(r Recipient) bool { return r.Outcome == Pending || r.Outcome == Asked })
}

// Says reports whether the receipt says of third parties just what these rows do.
func (r Receipt) Says(grants []Grant, told []Recipient) bool {
	return slices.Equal(r.Grants, grants) && slices.EqualFunc(r.Recipients, told, func(a, b Recipient) bool {
		return a.Recipient == b.Recipient && a.Outcome == b.Outcome && a.At.Equal(b.At.Truncate(time.Second))
	})
}
