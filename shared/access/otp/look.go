package otp

import "time"

// sighting is what comparing a code with one authenticator found, before anything is decided.
type sighting struct {
	outcome Outcome // ok, resync-ok, replay, stale, drift-capped, resync-started or wrong
	step    int64
	passed  bool // the step is at or below the floor: the value is spent, wherever else it appears
}

// seek is Search over signed steps; the part of a range before step 0 does not exist.
func (k *Key) seek(code string, from, to int64) (int64, bool) {
	if to < 0 || from > to {
		return 0, false
	}
	step, found := k.Search(code, uint64(max(from, 0)), uint64(to))
	return int64(step), found
}

// look compares a code with the authenticator. All zones are searched whatever is found, and together they hold
// the same number of steps for the same authenticator, so the time taken tells nothing.
func (a Authenticator) look(k *Key, code string, now time.Time) sighting {
	if a.Kind == HOTP {
		return a.lookAhead(k, code, now)
	}
	return a.lookAround(k, code, now)
}

// lookAround compares with the steps around the present (RFC 6238 sections 5.2 and 6). The window is centred on
// the drifted present, and nothing beyond the ceiling of the drift is accepted. On the slow side the window slides
// up instead of shrinking, so that a person who was slow to type twice is not locked out by the drift that
// followed. On the fast side it shrinks: a code refused there comes true later, so it counts among the guesses.
func (a Authenticator) lookAround(k *Key, code string, now time.Time) sighting {
	reach, ceiling := a.Profile.reach(), a.Profile.ceiling()
	base := now.Unix()/Period + int64(a.Offset)
	low, high := base+int64(a.Drift)-reach, base+int64(a.Drift)+reach
	first := max(low, base-ceiling)
	last := min(high+first-low, base+ceiling)
	from := base - ceiling - reach - LookBack
	to := max(high, last)

	spent, isSpent := k.seek(code, from, min(a.Floor, to))
	fresh, isFresh := k.seek(code, max(first, a.Floor+1), last)
	slow, isSlow := k.seek(code, max(low, a.Floor+1), first-1)
	fast, isFast := k.seek(code, max(last+1, a.Floor+1), high)
	old, isOld := k.seek(code, max(from, a.Floor+1), low-1)
	switch {
	case isSpent && (spent == a.Floor || spent >= first):
		return sighting{Replay, spent, true}
	case isSpent:
		return sighting{Stale, spent, true}
	case isFresh:
		return sighting{OK, fresh, false}
	case isFast:
		return sighting{DriftCapped, fast, false}
	case isSlow:
		return sighting{DriftCapped, slow, false}
	case isOld:
		return sighting{Stale, old, false}
	}
	return sighting{outcome: Wrong}
}

// lookAhead compares with the counters from the next one on (RFC 4226 section 7.4). A code further ahead starts a
// resynchronisation, and the one right after it, in time, completes it; the counter never moves backwards.
func (a Authenticator) lookAhead(k *Key, code string, now time.Time) sighting {
	next := a.Floor + 1
	spent, isSpent := k.seek(code, next-LookBack, a.Floor)
	fresh, isFresh := k.seek(code, next, next+LookAhead)
	ahead, isAhead := k.seek(code, next+LookAhead+1, next+ResyncWindow)
	second, isSecond := k.seek(code, a.ResyncStep+1, a.ResyncStep+1)
	isSecond = isSecond && now.Before(a.ResyncUntil) && second > next
	switch {
	case isSpent && spent == a.Floor:
		return sighting{Replay, spent, true}
	case isSpent:
		return sighting{Stale, spent, true}
	case isFresh:
		return sighting{OK, fresh, false}
	case isSecond:
		return sighting{ResyncOK, second, false}
	case isAhead:
		return sighting{ResyncStarted, ahead, false}
	}
	return sighting{outcome: Wrong}
}

// away returns how far a step is from the expected one: the server's present, or the next counter.
func (a Authenticator) away(step int64, now time.Time) int {
	if a.Kind == HOTP {
		return int(step - a.Floor - 1)
	}
	return int(step - now.Unix()/Period)
}

// consume burns the step and everything below it (RFC 4226 section 7.2, RFC 6238 section 5.2) and lets the drift
// follow by one step at most.
func (a *Authenticator) consume(step int64, now time.Time) {
	if a.Kind == TOTP {
		a.Drift += max(-1, min(1, a.away(step, now)-a.Offset-a.Drift))
	}
	a.Floor, a.LastUsed, a.Failures = step, now, 0
	a.ResyncStep, a.ResyncUntil = 0, time.Time{}
}
