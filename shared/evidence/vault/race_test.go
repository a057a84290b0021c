package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// TestRace lets writers put while erasures come between: what was put before an erasure began never opens after it
// ended, what is left opens, and each payload that was taken is named by one erasure at most.
func TestRace(t *testing.T) {
	t.Parallel()
	const writers, each, erasers = 4, 12, 6
	r := newRig(t, nil)
	var mu sync.Mutex
	taken := map[string]bool{} // leaves that Put accepted
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				id := leaf(w*1000 + i)
				_, err := r.Put(t.Context(), anna, id, fmt.Appendf(nil, "payload %s", id), start)
				if err == nil {
					mu.Lock()
					taken[id] = true
					mu.Unlock()
				} else if !fault.Is(err, fault.Transient) && !errors.Is(err, ErrErased) {
					t.Errorf("putting: %v", err)
				}
				if _, err := r.Commit(t.Context(), anna, start); err != nil && !fault.Is(err, fault.Transient) {
					t.Errorf("committing: %v", err)
				}
			}
		})
	}
	group.Go(func() {
		for range erasers {
			mu.Lock()
			before := make([]string, 0, len(taken))
			for id := range taken {
				before = append(before, id)
			}
			mu.Unlock()
			if _, err := r.Erase(t.Context(), anna, Withdrawn, start); err != nil {
				t.Errorf("erasing: %v", err)
			}
			for _, id := range before {
				if got, err := r.Open(t.Context(), anna, id); !fault.Is(err, fault.NotFound) {
					t.Errorf("opened %q after its erasure: %v", got, err)
				}
			}
		}
	})
	group.Wait()
	r.whole(t, taken)
	r.erase(t, anna)
	named := map[string]int{}
	for _, e := range r.steps("pending") {
		for _, ref := range e.Refs {
			named[ref.ID]++
		}
	}
	for id, n := range named {
		if n != 1 {
			t.Errorf("%s is erased %d times", id, n)
		}
	}
	for id := range taken {
		if named[id] != 1 {
			t.Errorf("%s was taken, and no erasure names it", id)
		}
	}
}

// whole checks that every sealed document belongs to the key in force, and opens.
func (r *rig) whole(t *testing.T, taken map[string]bool) {
	t.Helper()
	docs, err := store.Find[payloadDoc](r.raw.Query(context.Background(), store.Query{Collection: payloads, Limit: store.MaxQueryResults}))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		if d.Generation == "" {
			continue
		}
		got, err := r.Open(t.Context(), anna, d.Leaf)
		if err != nil || string(got) != "payload "+d.Leaf || !taken[d.Leaf] {
			t.Errorf("what is left of %s: %q, taken %t, %v", d.Leaf, got, taken[d.Leaf], err)
		}
	}
}

// TestFirstOfMany: of many that ask for a subject's first commitment all get the same.
func TestFirstOfMany(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	const n = 16
	got := make([]record.Subject, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			var err error
			if got[i], err = r.Commit(t.Context(), anna, start); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, c := range got {
		if c != got[0] {
			t.Errorf("%v and %v", c, got[0])
		}
	}
}
