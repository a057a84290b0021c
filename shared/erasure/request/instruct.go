package request

import (
	"context"
	"errors"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Instruction is what a controller asks of us, its processor (GDPR, article 28(3)(e)).
type Instruction struct {
	Tenant      string    // the controller, as the function verified it: nothing else is touched
	ID          string    // its own id of the request, at most 128 bytes
	Digest      string    // of the body: tells a repetition from a conflict
	Submitted   time.Time // when the person asked the controller: starts the clock
	Identifiers []Identifier
}

// instruction is how a controller's id is remembered.
type instruction struct {
	V       int       `json:"v"`
	Request string    `json:"request"`
	Digest  string    `json:"digest"`
	Expires time.Time `json:"expires"`
}

// MaxAhead is how far a controller's clock may go before ours.
const MaxAhead = 5 * time.Minute

// Instruct takes a controller's instruction. The same again returns the same request. Codes: body_invalid,
// identifier_invalid, id_conflict (the same id with another body).
func (s *Service) Instruct(ctx context.Context, in Instruction, now time.Time) (Request, error) {
	if err := in.check(s, now); err != nil {
		return Request{}, err
	}
	keys := s.anyMark("instruction", in.Tenant, in.ID)
	// Its form is a digest's whatever the caller gave, and it cannot be tried out.
	digests := s.anyMark("body", in.Tenant, in.ID, in.Digest)
	received := in.Submitted
	if received.After(now) {
		received = now // its clock goes before ours: nobody has more time for that
	}
	d, err := s.draft(Request{
		Kind: Person, Channel: OpenDSR, Requester: Controller, Tenant: in.Tenant, Language: s.language(""), Received: received, Entered: now, External: in.ID,
	})
	if err != nil {
		return Request{}, err
	}
	d.secret, d.Secret = "", "" // the controller asks as itself
	for _, one := range in.Identifiers {
		one.Verified = true
		d.private.Identifiers = append(d.private.Identifiers, one)
	}
	var known instruction
	r, err := s.written(ctx, d, ByInstruction, now, func(t *turn) error {
		for _, key := range keys {
			known = instruction{}
			if err := t.tx.Get(instructions, key, &known); err == nil {
				return errKnown
			} else if !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		t.later(instructions, keys[0], instruction{version, d.ID, digests[0], now.Add(s.Rules.Keep)})
		return nil
	})
	switch {
	case !errors.Is(err, errKnown):
		return r, err
	case !slices.Contains(digests, known.Digest):
		return Request{}, fault.Refuse(fault.Conflict, "id_conflict", "This id stands for another request.", "Use a new id.")
	}
	return s.request(ctx, known.Request)
}

var errKnown = errors.New("the instruction is known")

func (in Instruction) check(s *Service, now time.Time) error {
	if !tenantForm.MatchString(in.Tenant) || in.ID == "" || !isLine(in.ID, 128) || in.Digest == "" || len(in.Identifiers) == 0 || len(in.Identifiers) > MaxIdentifiers ||
		in.Submitted.IsZero() || in.Submitted.After(now.Add(MaxAhead)) || in.Submitted.Before(now.Add(-oldest)) {
		return fault.Refuse(fault.Invalid, "body_invalid", "The instruction lacks its id or identities, or its time lies ahead or more than a year ago.", "Correct it and send it again.")
	}
	for _, one := range in.Identifiers {
		if one.Value == "" || !isName(one.Kind) {
			return s.identifier(one.Kind, " ")
		}
		kind := one.Kind
		if one.Format != "" {
			kind = one.Format // a digest of an address is none
		}
		if err := s.identifier(kind, one.Value); err != nil {
			return err
		}
	}
	return nil
}

// Instructed returns a controller's request by its own id. Code: request_unknown, also for another controller's.
func (s *Service) Instructed(ctx context.Context, tenant, id string) (Request, error) {
	for _, key := range s.anyMark("instruction", tenant, id) {
		var known instruction
		err := s.Store.Get(ctx, instructions, key, &known)
		if err == nil {
			return s.request(ctx, known.Request)
		} else if !fault.Is(err, fault.NotFound) {
			return Request{}, err
		}
	}
	return Request{}, unknown()
}

// Counting returns the request that counts for the person of r: r itself, or the one it is a duplicate of.
func (s *Service) Counting(ctx context.Context, r Request) (Request, error) {
	if r.Of == "" {
		return r, nil
	}
	return s.request(ctx, r.Of)
}

// Countermand takes a controller's instruction back, before anything is erased. Codes: request_unknown, state_conflict,
// too_late.
func (s *Service) Countermand(ctx context.Context, tenant, id string, now time.Time) (Request, error) {
	r, err := s.Instructed(ctx, tenant, id)
	if err != nil {
		return r, err
	}
	return s.change(ctx, r.ID, now, "", func(*turn) (Event, error) { return Event{What: Withdraw, Why: Instructed}, nil })
}
