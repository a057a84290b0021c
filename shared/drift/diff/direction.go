package diff

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/coverage"
)

// Direction says which way a value went.
type Direction string

// The directions, worst first.
const (
	Loosened  Direction = "loosened"  // more can be done, or less is kept, than was wanted
	Unclear   Direction = "unclear"   // other, and nobody can say which is stricter
	Tightened Direction = "tightened" // less can be done, or more is kept
)

// toward compares two values as a rule wrote them.
type toward func(want, got string) Direction

// weigh compares two resources.
type weigh func(want, got map[string]any) Direction

// located is for where data lies: out of the European Union is looser, back into it stricter.
func located(want, got string) Direction {
	switch was, is := asset.InEU(want), asset.InEU(got); {
	case was && !is:
		return Loosened
	case is && !was:
		return Tightened
	}
	return Unclear
}

// switched is for what is safe when it says one thing, such as "true".
func switched(safe string) toward {
	return func(want, got string) Direction {
		switch {
		case want == safe:
			return Loosened
		case got == safe:
			return Tightened
		}
		return Unclear
	}
}

// atLeast is for lengths and counts of which more is safer.
func atLeast(want, got string) Direction { return ordered(want, got, Loosened, Tightened) }

// atMost is for those of which less is safer.
func atMost(want, got string) Direction { return ordered(want, got, Tightened, Loosened) }

// ordered says less or more for a value below or above the one wanted. One that is gone counts as nothing.
func ordered(want, got string, less, more Direction) Direction {
	w, err1 := strconv.ParseFloat(orZero(want), 64)
	g, err2 := strconv.ParseFloat(orZero(got), 64)
	switch {
	case err1 != nil || err2 != nil:
		return Unclear
	case g < w:
		return less
	}
	return more
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// ranked is for values with an order, the laxest first.
func ranked(order ...string) toward {
	return func(want, got string) Direction {
		w, g := slices.Index(order, want), slices.Index(order, got)
		switch {
		case w < 0 || g < 0:
			return Unclear
		case g < w:
			return Loosened
		}
		return Tightened
	}
}

// wider is for sets of what is let in: a member more is looser, one less is stricter, both is looser.
func wider(want, got string) Direction {
	if len(missing(got, want)) > 0 {
		return Loosened
	}
	return Tightened
}

// narrower is for sets of what keeps out or is kept: a member less is looser.
func narrower(want, got string) Direction {
	if len(missing(want, got)) > 0 {
		return Loosened
	}
	return Tightened
}

// only is for sets of what is let in where none at all means that everything is.
func only(want, got string) Direction {
	switch {
	case got == "":
		return Loosened
	case want == "":
		return Tightened
	}
	return wider(want, got)
}

// guarded is for the name of what protects something: none is looser, and another may be.
func guarded(want, got string) Direction {
	switch {
	case got == "":
		return Loosened
	case want == "":
		return Tightened
	}
	return Unclear
}

// filtered is for filters of logs: what lets through all that is wanted is no looser.
func filtered(want, got string) Direction {
	switch coverage.Lets(got, want) {
	case coverage.Covered:
		return Tightened
	case coverage.NotCovered:
		return Loosened
	}
	return Unclear
}

// missing returns the lines of a that b lacks.
func missing(a, b string) []string {
	have := strings.Split(b, "\n")
	return slices.DeleteFunc(strings.Split(a, "\n"), func(s string) bool { return s == "" || slices.Contains(have, s) })
}

// reach is for ranges of addresses that are let in: what matters is which addresses are covered.
func reach(want, got string) Direction {
	covered := func(p netip.Prefix, by string) bool {
		return slices.ContainsFunc(strings.Split(by, "\n"), func(s string) bool {
			o, err := netip.ParsePrefix(s)
			return err == nil && o.Bits() <= p.Bits() && o.Contains(p.Addr())
		})
	}
	for _, s := range strings.Split(got, "\n") {
		if p, err := netip.ParsePrefix(s); err == nil && !covered(p, want) {
			return Loosened
		}
	}
	return Tightened
}

// opened is for protocols and ports that are let through.
func opened(want, got string) Direction {
	if want == "all" {
		return Tightened
	}
	for _, line := range strings.Split(got, "\n") {
		name, which, _ := strings.Cut(line, ":")
		if line != "" && !passes(want, name, which) {
			return Loosened
		}
	}
	return Tightened
}

// passes reports whether what is wanted lets all of these ports of a protocol through.
func passes(want, name, which string) bool {
	for _, line := range strings.Split(want, "\n") {
		n, ours, _ := strings.Cut(line, ":")
		switch {
		case n != name:
			continue
		case ours == "":
			return true
		case which == "":
			return false
		}
		return !slices.ContainsFunc(strings.Split(which, ","), func(span string) bool { return !within(span, ours) })
	}
	return false
}

func within(span, spans string) bool {
	from, to := ends(span)
	return slices.ContainsFunc(strings.Split(spans, ","), func(s string) bool {
		a, b := ends(s)
		return a <= from && to <= b
	})
}

func ends(span string) (from, to int) {
	a, b, _ := strings.Cut(span, "-")
	from, _ = strconv.Atoi(a)
	to, _ = strconv.Atoi(b)
	return from, to
}
