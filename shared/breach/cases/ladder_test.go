package cases_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// TestLadder climbs until somebody answers, calls again when she does nothing, tells all who were called when it is over,
// and calls nobody afterwards.
func TestLadder(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	calls := func(d time.Duration) string {
		w.pass(d).do(cases.Event{What: cases.Ticked})
		return strings.Join(slices.Collect(func(yield func(string) bool) {
			for _, e := range w.last {
				if e.Do == cases.DoPage || e.Do == cases.DoFinding && e.Step == "nobody_reachable" {
					if !yield(e.Step) {
						return
					}
				}
			}
		}), " ")
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{9 * time.Minute, ""}, {time.Minute, "security"}, {time.Second, ""}, {15 * time.Minute, "dpo"}, {30 * time.Minute, "owner"},
		{time.Hour, "nobody_reachable oncall security dpo owner"}, {59 * time.Minute, ""}, {time.Minute, "oncall security dpo owner"},
	} {
		if got := calls(step.after); got != step.want {
			t.Fatalf("after %s: %q, want %q", step.after, got, step.want)
		}
	}
	w.refused("not_allowed", cases.Event{What: cases.Ack, By: omar, Step: "dpo"})
	w.refused("step_invalid", cases.Event{What: cases.Ack, By: omar, Step: "night"})
	w.do(cases.Event{What: cases.Ack, By: omar, Step: "oncall"})
	if got := calls(59 * time.Minute); got != "" {
		t.Errorf("answered, and called %q", got)
	}
	w.do(cases.Event{What: cases.Rate, By: vera, Input: score(t, "13")}) // somebody is at it
	if got := calls(59 * time.Minute); got != "" {
		t.Errorf("at work, and called %q", got)
	}
	if got := calls(time.Minute); got != "oncall" {
		t.Errorf("nobody did anything for an hour: %q", got)
	}
	w.do(cases.Event{What: cases.Answer, By: vera, Subject: cases.Breach, Text: 2})
	w.do(cases.Event{What: cases.Answer, By: dana, Subject: cases.Breach, Text: 3})
	if !strings.Contains(said(w.last), "stand_down") {
		t.Errorf("%s", said(w.last))
	}
	if got := calls(100 * time.Hour); got != "" {
		t.Errorf("a closed case called %q", got)
	}
}

// TestCatchingUp: no tick came from 45 to 80 percent of a contract's day; one message says so, and lists the rest.
func TestCatchingUp(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	w.do(cases.Event{What: cases.Ack, By: omar, Step: "oncall"})
	alarms := func(d time.Duration) (found []cases.Effect) {
		w.pass(d).do(cases.Event{What: cases.Ticked})
		for _, e := range w.last {
			if e.Do == cases.DoAlarm && e.Clock == "contract:nord" {
				found = append(found, e)
			}
		}
		return found
	}
	if got := alarms(24 * time.Hour * 45 / 100); len(got) != 1 || got[0].Mark != 25 {
		t.Fatalf("%+v", got)
	}
	if got := alarms(24 * time.Hour * 35 / 100); len(got) != 1 || got[0].Mark != 75 || !slices.Equal(got[0].Missed, []int{50}) {
		t.Fatalf("%+v", got)
	}
	if got := alarms(0); len(got) != 0 {
		t.Errorf("twice: %+v", got)
	}
	alarms(5 * time.Hour)
	if w.c.Overdue != "clock" || !strings.Contains(said(w.last), "finding clock") {
		t.Errorf("overdue %q: %s", w.c.Overdue, said(w.last))
	}
	w.do(cases.Event{What: cases.Told, Tenant: "nord", At: w.now})
	if w.c.Overdue != "" || !strings.Contains(said(w.last), "heal clock") || w.status("contract:nord") != clock.Late {
		t.Errorf("overdue %q: %s", w.c.Overdue, said(w.last))
	}
}

// TestSuspicion: looked into for a day, people are warned; for two, alarmed. Nothing makes it a breach by itself.
func TestSuspicion(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(cases.Event{What: cases.Declare, By: emma, Text: 1, Exercise: true})
	for after, want := range []string{"", "tell investigation_long", "tell investigation_overdue", ""} {
		if after > 0 {
			w.pass(24 * time.Hour)
		}
		w.do(cases.Event{What: cases.Ticked})
		if got := said(w.last); want != "" && !strings.Contains(got, want) || want == "" && strings.Contains(got, "investigation") {
			t.Errorf("day %d: %s, want %q", after, got, want)
		}
	}
	if w.c.State != cases.Suspected || !w.c.Exercise {
		t.Errorf("%s, exercise %t", w.c.State, w.c.Exercise)
	}
}
