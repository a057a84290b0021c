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
	ID         string       `json:"id"`
	Number     string       `json:"number"`
	State      State        `json:"state"`
	Why        Why          `json:"why,omitempty"`
	Kind       Kind         `json:"kind"`
	Received   time.Time    `json:"received"`
	Due        calendar.Day `json:"due"`
	Extended   bool         `json:"extended,omitempty"`
	Unsearched []string     `json:"unsearched,omitempty"` // kinds of identifiers that were given and are not searched for
	Apart      bool         `json:"apart,omitempty"`      // somebody else asked for her: what belongs to no tenant is left alone
	First      string       `json:"first,omitempty"`      // number of the request that counts; State and Due are its
	Kept       []Kept       `json:"kept,omitempty"`
	After      time.Time    `json:"after,omitzero"`   // of an account: until when it can be kept
	Closes     bool         `json:"closes,omitempty"` // as its last owner whoever looks may have the account closed
	Erased     int64        `json:"erased,omitempty"`
	Passed     int          `json:"searches,omitempty"`
	Proved     time.Time    `json:"proved,omitzero"`
	Executed   time.Time    `json:"executed,omitzero"` // when the first run had erased
	Ran        time.Time    `json:"ran,omitzero"`      // when the last one had: the searches count from then
	Next       time.Time    `json:"next_search,omitzero"`
	Purge      []Tail       `json:"backups,omitempty"` // when backups have forgotten
	Ground     Ground       `json:"ground,omitempty"`  // of a refusal
	Citation   string       `json:"citation,omitempty"`
	Counts     string       `json:"-"` // id of the request whose receipt is for whoever looks; "" for none
}

// Status returns a request for whoever holds its number, and its secret or the code from the mail. Code: request_unknown,
// whatever is wrong.
func (s *Service) Status(ctx context.Context, number, secret string, now time.Time) (View, error) {
	r, hers, err := s.shown(ctx, number, secret)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r, hers, now)
}

// typed is what whoever typed an address into the public page sees of the request, whatever has become of it: what becomes of one
// that nobody proves. Code: request_unknown, once nothing would be left of such a one.
func (s *Service) typed(r Request, now time.Time) (View, error) {
	d := &deciding{Request: Request{Kind: r.Kind, Received: r.Entered, Entered: r.Entered, Paced: r.Paced}, rules: s.Rules}
	if r.Widened {
		d.Kind = Person
	}
	var err error
	if d.Deadline, err = s.Rules.deadline(d.Request, calendar.Day{}); err != nil {
		return View{}, err
	}
	v := View{ID: r.ID, Number: r.Number, State: IdentityPending, Kind: d.Kind, Received: r.Entered, Due: d.Deadline.Due}
	switch ends := d.pendingUntil(); {
	case !now.Before(ends.Add(Pending)):
		return View{}, unknown()
	case !now.Before(ends):
		v.State = NotEstablished
	}
	return v, nil
}

// view shows a request, and to the person in place of a duplicate the one that counts. Whoever only typed her address into the
// page learns nothing of whether she is known, has proved it, or of what she has asked for herself.
func (s *Service) view(ctx context.Context, r Request, hers bool, now time.Time) (View, error) {
	if r.Channel == Page && !hers {
		return s.typed(r, now)
	}
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
	if hers {
		v.tell(r)
	}
	return v, nil
}

// unsearched are the kinds of identifiers that were given and are not searched for.
func (r Request) unsearched() []string {
	if r.Unsearched {
		return []string{email}
	}
	return nil
}

// tell adds what is for the person alone.
func (v *View) tell(r Request) {
	v.Closes = r.State == Blocked && r.Why == LastOwner && r.closes()
	v.Unsearched, v.Apart = r.unsearched(), r.Proof == ByTenant
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
