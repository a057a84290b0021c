package otp

import (
	"errors"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

func TestWindowOfAPhone(t *testing.T) {
	t.Parallel()
	for offset, want := range map[int64]Outcome{
		-12: Stale, -3: Stale, -2: Stale, -1: OK, 0: OK, 1: OK, 2: Wrong, 3: Wrong, -200: Wrong,
	} {
		r := newRig(t, totp6("phone"))
		result := r.want(r.code("phone", r.present()+offset), want)
		if want == OK && (result.StepDelta != int(offset) || result.Authenticator != "phone" || r.at("phone").Floor != r.present()+offset) {
			t.Errorf("offset %d: %+v, floor %d", offset, result, r.at("phone").Floor)
		}
	}
}

func TestWindowOfAHardwareToken(t *testing.T) {
	t.Parallel()
	for offset, want := range map[int64]Outcome{-3: Stale, -2: OK, 0: OK, 2: OK, 3: Wrong} {
		r := newRig(t, hardware6("token"))
		r.want(r.code("token", r.present()+offset), want)
		if want == OK && max(r.at("token").Drift, -r.at("token").Drift) > 1 {
			t.Errorf("offset %d moved the drift by %d in one login", offset, r.at("token").Drift)
		}
	}
}

func TestACodeWorksOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	code := r.code("phone", r.present())
	r.want(code, OK)
	for _, spelled := range []string{code, " " + code, code[:3] + " " + code[3:], code[:3] + "-" + code[3:]} {
		r.acc.Throttle.succeed()
		if result := r.want(spelled, Replay); !result.Spent || result.Authenticator != "phone" {
			t.Errorf("spelled %q: %+v", spelled, result)
		}
	}
	r.acc.Throttle.succeed()
	r.pass(4 * time.Minute) // outside the window, still known to be the one that was used
	if result := r.want(code, Replay); !result.Spent {
		t.Errorf("four minutes later: %+v", result)
	}
}

func TestALaterCodeKillsEarlierOnes(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	r.want(r.code("phone", r.present()+1), OK)
	for _, offset := range []int64{0, -1} {
		if result := r.try(r.code("phone", r.present()+offset)); result.Granted() || result.Spent {
			t.Errorf("offset %d after a later one: %+v", offset, result)
		}
	}
}

// The seed of the RFCs has equal values at 910737 and 910738, and at 153567 and 153569.
func TestEqualValuesInNeighbouringSteps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ first, again []int64 }{
		"next to each other": {[]int64{910736, 910737, 910738, 910739}, []int64{910737, 910738, 910739, 910740}},
		"one apart":          {[]int64{153566, 153567, 153568, 153569, 153570}, []int64{153568, 153569, 153570, 153571}},
	} {
		for _, first := range c.first {
			for _, again := range c.again {
				r := newRig(t)
				r.bind(totp6("phone"), rfcSeeds[SHA1])
				code := map[bool]string{true: "911617", false: "468457"}[first > 900000]
				r.now = time.Unix(first*Period, 0)
				if !r.try(code).Granted() {
					continue // not in the window yet, or any more
				}
				if r.now = time.Unix(again*Period, 0); again < first {
					continue
				}
				if result := r.try(code); result.Granted() {
					t.Errorf("%s: accepted at step %d and again at %d", name, first, again)
				}
			}
		}
	}
	r := newRig(t)
	r.bind(totp6("phone"), rfcSeeds[SHA1])
	r.now = time.Unix(910737*Period, 0)
	r.want("911617", OK)
	if floor := r.at("phone").Floor; floor != 910738 {
		t.Errorf("consumed step %d, want the highest in the window", floor)
	}
}

func TestDriftFollowsSlowly(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	for i, c := range []struct {
		offset  int64
		outcome Outcome
		drift   int
	}{
		{1, OK, 1}, {2, OK, 2}, {3, DriftCapped, 2}, {2, OK, 2}, {1, OK, 1}, {0, OK, 0}, {-1, OK, -1}, {-2, OK, -2}, {-3, DriftCapped, -2},
		{-4, Stale, -2}, {0, OK, -1}, {0, OK, 0},
	} {
		result := r.want(r.code("phone", r.present()+c.offset), c.outcome)
		if got := r.at("phone").Drift; got != c.drift {
			t.Fatalf("login %d at offset %d: drift %d, want %d", i, c.offset, got, c.drift)
		}
		if c.outcome == OK && result.Drift != c.drift {
			t.Errorf("login %d answers drift %d", i, result.Drift)
		}
		r.acc.Throttle.succeed()
		r.pass(5 * time.Minute)
	}
}

