package policy

import (
	"strconv"
	"strings"
)

// Limits of looking for what was meant: a folder of nothing but mistakes costs no more than one with a few.
const (
	maxMeant     = 100 // characters of a name
	maxKnown     = 2000
	maxSuggested = 100 // suggestions while a folder is loaded
)

// Meant returns ` (did you mean "x"?)`, with the one of the known names that somebody who wrote another most likely meant, or ""
// where none is near: one that differs in case, in hyphens or in signs that look alike, by a slip in three letters, or by two in
// seven. A slip is a letter too much, too few, another, or two that changed places; a number is never another by a slip.
func Meant(written string, known []string) string {
	if name := nearest(written, known); name != "" {
		return " (did you mean " + strconv.Quote(name) + "?)"
	}
	return ""
}

// lookalikes are signs that are taken for one another.
var lookalikes = strings.NewReplacer("-", "", "_", "", " ", "", "0", "o", "1", "i", "l", "i")

// nearest returns the known name that is nearest to another, "" where none is near.
func nearest(written string, known []string) (name string) {
	if len(written) > maxMeant || len(known) > maxKnown {
		return ""
	}
	least := min((len(written)+1)/4, 2) + 1
	folded := lookalikes.Replace(strings.ToLower(written))
	for _, each := range known {
		switch {
		case each == written:
			continue // it is there, and not allowed for another reason
		case lookalikes.Replace(strings.ToLower(each)) == folded:
			return each
		case len(each) > maxMeant || max(len(each)-len(written), len(written)-len(each)) >= least || another(digits(each), digits(written)):
			continue
		}
		if n := slips(written, each); n < least {
			name, least = each, n
		}
	}
	return name
}

// slips counts what has to be changed for a to become b.
func slips(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// another reports whether two numbers are as long and not the same.
func another(a, b string) bool { return len(a) == len(b) && a != b }

// digits are those of a name.
func digits(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, name)
}
