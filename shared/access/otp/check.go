package otp

import (
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Check decides one attempt. It does no I/O: it returns the account to store, which must be written in the same
// transaction as whatever the code grants, and the result to answer with. Whatever the result, the returned account
// is the one to Put; it differs from acc only where something was counted or consumed.
//
// During a wait and after the hard stop nothing is evaluated. Otherwise the code is compared with every active
// authenticator. A value already spent on any of them is refused even where another step or another authenticator
// carries it too; a value that several authenticators carry is consumed on all of them, and the one bound first is
// named. Errors: ErrStale (Conflict) when ring does not hold the account's present secrets; Transient when the
// clock runs more than a step behind the last success.
func Check(acc Account, ring *Ring, code string, now time.Time, rules Rules) (Account, Result, error) {
	return acc.check(acc.Active(now), ring, code, now, rules)
}

// check is Check against some of the account's authenticators.
func (acc Account) check(active []Authenticator, ring *Ring, code string, now time.Time, rules Rules) (Account, Result, error) {
	if err := acc.clockHolds(now); err != nil {
		return acc, Result{}, err
	}
	if len(active) == 0 {
		return acc, Result{Outcome: Unknown}, nil
	}
	if result, open := acc.Throttle.gate(now, rules.HardStop); !open {
		return acc, result, nil
	}
	lengths := make([]int, len(active))
	for i, a := range active {
		lengths[i] = a.Digits
	}
	digits, ok := Parse(code, lengths...)
	if !ok {
		result := acc.Throttle.malformed(now, rules)
		return acc, result, nil
	}
	sightings := make([]sighting, len(active))
	for i, a := range active {
		key, err := ring.key(a)
		if err != nil {
			return acc, Result{}, err
		}
		sightings[i] = a.look(key, digits, now)
	}
	acc = acc.clone()
	result := acc.apply(active, sightings, now, rules)
	result.Wrap = ring.wrap(result.Authenticator)
	return acc, result, nil
}

// clockHolds refuses to verify against a clock that went back: a step consumed in the future that never came
// would otherwise be weighed against the wrong window.
func (acc Account) clockHolds(now time.Time) error {
	if now.Unix() < 0 || now.Before(acc.LastSuccess.Add(-Period*time.Second)) {
		return fault.New(fault.Transient, "checking a code: the clock says %s, the last success was at %s",
			now.UTC().Format(time.RFC3339), acc.LastSuccess.UTC().Format(time.RFC3339))
	}
	return nil
}

// precedence of what the authenticators say, first wins. What is spent comes before what would be accepted.
var precedence = [...]struct {
	outcome Outcome
	passed  bool
}{{Replay, true}, {Stale, true}, {OK, false}, {ResyncOK, false}, {DriftCapped, false}, {Stale, false}, {ResyncStarted, false}}

// apply turns the sightings into one result and writes it into the account.
func (acc *Account) apply(active []Authenticator, sightings []sighting, now time.Time, rules Rules) Result {
	verdict, by := sighting{outcome: Wrong}, -1
	for _, p := range precedence {
		for i, s := range sightings {
			if by < 0 && s.outcome == p.outcome && s.passed == p.passed {
				verdict, by = s, i
			}
		}
	}
	result := Result{Outcome: verdict.outcome}
	if by >= 0 {
		a := active[by]
		result.Authenticator, result.Name = a.ID, a.Name
		result.StepDelta = a.away(verdict.step, now)
		result.Spent = verdict.passed && verdict.step == a.Floor && !a.LastUsed.IsZero() // an imported counter was not used here
		result.step = verdict.step
	}
	if result.Granted() {
		acc.accept(&result, active, sightings, now)
	} else {
		acc.refuse(&result, active, sightings, now, rules)
	}
	return result
}

// accept consumes the code wherever it was seen fresh and clears the failures of those authenticators and of the
// account (NIST SP 800-63B-4 section 3.2.2).
func (acc *Account) accept(result *Result, active []Authenticator, sightings []sighting, now time.Time) {
	for i, s := range sightings {
		a := &acc.Authenticators[acc.at(active[i].ID)]
		if s.outcome == OK || s.outcome == ResyncOK {
			before := a.Drift
			a.consume(s.step, now)
			if a.ID == result.Authenticator {
				result.Drift, result.DriftMoved = a.Offset+a.Drift, a.Drift != before
			}
		}
		a.ResyncStep, a.ResyncUntil = 0, time.Time{}
	}
	acc.succeed(result, now)
}

// succeed clears the account's failures and remembers when it was.
func (acc *Account) succeed(result *Result, now time.Time) {
	result.Previous = acc.Throttle.Failures
	acc.Throttle.succeed()
	acc.seen(now)
}

// seen keeps the latest time a code succeeded at, against a clock that goes back.
func (acc *Account) seen(now time.Time) {
	if now.After(acc.LastSuccess) {
		acc.LastSuccess = now
	}
}

// refuse counts the failure, for the account and for each authenticator the code was compared with. Only a code
// that starts a resynchronisation keeps one open: the second must follow the first without anything between.
func (acc *Account) refuse(result *Result, active []Authenticator, sightings []sighting, now time.Time, rules Rules) {
	for i, s := range sightings {
		a := &acc.Authenticators[acc.at(active[i].ID)]
		a.Failures++
		a.ResyncStep, a.ResyncUntil = 0, time.Time{}
		if s.outcome == ResyncStarted {
			a.ResyncStep, a.ResyncUntil = s.step, now.Add(ResyncLife)
		}
	}
	acc.fail(result, now, rules)
}

// fail counts one failure against the account and tells the result what follows from it.
func (acc *Account) fail(result *Result, now time.Time, rules Rules) {
	acc.Throttle.fail(now, rules)
	result.Failures = acc.Throttle.Failures
	result.LockedNow = acc.Throttle.Failures == rules.HardStop
	if wait := acc.Throttle.Until.Sub(now); wait > 0 && !result.LockedNow {
		result.RetryAfter = wait
	}
}
