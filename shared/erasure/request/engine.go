package request

import (
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// Work is what a request asks of the engine. What is to be done follows from Identify, Owed, Forget, Search and State:
// Planning is searched (Planned); Approved, when its time has come, and Executing are carried out (Started,
// Executed); Verifying, and later every request whose search is due, is searched again (Verified).
type Work struct {
	Request     string
	Tenant      string
	State       State
	Why         Why
	Kind        Kind
	Requester   Requester
	Identify    bool         // the address on file is to be looked up, or another letter to go there: Identify
	Round       int          // to be named in every answer
	Identifiers []Identifier // verified ones alone
	Map         string       // digest of the data map of the plan; "" before there is one
	Plan        string       // digest of the plan
	Holds       []Hold
	Beside      []Work    // of closing an account: other requests of the tenant in which something is held, with Holds and Identifiers; none of one that cannot be opened, or that nobody proved
	Besides     string    // stands for Beside: another one when that changes; "" for none
	After       time.Time // not carried out before
	Search      int       // of Verifying and later: which search comes next, from 1; 0 for none
	Received    time.Time
	Executed    time.Time        // of the first run ever, zero before: what reusable identifiers find must be older
	Ran         time.Time        // of the last run: what remains in backups counts from then
	Global      bool             // the person herself proved it: what belongs to no tenant is hers to erase too
	Reviewed    map[string]int64 // what a person has settled, for Open.Settled
	Owed        int              // number of the receipt that has to be made now, from 1; 0 for none. Receipted clears it
	Made        int              // number of the newest receipt; 0 for none
	Forget      bool             // it is closed: what is kept of it has to go. Forgotten clears it

	// What a receipt says of it.
	Deadline   Deadline
	Extended   bool
	Handed     calendar.Day // on which the person got the copy she had asked for; zero for none
	Totals     Totals
	Outcome    Outcome
	Answers    []Answer // of people, that count
	Unsearched []string // kinds of identifiers that were given and are not searched for
}

// Work returns what there is to do for a request. Code: request_unknown.
func (s *Service) Work(ctx context.Context, id string, now time.Time) (Work, error) {
	r, err := s.request(ctx, id)
	if err != nil {
		return Work{}, err
	}
	private, err := s.open(ctx, r)
	if err != nil {
		return Work{}, err
	}
	w := Work{
		Request: r.ID, Tenant: r.Tenant, State: r.State, Why: r.Why, Identify: (r.State == Received || r.Renew || r.Tell) && !r.queues(now), Kind: r.Kind, Requester: r.Requester, Round: r.Round, Holds: r.Holds, After: r.After,
		Received: r.Received, Executed: r.Executed, Ran: r.Ran, Global: r.herself(), Reviewed: r.Reviewed, Owed: r.owed(), Made: r.Made, Forget: r.Forget,
		Deadline: r.Deadline, Extended: r.Extended != nil, Handed: r.Handed, Totals: r.Totals, Outcome: r.Outcome, Answers: r.Said(), Unsearched: r.unsearched(),
	}
	if !r.Proved.IsZero() && r.State != Cancelled {
		w.Identifiers = private.verified(r.Proof)
	}
	if r.Plan != nil {
		w.Plan, w.Map = r.Plan.Digest, r.Plan.Map
	}
	if r.State == Verifying || r.searches(now) {
		w.Search = r.Passed + 1
	}
	return w, s.alongside(ctx, &w, r, now)
}

// searches reports whether one of the later searches is due. Its time moves while its message is on the way; that one was
// called is enough.
func (r Request) searches(now time.Time) bool {
	return (r.State == Completed || r.State == Retained || r.State == Partial) && !r.Pass.IsZero() && (r.Extra || !now.Before(r.Ran.Add(Passes()[r.Passed])))
}

// Current returns the round that counts now, 0 of a request that is over: whoever works for another one stops. Code:
// request_unknown.
func (s *Service) Current(ctx context.Context, id string) (round int, err error) {
	r, err := s.request(ctx, id)
	if err != nil || !r.Closed.IsZero() {
		return 0, err
	}
	return r.Round, nil
}

func (s *Service) engine(ctx context.Context, id string, e Event, now time.Time) (Request, error) {
	return s.change(ctx, id, now, "", func(*turn) (Event, error) { return e, nil })
}

// Planned takes what a search found. Codes: request_unknown, request_moved, state_conflict.
func (s *Service) Planned(ctx context.Context, id string, round int, p Plan, now time.Time) (Request, error) {
	r, err := s.request(ctx, id)
	if err != nil {
		return r, err
	}
	half, err := s.draft(Request{
		Kind: r.Kind, Channel: r.Channel, Requester: r.Requester, Tenant: r.Tenant, Language: r.Language, Received: r.Received, Entered: now, EnteredBy: r.EnteredBy,
		Proof: r.Proof, Proved: r.Proved,
	})
	if err != nil {
		return r, err
	}
	half.Secret, half.Used = r.Secret, r.Used // what shows one shows both
	if p.Theirs {
		given, err := s.open(ctx, r)
		if err != nil {
			return r, err
		}
		if half.Private, err = s.seal(ctx, half.ID, given); err != nil {
			return r, err
		}
	}
	return s.change(ctx, id, now, "", func(t *turn) (Event, error) {
		t.split = &half.Request
		return Event{What: Planned, Round: round, Plan: &p}, nil
	})
}

// Started lets the engine begin with the plan of that digest. Of an owner of the tenant no two are erased at once, and none by a plan
// that is older than the other's end: that one is gone, and who is the last owner has to be looked up again. Codes: request_moved,
// plan_changed (also where it is planned again for that), export_first, too_early, state_conflict, other_owner.
func (s *Service) Started(ctx context.Context, id string, round int, digest string, now time.Time) (Request, error) {
	r, err := s.change(ctx, id, now, "", func(t *turn) (Event, error) {
		e := Event{What: Started, Round: round, Digest: digest}
		b := t.before
		if b.Plan == nil || !b.Plan.Owner || b.Settled || b.Kind != Person || b.Requester == Controller || b.State != Approved {
			return e, nil // of no owner, or two people answer for it, or the controller does
		}
		older, err := t.owners()
		if older {
			e = Event{What: Drifted, Round: round, Touched: t.before.Begun}
		}
		return e, err
	})
	if err == nil && r.State == Planning {
		return r, fault.Refuse(fault.Conflict, "plan_changed", "Another owner was erased since the plan was made.", "Search again.")
	}
	return r, err
}

// owners takes the tenant's place for erasing an owner, and reports whether another one was erased since the plan was made. Code:
// other_owner, while another one is being erased.
func (t *turn) owners() (older bool, err error) {
	mark := t.s.mark("owner", t.before.Tenant)
	var c claim
	if err := t.tx.Get(claims, mark, &c); err != nil && !fault.Is(err, fault.NotFound) {
		return false, err
	}
	if c.Request != "" && c.Request != t.before.ID {
		var other Request
		if err := t.tx.Get(Requests, c.Request, &other); err != nil && !fault.Is(err, fault.NotFound) {
			return false, err
		}
		switch {
		case other.State == Executing:
			return false, fault.Refuse(fault.Conflict, "other_owner", "Another owner of the tenant is being erased.", "It goes on by itself when that is over.")
		case !other.Ran.Before(t.before.Sought):
			return true, nil
		}
	}
	t.later(claims, mark, claim{version, t.before.ID})
	return false, nil
}

// Drifted stops: what there is is not what was approved. touched says that something of the person may be gone; else the request
// can still be taken back, or refused. Codes: request_moved, state_conflict.
func (s *Service) Drifted(ctx context.Context, id string, round int, touched bool, now time.Time) (Request, error) {
	return s.engine(ctx, id, Event{What: Drifted, Round: round, Touched: touched}, now)
}

// Hindered notes that there is no plan, and why: no search can be made as the request stands; or that what is being carried
// out or searched for cannot be gone on with. Then the request is partial for that reason. Codes: request_moved,
// state_conflict.
func (s *Service) Hindered(ctx context.Context, id string, round int, why Why, now time.Time) (Request, error) {
	return s.engine(ctx, id, Event{What: Hindered, Round: round, Why: why}, now)
}

// Executed notes that the engine has been through the plan; totals are those over all runs of the request. Codes:
// request_moved, state_conflict.
func (s *Service) Executed(ctx context.Context, id string, round int, totals Totals, now time.Time) (Request, error) {
	return s.engine(ctx, id, Event{What: Executed, Round: round, Totals: totals}, now)
}

// Verified takes what the search with that number found. Codes: request_moved, state_conflict.
func (s *Service) Verified(ctx context.Context, id string, round, search int, o Outcome, now time.Time) (Request, error) {
	return s.engine(ctx, id, Event{What: Verified, Round: round, Pass: search, Outcome: o}, now)
}

// Alive notes that the engine is at work, so that nobody calls it again. Code: request_moved.
func (s *Service) Alive(ctx context.Context, id string, round int, now time.Time) error {
	_, err := s.engine(ctx, id, Event{What: Alive, Round: round}, now)
	return err
}

// Receipted notes that the receipt with that number is made. One that was noted before, or is not owed, changes nothing.
func (s *Service) Receipted(ctx context.Context, id string, n int, now time.Time) error {
	_, err := s.engine(ctx, id, Event{What: Receipted, Pass: n}, now)
	return err
}

// Parties notes how what third parties have answered compares with the newest receipt: pending says that one has still to
// answer, differs that the receipt says otherwise. Once all have, another receipt is owed that says so, and the person is told
// of it. It may be called at any time, again. Code: request_unknown.
func (s *Service) Parties(ctx context.Context, id string, pending, differs bool, now time.Time) error {
	_, err := s.engine(ctx, id, Event{What: Parties, Pending: pending, Differs: differs}, now)
	return err
}

// Forgotten notes that nothing is kept of a closed request but the request itself. It may be called again.
func (s *Service) Forgotten(ctx context.Context, id string, now time.Time) error {
	_, err := s.engine(ctx, id, Event{What: Forgotten}, now)
	return err
}

// Answered takes word of a letter's delivery: one that did not arrive for certain becomes a person's task. Whatever is not
// about a letter of a request changes nothing.
func (s *Service) Answered(ctx context.Context, a message.Answer, now time.Time) error {
	id, kind, ours := letterOf(a.Key)
	if !ours {
		return nil
	}
	if a.State == message.StateAccepted {
		if !strings.HasPrefix(kind, string(letter.Instruct)+"/") {
			return nil
		}
		_, err := s.engine(ctx, id, Event{What: Delivered}, now)
		return err
	}
	_, err := s.engine(ctx, id, Event{What: LetterLost, Letter: kind}, now)
	return err
}
