package log_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/fault"
)

// TestSecondHistory: a head that is further on than the checkpoint that is out, and does not continue it, is not signed:
// not when a batch of it waits to be finished, and not with the next batch.
func TestSecondHistory(t *testing.T) {
	t.Parallel()
	for _, waits := range []bool{false, true} {
		t.Run(fmt.Sprint("a batch waits: ", waits), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.put(t, "a")
			w.run(t, w.sequencer(t))
			ours := w.point(t)
			published, err := log.Head(w.head)(t.Context())
			if err != nil {
				t.Fatal(err)
			}

			second := elsewhere(t, waits)
			w.tiles = second.tiles
			if _, err := log.Head(second.head)(t.Context()); err == nil {
				change(t, second.head, "checkpoint", func([]byte) []byte { return published })
			} else if _, err := second.head.Create(t.Context(), "checkpoint", published); err != nil {
				t.Fatal(err)
			}
			w.head = second.head
			w.put(t, "b")
			for range 2 {
				_, err := w.sequencer(t).Run(t.Context())
				wantKind(t, err, fault.Misconfigured)
				if told, ok := errors.AsType[*log.Rewound](err); !ok || told.Published != ours {
					t.Errorf("refused by %v", err)
				}
			}
			if len(w.key.signed) != 1 {
				t.Errorf("signed was %v", w.key.signed)
			}
			if out, err := log.Head(w.head)(t.Context()); err != nil || string(out) != string(published) {
				t.Errorf("published is %s, %v", out, err)
			}
		})
	}
}

// elsewhere is another log of the same name and key: further on, and dead before it published its last batch, or not.
func elsewhere(t *testing.T, waits bool) *world {
	t.Helper()
	for call := 1; ; call++ {
		w := newWorld()
		w.put(t, "x", "y", "z")
		l := &life{}
		l.next = func() fate {
			if waits && l.calls == call {
				return diesBehind
			}
			return lives
		}
		_, err := w.sequencer(t, w.living(l, nil)).Run(t.Context())
		if !waits && err == nil {
			return w
		}
		left := strings.Join(names(t, w.head, ""), " ")
		if waits && strings.Contains(left, "head ") && strings.Contains(left, "staging/") && !strings.Contains(left, "checkpoint") {
			return w
		}
		if call > 50 {
			t.Fatal("no call leaves a batch that is not published")
		}
	}
}
