package log_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// TestDeathAtEveryCall lets one sequencer die before and after each of its calls in turn, and another go on.
func TestDeathAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, f := range []fate{fails, failsLate, doubles, dies, diesBehind} {
		for call := 1; ; call++ {
			w := newWorld()
			w.put(t, "old")
			w.run(t, w.sequencer(t))
			w.put(t, "a", "b", "old") // one it knows, and below one it refuses
			if _, err := w.inbox.Create(t.Context(), by+"zzz", []byte("no record")); err != nil {
				t.Fatal(err)
			}
			l := &life{}
			l.next = func() fate {
				if l.calls == call {
					return f
				}
				return lives
			}
			var overwritten atomic.Int64
			s := w.sequencer(t, w.living(l, &overwritten))
			s.Small(2)
			_, err := s.Run(t.Context())
			if l.calls < call {
				if err != nil || call < 20 {
					t.Errorf("%d calls, %v", l.calls, err)
				}
				break
			}
			if err != nil && !fault.Is(err, fault.Transient) {
				t.Errorf("fate %d of call %d: %v", f, call, err)
			}
			// Late, before anybody goes on, one is handed in again.
			id, data := observed(t, "a", start)
			_, _ = w.inbox.Create(t.Context(), by+id, data)
			if !l.died() {
				if _, err := s.Run(t.Context()); err != nil {
					t.Fatalf("fate %d of call %d: %v", f, call, err)
				}
			}
			w.run(t, w.sequencer(t))
			w.run(t, w.sequencer(t)) // what lost against another batch goes one pass later
			if problem := w.afterDeath(t); problem != "" || overwritten.Load() > 0 {
				t.Errorf("fate %d of call %d: %s, %d overwritten", f, call, problem, overwritten.Load())
			}
		}
	}
}

func (w *world) afterDeath(t *testing.T) string {
	var problems []string
	count := map[string]int{}
	runs := int64(0)
	for _, r := range w.leaves(t) {
		if r.Kind == record.Run {
			if runs++; r.Run != runs {
				problems = append(problems, fmt.Sprintf("run %d after %d", r.Run, runs-1))
			}
			continue
		}
		count[r.ID()]++
	}
	for _, event := range []string{"old", "a", "b"} {
		id, _ := observed(t, event, start)
		if count[id] != 1 {
			problems = append(problems, fmt.Sprintf("%s is there %d times", event, count[id]))
		}
	}
	if len(count) != 4 { // and the gap
		problems = append(problems, fmt.Sprintf("%d records", len(count)))
	}
	for _, o := range []struct {
		store  log.Objects
		prefix string
		left   int
	}{{w.inbox, "", 0}, {w.head, "staging/", 0}, {w.head, "refused/", 1}} {
		if left := names(t, o.store, o.prefix); len(left) != o.left {
			problems = append(problems, fmt.Sprintf("left: %q", left))
		}
	}
	return strings.Join(problems, "; ")
}

// TestBehindLeftovers: the committed batch is finished however many lost ones stand before it in the list.
func TestBehindLeftovers(t *testing.T) {
	t.Parallel()
	const list = 10 // names
	for call := 1; ; call++ {
		w := newWorld()
		w.put(t, "old")
		w.run(t, w.sequencer(t))
		w.put(t, "a", "b", "old")
		if _, err := w.inbox.Create(t.Context(), by+"zzz", []byte("no record")); err != nil {
			t.Fatal(err)
		}
		l := &life{}
		l.next = func() fate {
			if l.calls == call {
				return diesBehind
			}
			return lives
		}
		var overwritten atomic.Int64
		s := w.sequencer(t, w.living(l, &overwritten))
		s.Pages(list)
		_, _ = s.Run(t.Context())
		if l.calls < call {
			if call < 20 {
				t.Errorf("a run makes %d calls: nothing was tried", l.calls)
			}
			return
		}
		for n := range list + 1 {
			if _, err := w.head.Create(t.Context(), fmt.Sprintf("staging/0-%016x", n), []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			s := w.sequencer(t)
			s.Pages(list)
			w.run(t, s)
		}
		if problem := w.afterDeath(t); problem != "" || overwritten.Load() > 0 {
			t.Errorf("death behind call %d: %s, %d overwritten", call, problem, overwritten.Load())
		}
	}
}
