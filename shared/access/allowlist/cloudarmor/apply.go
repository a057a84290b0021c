package cloudarmor

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
)

// Apply implements allowlist.Target. A policy remembers no fence: the etag of the Read keeps writers apart. Misconfigured,
// and nothing written, where the default rule does not deny: then no list shuts the door. A set of several rules that could
// not be written whole is gone on with by the next Apply.
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
	return t.carry(ctx, seen, steps)
}

// attempts is how often a removal begins anew when somebody else writes meanwhile, and how often a policy is read again that
// does not yet show what was written.
const attempts = 4

// Remove implements allowlist.Target.
func (t *Target) Remove(ctx context.Context, gone []netip.Prefix) error {
	var err error
	for range attempts {
		var seen snapshot
		if seen, err = t.look(ctx); err != nil {
			return err
		}
		if err = t.carry(ctx, seen, seen.without(gone)); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Transient, "taking entries out of policy %s: %w", t.policy, err)
}

// carry takes the steps one by one, and stops where the policy does not come to hold what it wrote and nothing else.
func (t *Target) carry(ctx context.Context, seen snapshot, steps []step) error {
	for i, s := range steps {
		var err error
		if i > 0 {
			seen, err = t.follow(ctx, seen, steps[i-1])
		}
		if err == nil {
			err = t.write(ctx, seen, s)
		}
		if err != nil {
			return fmt.Errorf("wrote %d of %d rules; the next run goes on: %w", i, len(steps), err)
		}
	}
	return nil
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
