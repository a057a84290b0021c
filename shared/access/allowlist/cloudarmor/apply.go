package cloudarmor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

// Apply implements allowlist.Target. A policy remembers no fence: the etag of the Read keeps writers apart. Misconfigured,
// and nothing written, where the default rule does not deny: then no list shuts the door. A set of several rules that could
// not be written whole, for its time or a quota ran out, is ErrPart, and gone on with by the next Apply.
func (t *Target) Apply(ctx context.Context, s allowlist.Set, w allowlist.Write) error {
	if err := s.Check(t.Limits()); fault.Is(err, fault.Exhausted) {
		return full(err)
	} else if err != nil {
		return err
	}
	seen, err := t.look(ctx)
	if err != nil {
		return err
	}
	if seen.etag != w.Etag {
		return fault.New(fault.Conflict, "applying to policy %s: changed since it was read", t.policy)
	}
	if seen.open != "" {
		e := fault.Refuse(fault.Misconfigured, "policy_open", "The load balancer's security policy lets in everybody.", "Set its default rule to deny(403) in Terraform.")
		e.Err = fault.New(fault.Misconfigured, "applying to policy %s: %s", t.policy, seen.open)
		return e
	}
	steps, err := seen.plan(s, t.rules())
	if err != nil {
		return fmt.Errorf("applying to policy %s: %w", t.policy, err)
	}
	done, err := t.carry(ctx, seen, steps)
	if done > 0 && (fault.Is(err, fault.Exhausted) || errors.Is(err, errTime) || ctx.Err() != nil) {
		return errors.Join(allowlist.ErrPart, err)
	}
	return err
}

// attempts is how often a removal begins anew when somebody else writes meanwhile, and how often a policy is read again that
// does not yet show what was written.
const attempts = 4

// Remove implements allowlist.Target. A rule that cannot be written keeps no other from being.
func (t *Target) Remove(ctx context.Context, gone []netip.Prefix) error {
	stuck := map[int64]error{}
	for again := 0; again < attempts; {
		seen, err := t.look(ctx)
		if err != nil {
			return errors.Join(append(slices.Collect(maps.Values(stuck)), err)...)
		}
		steps := slices.DeleteFunc(seen.without(gone), func(s step) bool { return stuck[s.priority] != nil })
		done, err := t.carry(ctx, seen, steps)
		switch {
		case err == nil:
			return errors.Join(slices.Collect(maps.Values(stuck))...)
		case errors.Is(err, errTime), ctx.Err() != nil:
			return errors.Join(append(slices.Collect(maps.Values(stuck)), err)...)
		case fault.Is(err, fault.Conflict):
			again++
		default:
			stuck[steps[done].priority] = err
		}
	}
	return fault.New(fault.Transient, "taking entries out of policy %s: somebody else keeps changing it", t.policy)
}

// reserve is what is left of a call's time for reading back and noting what was done.
const reserve = 10 * time.Second

// errTime is among the errors of steps that were not all taken in time.
var errTime = fault.New(fault.Transient, "no time is left")

// carry takes the steps one by one, and stops where the policy does not come to hold what it wrote and nothing else, or where
// the time of the call runs out. It returns how many were taken and, but for the last, seen to be.
func (t *Target) carry(ctx context.Context, seen snapshot, steps []step) (done int, err error) {
	writing := ctx
	if ends, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		writing, cancel = context.WithDeadline(ctx, ends.Add(-reserve))
		defer cancel()
	}
	for i, s := range steps {
		if i > 0 {
			if seen, err = t.follow(ctx, seen, steps[i-1]); err != nil {
				return i - 1, fmt.Errorf("wrote %d of %d rules: %w", i, len(steps), err)
			}
			if writing.Err() != nil {
				return i, fmt.Errorf("wrote %d of %d rules: %w", i, len(steps), errTime)
			}
		}
		if err := t.write(ctx, seen, s); err != nil {
			return i, fmt.Errorf("wrote %d of %d rules; the next run goes on: %w", i, len(steps), err)
		}
	}
	return len(steps), nil
}

// follow reads the policy after a step. Conflict: somebody else has changed it too.
func (t *Target) follow(ctx context.Context, seen snapshot, s step) (snapshot, error) {
	want := maps.Clone(seen.views)
	if delete(want, s.priority); len(s.in) > 0 {
		want[s.priority] = ourView(s.in)
	}
	for range attempts {
		now, err := t.look(ctx)
		if err != nil {
			return now, err
		}
		if maps.Equal(now.views, want) {
			return now, nil
		}
		if now.etag != seen.etag {
			return now, fault.New(fault.Conflict, "rule %d of policy %s is written, and somebody else changed the policy too", s.priority, t.policy)
		}
	}
	return seen, fault.New(fault.Transient, "rule %d of policy %s is written and does not show", s.priority, t.policy)
}

