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
	After    time.Time    `json:"after,omitzero"`   // of an account: until when it can be kept
	Closes   bool         `json:"closes,omitempty"` // as its last owner whoever looks may have the account closed
	Erased   int64        `json:"erased,omitempty"`
	Passed   int          `json:"searches,omitempty"`
	Proved   time.Time    `json:"proved,omitzero"`
	Executed time.Time    `json:"executed,omitzero"` // when the first run had erased
	Ran      time.Time    `json:"ran,omitzero"`      // when the last one had: the searches count from then
	Next     time.Time    `json:"next_search,omitzero"`
	Purge    []Tail       `json:"backups,omitempty"` // when backups have forgotten
	Ground   Ground       `json:"ground,omitempty"`  // of a refusal
	Citation string       `json:"citation,omitempty"`
	Counts   string       `json:"-"` // id of the request whose receipt is for whoever looks; "" for none
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

// view shows a request, and to the person in place of a duplicate the one that counts. Whoever only typed her address into the
// page learns nothing of what she has asked for herself.
func (s *Service) view(ctx context.Context, r Request, hers bool) (View, error) {
	v := View{ID: r.ID, Number: r.Number, Kind: r.Kind}
	if r.Of != "" && hers {
		first, err := s.request(ctx, r.Of)
		switch {
		case err == nil:
			v.First, r = first.Number, first
		case !fault.Is(err, fault.NotFound):
			return v, err
		}
	}
	v.State, v.Why, v.Received, v.Due, v.Extended = r.State, r.Why, r.Received, r.Deadline.Due, r.Extended != nil
	if r.Kind == Account && r.State == Approved {
		v.After = r.After
	}
	if r.Channel == Page && r.Proof == "" && (r.State == Forwarding || r.State == Forwarded || r.held()) {
		v.State, v.Why = IdentityPending, "" // who only typed an address does not learn that the directory does not have it
	}
	if hers {
		v.tell(r)
	}
	return v, nil
}

// tell adds what is for the person alone.
func (v *View) tell(r Request) {
	v.Closes = r.State == Blocked && r.Why == LastOwner && r.closes()
	v.Counts, v.Erased, v.Passed = r.ID, r.Totals.Erased+r.Totals.Anonymised, r.Passed
	v.Proved, v.Executed, v.Ran = r.Proved, r.Executed, r.Ran
	if !r.Executed.IsZero() {
		v.Next, v.Purge = r.Pass, r.Outcome.Purge
	}
	if r.State == Retained || r.State == Partial {
		v.Kept = r.Outcome.Kept
	}
	if r.Refusal != nil && r.State == Rejected {
		v.Ground, v.Citation = r.Refusal.Ground, r.Refusal.Citation
	}
}
