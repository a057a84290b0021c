package allowlist

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

const (
	lockLife   = 2 * time.Minute // after it another writer takes over, with a higher fence
	applyLimit = 90 * time.Second
	noteLimit  = 10 * time.Second // even a cancelled run notes its failure: without, the next one hammers the target
	firstWait  = 5 * time.Second
	// longestWait keeps the promise that a removal is tried within a minute, however often a target refused: shorter than the
	// minute between two runs, which are not on the second.
	longestWait = 50 * time.Second
)

// sighting is what became of one target in one round.
type sighting struct {
	set     Set      // the set it was to hold
	prefix  prefixes // what it was last seen to hold; nil when it could not be read
	took    bool     // it accepted the set
	looked  bool     // it could be read before anything was written
	frame   string   // what it was seen to be made of then
	due     due      // what the store said when it was looked at
	outcome Outcome
}

// prefixes is a lookup over what a target holds.
type prefixes map[netip.Prefix]bool

func lookup(list []netip.Prefix) prefixes {
	found := prefixes{}
	for _, p := range list {
		found[p] = true
	}
	return found
}

func digest(list []netip.Prefix) string {
	h := sha256.New()
	for _, p := range list {
		fmt.Fprintln(h, p)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// converge makes one target hold the set that is due, and tells what others did to it. A notice that cannot be given keeps
// nothing from being put right.
func (r *Reconciler) converge(ctx context.Context, t Target, d due, now time.Time) (sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	st, err := r.state(ctx, t)
	if err != nil {
		return sighting{}, err
	}
	last := r.last(t, st)
	s, err := r.hold(ctx, t, d, st, now)
	if s.looked {
		err = errors.Join(err, r.wider(ctx, t, st, s.outcome.Wider, now), r.framed(ctx, t, st, s.frame, last, now))
	}
	return s, errors.Join(err, r.attribute(ctx, t, st, now))
}

// hold makes one target hold the set that is due. It looks first without any lock: a target in order costs two reads and no
// write.
func (r *Reconciler) hold(ctx context.Context, t Target, d due, st state, now time.Time) (sighting, error) {
	s := sighting{set: d.set, due: d}
	seen, err := t.Read(ctx)
	if err == nil {
		s.prefix, s.looked, s.frame, s.outcome.Wider = lookup(seen.Prefixes), true, seen.Frame, seen.Wider
	}
	if err == nil && seen.Holds(d.set) && st.settled(seen) {
		s.took, s.outcome.Held = true, true
		r.looked(t, now)
		return s, nil
	}
	if pause := st.NextTry.Sub(now); pause > 0 {
		s.outcome.Wait, s.outcome.Failures = pause, st.Failures
		s.outcome.partly(st, now)
		return s, nil // it failed a moment ago, or asked for time; what waits for it stays pending
	}
	if pause := st.Wrote.Add(t.Limits().Every).Sub(now); pause > 0 {
		s.outcome.Wait = pause
		return s, nil // what comes in the meantime goes with the same write
	}
	return r.write(ctx, t, s, now)
}

// looked remembers that a target was found in order, and last is when it was: what others did, they did after that.
func (r *Reconciler) looked(t Target, now time.Time) {
	r.lookMu.Lock()
	defer r.lookMu.Unlock()
	r.inOrder[t.Name()] = now
}

func (r *Reconciler) last(t Target, st state) time.Time {
	r.lookMu.Lock()
	defer r.lookMu.Unlock()
	if at := r.inOrder[t.Name()]; at.After(st.DoneAt) {
		return at
	}
	return st.DoneAt
}

// write is the part of hold that holds the target's lock. What to write is computed only now: whoever held the
// lock before may have read fewer leases, or more.
func (r *Reconciler) write(ctx context.Context, t Target, s sighting, now time.Time) (sighting, error) {
	st, err := r.lock(ctx, t)
	if err != nil {
		return s, err
	}
	fresh, err := r.due(ctx, now)
	if err != nil {
		return s, r.note(ctx, t, st, err, now)
	}
	s.set, s.due = fresh.set, fresh
	seen, err := t.Read(ctx)
	if err != nil {
		err = fmt.Errorf("reading what it holds: %w", err)
	} else {
		s.prefix = lookup(seen.Prefixes)
		s.outcome.Foreign = st.touched(seen, s.set.Prefixes())
		seen, err = r.apply(ctx, t, st, seen, &s, now)
	}
	if errors.Is(err, ErrPart) {
		return s, r.part(ctx, t, st, &s, err)
	}
	if err != nil {
		return s, r.note(ctx, t, st, err, now)
	}
	s.prefix = lookup(seen.Prefixes)
	err = r.done(ctx, t, st, s, now)
	s.outcome.Held = err == nil
	return s, err
}

// apply records the decision, writes, and reads back. Where there is no room for the set, what has ended goes all the same.
func (r *Reconciler) apply(ctx context.Context, t Target, st state, seen Observed, s *sighting, now time.Time) (Observed, error) {
	if seen.Holds(s.set) {
		s.took = true // a run died between writing and saying so
		return seen, nil
	}
	limits := t.Limits()
	if err := s.set.Check(limits); err != nil {
		return seen, r.takeAway(ctx, t, st, seen, s, now, err)
	}
	if err := r.decided(ctx, t, st, seen, *s, now); err != nil {
		return seen, err
	}
	fence := max(st.Fence, seen.Fence)
	if err := t.Apply(ctx, s.set, Write{Fence: fence, Etag: seen.Etag}); errors.Is(err, ErrPart) {
		return seen, err
	} else if err != nil {
		return seen, r.takeAway(ctx, t, st, seen, s, now, fmt.Errorf("applying %d entries: %w", s.set.Len(), err))
	}
	s.took, s.outcome.Applied = true, true
	s.prefix = nil // unknown until it is read back
	seen, err := t.Read(ctx)
	if err != nil {
		return seen, fmt.Errorf("reading back what was applied: %w", err)
	}
	s.prefix = lookup(seen.Prefixes)
	if !seen.Holds(s.set) {
		return seen, fault.New(fault.Transient, "reading back what was applied: the target holds something else (%d entries, want %d) %s",
			len(seen.Prefixes), s.set.Len(), seen.Torn)
	}
	return seen, nil
}

// takeAway takes away what has ended where why says that there is no room for the rest, and returns why. What others let in goes with
// it, and is found before.
func (r *Reconciler) takeAway(ctx context.Context, t Target, st state, seen Observed, s *sighting, now time.Time, why error) error {
	if !fault.Is(why, fault.Exhausted) {
		return why
	}
	wanted := lookup(s.set.Prefixes())
	gone := slices.DeleteFunc(slices.Clone(seen.Prefixes), func(p netip.Prefix) bool { return wanted[p] })
	if len(gone) == 0 {
		return why
	}
	s.prefix = nil // unknown until it is read again
	if err := r.narrowed(ctx, t, st, seen, *s, len(gone), now); err != nil {
		return errors.Join(why, err)
	}
	if err := t.Remove(ctx, gone); err != nil {
		return errors.Join(why, fmt.Errorf("taking away what has ended: %w", err))
	}
	return why
}

// settled reports whether the last decision was seen done, so that nothing is left to say about it.
func (st state) settled(seen Observed) bool {
	return st.Done != "" && !st.Pending && st.Done == digest(seen.Prefixes)
}

// touched reports whether somebody else wrote: a target lets in what we never put there, or, with no write of ours outstanding,
// lacks what is still due. What is gone and due no more the watchdog may have taken away; a write that got half through leaves
// some of the old and some of the new.
func (st state) touched(seen Observed, due []netip.Prefix) bool {
	if st.Done == "" {
		return false // never ours yet
	}
	if seen.Torn != "" && !st.Pending || len(st.strange(seen)) > 0 {
		return true
	}
	held := lookup(seen.Prefixes)
	return !st.Pending && slices.ContainsFunc(due, func(p netip.Prefix) bool { return st.Ours.has(p) && !held[p] })
}

// strange are the prefixes a target lets in that we never put there and have not found before.
func (st state) strange(seen Observed) (found []netip.Prefix) {
	for _, p := range seen.Prefixes {
		if !st.Ours.has(p) && !st.Wanted.has(p) && !st.Known.has(p) {
			found = append(found, p)
		}
	}
	return found
}

// follow computes how far the leases have come from what the targets were seen to hold. It is pure.
func follow(open []lease.Lease, seen []sighting, now time.Time) []lease.Step {
	holders := make([]map[string]bool, len(seen))
	for i, s := range seen {
		holders[i] = map[string]bool{}
		for _, e := range s.set.Entries() {
			for _, h := range e.Holders {
				holders[i][h.Lease] = true
			}
		}
	}
	every := func(fn func(i int, s sighting) bool) bool {
		for i, s := range seen {
			if !fn(i, s) {
				return false
			}
		}
		return true
	}
	var steps []lease.Step
	for _, l := range open {
		held := every(func(i int, s sighting) bool { return s.outcome.Held && holders[i][l.ID] })
		took := every(func(i int, s sighting) bool { return s.took && holders[i][l.ID] })
		gone := every(func(i int, s sighting) bool { return s.outcome.Held && !holders[i][l.ID] })
		lost := !every(func(_ int, s sighting) bool { return s.prefix == nil || s.prefix[l.Prefix] })
		step := lease.Step{ID: l.ID}
		switch live := l.Live(now); {
		case live && held:
			step.To = []lease.State{lease.Written, lease.Confirmed}
		case live && lost:
			step.To = []lease.State{lease.Received}
		case live && took:
			step.To = []lease.State{lease.Written}
		case !live && gone:
			step.Close = true
		}
		if _, changes := step.Apply(l, now); changes {
			steps = append(steps, step)
		}
	}
	return steps
}

// wait is the time until a target is tried again after its nth failure.
func wait(n int) time.Duration {
	w := firstWait
	for ; n > 1 && w < longestWait; n-- {
		w *= 2
	}
	return min(w, longestWait)
}

// difference counts what is in one list and not in the other.
func difference(want, have []netip.Prefix) (added, removed int) {
	wanted, held := lookup(want), lookup(have)
	for p := range wanted {
		if !held[p] {
			added++
		}
	}
	for p := range held {
		if !wanted[p] {
			removed++
		}
	}
	return added, removed
}