// write takes one step. Conflict: the rule is not, or is no longer, what it was seen to be.
func (t *Target) write(ctx context.Context, seen snapshot, s step) error {
	service, err := t.service.Get(ctx)
	if err != nil {
		return err
	}
	var op *compute.Operation
	doing := fmt.Sprintf("writing rule %d of policy %s", s.priority, t.policy)
	_, there := seen.views[s.priority]
	switch {
	case len(s.in) == 0:
		op, err = t.door.remove(ctx, service, s.priority)
	case there:
		op, err = t.door.patch(ctx, service, rule(s))
	default:
		op, err = t.door.add(ctx, service, rule(s))
	}
	if err != nil {
		err = googledoor.Explain(doing, err)
	} else {
		err = googledoor.Await(ctx, doing, op, func(ctx context.Context, name string) (*compute.Operation, error) {
			return t.door.wait(ctx, service, name)
		})
	}
	if fault.Is(err, fault.Misconfigured) || fault.Is(err, fault.NotFound) {
		// A priority that somebody took or freed a moment ago is answered like a request that makes no sense.
		if now, lookErr := t.look(ctx); lookErr == nil && now.etag != seen.etag {
			return fault.New(fault.Conflict, "%w; somebody else changed the policy", err)
		}
	}
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Transient, "%w", err)
	}
	return err
}

// rule is what a step sends. Priority and preview are sent whatever they are.
func rule(s step) *compute.SecurityPolicyRule {
	ranges := make([]string, 0, len(s.in))
	for _, p := range s.in {
		ranges = append(ranges, p.String())
	}
	return &compute.SecurityPolicyRule{
		Action: allow, Priority: s.priority, Description: "Kept by Ostiary: what is changed here is put back.",
		Match:           &compute.SecurityPolicyRuleMatcher{VersionedExpr: byAddress, Config: &compute.SecurityPolicyRuleMatcherConfig{SrcIpRanges: ranges}},
		ForceSendFields: []string{"Priority", "Preview"},
	}
}

// look reads the policy. Errors: Transient, Denied, Misconfigured.
func (t *Target) look(ctx context.Context) (snapshot, error) {
	service, err := t.service.Get(ctx)
	if err != nil {
		return snapshot{}, err
	}
	p, err := t.door.get(ctx, service)
	if err != nil {
		return snapshot{}, googledoor.Reading(googledoor.Explain("reading policy "+t.policy, err))
	}
	if err := t.recognise(p); err != nil {
		return snapshot{}, err
	}
	return read(p, t.span), nil
}

// recognise refuses an answer that cannot be the policy: nothing may rest on it.
func (t *Target) recognise(p *compute.SecurityPolicy) error {
	if p == nil || p.Name != t.policy || p.Fingerprint == "" {
		return fault.New(fault.Transient, "reading policy %s: the answer is of no such policy", t.policy)
	}
	if !slices.Contains([]string{"", "CLOUD_ARMOR", "CLOUD_ARMOR_EDGE"}, p.Type) {
		return fault.New(fault.Misconfigured, "reading policy %s: its type %q filters packets, not requests", t.policy, p.Type)
	}
	priorities := map[int64]bool{}
	for _, r := range p.Rules {
		if r == nil || priorities[r.Priority] {
			return fault.New(fault.Transient, "reading policy %s: a rule is empty or there twice", t.policy)
		}
		priorities[r.Priority] = true
	}
	return nil
}

// free is how many rules more the project's quota allows.
func (t *Target) free(ctx context.Context) (int, error) {
	service, err := t.service.Get(ctx)
	if err != nil {
		return 0, err
	}
	quotas, err := t.door.quotas(ctx, service)
	if err != nil {
		return 0, googledoor.Explain("reading the quota of policy "+t.policy, err)
	}
	for _, q := range quotas {
		if q != nil && q.Metric == t.door.metric() {
			return int(min(max(q.Limit-q.Usage, 0), mostRules)), nil
		}
	}
	return 0, fault.New(fault.NotFound, "reading the quota of policy %s: the answer has no %s", t.policy, t.door.metric())
}
