package request

import (
	"context"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// View is what whoever holds the secret sees of a request. It is the same for people the company knows and for others. What
// was found is shown to the person alone, who has the code from her mail.
type View struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	State    State        `json:"state"`
	Why      Why          `json:"why,omitempty"`
	Kind     Kind         `json:"kind"`
	Received time.Time    `json:"received"`
	Due      calendar.Day `json:"due"`
	Extended bool         `json:"extended,omitempty"`
	First    string       `json:"first,omitempty"` // number of the request that counts; State and Due are its
	Kept     []Kept       `json:"kept,omitempty"`
	After    time.Time    `json:"after,omitzero"` // of an account: until when it can be kept
	Erased   int64        `json:"erased,omitempty"`
	Passed   int          `json:"searches,omitempty"`
}

// Status returns a request for whoever holds its number, and its secret or the code from the mail. Code: request_unknown,
// whatever is wrong.
func (s *Service) Status(ctx context.Context, number, secret string) (View, error) {
	r, hers, err := s.shown(ctx, number, secret)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r, hers)
}

// view shows a request, and in place of a duplicate the one that counts.
func (s *Service) view(ctx context.Context, r Request, hers bool) (View, error) {
	v := View{ID: r.ID, Number: r.Number, State: r.State, Why: r.Why, Kind: r.Kind, Received: r.Received, Due: r.Deadline.Due, Extended: r.Extended != nil}
	if r.Kind == Account && r.State == Approved {
		v.After = r.After
	}
	if hers {
		v.Erased, v.Passed = r.Totals.Erased+r.Totals.Anonymised, r.Passed
		if r.State == Retained {
			v.Kept = r.Outcome.Kept
		}
	}
	if r.Of == "" {
		return v, nil
	}
	first, err := s.request(ctx, r.Of)
	if fault.Is(err, fault.NotFound) {
		return v, nil
	} else if err != nil {
		return v, err
	}
	v.First, v.State, v.Why, v.Due, v.Received = first.Number, first.State, first.Why, first.Deadline.Due, first.Received
	return v, nil
}
