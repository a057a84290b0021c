package decideerasure

import (
	"context"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/policy"
)

// decision is one way to decide about a request, from a body or a form.
type decision[T any] func(ctx context.Context, s *request.Service, id string, who policy.Person, body T, now time.Time) (request.Request, error)

// nothing is the body of what needs none.
type nothing struct{}

func approving(ctx context.Context, s *request.Service, id string, who policy.Person, b Approval, now time.Time) (request.Request, error) {
	return s.Approve(ctx, id, who, b.PlanDigest, now)
}

// holding refuses, before anybody agrees to it, a hold that would keep nothing.
func (k *desk) holding(ctx context.Context, s *request.Service, id string, who policy.Person, b NewHold, now time.Time) (request.Request, error) {
	if err := k.Map.Holdable(b.Entry, b.Fields); err != nil {
		return request.Request{}, err
	}
	return s.Hold(ctx, id, who, request.Hold{Entry: b.Entry, Fields: b.Fields, Ground: request.Ground(b.Ground), Citation: b.Citation, Until: b.Until}, now)
}

func releasing(ctx context.Context, s *request.Service, id string, who policy.Person, b Released, now time.Time) (request.Request, error) {
	return s.Release(ctx, id, who, b.Hold, now)
}

func rejecting(ctx context.Context, s *request.Service, id string, who policy.Person, b Refusal, now time.Time) (request.Request, error) {
	return s.Reject(ctx, id, who, request.Ground(b.Ground), b.Citation, now)
}

func extending(ctx context.Context, s *request.Service, id string, who policy.Person, b Extension, now time.Time) (request.Request, error) {
	return s.Extend(ctx, id, who, request.ExtensionReason(b.Reason), now)
}

func reviewing(ctx context.Context, s *request.Service, id string, who policy.Person, b Reviewed, now time.Time) (request.Request, error) {
	if b.Why == request.Region {
		return s.DoneElsewhere(ctx, id, who, b.Entry, b.Reference, now)
	}
	if b.Why != "" {
		return s.Judged(ctx, id, who, b.Entry, b.Why, b.Items, now)
	}
	return s.Looked(ctx, id, who, request.Look{Entry: b.Entry, Items: b.Items, Set: b.Set}, now)
}

func exporting(ctx context.Context, s *request.Service, id string, who policy.Person, b Handed, now time.Time) (request.Request, error) {
	return s.Exported(ctx, id, who, b.On, now)
}

func settling(ctx context.Context, s *request.Service, id string, who policy.Person, _ nothing, now time.Time) (request.Request, error) {
	return s.Settle(ctx, id, who, now)
}

func resuming(ctx context.Context, s *request.Service, id string, who policy.Person, _ nothing, now time.Time) (request.Request, error) {
	return s.Resume(ctx, id, who, now)
}

func passingOn(ctx context.Context, s *request.Service, id string, who policy.Person, b PassedOn, now time.Time) (request.Request, error) {
	return s.PassOn(ctx, id, who, b.Tenant, now)
}

func givingUp(ctx context.Context, s *request.Service, id string, who policy.Person, _ nothing, now time.Time) (request.Request, error) {
	return s.GiveUp(ctx, id, who, now)
}
