package vpcfirewall

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/access/allowlist/shard"
	"ostiary.internal/shared/platform/fault"
)

// mostWaits bounds how often one operation is asked about. The service holds each question until the operation is done or it must answer.
const mostWaits = 10

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
		places, over := shard.FillFunc(have, want, t.size, key)
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

// key orders prefixes of one family as netip.Prefix.Compare does.
func key(p netip.Prefix) string { return string(append(p.Addr().AsSlice(), byte(p.Bits()))) }

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
			errs = append(errs, as(err, map[fault.Kind]fault.Kind{fault.Conflict: fault.Transient}))
			continue
		}
		all = append(all, b)
	}
	return errors.Join(append(errs, as(t.finish(ctx, client, all), map[fault.Kind]fault.Kind{fault.Conflict: fault.Transient}))...)
}

// begun is a write the service has accepted and may not have carried out yet.
type begun struct {
	doing     string
	operation *compute.Operation
}

// write reads the rule again and begins to write it. Conflict: it is not as it was read, or a change of it is under way.
func (t *Target) write(ctx context.Context, client *compute.Service, c change) (begun, error) {
	name := c.shell.rule.Name
	vanished := map[fault.Kind]fault.Kind{fault.NotFound: fault.Conflict}
	now, err := client.Firewalls.Get(t.project, name).Context(ctx).Do()
	if err != nil {
		return begun{}, as(googledoor.Explain("reading rule "+name, err), vanished)
	}
	if digest(now) != digest(c.shell.rule) {
		return begun{}, fault.New(fault.Conflict, "writing rule %s: changed since it was read", name)
	}
	b := begun{doing: "writing rule " + name}
	b.operation, err = client.Firewalls.Patch(t.project, name, payload(c)).Context(ctx).Do()
	return b, as(googledoor.Explain(b.doing, err), vanished)
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
		errs = append(errs, t.await(ctx, client, b))
	}
	return errors.Join(errs...)
}

func (t *Target) await(ctx context.Context, client *compute.Service, b begun) error {
	for range mostWaits {
		if b.operation.Status == "DONE" {
			return b.outcome()
		}
		next, err := client.GlobalOperations.Wait(t.project, b.operation.Name).Context(ctx).Do()
		if err != nil {
			return as(googledoor.Explain(b.doing, err), map[fault.Kind]fault.Kind{fault.NotFound: fault.Transient})
		}
		b.operation = next
	}
	return fault.New(fault.Transient, "%s: not done yet", b.doing)
}

// full are the codes of an operation that mean "later".
var full = []string{"QUOTA_EXCEEDED", "RATE_LIMIT_EXCEEDED", "RESOURCE_OPERATION_RATE_EXCEEDED"}

// outcome is the error of an operation that is done, as if the request had been answered with it.
func (b begun) outcome() error {
	o := b.operation
	if o.Error == nil && o.HttpErrorStatusCode < http.StatusBadRequest {
		return nil
	}
	failed := &googleapi.Error{Code: int(o.HttpErrorStatusCode)}
	if failed.Code < http.StatusBadRequest {
		failed.Code = http.StatusInternalServerError
	}
	if o.Error != nil {
		for _, e := range o.Error.Errors {
			failed.Errors = append(failed.Errors, googleapi.ErrorItem{Reason: e.Code})
			if slices.Contains(full, e.Code) {
				failed.Code = http.StatusTooManyRequests
			}
		}
	}
	return as(googledoor.Explain(b.doing, failed), map[fault.Kind]fault.Kind{fault.NotFound: fault.Conflict})
}
