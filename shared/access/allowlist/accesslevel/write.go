package accesslevel

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/shard"
	"ostiary.internal/shared/platform/fault"
)

// plan is what one Apply writes.
type plan struct {
	ends   []int64 // levels that end at these times, to be made or put right before a condition requires them
	shells []edit  // in this order
}

// edit is a level as it was read, and as it shall be.
type edit struct{ from, to *acm.AccessLevel }

// plan lays the grants out over the levels. What is there stays where it is. Exhausted: there is no room.
func (t *Target) plan(v *view, want []grant, set string, fence int64) (plan, error) {
	have := make([][]grant, len(v.shells))
	for i, s := range v.shells {
		have[i] = v.have(s)
	}
	places, over := shard.Fill(have, want, t.size, grant.key)
	if len(over) > 0 {
		return plan{}, fault.New(fault.Exhausted, "applying to %s: %d conditions too many for %d levels of %d; add levels in Terraform",
			t.name, len(over), len(v.shells), t.size)
	}
	var p plan
	after := make([]*acm.AccessLevel, len(places))
	for i, grants := range places {
		after[i] = &acm.AccessLevel{Name: v.shells[i].Name, Basic: t.basic(grants)}
		for _, c := range after[i].Basic.Conditions {
			until, _ := v.required(c)
			p.ends = append(p.ends, until)
		}
		if spelled(after[i]) != spelled(v.shells[i]) {
			p.shells = append(p.shells, edit{v.shells[i], after[i]})
		}
	}
	p.ends = missing(v, p.ends)
	if fresh := v.fresh(p.ends); v.levels+fresh > mostLevels {
		return plan{}, fault.New(fault.Exhausted, "applying to %s: %d levels in the policy, and %d more are too many", t.name, v.levels, fresh)
	}
	last := v.newest()
	now := note{Version: last.Version + 1, Fence: fence, Set: set, Levels: digest(after)}
	if len(p.shells) == 0 && (last.Set != now.Set || last.Levels != now.Levels) {
		p.shells = []edit{{v.shells[0], after[0]}} // the same conditions for other leases
	}
	slices.SortStableFunc(p.shells, func(a, b edit) int { return a.rank() - b.rank() })
	for _, e := range p.shells {
		e.to.Description = now.String()
	}
	return p, nil
}

// missing are the ends for which there is no level yet, or one that is not what its name says.
func missing(v *view, ends []int64) []int64 {
	slices.Sort(ends)
	return slices.DeleteFunc(slices.Compact(ends), func(until int64) bool { return v.ends[until] == expression(until) })
}

// fresh counts the ends that need a level more.
func (v *view) fresh(ends []int64) (n int) {
	for _, until := range ends {
		if _, there := v.ends[until]; !there {
			n++
		}
	}
	return n
}

// rank is 0 for an edit that takes something away: were there no writes left for the rest, that is what matters.
func (e edit) rank() int {
	if e.from.Basic == nil || e.from.Basic.CombiningFunction != or {
		return 0
	}
	var to []string
	for _, c := range e.to.Basic.Conditions {
		to = append(to, canonical(c))
	}
	for _, c := range e.from.Basic.Conditions {
		if !slices.Contains(to, canonical(c)) && !slices.Equal(named(c), []netip.Prefix{nowhere}) {
			return 0
		}
	}
	return 1
}

// carryOut writes a plan: ends first, for a condition cannot require what is not there, and last it clears away some of those
// that are over. It returns how many writes were made.
func (t *Target) carryOut(ctx context.Context, v *view, p plan) (written int, err error) {
	for _, until := range p.ends {
		if err := t.makeEnd(ctx, v, until); err != nil {
			return written, err
		}
		written++
	}
	for _, e := range p.shells {
		if err := sound(e.to.Basic); err != nil {
			return written, fault.New(fault.Invalid, "writing level %s: %w", e.to.Name, err)
		}
		if err := t.unchanged(ctx, e.from); err != nil {
			return written, err
		}
		if err := t.write(ctx, e.to, "basic,description", true); err != nil {
			return written, err
		}
		written++
	}
	t.sweep(ctx, v, p)
	return written, nil
}

// makeEnd makes the level that ends at a time, or makes it end then.
func (t *Target) makeEnd(ctx context.Context, v *view, until int64) error {
	level := &acm.AccessLevel{Name: t.end(until), Custom: &acm.CustomLevel{Expr: &acm.Expr{Expression: expression(until)}}}
	if _, there := v.ends[until]; there {
		return t.write(ctx, level, "custom", true)
	}
	return t.create(ctx, level)
}

// unchanged looks at a level right before it is written: Conflict where somebody else wrote since it was read.
func (t *Target) unchanged(ctx context.Context, was *acm.AccessLevel) error {
	is, err := t.get(ctx, was.Name)
	if err != nil {
		return err
	}
	if spelled(is) != spelled(was) || is.Description != was.Description {
		return fault.New(fault.Conflict, "writing level %s: changed since it was read", was.Name)
	}
	return nil
}

