package request

import (
	"maps"
	"slices"
	"strings"
	"time"
)

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
	// Region: it lies where this deployment does not work; somebody says what was done there.
	Region = "region"
)

// questions are those of which a person finds the answer out by hand, each by itself.
var questions = []string{Letters, Group, Region}

// Answer is what a person said of what no search could tell, or only she could judge.
type Answer struct {
	Entry     string    `json:"entry"`
	Why       string    `json:"why"` // as Open.Why
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Reference string    `json:"reference,omitempty"` // of Region: an id of what was done there
}

// answer is what a person has said of l.
func (l Look) answer(by, reference string, at time.Time) Answer {
	a := Answer{Entry: l.Entry, Why: l.Why, By: by, At: at, Reference: reference}
	switch {
	case a.Why != "":
	case l.Items > 0:
		a.Why = review
	default:
		a.Why = unasked
	}
	return a
}

// Said is what people have said that counts, the newest of each question, by entry.
func (r Request) Said() (all []Answer) {
	newest := map[Answer]Answer{}
	for _, a := range r.Answers {
		of := Answer{Entry: a.Entry, Why: a.Why}
		if old, known := newest[of]; !known || old.At.Before(a.At) {
			newest[of] = a
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Answer) int { return strings.Compare(a.Entry+":"+a.Why, b.Entry+":"+b.Why) })
}

// Settled reports whether a person has settled what stands open, by what Work.Reviewed has of it: of more than she saw all of it
// is open.
func (o Open) Settled(by map[string]int64) bool {
	n, known := by[o.key()]
	switch o.Why {
	case review:
		return o.Items > 0 && o.Items <= n
	case unasked, Letters, Group, Region:
		return known && o.Items <= n
	}
	return false
}

// settles reports whether it is a person who settles it.
func (o Open) settles() bool {
	return o.Why == review || o.Why == unasked || slices.Contains(questions, o.Why)
}

func (o Open) key() string { return Look{Entry: o.Entry, Why: o.Why, Set: o.Set}.key() }

// key is under what a person's answer is kept: of what nobody could search under the entry's id, of items to be looked at with
// the set of them behind it.
func (l Look) key() string {
	switch {
	case slices.Contains(questions, l.Why):
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
