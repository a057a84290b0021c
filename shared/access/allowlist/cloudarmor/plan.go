package cloudarmor

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/shard"
	"ostiary.internal/shared/platform/fault"
)

// step is one write: a rule of ours gets other prefixes, comes to be, or with none goes.
type step struct {
	priority int64
	in       []netip.Prefix // sorted, at most perRule, of one family
	turn     turn
}

// turn orders the steps: what only takes away goes first, a rule of which something moves elsewhere after the rule that takes
// it up, and a new rule last, when there is room for it.
type turn int

const (
	closes turn = iota
	changes
	vacates
	opens
)

// plan computes the writes that make a policy let in exactly the set with no more rules of ours than most. It is pure.
// Exhausted: that is too few.
func (s snapshot) plan(set allowlist.Set, most int) ([]step, error) {
	all := set.Prefixes()
	families := [][]netip.Prefix{all[:len(set.V4)], all[len(set.V4):]}
	need := rulesFor(len(families[0])) + rulesFor(len(families[1]))
	if need > most {
		return nil, full(fault.New(fault.Exhausted, "the set needs %d rules, there may be %d", need, most))
	}
	after := map[int64][]netip.Prefix{}
	var fresh [][]netip.Prefix
	for _, thrifty := range []bool{false, true} {
		clear(after)
		fresh = fresh[:0]
		for _, want := range families {
			fresh = append(fresh, s.fill(after, want, thrifty)...)
		}
		if len(after)+len(fresh) <= most {
			break
		}
	}
	steps := s.differences(after, all)
	for priority := s.span.from; len(fresh) > 0; priority++ {
		if after[priority] == nil {
			steps = append(steps, step{priority, fresh[0], opens})
			fresh = fresh[1:]
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.priority, b.priority))
	})
	return steps, nil
}

// fill puts the prefixes of one family into the rules of ours that hold that family, each where it is already, and returns
// what takes new rules. Thrifty, it gives up as many of the rules as it can.
func (s snapshot) fill(after map[int64][]netip.Prefix, want []netip.Prefix, thrifty bool) (fresh [][]netip.Prefix) {
	if len(want) == 0 {
		return nil
	}
	var priorities []int64
	var have [][]netip.Prefix
	for _, priority := range slices.Sorted(maps.Keys(s.ours)) {
		if in := s.ours[priority]; in[0].Addr().Is4() == want[0].Addr().Is4() {
			priorities, have = append(priorities, priority), append(have, in)
		}
	}
	if thrifty {
		have = have[:min(len(have), rulesFor(len(want)))]
	}
	places, over := shard.Fill(have, want, perRule, googledoor.SortKey)
	for i, in := range places {
		if len(in) > 0 {
			after[priorities[i]] = in
		}
	}
	return slices.Collect(slices.Chunk(over, perRule))
}

// differences are the steps from the rules there are to those of after, but for new ones. What is not ours goes.
func (s snapshot) differences(after map[int64][]netip.Prefix, all []netip.Prefix) []step {
	wanted := map[netip.Prefix]bool{}
	for _, p := range all {
		wanted[p] = true
	}
	var steps []step
	for priority := range s.alien {
		steps = append(steps, step{priority: priority})
	}
	for priority, in := range s.ours {
		left := after[priority]
		switch {
		case slices.Equal(in, left):
		case slices.ContainsFunc(left, func(p netip.Prefix) bool { return !slices.Contains(in, p) }):
			steps = append(steps, step{priority, left, changes})
		case slices.ContainsFunc(in, func(p netip.Prefix) bool { return wanted[p] && !slices.Contains(left, p) }):
			steps = append(steps, step{priority, left, vacates})
		default:
			steps = append(steps, step{priority, left, closes})
		}
	}
	return steps
}

// without computes the writes that take some prefixes away and add nothing. It is pure. A rule that is not ours goes whole
// where it may let in any of them.
func (s snapshot) without(gone []netip.Prefix) []step {
	var steps []step
	for priority, r := range s.alien {
		if overlap(r.in, gone) {
			steps = append(steps, step{priority: priority})
		}
	}
	for priority, in := range s.ours {
		left := slices.DeleteFunc(slices.Clone(in), func(p netip.Prefix) bool { return slices.Contains(gone, p) })
		if len(left) < len(in) {
			steps = append(steps, step{priority: priority, in: left})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.priority, b.priority) })
	return steps
}

// full is the refusal of a set for which there are not rules enough.
func full(why error) error {
	e := fault.Refuse(fault.Exhausted, "rules_full", "The load balancer's security policy has no room for so many addresses.",
		"Ask whoever runs your Google Cloud project to raise its quota of security policy rules, or to set more priorities aside.")
	e.Err = why
	return e
}
