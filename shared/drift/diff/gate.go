package diff

import (
	"strings"
)

// gate is what the directions of a rule of a firewall need of all of it. An empty list of who is meant means everybody, and
// what a rule keeps out is looser when it keeps out less.
type gate struct {
	deny    bool
	sources string // ranges
	others  string // tags and accounts that may come beside the ranges
	targets string // tags and accounts
	goals   string // ranges something may go to
}

const everywhere = "0.0.0.0/0\n::/0"

// gateOf reads a rule, Terraform's or the API's. What cannot be read is told by its own field.
func gateOf(v map[string]any) gate {
	read := func(is canon, paths string) string {
		inner, err := at(v, paths)
		if err != nil {
			return ""
		}
		s, _ := is(inner)
		return s
	}
	who := func(paths ...string) string {
		var all []string
		for _, p := range paths {
			if s := read(set(mail), p); s != "" {
				all = append(all, s)
			}
		}
		return strings.Join(all, "\n")
	}
	g := gate{
		deny:    read(protocols, "deny|denied|denieds") != "",
		sources: read(prefixes, "source_ranges|sourceRanges|sourceRange"), goals: read(prefixes, "destination_ranges|destinationRanges|destinationRange"),
		others:  who("source_tags|sourceTags|sourceTag", "source_service_accounts|sourceServiceAccounts|sourceServiceAccount"),
		targets: who("target_tags|targetTags|targetTag", "target_service_accounts|targetServiceAccounts|targetServiceAccount"),
	}
	if g.sources == "" && g.others == "" {
		g.sources = everywhere
	}
	if g.goals == "" {
		g.goals = everywhere
	}
	return g
}

// gated weighs a field of a rule that lets through, by a look at all of both; of one that keeps out it is the reverse.
func gated(more func(want, got gate) bool) weigh {
	return func(want, got map[string]any) Direction {
		w, g := gateOf(want), gateOf(got)
		if w.deny {
			w, g = g, w
		}
		if more(w, g) {
			return Loosened
		}
		return Tightened
	}
}

var (
	sources = gated(func(w, g gate) bool {
		return reach(w.sources, g.sources) == Loosened || len(missing(g.others, w.others)) > 0 && reach(w.sources, everywhere) == Loosened
	})
	goals   = gated(func(w, g gate) bool { return reach(w.goals, g.goals) == Loosened })
	targets = gated(func(w, g gate) bool { return w.targets != "" && only(w.targets, g.targets) == Loosened })
)

// enabled is whether a rule of a firewall works at all.
func enabled(want, got map[string]any) Direction {
	off, _ := flag(got["disabled"])
	if (off == "true") == gateOf(want).deny {
		return Loosened
	}
	return Tightened
}

// shield is for the rules of a security policy, a line each: one more that lets in, and one less that keeps out, are looser.
// Where another of the same sort stands at the same priority, nobody can say.
func shield(want, got string) Direction {
	gone, come := missing(want, got), missing(got, want)
	worst := Tightened
	weigh := func(lines, others []string, lets bool) {
		for _, line := range lines {
			if strings.Contains(line, " preview=true") || lets != letsIn(line) {
				continue
			}
			if matched(line, others) {
				worst = worse(worst, Unclear)
				continue
			}
			worst = Loosened
		}
	}
	weigh(come, gone, true)
	weigh(gone, come, false)
	return worst
}

func letsIn(line string) bool { return strings.HasPrefix(line, "action=ALLOW") }

// matched reports whether one of the lines has the priority of another and does the same.
func matched(line string, lines []string) bool {
	for _, other := range lines {
		if part(line, "action") == part(other, "action") && part(line, "priority") == part(other, "priority") && !strings.Contains(other, " preview=true") {
			return true
		}
	}
	return false
}

func part(line, name string) string {
	_, after, _ := strings.Cut(" "+line, " "+name+"=")
	value, _, _ := strings.Cut(after, " ")
	return value
}

func worse(a, b Direction) Direction {
	if a == Loosened || b == Tightened {
		return a
	}
	return b
}
