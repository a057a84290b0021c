package cases_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// settled is a breach of a tenant's data of which all is decided and told.
func settled(t *testing.T) *world {
	t.Helper()
	w := begin(t)
	w.do(breach("nord"))
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: "nord", Yes: true})
	}
	w.do(cases.Event{What: cases.Told, Tenant: "nord", At: w.now})
	return w
}

// TestClosedUnfinished: a case is not closed while a notice of it waits for a second look, may not have arrived, is on its
// way, or is to put right what a tenant was told. Each is named, with what to do next.
func TestClosedUnfinished(t *testing.T) {
	t.Parallel()
	w := settled(t)
	for _, what := range []cases.Unfinished{cases.Unreviewed, cases.InDoubt, cases.OnItsWay, cases.Uncorrected} {
		left := cases.Event{What: cases.Close, By: vera, Pending: []cases.Pending{{Notice: 7, What: what}, {Notice: 9, What: cases.InDoubt}}}
		_, _, err := cases.Decide(w.c, left, w.now, w.rules)
		refusal, is := errors.AsType[*fault.Error](err)
		if !is || refusal.Code != "case_unsettled" {
			t.Fatalf("%s: %v", what, err)
		}
		for _, number := range []string{"7", "9"} {
			if !strings.Contains(refusal.Detail, "notice "+number) || !strings.Contains(refusal.Next, "notice "+number) {
				t.Errorf("%s: %q, %q", what, refusal.Detail, refusal.Next)
			}
		}
	}
	w.do(cases.Event{What: cases.Close, By: vera})
}

// notABreach is a case that turned out to be no breach after reports were made.
func notABreach(t *testing.T) *world {
	t.Helper()
	w := begin(t)
	w.do(breach(cases.Own))
	w.do(cases.Event{What: cases.Rate, By: vera, Input: score(t, "14")})
	w.pass(time.Hour).do(cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: w.now, Text: 2})
	w.pass(time.Hour).do(cases.Event{What: cases.File, By: dana, Clock: "cnil_followup", At: w.now, Text: 2})
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 3})
	}
	return w
}

