package otp

import (
	"math"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

func TestRulesHaveFloors(t *testing.T) {
	t.Parallel()
	if err := DefaultRules().Validate(); err != nil {
		t.Errorf("the default rules: %v", err)
	}
	for name, spoil := range map[string]func(r *Rules){
		"no issuer":              func(r *Rules) { r.Issuer = " " },
		"issuer with a colon":    func(r *Rules) { r.Issuer = "a:b" },
		"a hundred and one":      func(r *Rules) { r.HardStop = 101 },
		"no try":                 func(r *Rules) { r.HardStop = 0 },
		"ten authenticators":     func(r *Rules) { r.MaxAuthenticators = 10 },
		"no authenticator":       func(r *Rules) { r.MaxAuthenticators = 0 },
		"twenty free failures":   func(r *Rules) { r.FreeFailures = 20 },
		"a first wait of 1 s":    func(r *Rules) { r.FirstWait = time.Second },
		"waits that shrink":      func(r *Rules) { r.MaxWait = 10 * time.Second },
		"waits of a week":        func(r *Rules) { r.MaxWait = 7 * 24 * time.Hour },
		"malformed without end":  func(r *Rules) { r.MalformedPerMinute = 1_000_000 },
		"tokens for an hour":     func(r *Rules) { r.GrantLife = time.Hour },
		"links for two days":     func(r *Rules) { r.LinkLife = 48 * time.Hour },
		"links that die at once": func(r *Rules) { r.LinkLife = 0 },
		"resets after a month":   func(r *Rules) { r.ResetWait = 30 * 24 * time.Hour },
		"resets before request":  func(r *Rules) { r.ResetWait = -time.Hour },
	} {
		r := DefaultRules()
		spoil(&r)
		if err := r.Validate(); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWaitsNeverOverflow(t *testing.T) {
	t.Parallel()
	r := DefaultRules()
	for n := range 1000 {
		if w := r.wait(n); w < 0 || w > time.Hour || w < r.wait(n-1) {
			t.Fatalf("failure %d waits %s after %s", n, w, r.wait(n-1))
		}
	}
}

// Codes accepted at one moment, per authenticator. The window slides but never widens.
const (
	codesPhone    = 3             // TOTP: the current step, one back, one forward
	codesHardware = 5             // TOTP of a hardware token: two on each side
	codesHOTP     = LookAhead + 1 // the next counter and the ones looked ahead
)

// The published odds that guessing ever succeeds between two successes of the person, for one authenticator of
// six digits and the default hard stop of 50.
const (
	oddsTOTP     = 1.5e-4
	oddsHardware = 2.5e-4
	oddsHOTP     = 3e-4
)

// odds returns an upper bound for the chance that guessing succeeds before the hard stop: the codes accepted at
// one moment times the tries, over all values of that many digits. Several authenticators of one account add up,
// for one guess is compared with each; the tries do not, for the stop counts the account.
func odds(codes, tries, digits int) float64 {
	return float64(codes) * float64(tries) / math.Pow10(digits)
}

// codesOf is how many codes the authenticator accepts at one moment.
func codesOf(a Authenticator) int {
	switch {
	case a.Kind == HOTP:
		return codesHOTP
	case a.Profile == Hardware:
		return codesHardware
	}
	return codesPhone
}

func TestPublishedOdds(t *testing.T) {
	t.Parallel()
	stop := DefaultRules().HardStop
	for name, c := range map[string]struct {
		a         Authenticator
		published float64
	}{
		"phone": {totp6("a"), oddsTOTP}, "hardware": {hardware6("a"), oddsHardware}, "counter": {hotp6("a", 0), oddsHOTP},
	} {
		if got := odds(codesOf(c.a), stop, 6); math.Abs(got-c.published) > 1e-12 {
			t.Errorf("%s: %g, published %g", name, got, c.published)
		}
		// The bound holds for the code as it is: count what one guess is compared with.
		r := newRig(t, c.a)
		accepted := 0
		for step := r.present() - 40; step <= r.present()+40; step++ {
			at := step
			if c.a.Kind == HOTP {
				at = step - r.present()
			}
			if at >= 0 && r.at("a").look(r.keys["a"], r.code("a", at), r.now).outcome == OK {
				accepted++
			}
		}
		if accepted != codesOf(c.a) {
			t.Errorf("%s: %d codes are accepted at one moment, published are %d", name, accepted, codesOf(c.a))
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[Outcome]struct {
		code   string
		status int
	}{
		Wrong: {"otp_wrong", 403}, Stale: {"otp_wrong", 403}, DriftCapped: {"otp_wrong", 403}, ResyncStarted: {"otp_wrong", 403},
		Replay: {"otp_replay", 403}, Malformed: {"otp_malformed", 422}, Waiting: {"otp_waiting", 429}, Locked: {"otp_locked", 423},
		Unknown: {"no_authenticator", 409}, "": {"otp_wrong", 403},
	} {
		f := Result{Outcome: outcome, RetryAfter: time.Minute}.Fault()
		if f == nil || f.Code != want.code || f.Status != want.status || f.Detail == "" || f.Next == "" || f.RetryAfter != time.Minute {
			t.Errorf("%s: %+v", outcome, f)
		}
	}
	for _, outcome := range []Outcome{OK, ResyncOK, Recovered} {
		if f := (Result{Outcome: outcome}).Fault(); f != nil {
			t.Errorf("%s: %+v", outcome, f)
		}
	}
	far, wrong := Result{Outcome: ResyncStarted}.Fault(), Result{Outcome: Wrong}.Fault()
	if *far != *wrong {
		t.Error("a code far ahead reads unlike a wrong one")
	}
	if (Result{Outcome: Recovered}).Granted() {
		t.Error("a recovery code passes for a login")
	}
}

func TestStepEnds(t *testing.T) {
	t.Parallel()
	for at, want := range map[time.Time]time.Duration{
		noon: 30 * time.Second, noon.Add(time.Second): 29 * time.Second, noon.Add(29999 * time.Millisecond): time.Millisecond,
	} {
		if got := StepEnds(at); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
}
