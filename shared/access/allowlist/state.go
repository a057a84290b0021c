package allowlist

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const reconciles = "reconciles"

// Collection declares what the reconciler remembers of each target.
func Collection() []store.Collection { return []store.Collection{{Name: reconciles}} }

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
	Part     time.Time `json:"part,omitzero"`      // since when it holds a part of what was decided; zero when it does not
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
func (r *Reconciler) lock(ctx context.Context, t Target) (state, error) {
	now := r.Leases.Clock.Now()
	return r.edit(ctx, t, 0, func(st *state, _ *outbox.Batch) error {
		if now.Before(st.Held) && st.Owner != r.Owner {
			return fault.New(fault.Transient, "another writer is at work until %s", st.Held.Format(time.RFC3339))
		}
		st.Owner, st.Fence, st.Held = r.Owner, st.Fence+1, now.Add(lockLife)
		return nil
	})
}
