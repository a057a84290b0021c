package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// Problem is one thing wrong with the policy, at the place where a person mends it. It never quotes an address or
// a name of a person.
type Problem struct {
	File         string // within the policy folder, such as "people.yaml"; "../baseline/rules/x.yaml" when extended
	Line, Column int    // from 1; line 1 for a problem of the file as a whole
	Key          string // path of the key, such as "people[2].email"; "file" for the file as a whole
	What         string // what is wrong
	Allowed      string // what is allowed instead; "" when What says it all
	// Dangling marks a reference to something that does not exist. `ostiary check` fails on it; a server starts,
	// and what depends on it is refused or unknown. Every other problem refuses to load.
	Dangling bool
	// Remark marks what is allowed and most likely not meant: `ostiary check` tells it, and nothing stops for it.
	Remark bool

	meant string // of an unknown key: the key that its author seems to have meant
}

// String returns "file:line: key: what; allowed: ...", with "remark: " before what is one.
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d: %s: ", p.File, p.Line, p.Key)
	if p.Remark {
		s += "remark: "
	}
	s += p.What
	if p.Allowed != "" {
		s += "; allowed: " + p.Allowed
	}
	return s
}

// Sort returns the problems by file, line and column, each once. Of a key whose name is misspelt only that is told, not also
// that it is missing.
func Sort(problems []Problem) []Problem {
	misspelt := map[place]bool{}
	for _, p := range problems {
		if p.meant != "" {
			misspelt[place{p.File, p.meant}] = true
		}
	}
	problems = slices.DeleteFunc(problems, func(p Problem) bool { return misspelt[place{p.File, p.Key}] })
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.What, b.What), cmp.Compare(a.Allowed, b.Allowed))
	})
	return slices.Compact(problems)
}

// Refuse returns nil when a server may start on a policy with these problems, and otherwise an error of kind
// Misconfigured that names the first ones. Dangling references and remarks alone do not refuse.
func Refuse(problems []Problem) error {
	const shown = 5
	var lines []string
	for _, p := range problems {
		if !p.Dangling && !p.Remark {
			lines = append(lines, p.String())
		}
	}
	switch {
	case len(lines) == 0:
		return nil
	case len(lines) > shown:
		lines = append(lines[:shown], fmt.Sprintf("and %d more; run ostiary check", len(lines)-shown))
	}
	return fault.New(fault.Misconfigured, "loading the policy: %s", strings.Join(lines, "\n"))
}

// mistake is an error that knows what is allowed.
type mistake struct{ what, allowed string }

func (m mistake) Error() string { return m.what }

// Mistake returns an error for UnmarshalText and UnmarshalYAML methods; Decode turns it into a Problem at the
// value's place.
func Mistake(what, allowed string) error { return mistake{what, allowed} }

// quote returns s in quotes, shortened: enough to find it, not enough to fill a log.
func quote(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
