package otp

import "time"

// Throttle counts one account's failures over all its authenticators and recovery codes, across sessions and
// parallel requests (RFC 4226 section 7.3, NIST SP 800-63B-4 section 3.2.2). A new secret does not reset it.
type Throttle struct {
	Failures      int       `json:"failures"`            // consecutive
	Until         time.Time `json:"until,omitzero"`      // before it nothing is evaluated
	Malformed     int       `json:"malformed,omitempty"` // in the minute that began at MalformedFrom
	MalformedFrom time.Time `json:"malformed_from,omitzero"`
}

// gate says whether an attempt may be evaluated at all. Below it a right code and a wrong one are the same: neither
// is looked at, so an answer during a wait tells a guesser nothing and burns nothing.
func (t Throttle) gate(now time.Time, stop int) (r Result, open bool) {
	switch {
	case t.Failures >= stop:
		return Result{Outcome: Locked, Failures: t.Failures}, false
	case now.Before(t.Until):
		return Result{Outcome: Waiting, RetryAfter: t.Until.Sub(now), Failures: t.Failures}, false
	}
	return Result{}, true
}

// fail counts an evaluated attempt that did not succeed.
func (t *Throttle) fail(now time.Time, rules Rules) {
	t.Failures++
	t.Until = time.Time{}
	if wait := rules.wait(t.Failures); wait > 0 {
		t.Until = now.Add(wait)
	}
}

// succeed forgets the failures; the malformed attempts of the minute stay counted.
func (t *Throttle) succeed() { t.Failures, t.Until = 0, time.Time{} }

// malformed counts an attempt that is not a code. It is no guess, so it never counts as a failure; above the rate
// it is answered as waiting and writes nothing.
func (t *Throttle) malformed(now time.Time, rules Rules) Result {
	if age := now.Sub(t.MalformedFrom); age < 0 || age >= time.Minute {
		t.Malformed, t.MalformedFrom = 0, now
	}
	if t.Malformed >= rules.MalformedPerMinute {
		return Result{Outcome: Waiting, RetryAfter: t.MalformedFrom.Add(time.Minute).Sub(now), Failures: t.Failures}
	}
	t.Malformed++
	return Result{Outcome: Malformed, Failures: t.Failures}
}
