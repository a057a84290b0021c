package keeppromises

import (
	"errors"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// TestInstances: several instances at once keep one ledger, and put one page on record for each change.
func TestInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	all := []*keeppromises{w.another(t), w.another(t), w.another(t)}
	for i := range 20 {
		w.say(t, record.Observation, "ip-daily", []record.State{record.Kept, record.Broken}[i%2], "D24")
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		w.Advance(t, 5*time.Minute)
		w.seal(t)
		before := len(w.of(t, record.Page))
		var group sync.WaitGroup
		for ahead, k := range all {
			group.Go(func() {
				if err := k.run(t.Context(), w.Clock.Now().Add(time.Duration(ahead)*time.Millisecond)); err != nil && !errors.Is(err, errOvertaken) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := len(w.of(t, record.Page)) - before; n != 1 {
			t.Errorf("%d pages of one change", n)
		}
	}
	w.good(t)
	w.good(t)
	w.proven(t)
}

// TestOvertaken: an instance that has been overtaken stores nothing, and goes on from what is stored.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.good(t)
	slow, fast := w.another(t), w.another(t)
	_, err := slow.follow(t.Context(), w.Clock.Now())
	must(t, err)
	for i := range 2 {
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
		w.seal(t)
		head, err := slow.log.Reader.Checkpoint(t.Context())
		must(t, err)
		if i == 0 {
			_, err = fast.follow(t.Context(), w.Clock.Now())
			must(t, err)
			before := w.State(t)
			if err := slow.fold(t.Context(), w.Clock.Now(), head); !errors.Is(err, errOvertaken) {
				t.Errorf("overtaken: %v", err)
			}
			w.Unchanged(t, before)
		}
		_, err = slow.follow(t.Context(), w.Clock.Now())
		must(t, err)
		if slow.ledger.Size() != head.Size {
			t.Errorf("followed %d of %d", slow.ledger.Size(), head.Size)
		}
	}
}