// swept bounds how many levels one Apply deletes: the next one's writes come out of the same minute.
const swept = 5

// sweep deletes levels that have ended and that no condition of ours requires any more, if they are what their name says.
// They let nobody in, so an error matters to nobody: the next Apply tries again.
func (t *Target) sweep(ctx context.Context, v *view, p plan) {
	needed := map[string]bool{}
	for _, s := range v.shells {
		if at := slices.IndexFunc(p.shells, func(e edit) bool { return e.from == s }); at >= 0 {
			s = p.shells[at].to
		}
		for _, c := range s.Basic.Conditions {
			needed[c.RequiredAccessLevels[0]] = true
		}
	}
	left := swept
	for _, until := range slices.Sorted(maps.Keys(v.ends)) {
		over := until > 0 && until <= t.options.Clock.Now().Unix() && v.ends[until] == expression(until)
		if name := t.end(until); over && !needed[name] && left > 0 {
			_ = t.remove(ctx, name)
			left--
		}
	}
}

// removed stands for the set in the note of levels from which something was taken away: they hold none whole.
const removed = "removed"

// takeAway writes what rest leaves of the levels, and a note of it: what we took away ourselves nobody else has.
func (t *Target) takeAway(ctx context.Context, v *view, rest func(level *acm.AccessLevel) (left []*acm.Condition, changes bool)) error {
	last := v.newest()
	honest := last.Levels == v.digest // else it stays seen that somebody else wrote, or that a write of ours is half done
	now, version := slices.Clone(v.shells), last.Version
	var failed []error
	for i, s := range v.shells {
		left, changes := rest(s)
		if !changes {
			continue
		}
		if len(left) == 0 {
			left = t.basic(nil).Conditions
			if _, there := v.ends[0]; !there {
				left[0].RequiredAccessLevels = nil
			}
		}
		to, fields := &acm.AccessLevel{Name: s.Name, Basic: &acm.BasicLevel{CombiningFunction: or, Conditions: left}}, "basic"
		now[i] = to
		if version++; honest { // each note speaks of the levels as they are after its own write
			to.Description, fields = note{Version: version, Fence: v.fence(), Set: removed, Levels: digest(now)}.String(), "basic,description"
		}
		if err := t.write(ctx, to, fields, false); err != nil {
			now[i] = s
			failed = append(failed, googledoor.As(err, map[fault.Kind]fault.Kind{fault.NotFound: fault.Transient, fault.Conflict: fault.Transient}))
		}
	}
	return errors.Join(failed...)
}

// cut is what is left of a level whose conditions lose what out says. A condition that would be left without addresses goes,
// for it would let in everybody, and so do all that hold only together with one that goes.
func cut(level *acm.AccessLevel, out func(c *acm.Condition, p netip.Prefix) bool) (left []*acm.Condition, changes bool) {
	for _, c := range level.Basic.Conditions {
		in := named(c)
		kept := slices.DeleteFunc(slices.Clone(in), func(p netip.Prefix) bool { return out(c, p) })
		switch {
		case len(kept) == len(in):
			left = append(left, c)
			continue
		case len(kept) > 0 && !slices.Equal(in, everybody):
			one := *c
			one.IpSubnetworks = nil
			for _, p := range kept {
				one.IpSubnetworks = append(one.IpSubnetworks, p.String())
			}
			left = append(left, &one)
		}
		changes = true
	}
	if changes && level.Basic.CombiningFunction != or {
		return nil, true
	}
	return left, changes
}

// without is what is left of a level when these prefixes are taken away.
func without(level *acm.AccessLevel, gone []netip.Prefix) (left []*acm.Condition, changes bool) {
	out := func(p netip.Prefix) bool { return slices.Contains(gone, p) }
	if level.Basic == nil || len(level.Basic.Conditions) == 0 {
		return nil, slices.ContainsFunc(everybody, out)
	}
	return cut(level, func(_ *acm.Condition, p netip.Prefix) bool { return out(p) })
}

// within is what is left of a level when all is taken away that is not wanted, or not so long. What is not as we write it goes.
func (v *view) within(level *acm.AccessLevel, want map[holding]int64) (left []*acm.Condition, changes bool) {
	if level.Basic == nil || len(level.Basic.Conditions) == 0 {
		return nil, true
	}
	return cut(level, func(c *acm.Condition, p netip.Prefix) bool {
		if p == nowhere {
			return false
		}
		until, _ := v.required(c)
		return v.strange(c) != "" || want[holding{strings.ToLower(strings.Join(c.Members, "")), p}] < ending(time.Unix(until, 0))
	})
}
