package allowlist

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const reconciles = "reconciles"

// Collection declares what the reconciler remembers of each target.
func Collection() []store.Collection { return []store.Collection{{Name: reconciles}} }

const (
	lockLife   = 2 * time.Minute // after it another writer takes over, with a higher fence
	applyLimit = 90 * time.Second
	noteLimit  = 10 * time.Second // even a cancelled run notes its failure: without, the next one hammers the target
	firstWait  = 5 * time.Second
	// longestWait keeps the promise that a removal is tried within a minute, however often a target refused.
	longestWait = time.Minute
)

// state is one target's document: who may write, what was decided and what was seen done. Digests are of prefixes.
type state struct {
	V        int       `json:"v"`
	Owner    string    `json:"owner"`
	Fence    int64     `json:"fence"` // one more for each writer
	Held     time.Time `json:"held"`  // until when the owner writes; zero when nobody does
	Decided  string    `json:"decided"`
	Done     string    `json:"done"`
	Pending  bool      `json:"pending"` // decided, and not yet seen done
	DoneAt   time.Time `json:"done_at,omitzero"`
	Entries  int       `json:"entries"` // as last read back
	Failures int       `json:"failures"`
	NextTry  time.Time `json:"next_try,omitzero"`
	Findings []string  `json:"findings,omitempty"` // ids of the records that tell of somebody else's writing, until it is put right
	Wrote    time.Time `json:"wrote,omitzero"`     // when it was written to last, or was to be
	Calls    []Call    `json:"calls,omitempty"`    // of the last day that named it, the oldest first
	Foreign  []foreign `json:"foreign,omitempty"`  // writings of others that nobody was told of yet
	Wider    []string  `json:"wider,omitempty"`    // what lets more in past it, as recorded last
	WiderID  string    `json:"wider_id,omitempty"` // of the record that says so
	Frame    string    `json:"frame,omitempty"`    // what it is made of, as seen last
	Full     bool      `json:"full,omitempty"`     // it had no room for somebody when it was last written to
	// Ours are marks of the prefixes that were seen done last, and Wanted of those decided last: what we ourselves put there,
	// whole or in part.
	Ours   marks `json:"ours,omitempty"`
	Wanted marks `json:"wanted,omitempty"`
	Known  marks `json:"known,omitempty"` // of others' prefixes that were found since then: each is found once
}

// marks are short digests of prefixes, eight bytes each, sorted.
type marks []byte

const markSize = 8

func markOf(p netip.Prefix) []byte {
	sum := sha256.Sum256([]byte(p.String()))
	return sum[:markSize]
}

func marked(list []netip.Prefix) marks {
	all := make([][]byte, 0, len(list))
	for _, p := range list {
		all = append(all, markOf(p))
	}
	return joined(all)
}

// with returns both together.
func (m marks) with(o marks) marks {
	var all [][]byte
	for _, one := range []marks{m, o} {
		for part := range slices.Chunk(one, markSize) {
			all = append(all, part)
		}
	}
	return joined(all)
}

func joined(all [][]byte) marks {
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(slices.CompactFunc(all, bytes.Equal), nil)
}

func (m marks) has(p netip.Prefix) bool {
	one := markOf(p)
	i := sort.Search(len(m)/markSize, func(i int) bool { return bytes.Compare(m[i*markSize:(i+1)*markSize], one) >= 0 })
	return i < len(m)/markSize && bytes.Equal(m[i*markSize:(i+1)*markSize], one)
}

