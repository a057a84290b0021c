package cloudarmor

import (
	"context"
	"net/http"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/access/allowlist/googledoor"
	"ostiary.internal/shared/platform/fault"
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

// waits is how often an operation is waited for. The service answers when it is done, and after two minutes at most; we are
// patient for less.
const waits = 4

// finish waits for an operation. Its error becomes one of the kinds of googledoor.Explain.
func (t *Target) finish(ctx context.Context, s *compute.Service, doing string, op *compute.Operation) error {
	for n := 0; ; n++ {
		switch {
		case op == nil:
			return fault.New(fault.Transient, "%s: the answer is no operation", doing)
		case op.Status == "DONE":
			return outcome(doing, op)
		case n == waits:
			return fault.New(fault.Transient, "%s: it is still under way", doing)
		}
		var err error
		if op, err = t.door.wait(ctx, s, op.Name); err != nil {
			return googledoor.Explain(doing+": waiting for it", err)
		}
	}
}

// statuses are those that an operation's error codes stand for where it carries none that tells.
var statuses = map[string]int{
	"QUOTA_EXCEEDED": http.StatusTooManyRequests, "RATE_LIMIT_EXCEEDED": http.StatusTooManyRequests, "RESOURCE_OPERATION_RATE_EXCEEDED": http.StatusTooManyRequests,
	"RESOURCE_NOT_READY": http.StatusConflict, "RESOURCE_NOT_FOUND": http.StatusNotFound, "PERMISSIONS_ERROR": http.StatusForbidden,
}

// outcome is the error of an operation that is done. An operation that failed without saying how is Transient.
func outcome(doing string, op *compute.Operation) error {
	if op.Error == nil && op.HttpErrorStatusCode == 0 {
		return nil
	}
	failed := &googleapi.Error{Code: int(op.HttpErrorStatusCode)}
	if op.Error != nil {
		for _, e := range op.Error.Errors {
			failed.Errors = append(failed.Errors, googleapi.ErrorItem{Reason: e.Code})
			if status, known := statuses[e.Code]; known {
				failed.Code = status
			}
		}
	}
	if failed.Code == 0 {
		failed.Code = http.StatusInternalServerError
	}
	return googledoor.Explain(doing, failed)
}
