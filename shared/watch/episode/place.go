package episode

import "time"

// dot is a hit on the line of its group's time.
type dot struct {
	id      string
	at      int64 // microseconds since 1970
	episode string
	ordinal int // at least one more than its neighbours' when it came
}

// placing says where a hit belongs.
type placing struct {
	join  string    // the episode it joins; "" for a new one
	merge string    // the episode that it brings together with join, where that one had no alarm yet
	hold  time.Time // of a new one: until when an entry may come that joins it to the one before; zero for none
}

// place decides where a hit belongs by its neighbours, nil where there are none. Both are of the same group; before is not
// later than the hit, after is later. Now is when the hit came.
//
// Why this gives the alarms of somebody who reads in order, whatever the order: a hit comes within reach, and reach is not
// longer than gap. So every hit that is known when another one comes late is within gap of it, or earlier. A late hit
// therefore joins what is later, and begins nothing new before it. What is later is a run of its own unless the run before
// it grows; that one can grow until reach after its gap, and no longer. Until then a run is held.
func place(at int64, before, after *dot, gap, reach time.Duration, now time.Time) placing {
	nearBefore := before != nil && at-before.at <= gap.Microseconds()
	nearAfter := after != nil && after.at-at <= gap.Microseconds()
	switch {
	case nearBefore && nearAfter && before.episode != after.episode:
		return placing{join: before.episode, merge: after.episode}
	case nearBefore:
		return placing{join: before.episode}
	case nearAfter:
		return placing{join: after.episode}
	}
	return placing{hold: held(before, gap, reach, now)}
}

// held returns until when a run that follows another one waits, zero when it need not: the run before ends with a hit at
// before, and nothing in time can make it longer any more.
func held(before *dot, gap, reach time.Duration, now time.Time) time.Time {
	if before == nil {
		return time.Time{}
	}
	if until := time.UnixMicro(before.at).UTC().Add(gap + reach); !now.After(until) {
		return until
	}
	return time.Time{}
}
