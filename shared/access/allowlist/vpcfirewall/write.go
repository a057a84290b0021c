package vpcfirewall

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/shard"
	"ostiary.internal/shared/platform/fault"
)

// change is what one rule shall hold.
type change struct {
	shell    shell
	holds    []netip.Prefix // sorted; empty shuts the rule
	disabled bool
}

// takes reports whether the change takes something away.
func (c change) takes() bool {
	held := lookup(c.holds)
	return slices.ContainsFunc(c.shell.admits(), func(p netip.Prefix) bool { return !held[p] })
}

// plan lays the set out over the rules and returns those that change, what takes away first. Exhausted: a family is full.
func (t *Target) plan(l landscape, s allowlist.Set) ([]change, error) {
	var taking, adding []change
	for _, f := range []struct {
		v4   bool
		want []allowlist.Entry
	}{{true, s.V4}, {false, s.V6}} {
		var shells []shell
		var have [][]netip.Prefix
		for _, shell := range l.shells {
			if shell.v4 == f.v4 {
				shells, have = append(shells, shell), append(have, shell.holds)
			}
		}
		var want []netip.Prefix
		for _, e := range f.want {
			want = append(want, e.Prefix)
		}
		places, over := shard.Fill(have, want, t.size, googledoor.SortKey)
		if len(over) > 0 {
			return nil, fault.New(fault.Exhausted, "applying to firewall door %s: %d entries of %s, its %d rules hold %d each", t.name, len(want), family(f.v4), len(shells), t.size)
		}
		for i, holds := range places {
			switch c := (change{shell: shells[i], holds: holds, disabled: len(holds) == 0}); {
			case c.done():
			case c.takes():
				taking = append(taking, c)
			default:
				adding = append(adding, c)
			}
		}
	}
	return append(taking, adding...), nil
}

// done reports whether the rule is so already.
func (c change) done() bool {
	if c.disabled {
		return c.shell.shut()
	}
	return !c.shell.rule.Disabled && c.shell.odd == "" && slices.Equal(c.shell.holds, c.holds)
}

// remove takes prefixes out of every rule that holds one, one that is disabled too.
func (t *Target) remove(ctx context.Context, client *compute.Service, l landscape, gone map[netip.Prefix]bool) error {
	var errs []error
	var all []begun
	for _, s := range l.shells {
		if !slices.ContainsFunc(s.holds, func(p netip.Prefix) bool { return gone[p] }) {
			continue
		}
		// What is not for us to write goes with it: a rule is never written but right.
		left := slices.DeleteFunc(slices.Clone(s.holds), func(p netip.Prefix) bool { return gone[p] || !fits(p, s.v4) || p == nobody[s.v4] })
		b, err := t.write(ctx, client, change{shell: s, holds: left, disabled: s.rule.Disabled || len(left) == 0})
		if err != nil {
			errs = append(errs, googledoor.As(err, busy))
			continue
		}
		all = append(all, b)
	}
	return errors.Join(append(errs, googledoor.As(t.finish(ctx, client, all), busy))...)
}

// What a kind of error means while a rule is written: it went since it was read; and for a removal, which tries again.
var (
	vanished = map[fault.Kind]fault.Kind{fault.NotFound: fault.Conflict}
	busy     = map[fault.Kind]fault.Kind{fault.Conflict: fault.Transient}
)

// begun is a write the service has accepted and may not have carried out yet.
type begun struct {
	doing     string
	operation *compute.Operation
}

// write reads the rule again and begins to write it. Conflict: it is not as it was read, or a change of it is under way.
func (t *Target) write(ctx context.Context, client *compute.Service, c change) (begun, error) {
	name := c.shell.rule.Name
	now, err := client.Firewalls.Get(t.project, name).Context(ctx).Do()
	if err != nil {
		return begun{}, googledoor.As(googledoor.Explain("reading rule "+name, err), vanished)
	}
	if digest(now) != digest(c.shell.rule) {
		return begun{}, fault.New(fault.Conflict, "writing rule %s: changed since it was read", name)
	}
	b := begun{doing: "writing rule " + name}
	b.operation, err = client.Firewalls.Patch(t.project, name, payload(c)).Context(ctx).Do()
	return b, googledoor.As(googledoor.Explain(b.doing, err), vanished)
}

// payload names the two fields that are ours, both always: the client leaves out what is empty or false unless told to send it.
func payload(c change) *compute.Firewall {
	rule := &compute.Firewall{Disabled: c.disabled, ForceSendFields: []string{"Disabled", "SourceRanges"}}
	for _, p := range c.holds {
		rule.SourceRanges = append(rule.SourceRanges, p.String())
	}
	if len(c.holds) == 0 {
		rule.SourceRanges = []string{nobody[c.shell.v4].String()}
	}
	return rule
}

// finish waits until all that was begun is carried out.
func (t *Target) finish(ctx context.Context, client *compute.Service, all []begun) error {
	var errs []error
	for _, b := range all {
		err := googledoor.Await(ctx, b.doing, b.operation, func(ctx context.Context, name string) (*compute.Operation, error) {
			return client.GlobalOperations.Wait(t.project, name).Context(ctx).Do()
		})
		errs = append(errs, googledoor.As(err, vanished))
	}
	return errors.Join(errs...)
}
