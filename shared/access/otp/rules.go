package otp

import (
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Fixed by the standards or by the promise about guessing; not for configuration.
const (
	LookAhead     = 5               // HOTP counters behind the next one that are accepted (RFC 4226 section 7.4)
	ResyncWindow  = 100             // steps or counters two consecutive codes may be away (RFC 4226 section 7.4)
	ResyncFar     = 1000            // the same for three consecutive codes
	ResyncLife    = 5 * time.Minute // from the first code of a resynchronisation to the second
	LookBack      = 10              // steps below the window that are recognised, never accepted
	MinSecret     = 16              // bytes, 128 bits (RFC 4226 requirement R6)
	MaxSecret     = 128             // bytes, the largest block of the hashes
	PendingLife   = 10 * time.Minute
	RecoveryCodes = 10
	RecoveryStop  = 100 // consecutive failures at which recovery codes stop too (NIST SP 800-63B-4 section 3.2.2)
	MaxName       = 64  // bytes of an authenticator's name
	MaxLinkLife   = 24 * time.Hour
	ResetLife     = 7 * 24 * time.Hour  // a request nobody approved
	RenewalLife   = 30 * 24 * time.Hour // of an authenticator past its date, to vouch for the one in its place
)

// Profile says how well an authenticator keeps time. It is stored.
type Profile string

// A phone sets its clock from the network; a hardware token's crystal wanders for years.
const (
	Phone    Profile = "phone"
	Hardware Profile = "hardware"
)

// reach is how many steps on each side of the drifted present are accepted (RFC 6238 section 5.2), ceiling how
// far the drift may wander from the last explicit resynchronisation (RFC 6238 section 6).
func (p Profile) reach() int64 {
	if p == Hardware {
		return 2
	}
	return 1
}

func (p Profile) ceiling() int64 {
	if p == Hardware {
		return 10
	}
	return 2
}

// Rules are what a policy may set, within the floors that Validate holds.
type Rules struct {
	Issuer             string        // shown by the phone application above the code
	MaxAuthenticators  int           // active and pending, per person; 1 to 5
	FreeFailures       int           // consecutive failures without a wait; 0 to 5
	FirstWait          time.Duration // after the next failure; it doubles with each; 10 s to 5 min
	MaxWait            time.Duration // where the doubling ends; FirstWait to 24 h
	HardStop           int           // consecutive failures that end checking; 5 to 100 (SP 800-63B-4 section 3.2.2)
	MalformedPerMinute int           // malformed attempts answered as such; 10 to 1000
	GrantLife          time.Duration // of the token a recovery code buys; 1 to 10 min (SP 800-63B-4 section 4.1.2)
	LinkLife           time.Duration // of an enrolment link; 1 min to 24 h
	ResetWait          time.Duration // from a reset's request to the earliest approval; 0 to 72 h
}

// DefaultRules returns the rules of a policy that says nothing.
func DefaultRules() Rules {
	return Rules{
		Issuer: "Ostiary", MaxAuthenticators: 3, FreeFailures: 3, FirstWait: 30 * time.Second, MaxWait: time.Hour,
		HardStop: 50, MalformedPerMinute: 300, GrantLife: 10 * time.Minute, LinkLife: 10 * time.Minute,
	}
}

// Validate returns Misconfigured, naming the first rule outside its bounds.
func (r Rules) Validate() error {
	switch {
	case strings.TrimSpace(r.Issuer) == "" || strings.Contains(r.Issuer, ":") || len(r.Issuer) > MaxName:
		return fault.New(fault.Misconfigured, "one-time-password rules: issuer %q: 1 to %d bytes without a colon", r.Issuer, MaxName)
	case r.MaxWait < r.FirstWait || r.MaxWait > 24*time.Hour:
		return fault.New(fault.Misconfigured, "one-time-password rules: longest wait %s: the first wait to 24h", r.MaxWait)
	}
	for _, bound := range []struct {
		name          string
		is, low, high int
	}{
		{"authenticators per person", r.MaxAuthenticators, 1, 5},
		{"free failures", r.FreeFailures, 0, 5},
		{"hard stop", r.HardStop, 5, RecoveryStop},
		{"malformed attempts per minute", r.MalformedPerMinute, 10, 1000},
		{"seconds of the first wait", int(r.FirstWait / time.Second), 10, 300},
		{"seconds of an enrolment token", int(r.GrantLife / time.Second), 60, 600},
		{"seconds of an enrolment link", int(r.LinkLife / time.Second), 60, int(MaxLinkLife / time.Second)},
		{"hours a reset waits", int(r.ResetWait / time.Hour), 0, 72},
	} {
		if bound.is < bound.low || bound.is > bound.high {
			return fault.New(fault.Misconfigured, "one-time-password rules: %s: %d, allowed %d to %d", bound.name, bound.is, bound.low, bound.high)
		}
	}
	return nil
}

// wait returns how long nothing is evaluated after the nth consecutive failure.
func (r Rules) wait(n int) time.Duration {
	if n <= r.FreeFailures {
		return 0
	}
	w := r.FirstWait
	for i := r.FreeFailures + 1; i < n && w < r.MaxWait; i++ {
		w *= 2
	}
	return min(w, r.MaxWait)
}
