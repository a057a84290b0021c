package otp

import (
	"context"
	"crypto/hmac"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Confirmation is what binding an authenticator answers. The recovery codes are shown once.
type Confirmation struct {
	RecoveryCodes []string // all of them with the first authenticator, later those that replace used ones
	Remaining     int      // recovery codes left
}

// Confirm binds a pending authenticator by one of its codes, which is burned: it is no first login. Another active
// authenticator must vouch with oldCode, burned too, unless enrolment was begun with a token, which is burned then;
// the authenticator that this one replaces dies in the same transaction. A wrong code counts like any other, and
// binding does not clear earlier failures: a new secret is no proof of the old one. A refused code is a Result. Codes
// of errors: authenticator_unknown, authenticator_limit, old_code_required, enrol_token_required.
func (s *Service) Confirm(ctx context.Context, person, id, code, oldCode string, meta Meta, now time.Time) (Confirmation, Result, error) {
	var done Confirmation
	var result Result
	err := again(func() error {
		acc, err := s.known(ctx, person)
		if err != nil {
			return err
		}
		ring, err := s.unlock(ctx, acc, func(a Authenticator) bool { return a.State == Active || a.ID == id })
		if err != nil {
			return err
		}
		defer ring.Wipe()
		bind := binder{ring, id, code, oldCode, now, s.Rules}
		var fresh *codes
		// Slow hashing is spent only on a code that would be accepted.
		if _, trial, err := bind.decide(acc); err == nil && trial.Granted() && acc.Recovery.wanting() && !acc.temporary(id) {
			if fresh, err = s.prepare(ctx, acc.Recovery, RecoveryCodes-acc.Recovery.remaining(), now); err != nil {
				return err
			}
		}
		result, err = s.attempt(ctx, person, meta, now, BindTried, func(e *edit) (Result, error) {
			next, result, err := bind.decide(e.acc)
			if err != nil {
				return Result{}, err
			}
			if e.acc = next; !result.Granted() {
				return result, nil
			}
			done, err = e.bound(id, fresh)
			result.Remaining = done.Remaining
			return result, err
		})
		return err
	})
	if err != nil || !result.Granted() {
		return Confirmation{}, result, err
	}
	return done, result, nil
}

// binder decides a confirmation; it is pure.
type binder struct {
	ring          *Ring
	id            string
	code, oldCode string
	now           time.Time
	rules         Rules
}

func (b binder) decide(acc Account) (Account, Result, error) {
	i := acc.at(b.id)
	if i < 0 || !acc.Authenticators[i].pending(b.now) {
		return acc, Result{}, unknownAuthenticator()
	}
	a := acc.Authenticators[i]
	vouch, err := acc.mustVouch(a, b.oldCode, b.now)
	if err != nil {
		return acc, Result{}, err
	}
	acc, result, err := b.own(acc, i)
	if err != nil || !result.Granted() {
		return acc, result, err
	}
	if vouch {
		var old Result
		if acc, old, err = acc.check(acc.vouchers(a, b.now), b.ring, b.oldCode, b.now, b.rules); err != nil || !old.Granted() {
			return acc, old, err
		}
	}
	acc = acc.clone()
	bound := &acc.Authenticators[acc.at(b.id)]
	if acc.redeemed(*bound) {
		if ends := acc.Grant.Ends; !ends.IsZero() {
			bound.Until, bound.Why = ends, Temporary
		}
		acc.Grant = nil
	}
	bound.consume(result.step, b.now)
	bound.State, bound.Confirmed, bound.Expires, bound.Grant = Active, b.now, time.Time{}, nil
	acc.Bound = acc.Bound || bound.Why != Temporary // whoever had only a pass enrols as at first
	acc.seen(b.now)
	return acc, result, nil
}

// own checks the code of the pending authenticator itself, without consuming it yet.
func (b binder) own(acc Account, i int) (Account, Result, error) {
	a := acc.Authenticators[i]
	if err := acc.clockHolds(b.now); err != nil {
		return acc, Result{}, err
	}
	if result, open := acc.Throttle.gate(b.now, b.rules.HardStop); !open {
		return acc, result, nil
	}
	digits, ok := Parse(b.code, a.Digits)
	if !ok {
		result := acc.Throttle.malformed(b.now, b.rules)
		return acc, result, nil
	}
	key, err := b.ring.key(a)
	if err != nil {
		return acc, Result{}, err
	}
	seen := a.look(key, digits, b.now)
	result := Result{Outcome: seen.outcome, Authenticator: a.ID, Name: a.Name, Wrap: b.ring.wrap(a.ID), step: seen.step}
	switch seen.outcome {
	case OK:
		result.StepDelta = a.away(seen.step, b.now)
		return acc, result, nil
	case ResyncStarted: // a token is enrolled at its first codes; far ahead is wrong here
		result.Outcome = Wrong
	}
	acc = acc.clone()
	acc.Authenticators[i].Failures++
	acc.fail(&result, b.now, b.rules)
	return acc, result, nil
}

// redeemed reports whether a was begun with the account's live token, which no other authenticator has burned since.
func (acc Account) redeemed(a Authenticator) bool {
	return a.Grant != nil && acc.Grant != nil && hmac.Equal(a.Grant, acc.Grant.Hash)
}

// temporary reports whether the pending authenticator was begun with a temporary pass.
func (acc Account) temporary(id string) bool {
	i := acc.at(id)
	return i >= 0 && acc.redeemed(acc.Authenticators[i]) && !acc.Grant.Ends.IsZero()
}

// vouchers are the authenticators whose codes may vouch for a: those that work, and the one whose place it takes although
// the date to replace that one has passed.
func (acc Account) vouchers(a Authenticator, now time.Time) []Authenticator {
	able := acc.Active(now)
	if i := acc.at(a.Replaces); i >= 0 && acc.Authenticators[i].Overdue(now) {
		able = append(able, acc.Authenticators[i])
	}
	return able
}

// mustVouch reports whether a code of another authenticator is needed to bind a.
func (acc Account) mustVouch(a Authenticator, oldCode string, now time.Time) (bool, error) {
	vouchers := len(acc.vouchers(a, now))
	switch {
	case acc.redeemed(a):
		return false, nil
	case vouchers > 0 && oldCode == "":
		return false, fault.Refuse(fault.Denied, "old_code_required", "A code of an authenticator you already have is needed too.",
			"Enter one code of the new and one of the old authenticator. Without the old one, use a recovery code.")
	case vouchers > 0:
		return true, nil
	case acc.Bound:
		return false, tokenRequired()
	}
	return false, nil
}

// bound finishes a binding: the replaced authenticator ends, recovery codes are handed out, the person is told.
func (e *edit) bound(id string, fresh *codes) (Confirmation, error) {
	var done Confirmation
	a := e.acc.Authenticators[e.acc.at(id)]
	old := -1
	if a.Replaces != "" {
		old = e.acc.at(a.Replaces)
	}
	if old >= 0 && a.Why != Temporary { // a pass takes nobody's place
		if err := e.end(old, Replaced); err != nil {
			return done, err
		}
	} else if len(e.acc.Active(e.now)) > e.s.Rules.MaxAuthenticators {
		return done, tooMany()
	}
	if a.Why != Temporary && e.acc.Recovery.wanting() {
		var err error
		if done.RecoveryCodes, err = e.acc.handOut(fresh); err != nil {
			return done, err
		}
	}
	done.Remaining = e.acc.Recovery.remaining()
	e.acc.Authenticators[e.acc.at(id)].Source = e.meta.source()
	return done, e.notify(AuthenticatorAdded, id, map[string]string{"name": a.Name})
}