// sighting is what became of one target in one round.
type sighting struct {
	set     Set      // the set it was to hold
	prefix  prefixes // what it was last seen to hold; nil when it could not be read
	took    bool     // it accepted the set
	looked  bool     // it could be read before anything was written
	frame   string   // what it was seen to be made of then
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
func (r *Reconciler) converge(ctx context.Context, t Target, d *due, now time.Time) (sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	st, err := r.state(ctx, t)
	if err != nil {
		return sighting{}, err
	}
	s, err := r.hold(ctx, t, d, st, now)
	if s.looked {
		err = errors.Join(err, r.wider(ctx, t, st, s.outcome.Wider, now), r.framed(ctx, t, st, s.frame, now))
	}
	return s, errors.Join(err, r.attribute(ctx, t, st, now))
}

// hold makes one target hold the set that is due. It looks first without any lock: a target in order costs two reads and no
// write.
func (r *Reconciler) hold(ctx context.Context, t Target, d *due, st state, now time.Time) (sighting, error) {
	s := sighting{set: d.set}
	seen, err := t.Read(ctx)
	if err == nil {
		s.prefix, s.looked, s.frame, s.outcome.Wider = lookup(seen.Prefixes), true, seen.Frame, seen.Wider
	}
	if err == nil && seen.Holds(d.set) && st.settled(seen) {
		s.took, s.outcome.Held = true, true
		return s, nil
	}
	if now.Before(st.NextTry) {
		return s, nil // it failed a moment ago; what waits for it stays pending
	}
	if pause := st.Wrote.Add(t.Limits().Every).Sub(now); pause > 0 {
		s.outcome.Wait = pause
		return s, nil // what comes in the meantime goes with the same write
	}
	return r.write(ctx, t, d, s, now)
}

// write is the part of hold that holds the target's lock. What to write is computed only now: whoever held the
// lock before may have read fewer leases, or more.
func (r *Reconciler) write(ctx context.Context, t Target, d *due, s sighting, now time.Time) (sighting, error) {
	st, err := r.lock(ctx, t, now)
	if err != nil {
		return s, err
	}
	fresh, err := r.due(ctx, now)
	if err != nil {
		return s, r.note(ctx, t, st, err, now)
	}
	*d, s.set = fresh, fresh.set
	seen, err := t.Read(ctx)
	if err != nil {
		err = fmt.Errorf("reading what it holds: %w", err)
	} else {
		s.prefix = lookup(seen.Prefixes)
		s.outcome.Foreign = st.touched(seen, s.set.Prefixes())
		seen, err = r.apply(ctx, t, st, seen, &s, now)
	}
	if err != nil {
		return s, r.note(ctx, t, st, err, now)
	}
	s.prefix = lookup(seen.Prefixes)
	err = r.done(ctx, t, st, s, now)
	s.outcome.Held = err == nil
	return s, err
}

// apply records the decision, writes, and reads back.
func (r *Reconciler) apply(ctx context.Context, t Target, st state, seen Observed, s *sighting, now time.Time) (Observed, error) {
	if seen.Holds(s.set) {
		s.took = true // a run died between writing and saying so
		return seen, nil
	}
	limits := t.Limits()
	if err := s.set.Check(limits); err != nil {
		return seen, err
	}
	if err := r.decided(ctx, t, st, seen, *s, now); err != nil {
		return seen, err
	}
	fence := max(st.Fence, seen.Fence)
	if err := t.Apply(ctx, s.set, Write{Fence: fence, Etag: seen.Etag}); err != nil {
		return seen, fmt.Errorf("applying %d entries: %w", s.set.Len(), err)
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

func (r *Reconciler) state(ctx context.Context, t Target) (state, error) {
	var st state
	err := r.Store.Get(ctx, reconciles, t.Name(), &st)
	if fault.Is(err, fault.NotFound) {
		return state{V: 1}, nil
	}
	if err != nil {
		return st, fmt.Errorf("reading the target's state: %w", err)
	}
	return st, nil
}

// edit changes a target's document in one transaction. With a fence, it must still be ours.
func (r *Reconciler) edit(ctx context.Context, t Target, fence int64, fn func(st *state, b *outbox.Batch) error) (state, error) {
	var st state
	err := r.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		st = state{V: 1}
		if err := tx.Get(reconciles, t.Name(), &st); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading the target's state: %w", err)
		}
		if fence != 0 && st.Fence != fence {
			return fault.New(fault.Conflict, "another writer took over: fence %d, ours is %d", st.Fence, fence)
		}
		if err := fn(&st, b); err != nil {
			return err
		}
		return tx.Put(reconciles, t.Name(), st)
	})
	return st, err
}

// lock makes this run the target's only writer. Transient: another one is.
func (r *Reconciler) lock(ctx context.Context, t Target, now time.Time) (state, error) {
	return r.edit(ctx, t, 0, func(st *state, _ *outbox.Batch) error {
		if now.Before(st.Held) && st.Owner != r.Owner {
			return fault.New(fault.Transient, "another writer is at work until %s", st.Held.Format(time.RFC3339))
		}
		st.Owner, st.Fence, st.Held = r.Owner, st.Fence+1, now.Add(lockLife)
		return nil
	})
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
