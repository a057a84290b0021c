package otp

import (
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Outcome of one attempt. It is stored in the evidence and answered by checkotp.
type Outcome string

// The outcomes. Only OK, ResyncOK and Recovered grant anything, and Recovered only to enrol.
const (
	OK            Outcome = "ok"
	Wrong         Outcome = "wrong"
	Replay        Outcome = "replay"         // used already, or older than the last one used
	Stale         Outcome = "stale"          // a code of the past
	Locked        Outcome = "locked"         // the hard stop; only a reset or a recovery code ends it
	Waiting       Outcome = "waiting"        // not evaluated
	Malformed     Outcome = "malformed"      // not a code
	Unknown       Outcome = "unknown"        // no account, or no active authenticator
	ResyncStarted Outcome = "resync-started" // far ahead: the next code will settle it
	ResyncOK      Outcome = "resync-ok"      // the next code did
	DriftCapped   Outcome = "drift-capped"   // the clock is further off than logins may correct
	Recovered     Outcome = "recovery"
)

// Result is what an attempt came to. It holds neither code nor secret.
type Result struct {
	Outcome       Outcome
	Authenticator string        // id of the one that matched; "" when none did
	Name          string        // its name, for the person only
	StepDelta     int           // steps from the server's present, or counters from the next one
	RetryAfter    time.Duration // until the next attempt is evaluated; 0 when at once
	Failures      int           // consecutive failures of the account, this one included
	Previous      int           // on success: failures since the last success, for the person to see
	Spent         bool          // the very code that succeeded last: somebody used it first
	LockedNow     bool          // this failure reached the hard stop
	Drift         int           // on success: steps the authenticator's clock is off
	DriftMoved    bool
	First         bool   // the first two codes of an assigned token: from now on it works
	Remaining     int    // recovery codes left, after Recover and Confirm
	Wrap          string // version of the key that wraps the authenticator's secret

	step int64
}

// Granted reports whether the code proved the second factor.
func (r Result) Granted() bool { return r.Outcome == OK || r.Outcome == ResyncOK }

// Fault returns what the caller is told, or nil when the attempt succeeded. A code far ahead reads like a wrong
// one, for it may come true later and a guesser must not learn of it; the exact outcome is in Outcome for callers
// that the person's identity was proved to.
func (r Result) Fault() *fault.Error {
	refuse := func(kind fault.Kind, status int, code, detail, next string) *fault.Error {
		e := fault.Refuse(kind, code, detail, next)
		e.Status, e.RetryAfter = status, r.RetryAfter
		return e
	}
	switch r.Outcome {
	case OK, ResyncOK, Recovered:
		return nil
	case Replay:
		return refuse(fault.Denied, 403, "otp_replay", "This code, or a newer one, was used already.",
			"Wait for the next code. If you did not use it yourself, report it to the security lead.")
	case Stale:
		return refuse(fault.Denied, 403, "otp_wrong", "This code is no longer valid.",
			"Enter the code shown now; if it is the one shown now, set your phone's clock or resynchronise the authenticator.")
	case DriftCapped:
		return refuse(fault.Denied, 403, "otp_wrong", "The authenticator's clock is too far off.",
			"Set your phone's clock to automatic, or resynchronise the authenticator with two codes in a row.")
	case Locked:
		return refuse(fault.Denied, 423, "otp_locked", "Too many wrong codes: no code is checked any more.",
			"Use a recovery code, or ask the security lead for a reset.")
	case Waiting:
		return refuse(fault.Exhausted, 429, "otp_waiting", "Too many wrong codes: none is checked for the moment.",
			"Wait until the time given, then enter the code shown then.")
	case Malformed:
		return refuse(fault.Invalid, 422, "otp_malformed", "This is not a code.",
			"Enter the digits your authenticator shows, and nothing else.")
	case Unknown:
		return refuse(fault.NotFound, 409, "no_authenticator", "There is no authenticator to check the code with.",
			"Enrol an authenticator first.")
	}
	return refuse(fault.Denied, 403, "otp_wrong", "The code is wrong.",
		"Enter the code shown now. With a token that has a button, press it again and enter the next code.")
}

// StepEnds returns how long the present TOTP step still lasts: the true countdown, by the server's clock.
func StepEnds(now time.Time) time.Duration {
	const step = Period * time.Second
	return step - time.Duration(now.UnixNano())%step
}
