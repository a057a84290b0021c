package cloudarmor

import (
	"context"

	"google.golang.org/api/compute/v1"
)

// door is where a policy lies. The methods are those of the API.
type door interface {
	get(ctx context.Context, s *compute.Service) (*compute.SecurityPolicy, error)
	add(ctx context.Context, s *compute.Service, r *compute.SecurityPolicyRule) (*compute.Operation, error)
	patch(ctx context.Context, s *compute.Service, r *compute.SecurityPolicyRule) (*compute.Operation, error)
	remove(ctx context.Context, s *compute.Service, priority int64) (*compute.Operation, error)
	wait(ctx context.Context, s *compute.Service, operation string) (*compute.Operation, error)
	quotas(ctx context.Context, s *compute.Service) ([]*compute.Quota, error)
	metric() string // of the quota of rules
	place() string  // what the policy's full name has before it
}

type global struct{ project, policy string }

func (d global) get(ctx context.Context, s *compute.Service) (*compute.SecurityPolicy, error) {
	return s.SecurityPolicies.Get(d.project, d.policy).Context(ctx).Do()
}

func (d global) add(ctx context.Context, s *compute.Service, r *compute.SecurityPolicyRule) (*compute.Operation, error) {
	return s.SecurityPolicies.AddRule(d.project, d.policy, r).Context(ctx).Do()
}

func (d global) patch(ctx context.Context, s *compute.Service, r *compute.SecurityPolicyRule) (*compute.Operation, error) {
	return s.SecurityPolicies.PatchRule(d.project, d.policy, r).Priority(r.Priority).Context(ctx).Do()
}

func (d global) remove(ctx context.Context, s *compute.Service, priority int64) (*compute.Operation, error) {
	return s.SecurityPolicies.RemoveRule(d.project, d.policy).Priority(priority).Context(ctx).Do()
}

func (d global) wait(ctx context.Context, s *compute.Service, operation string) (*compute.Operation, error) {
	return s.GlobalOperations.Wait(d.project, operation).Context(ctx).Do()
}

func (d global) quotas(ctx context.Context, s *compute.Service) ([]*compute.Quota, error) {
	p, err := s.Projects.Get(d.project).Fields("quotas").Context(ctx).Do()
	if err != nil || p == nil {
		return nil, err
	}
	return p.Quotas, nil
}

func (global) metric() string { return "SECURITY_POLICY_RULES" }

func (d global) place() string { return "projects/" + d.project + "/global" }

type regional struct{ project, policy, region string }

func (d regional) get(ctx context.Context, s *compute.Service) (*compute.SecurityPolicy, error) {
	return s.RegionSecurityPolicies.Get(d.project, d.region, d.policy).Context(ctx).Do()
}

func (d regional) add(ctx context.Context, s *compute.Service, r *compute.SecurityPolicyRule) (*compute.Operation, error) {
	return s.RegionSecurityPolicies.AddRule(d.project, d.region, d.policy, r).Context(ctx).Do()
}

func (d regional) patch(ctx context.Context, s *compute.Service, r *compute.SecurityPolicyRule) (*compute.Operation, error) {
	return s.RegionSecurityPolicies.PatchRule(d.project, d.region, d.policy, r).Priority(r.Priority).Context(ctx).Do()
}

func (d regional) remove(ctx context.Context, s *compute.Service, priority int64) (*compute.Operation, error) {
	return s.RegionSecurityPolicies.RemoveRule(d.project, d.region, d.policy).Priority(priority).Context(ctx).Do()
}

func (d regional) wait(ctx context.Context, s *compute.Service, operation string) (*compute.Operation, error) {
	return s.RegionOperations.Wait(d.project, d.region, operation).Context(ctx).Do()
}

func (d regional) quotas(ctx context.Context, s *compute.Service) ([]*compute.Quota, error) {
	r, err := s.Regions.Get(d.project, d.region).Fields("quotas").Context(ctx).Do()
	if err != nil || r == nil {
		return nil, err
	}
	return r.Quotas, nil
}

func (regional) metric() string { return "SECURITY_POLICY_RULES_PER_REGION" }

func (d regional) place() string { return "projects/" + d.project + "/regions/" + d.region }
