package policy

import (
	"maps"
	"slices"
	"strings"
)

// References checks what promises are kept by against the names that the owners of the mechanisms list. It returns a
// problem for each reference to a name that is in no list; it is dangling, so nothing stops for it. A mechanism
// without an entry is not checked: its names may stand for what does not run yet.
func (p *Policy) References(known map[Mechanism][]string) []Problem {
	var problems []Problem
	for _, promise := range p.Promises {
		if promise.Inherits() {
			continue // it is told of the promise that is the same
		}
		for k, keeper := range promise.KeptBy {
			names, listed := known[keeper.Mechanism]
			if !listed {
				continue
			}
			key := index(promise.key+".kept_by", k) + "." + string(keeper.Mechanism)
			for _, ref := range keeper.Refs {
				if slices.Contains(names, ref) || !isID(ref) && keeper.Mechanism != Rollup {
					continue // what is no name is told where it is read
				}
				none := "there is no "
				if keeper.Mechanism == Records {
					none = "there are no "
				}
				problem := p.Problem(promise.file, key, none+string(keeper.Mechanism)+" "+quote(ref)+Meant(ref, names), someOf(names))
				problem.Dangling = true
				problems = append(problems, problem)
			}
		}
	}
	return Sort(problems)
}

// NoPromise returns the problem of a key of a YAML file that refers to a promise that there is not; it is dangling.
func (p *Policy) NoPromise(file, key, id string) Problem {
	what, allowed := p.noPromise(id)
	problem := p.Problem(file, key, what, allowed)
	problem.Dangling = true
	return problem
}

func (p *Policy) noPromise(id string) (what, allowed string) {
	ids := slices.Sorted(maps.Keys(p.promises))
	return "there is no promise " + quote(id) + Meant(id, ids), someOf(ids)
}

// someOf names what is allowed, as far as it helps.
func someOf(names []string) string {
	const most = 20
	switch {
	case len(names) == 0:
		return "nothing, there is none"
	case len(names) > most:
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// Inherits reports whether KeptBy was left out, and is that of the promise that says the same: evidence of that one
// counts for both.
func (p Promise) Inherits() bool { return p.filled }

// ProblemOf returns a problem of one key of a promise, such as "params.targets", at the key's place.
func (p *Policy) ProblemOf(promise Promise, key, what, allowed string) Problem {
	return p.Problem(promise.file, promise.key+"."+key, what, allowed)
}
