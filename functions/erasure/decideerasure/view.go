package decideerasure

import (
	"context"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
)

// found tells how requests stand on a day.
type found struct{ today calendar.Day }

// today is the day on which answers are due, or not.
func (k *desk) today() found {
	return found{calendar.Date(k.Clock.Now(), k.Policy.Company.Location())}
}

// overdue reports whether the day of the answer has passed. The clock may not have marked it yet.
func (f found) overdue(r request.Request) bool {
	return !r.State.Answered() && (r.Overdue || r.Deadline.Due.Before(f.today))
}

func (k *desk) listed(r request.Request) Listed {
	f := k.today()
	return Listed{
		ID: r.ID, Number: r.Number, State: string(r.State), Why: string(r.Why), Kind: string(r.Kind), Tenant: r.Tenant, Channel: string(r.Channel),
		Received: r.Received, Due: r.Deadline.Due, Overdue: f.overdue(r), Late: r.Late, Open: r.Open, Waits: r.Wants(),
	}
}

// whole is everything the desk may see of a request.
func (k *desk) whole(ctx context.Context, f request.File) (Whole, error) {
	at, err := k.walked(ctx, f.Request)
	if err != nil {
		return Whole{}, err
	}
	w := k.told(f.Request)
	w.Identifiers, w.Reply, w.Mandate, w.Text = given(f), f.Private.Reply, f.Private.Mandate, f.Private.Text
	w.Plan, w.Progress = at.plan, at.progress
	return w, nil
}

// given is what the person gave to be found, and what of it is proved.
func given(f request.File) (all []request.Identifier) {
	for _, one := range f.Private.Identifiers {
		one.Verified = one.Verified || f.Proof == request.ByLink && one.Value == f.Private.OnFile && one.Value != ""
		all = append(all, one)
	}
	return all
}

// told is what the request itself says.
func (k *desk) told(r request.Request) Whole {
	w := Whole{
		Listed: k.listed(r), Conservative: r.Deadline.Conservative, NoticeBy: r.Deadline.NoticeBy, Warning: r.Deadline.Warning, Requester: string(r.Requester),
		Proof: string(r.Proof), Proved: r.Proved, Language: r.Language, Entered: r.EnteredBy, Totals: r.Totals, Searches: r.Passed, NextSearch: r.Pass,
		LookBy: r.LookBy, OpenEntries: r.Outcome.Open, Answers: r.Said(), Kept: r.Outcome.Kept, Holds: r.Holds, Proposed: r.Proposed, Refusal: r.Refusal, Extended: r.Extended, Approved: r.By,
		ApprovedAt: r.Decided, After: r.After, Export: r.Export, Handed: r.Handed, HandedBy: r.HandedBy, Linked: r.Linked, Of: r.Of, Lost: r.Lost,
	}
	for _, d := range r.Doubts {
		w.Doubts = append(w.Doubts, string(d))
	}
	if r.Plan != nil {
		w.PlanDigest, w.Share, w.Unmapped = r.Plan.Digest, r.Plan.Share, r.Plan.Missing
	}
	return w
}
