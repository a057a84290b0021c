package otp

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// ResetState is where a reset is. It is stored.
type ResetState string

// A reset is requested by one person and approved or refused by another.
const (
	ResetOpen    ResetState = "requested"
	ResetDone    ResetState = "approved"
	ResetDenied  ResetState = "refused"
	maxReason               = 500 // bytes
	resetsToShow            = 200
)

// Reset ends all of a person's authenticators and lifts the hard stop. It takes two people, neither of them the
// person concerned, and nobody sees a secret.
type Reset struct {
	V         int        `json:"v"`
	ID        string     `json:"id"`
	Person    string     `json:"person"`
	Reason    string     `json:"reason"` // in the requester's words; never in evidence
	State     ResetState `json:"state"`
	Requester string     `json:"requester"`
	Requested time.Time  `json:"requested"`
	NotBefore time.Time  `json:"not_before"` // earliest approval
	Lapses    time.Time  `json:"lapses"`     // latest approval
	Decider   string     `json:"decider,omitempty"`
	Decided   time.Time  `json:"decided,omitzero"`
}

// RequestReset asks for a reset. The person is told at once, over two channels, and has Rules.ResetWait to object.
// The caller has checked the role of meta.Actor. Codes: reset_self, reason_missing, no_authenticator (no account).
func (s *Service) RequestReset(ctx context.Context, person, reason string, meta Meta, now time.Time) (Reset, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case meta.Actor == "" || meta.Actor == person:
		return Reset{}, resetSelf()
	case reason == "" || len(reason) > maxReason:
		return Reset{}, reasonMissing()
	}
	id, err := s.id()
	if err != nil {
		return Reset{}, err
	}
	r := Reset{
		V: Version, ID: id, Person: person, Reason: reason, State: ResetOpen, Requester: meta.Actor,
		Requested: now, NotBefore: now.Add(s.Rules.ResetWait), Lapses: now.Add(ResetLife),
	}
	err = s.change(ctx, person, nil, meta, now, ResetAsked, func(e *edit) error {
		if err := e.tx.Create(Resets, r.ID, r); err != nil {
			return err
		}
		if err := e.notify(ResetRequested, r.ID, map[string]string{"not_before": r.NotBefore.UTC().Format(time.RFC3339)}); err != nil {
			return err
		}
		return e.record(Result{})
	})
	if fault.Is(err, fault.NotFound) {
		return Reset{}, Result{Outcome: Unknown}.Fault()
	}
	return r, err
}

// ApproveReset carries a reset out: every authenticator, pending one, recovery code and token of the person ends,
// failures are forgotten, and the person may enrol and bind a sign-in account anew. Codes: reset_unknown,
// reset_self, reset_early, reset_decided.
func (s *Service) ApproveReset(ctx context.Context, id string, meta Meta, now time.Time) error {
	return s.decideReset(ctx, id, meta, now, ResetGranted, func(e *edit, r *Reset) error {
		if meta.Actor == "" || meta.Actor == r.Person || meta.Actor == r.Requester {
			return resetSelf()
		}
		if now.Before(r.NotBefore) {
			e := fault.Refuse(fault.Denied, "reset_early", "The time the person has to object is not over.", "Come back later.")
			e.RetryAfter = r.NotBefore.Sub(now)
			return e
		}
		r.State = ResetDone
		for i := len(e.acc.Authenticators) - 1; i >= 0; i-- {
			if e.acc.Authenticators[i].State != Pending {
				e.ended = append(e.ended, e.acc.end(i, ByReset, now))
			}
		}
		e.acc.Authenticators, e.acc.Recovery, e.acc.Grant = nil, nil, nil
		e.acc.Throttle, e.acc.Subject, e.acc.Bound = Throttle{}, "", false
		return e.notify(ResetApproved, r.ID, nil)
	})
}

// RefuseReset closes a request without effect. Whoever asked for it may do so too, and by Object the person concerned. Codes:
// reset_unknown, reset_decided.
func (s *Service) RefuseReset(ctx context.Context, id string, meta Meta, now time.Time) error {
	return s.decideReset(ctx, id, meta, now, ResetTurnedDown, func(e *edit, r *Reset) error {
		r.State = ResetDenied
		return e.notify(ResetRefused, r.ID, nil)
	})
}

// Object refuses, in the person's own name, what resets of her wait for a decision, and returns how many there were.
func (s *Service) Object(ctx context.Context, person string, meta Meta, now time.Time) (refused int, err error) {
	open, err := s.OpenResets(ctx, now)
	if err != nil {
		return 0, err
	}
	meta.Actor = person
	for _, r := range open {
		if r.Person != person {
			continue
		}
		switch err := s.RefuseReset(ctx, r.ID, meta, now); {
		case fault.CodeOf(err) == "reset_decided": // meanwhile, by somebody else
		case err != nil:
			return refused, err
		default:
			refused++
		}
	}
	return refused, nil
}

func (s *Service) decideReset(ctx context.Context, id string, meta Meta, now time.Time, action Action, decide func(e *edit, r *Reset) error) error {
	var named Reset
	if err := s.Store.Get(ctx, Resets, id, &named); fault.Is(err, fault.NotFound) {
		return fault.Refuse(fault.NotFound, "reset_unknown", "There is no such reset.", "Look at the list again.")
	} else if err != nil {
		return err
	}
	// The actor is never the person concerned in the sense of Meta.Subject.
	meta.Subject = ""
	return s.change(ctx, named.Person, nil, meta, now, action, func(e *edit) error {
		var r Reset
		if err := e.tx.Get(Resets, id, &r); err != nil {
			return err
		}
		if r.State != ResetOpen || !now.Before(r.Lapses) {
			return fault.Refuse(fault.Conflict, "reset_decided", "This reset was decided already, or has lapsed.", "Request a new one.")
		}
		if err := decide(e, &r); err != nil {
			return err
		}
		r.Decider, r.Decided = meta.Actor, now
		if err := e.tx.Put(Resets, id, r); err != nil {
			return err
		}
		return e.saved("")
	})
}

// OpenResets returns the requests that wait for a decision, the oldest first.
func (s *Service) OpenResets(ctx context.Context, now time.Time) ([]Reset, error) {
	found, err := s.Store.Query(ctx, store.Query{
		Collection: Resets, Equal: []store.Field{{Name: "state", Value: string(ResetOpen)}}, Limit: resetsToShow,
	})
	if err != nil {
		return nil, err
	}
	var open []Reset
	for _, document := range found {
		var r Reset
		if err := document.Decode(&r); err != nil {
			return nil, err
		}
		if now.Before(r.Lapses) {
			open = append(open, r)
		}
	}
	slices.SortFunc(open, func(a, b Reset) int { return a.Requested.Compare(b.Requested) })
	return open, nil
}

func reasonMissing() error {
	return fault.Refuse(fault.Invalid, "reason_missing", "This needs a reason, in at most 500 bytes.", "Say why in a sentence.")
}

func resetSelf() error {
	return fault.Refuse(fault.Denied, "reset_self", "A reset takes two people, and neither may be the person concerned.",
		"Ask somebody else to request or approve it.")
}
