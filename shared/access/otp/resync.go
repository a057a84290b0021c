package otp

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Resync settles how far an authenticator is off by two consecutive codes within ResyncWindow, or three within
// ResyncFar (RFC 4226 section 7.4, RFC 6238 section 6). It moves the clock's offset or the counter and grants
// nothing; the codes are burned, and the counter or floor never moves backwards. A wrong pair counts as one
// failure. It is also the first use of an assigned hardware token, which works from then on. The caller has had the
// person sign in again. Codes of errors: authenticator_unknown, codes_invalid.
func (s *Service) Resync(ctx context.Context, person, id string, typed []string, meta Meta, now time.Time) (Result, error) {
	if len(typed) < 2 || len(typed) > 3 {
		return Result{}, fault.Refuse(fault.Invalid, "codes_invalid", "Two codes are needed, or three.", "Enter codes that follow each other.")
	}
	var result Result
	err := again(func() error {
		acc, err := s.known(ctx, person)
		if err != nil {
			return err
		}
		ring, err := s.unlock(ctx, acc, func(a Authenticator) bool { return a.ID == id })
		if err != nil {
			return err
		}
		defer ring.Wipe()
		result, err = s.attempt(ctx, person, meta, now, ResyncTried, func(e *edit) (result Result, err error) {
			e.acc, result, err = resync(e.acc, ring, id, typed, now, s.Rules)
			return result, err
		})
		return err
	})
	return result, err
}

// resync decides an explicit resynchronisation; it is pure.
func resync(acc Account, ring *Ring, id string, typed []string, now time.Time, rules Rules) (Account, Result, error) {
	i := acc.at(id)
	if i < 0 {
		return acc, Result{}, unknownAuthenticator()
	}
	a := acc.Authenticators[i]
	if a.State != Assigned && !a.usable(now) {
		return acc, Result{}, unknownAuthenticator()
	}
	if err := acc.clockHolds(now); err != nil {
		return acc, Result{}, err
	}
	if result, open := acc.Throttle.gate(now, rules.HardStop); !open {
		return acc, result, nil
	}
	codes := make([]string, len(typed))
	for j, t := range typed {
		var ok bool
		if codes[j], ok = Parse(t, a.Digits); !ok {
			result := acc.Throttle.malformed(now, rules)
			return acc, result, nil
		}
	}
	key, err := ring.key(a)
	if err != nil {
		return acc, Result{}, err
	}
	from, to := a.resyncRange(len(codes), now)
	last, found := key.run(strings.Join(codes, ""), len(codes), from, to)
	result := Result{Outcome: Wrong, Authenticator: a.ID, Name: a.Name, Wrap: ring.wrap(a.ID)}
	acc = acc.clone()
	target := &acc.Authenticators[i]
	if !found {
		target.Failures++
		acc.fail(&result, now, rules)
		return acc, result, nil
	}
	result.Outcome, result.StepDelta, result.step = ResyncOK, a.away(last, now), last
	if a.Kind == TOTP {
		target.Offset, target.Drift = result.StepDelta, 0
		result.Drift, result.DriftMoved = result.StepDelta, a.Offset+a.Drift != result.StepDelta
	}
	target.consume(last, now)
	if a.State == Assigned {
		target.State, target.Confirmed, acc.Bound, result.First = Active, now, true, true
	}
	acc.succeed(&result, now)
	return acc, result, nil
}

// resyncRange returns the steps that n consecutive codes may lie in: above the floor, and around the present of a
// clock that sets itself or wandered on from where it was last found.
func (a Authenticator) resyncRange(n int, now time.Time) (from, to int64) {
	width := int64(ResyncWindow)
	if n == 3 {
		width = ResyncFar
	}
	if a.Kind == HOTP {
		return a.Floor + 1, a.Floor + 1 + width
	}
	present := now.Unix() / Period
	drifted := present + int64(a.Offset+a.Drift)
	return max(a.Floor+1, min(present, drifted)-width), max(present, drifted) + width
}

// run looks for n codes, joined into one text, in n consecutive steps that all lie between from and to, and returns
// the last step of the highest run. Like Search it looks at every step in constant time.
func (k *Key) run(codes string, n int, from, to int64) (last int64, found bool) {
	if len(codes) != n*k.digits || to < 0 {
		return 0, false
	}
	given, readable := make([]int32, n), 1
	for j := range n {
		code, ok := number(codes[j*k.digits:(j+1)*k.digits], k.digits)
		given[j], readable = code, readable&ok
	}
	streak, hit := 0, 0 // bit j of streak: the steps up to the present one carry the first j+1 codes
	for step := max(from, 0); step <= to; step++ {
		value := k.code(uint64(step))
		next := 0
		for j := range n {
			equal := subtle.ConstantTimeEq(value, given[j])
			next |= equal & ((streak<<1 | 1) >> j) << j
		}
		streak = next
		complete := streak >> (n - 1) & 1
		mask := -int64(complete)
		last = last&^mask | step&mask
		hit |= complete
	}
	return last, hit&readable == 1
}
