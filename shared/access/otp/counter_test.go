package otp

import (
	"testing"
	"time"
)

func TestHOTPLooksAhead(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[int64]Outcome{
		-1: Replay, -2: Stale, -10: Stale, 0: OK, 1: OK, 5: OK, 6: ResyncStarted, 100: ResyncStarted, 101: Wrong,
	} {
		r := newRig(t, hotp6("button", 1000))
		result := r.want(r.code("button", 1000+ahead), want)
		floor := r.at("button").Floor
		switch {
		case want == OK && (floor != 1000+ahead || result.StepDelta != int(ahead)):
			t.Errorf("%d ahead: floor %d, %+v", ahead, floor, result)
		case want != OK && floor != 999:
			t.Errorf("%d ahead was refused and moved the counter to %d", ahead, floor+1)
		}
	}
}

func TestHOTPEqualValues(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.bind(hotp6("button", 153567), rfcSeeds[SHA1])
	r.want("468457", OK)
	if floor := r.at("button").Floor; floor != 153569 {
		t.Errorf("consumed counter %d, want the highest that carries the value", floor)
	}
	r.want("468457", Replay)
}

func TestHOTPResynchronises(t *testing.T) {
	t.Parallel()
	start := func() *rig {
		r := newRig(t, hotp6("button", 10))
		if result := r.want(r.code("button", 50), ResyncStarted); result.Failures != 1 {
			t.Errorf("the first code counts %d failures", result.Failures)
		}
		return r
	}
	t.Run("with the next code", func(t *testing.T) {
		r := start()
		r.pass(ResyncLife - time.Microsecond)
		if result := r.want(r.code("button", 51), ResyncOK); !result.Granted() || r.at("button").Floor != 51 || result.Failures != 0 {
			t.Errorf("%+v, floor %d", result, r.at("button").Floor)
		}
		r.want(r.code("button", 51), Replay)
		r.want(r.code("button", 50), Stale)
		r.want(r.code("button", 52), OK)
	})
	t.Run("not after five minutes", func(t *testing.T) {
		r := start()
		r.pass(ResyncLife)
		r.want(r.code("button", 51), ResyncStarted)
		r.want(r.code("button", 52), ResyncOK)
	})
	t.Run("not with a code between", func(t *testing.T) {
		r := start()
		r.want(r.wrong(), Wrong)
		r.want(r.code("button", 51), ResyncStarted)
	})
	t.Run("not with the same code twice", func(t *testing.T) {
		r := start()
		r.want(r.code("button", 50), ResyncStarted)
	})
	t.Run("not with one further on", func(t *testing.T) {
		r := start()
		r.want(r.code("button", 52), ResyncStarted)
		if r.at("button").Floor != 9 {
			t.Error("the counter moved")
		}
	})
	t.Run("a success in between forgets it", func(t *testing.T) {
		r := start()
		r.want(r.code("button", 10), OK)
		r.want(r.code("button", 51), ResyncStarted)
	})
	t.Run("a wait keeps it closed", func(t *testing.T) {
		r := newRig(t, hotp6("button", 10))
		for range 3 {
			r.want(r.wrong(), Wrong)
		}
		r.want(r.code("button", 50), ResyncStarted)
		r.want(r.code("button", 51), Waiting)
		r.pass(30 * time.Second)
		r.want(r.code("button", 51), ResyncOK)
	})
}
