package cases_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// TestReports: a case is not closed while a report the law may want is neither on record nor decided against by two; that
// decision stops its clock, and its alarms with it, and an answer the other way starts it again.
func TestReports(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.rules.Regimes = []string{"nis2_ew", "nis2_notif", "dora_init"}
	w.do(breach(cases.Own))
	answer := func(by cases.Actor, subject string, yes bool) cases.Event {
		return cases.Event{What: cases.Answer, By: by, Subject: subject, Yes: yes, Text: 1}
	}
	both := func(subject string, yes bool) {
		w.do(answer(vera, subject, yes))
		w.do(answer(dana, subject, yes))
	}
	both(cases.SA, false)
	both(cases.Persons, false)
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: vera})
	if got := w.status("nis2_ew"); got != clock.Running {
		t.Errorf("nis2_ew is %s", got)
	}
	w.refused("reason_missing", cases.Event{What: cases.Answer, By: vera, Subject: "nis2_ew"})
	for _, other := range []string{"gdpr_33_1", "gdpr_34", "uk_33", "gdpr_33_2", "contract", "none"} {
		w.refused("subject_invalid", answer(vera, other, false))
	}
	w.do(answer(vera, "nis2_ew", false))
	w.do(answer(vera, "nis2_ew", false))
	if got := w.status("nis2_ew"); got != clock.Running {
		t.Errorf("one alone stopped nis2_ew: %s", got)
	}
	w.do(answer(dana, "nis2_ew", false))
	if got := w.status("nis2_ew"); got != clock.Stopped {
		t.Errorf("nis2_ew is %s", got)
	}
	w.pass(25 * time.Hour)
	w.do(cases.Event{What: cases.Ticked})
	for _, e := range w.last {
		if e.Do == cases.DoAlarm && e.Clock == "nis2_ew" || e.Do == cases.DoFinding {
			t.Errorf("%s", said(w.last))
		}
	}
	both("nis2_ew", true)
	if got := w.status("nis2_ew"); got != clock.Overdue {
		t.Errorf("after all nis2_ew is %s", got)
	}
	both("nis2_ew", false)
	w.do(cases.Event{What: cases.File, By: vera, Clock: "nis2_notif", At: w.now, Text: 1})
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: vera})
	if got := w.status("dora_init"); got != clock.Waiting {
		t.Errorf("before it is classified dora_init is %s", got)
	}
	both("dora_init", false)
	w.do(cases.Event{What: cases.Close, By: vera})
}