// TestWithdrawn: of what is no breach after all the authority's file is closed as well. Who did so, when and under which
// reference is on record; until then people are told.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	w := notABreach(t)
	if got := w.c.TakesBack(); !slices.Equal(got, []string{"gdpr_33_1"}) { // its complement goes with it
		t.Fatalf("to take back: %v", got)
	}
	if !strings.Contains(said(w.last), "tell take_back") || w.status("withdraw:gdpr_33_1") != clock.Running {
		t.Errorf("closed: %s, %s", said(w.last), w.status("withdraw:gdpr_33_1"))
	}
	if got := said(w.pass(23 * time.Hour).do(cases.Event{What: cases.Ticked})); got != "" {
		t.Errorf("within the company's aim: %s", got)
	}
	if next := time.UnixMicro(w.c.Next); !next.Equal(w.c.Closed.Add(w.rules.Aim)) {
		t.Errorf("looked at again %s", next)
	}
	if got := said(w.pass(time.Hour).do(cases.Event{What: cases.Ticked})); got != "finding withdrawal, tell take_back" || w.c.Overdue != "withdrawal" {
		t.Errorf("overdue: %s", got)
	}
	if got := said(w.pass(6 * 24 * time.Hour).do(cases.Event{What: cases.Ticked})); got != "" {
		t.Errorf("within the week: %s", got)
	}
	if got := said(w.pass(24 * time.Hour).do(cases.Event{What: cases.Ticked})); got != "tell take_back" {
		t.Errorf("a week later: %s", got)
	}
	w.refused("not_allowed", cases.Event{What: cases.Withdraw, By: emma, Clock: "gdpr_33_1", At: w.now, Yes: true})
	w.refused("clock_invalid", cases.Event{What: cases.Withdraw, By: vera, Clock: "uk_33", At: w.now, Yes: true})
	w.refused("times_invalid", cases.Event{What: cases.Withdraw, By: vera, Clock: "gdpr_33_1", At: w.now.Add(time.Hour), Yes: true})
	w.refused("times_invalid", cases.Event{What: cases.Withdraw, By: vera, Clock: "gdpr_33_1", At: w.c.Filed["gdpr_33_1"].At.Add(-time.Hour), Yes: true})
	w.refused("reason_missing", cases.Event{What: cases.Withdraw, By: vera, Clock: "gdpr_33_1", At: w.now})
	if got := said(w.do(cases.Event{What: cases.Withdraw, By: vera, Clock: "gdpr_33_1", At: w.now, Yes: true, Text: 4})); got != "record withdrawn, heal withdrawal" {
		t.Errorf("taken back: %s", got)
	}
	if f := w.c.Filed["gdpr_33_1"]; f.Withdrawn == nil || f.Withdrawn.By != "vera" || f.Withdrawn.Text != 4 || len(w.c.TakesBack()) != 0 || w.status("withdraw:gdpr_33_1") != clock.Late {
		t.Errorf("taken back: %+v, %s", f.Withdrawn, w.status("withdraw:gdpr_33_1"))
	}
	if got := w.do(cases.Event{What: cases.Withdraw, By: vera, Clock: "gdpr_33_1", At: w.now, Yes: true, Text: 4}); len(got) != 0 {
		t.Errorf("said again: %s", said(got))
	}
	// Opened again, the authority has no report any more: it is owed, and its time is long over.
	w.do(cases.Event{What: cases.Reopen, By: vera, Text: 5})
	if w.status("gdpr_33_1") != clock.Overdue {
		t.Errorf("opened again: %s", w.status("gdpr_33_1"))
	}
	w.refused("late_reasons_missing", cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: w.now})
	w.do(cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: w.now, Late: 6})
	if f := w.c.Filed["gdpr_33_1"]; f.Withdrawn != nil || len(f.Earlier) != 1 || f.Earlier[0].Withdrawn == nil || !f.First().Equal(w.now) || w.status("gdpr_33_1") != clock.Late {
		t.Errorf("reported anew: %+v", f)
	}
}

// TestReportStands: a report may stand though no personal data was compromised, as the law has it for incidents. That has a
// reason. Of an exercise nothing is taken back.
func TestReportStands(t *testing.T) {
	t.Parallel()
	w := notABreach(t)
	w.do(cases.Event{What: cases.Withdraw, By: vera, Clock: "gdpr_33_1", At: w.now, Text: 4})
	if f := w.c.Filed["gdpr_33_1"]; f.Withdrawn == nil || !f.Withdrawn.Stands || len(w.c.TakesBack()) != 0 {
		t.Errorf("stands: %+v", f.Withdrawn)
	}
	w.do(cases.Event{What: cases.Reopen, By: vera, Text: 5})
	if got := w.status("gdpr_33_1"); got != clock.Met {
		t.Errorf("opened again: %s", got)
	}
	exercise := notABreach(t)
	exercise.c.Exercise = true
	if got := exercise.c.TakesBack(); got != nil {
		t.Errorf("of an exercise: %v", got)
	}
}

// TestIncident: two people may find that something happened, and to no personal data. The register tells it from nothing.
func TestIncident(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(cases.Event{What: cases.Declare, By: emma, Text: 1})
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 2, Incident: true})
	}
	if w.c.Ending != cases.NotABreach || !w.c.Incident {
		t.Errorf("%s, an incident: %t", w.c.Ending, w.c.Incident)
	}
	w.do(cases.Event{What: cases.Reopen, By: vera, Text: 3})
	if w.c.Incident {
		t.Error("opened again it is still an incident alone")
	}
	// Who says "nothing happened" does not agree to "an incident".
	w.do(cases.Event{What: cases.Answer, By: vera, Subject: cases.Breach, Text: 2, Incident: true})
	if w.do(cases.Event{What: cases.Answer, By: dana, Subject: cases.Breach, Text: 2}); w.c.State == cases.Closed {
		t.Error("closed by two who say two things")
	}
}