func TestDriftOfHardwareEndsAtTen(t *testing.T) {
	t.Parallel()
	r := newRig(t, hardware6("token"))
	for offset := int64(1); offset <= 10; offset++ {
		r.want(r.code("token", r.present()+offset), OK)
		r.pass(10 * time.Minute)
	}
	r.want(r.code("token", r.present()+11), DriftCapped)
	r.want(r.code("token", r.present()+12), DriftCapped)
	if drift := r.at("token").Drift; drift != 10 {
		t.Errorf("drift %d", drift)
	}
}

// A code of the fast side that is refused today comes true later. It must not be worth more guesses than published.
func TestAcceptedNowOrLaterNeverExceedsTheOdds(t *testing.T) {
	t.Parallel()
	for _, a := range []Authenticator{totp6("a"), hardware6("a")} {
		for drift := -int(a.Profile.ceiling()); drift <= int(a.Profile.ceiling()); drift++ {
			r := newRig(t, a)
			r.acc.Authenticators[0].Drift = drift
			told := 0
			for offset := int64(-30); offset <= 30; offset++ {
				s := r.at("a").look(r.keys["a"], r.code("a", r.present()+offset), r.now)
				if s.outcome == OK || s.outcome == DriftCapped && offset > int64(drift) {
					told++
				}
			}
			if told > codesOf(a) {
				t.Errorf("%s at drift %d: a guess is compared with %d codes, published are %d", a.Profile, drift, told, codesOf(a))
			}
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	waits := []time.Duration{0, 0, 0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute}
	for n := 1; n <= 50; n++ {
		result := r.want(r.wrong(), Wrong)
		wait := time.Hour
		if n <= len(waits) {
			wait = waits[n-1]
		}
		if n == 50 {
			wait = 0
		}
		if result.Failures != n || result.RetryAfter != wait || result.LockedNow != (n == 50) {
			t.Fatalf("failure %d: %+v, want a wait of %s", n, result, wait)
		}
		if wait > 0 {
			code := r.code("phone", r.present())
			result := r.want(code, Waiting) // right, and not evaluated
			if result.RetryAfter != wait || result.Authenticator != "" {
				t.Fatalf("during wait %d: %+v", n, result)
			}
			r.want("not a code", Waiting)
			r.pass(wait - time.Microsecond)
			r.want(r.wrong(), Waiting)
			r.pass(time.Microsecond)
		}
	}
	for _, later := range []time.Duration{0, time.Hour, 400 * 24 * time.Hour} {
		r.pass(later)
		r.want(r.code("phone", r.present()), Locked)
		r.want("not a code", Locked)
	}
	if r.acc.Throttle.Failures != 50 {
		t.Errorf("%d failures", r.acc.Throttle.Failures)
	}
}

func TestARightCodeAfterTheWaitIsNotBurned(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	for range 4 {
		r.want(r.wrong(), Wrong)
	}
	r.want(r.code("phone", r.present()+1), Waiting)
	r.pass(30 * time.Second)
	result := r.want(r.code("phone", r.present()), OK) // the same code
	if result.Previous != 4 || r.acc.Throttle.Failures != 0 {
		t.Errorf("%+v, %+v", result, r.acc.Throttle)
	}
}

func TestMalformedIsRatedNotFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	for range r.rules.MalformedPerMinute {
		r.want("１２３４５６", Malformed)
	}
	result := r.want("１２３４５６", Waiting)
	if result.RetryAfter != time.Minute || r.acc.Throttle.Failures != 0 {
		t.Errorf("above the rate: %+v, %+v", result, r.acc.Throttle)
	}
	r.want(r.code("phone", r.present()), OK) // a code is not a malformed attempt
	r.pass(time.Minute)
	r.want("12345", Malformed)
	if r.acc.Throttle.Malformed != 1 {
		t.Errorf("%d malformed attempts in a fresh minute", r.acc.Throttle.Malformed)
	}
}

func TestSeveralAuthenticators(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"), hotp6("button", 0), hardware6("token"))
	r.want(r.wrong(), Wrong)
	r.want(r.wrong(), Wrong)
	result := r.want(r.code("button", 3), OK)
	if result.Authenticator != "button" || result.StepDelta != 3 || result.Previous != 2 {
		t.Errorf("%+v", result)
	}
	if r.at("button").Failures != 0 || r.at("phone").Failures != 2 || r.at("token").Failures != 2 || r.acc.Throttle.Failures != 0 {
		t.Errorf("failures: %+v %+v", r.acc.Throttle, r.acc.Authenticators)
	}
	if r.at("phone").Floor != -1 || r.at("token").Floor != -1 {
		t.Error("an authenticator that did not match was consumed")
	}
	r.want(r.code("token", r.present()-2), OK)
	r.want(r.code("phone", r.present()), OK)
	for n := 1; n <= 50; n++ { // the ceiling counts the account, not each
		r.acc.Throttle.Until = time.Time{}
		r.want(r.wrong(), Wrong)
	}
	r.want(r.code("button", 4), Locked)
}

func TestOneValueOfTwoAuthenticators(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	secret := []byte("imported twice, on purpose")
	r.bind(totp6("first"), secret)
	r.bind(totp6("second"), secret)
	code := r.code("second", r.present())
	if result := r.want(code, OK); result.Authenticator != "first" {
		t.Errorf("named %q, want the one bound first", result.Authenticator)
	}
	if r.at("first").Floor != r.at("second").Floor {
		t.Error("the value was not consumed on both")
	}
	r.want(code, Replay)
	late := newRig(t)
	late.bind(totp6("first"), secret)
	late.want(code, OK)
	late.bind(totp6("second"), secret) // bound after the code was used
	late.want(code, Replay)
}

func TestDigitsTellAuthenticatorsApart(t *testing.T) {
	t.Parallel()
	eight := totp6("eight")
	eight.Digits = 8
	r := newRig(t, totp6("six"), eight)
	if result := r.want(r.code("eight", r.present()), OK); result.Authenticator != "eight" {
		t.Errorf("%+v", result)
	}
	r.want("1234567", Malformed)
	r.want(r.code("six", r.present()), OK)
}

func TestOnlyActiveOnesAreChecked(t *testing.T) {
	t.Parallel()
	pending, due := totp6("pending"), totp6("due")
	pending.State, pending.Expires = Pending, noon.Add(time.Minute)
	due.Until = noon.Add(time.Hour)
	r := newRig(t, pending, due)
	r.want(r.code("pending", r.present()), Wrong)
	r.want(r.code("due", r.present()), OK)
	r.pass(time.Hour)
	r.want(r.code("due", r.present()), Unknown) // the date to replace it passed
	empty := newRig(t)
	empty.want("123456", Unknown)
	if empty.acc.Throttle.Failures != 0 {
		t.Error("an account with nothing to guess counts failures")
	}
}

func TestStaleRing(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	code := r.code("phone", r.present())
	check := func(acc Account, ring *Ring) {
		t.Helper()
		got, result, err := Check(acc, ring, code, r.now, r.rules)
		if !errors.Is(err, ErrStale) || !fault.Is(err, fault.Conflict) || result != (Result{}) || got.Authenticators[0].Floor != -1 {
			t.Errorf("%+v %v", result, err)
		}
	}
	resealed := r.acc.clone()
	resealed.Authenticators[0].Seal = 2
	check(resealed, r.ring)
	check(r.acc, nil)
	wiped := newRig(t, totp6("phone"))
	wiped.ring.Wipe()
	check(wiped.acc, wiped.ring)
}

func TestClockThatWentBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	r.want(r.code("phone", r.present()), OK)
	r.now = noon.Add(-30 * time.Second)
	r.want(r.code("phone", r.present()), Replay) // older than the last; one step is the servers' own unevenness
	r.now = noon.Add(-30*time.Second - time.Microsecond)
	before := r.acc.clone()
	acc, _, err := Check(r.acc, r.ring, r.code("phone", r.present()), r.now, r.rules)
	if !fault.Is(err, fault.Transient) || acc.Throttle != before.Throttle {
		t.Errorf("two steps back: %v", err)
	}
	r.now = time.Unix(-1, 0)
	if _, _, err := Check(newRig(t, totp6("phone")).acc, r.ring, "123456", r.now, r.rules); err == nil {
		t.Error("checked before 1970")
	}
}

func TestFarFuture(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{time.Unix(59, 0), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		r := newRig(t, totp6("phone"))
		r.now = at
		r.want(r.code("phone", r.present()), OK)
		r.want(r.code("phone", r.present()), Replay)
	}
	r := newRig(t, totp6("phone"))
	r.now = time.Unix(0, 0) // the window begins before the first step there is
	r.want(r.code("phone", 0), OK)
	r.want(r.code("phone", 0), Replay)
	r.want(r.code("phone", 1), OK)
}

func TestReplayBeatsACoincidence(t *testing.T) {
	t.Parallel()
	r := newRig(t, totp6("phone"))
	r.bind(hotp6("button", 153567), rfcSeeds[SHA1])
	r.bind(totp6("other"), rfcSeeds[SHA1])
	r.now = time.Unix(153567*Period, 0)
	r.want("468457", OK)
	if r.at("button").Floor != 153569 || r.at("other").Floor != 153567 {
		t.Errorf("floors %d %d", r.at("button").Floor, r.at("other").Floor)
	}
	r.now = time.Unix(153569*Period, 0) // fresh by its step, spent by its value
	r.want("468457", Replay)
}
