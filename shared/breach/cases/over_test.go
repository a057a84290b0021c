package cases_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// TestOver: an exercise ends by itself, and calls nobody afterwards; a breach never does.
func TestOver(t *testing.T) {
	t.Parallel()
	for _, exercise := range []bool{true, false} {
		w := begin(t)
		e := breach("nord")
		e.Exercise = exercise
		w.do(e)
		if !exercise {
			w.refused("state_conflict", cases.Event{What: cases.Over})
			continue
		}
		w.pass(time.Hour).do(cases.Event{What: cases.Ticked})
		w.do(cases.Event{What: cases.Over})
		if w.c.State != cases.Closed || w.c.Ending != cases.TimeUp || said(w.last) != "record closed, stand_down" {
			t.Errorf("%s: %s", w.c.State, said(w.last))
		}
		if w.status("contract:nord") != clock.Stopped {
			t.Errorf("its clock is %s", w.status("contract:nord"))
		}
		w.do(cases.Event{What: cases.Over})
		w.pass(100 * 24 * time.Hour).do(cases.Event{What: cases.Ticked})
		if len(w.last) != 0 || w.c.Next != w.c.Expires(w.rules).UnixMicro() {
			t.Errorf("afterwards: %s", said(w.last))
		}
	}
}
