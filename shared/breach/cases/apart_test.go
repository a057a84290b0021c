package cases_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// TestProcessorAware: when the company knew that its customers' data is concerned is an instant of its own. It starts their
// clocks, moves earlier at once, and later by two, like the other.
func TestProcessorAware(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord", "east", cases.Own))
	start := func(id string) time.Time {
		for _, c := range cases.Clocks(w.c, w.rules, w.now) {
			if c.ID == id {
				return c.Start
			}
		}
		return time.Time{}
	}
	aware := w.c.Times.Aware
	w.pass(4 * time.Hour)
	later := w.now.Add(-time.Hour)
	w.refused("reason_missing", cases.Event{What: cases.MoveAware, By: vera, As: cases.Processor, At: later})
	w.do(cases.Event{What: cases.MoveAware, By: vera, As: cases.Processor, At: later, Text: 2})
	if w.c.Moving == nil || w.c.Moving.As != cases.Processor || !start("contract:nord").Equal(aware) {
		t.Fatalf("proposed: %+v", w.c.Moving)
	}
	// The same instant for the company's own data is another proposal.
	w.do(cases.Event{What: cases.MoveAware, By: dana, At: later, Text: 3})
	if w.c.Moving == nil || w.c.Moving.As != "" || w.c.Moving.By != "dana" || !w.c.Times.Aware.Equal(aware) {
		t.Fatalf("another: %+v, %s", w.c.Moving, w.c.Times.Aware)
	}
	w.do(cases.Event{What: cases.MoveAware, By: dana, As: cases.Processor, At: later, Text: 2})
	w.do(cases.Event{What: cases.MoveAware, By: vera, As: cases.Processor, At: later})
	if !w.c.Times.ProcessorAware.Equal(later) || !w.c.Times.Aware.Equal(aware) {
		t.Fatalf("moved: %+v", w.c.Times)
	}
	for id, want := range map[string]time.Time{"contract:nord": later, "gdpr_33_2:east": later, "aim:east": later, "gdpr_33_1": aware} {
		if got := start(id); !got.Equal(want) {
			t.Errorf("%s starts %s, want %s", id, got, want)
		}
	}
	if m := w.c.Moves[len(w.c.Moves)-1]; m.As != cases.Processor || !m.From.Equal(aware) || m.Second == "" {
		t.Errorf("on record: %+v", m)
	}
	earlier := aware.Add(-time.Hour)
	w.do(cases.Event{What: cases.MoveAware, By: vera, As: cases.Processor, At: earlier})
	if !start("contract:nord").Equal(earlier) || !start("gdpr_33_1").Equal(aware) {
		t.Error("moved earlier: the clocks do not follow, or both do")
	}
	w.refused("role_invalid", cases.Event{What: cases.MoveAware, By: vera, As: "joint", At: earlier})
	w.refused("aware_invalid", cases.Event{What: cases.MoveAware, By: vera, As: cases.Processor, At: w.now.Add(time.Hour), Text: 2})
	w.refused("times_invalid", cases.Event{What: cases.Timed, By: vera, Times: cases.Times{ProcessorAware: earlier}})
	w.refused("times_invalid", cases.Event{What: cases.Timed, By: vera, Times: cases.Times{OccurredFrom: earlier.Add(time.Minute)}})
}

// TestTriageOwned: whatever a triage finds, somebody has the next step. Where facts are missing it is said which are sought.
func TestTriageOwned(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(cases.Event{What: cases.Declare, By: emma, Text: 1})
	w.refused("next_missing", cases.Event{What: cases.Triage, By: vera, Result: cases.NotEnough, Text: 2})
	if got := said(w.do(cases.Event{What: cases.Triage, By: vera, Result: cases.NotEnough, Text: 2, ToDo: 3, Owner: "omar"})); got != "record triage_not_enough, owner" {
		t.Errorf("not enough: %s", got)
	}
	if f := w.c.Triage; f == nil || f.Result != cases.NotEnough || f.Owner != "omar" || f.Next != 3 || f.Reason != 2 || f.By != "vera" {
		t.Errorf("found: %+v", f)
	}
	if got := w.do(cases.Event{What: cases.Triage, By: vera, Result: cases.Confirmed, Text: 4}); len(got) == 0 || w.c.Triage.Owner != "vera" || w.c.Triage.Result != cases.Confirmed {
		t.Errorf("confirmed: %s, %+v", said(got), w.c.Triage)
	}
	own := begin(t)
	own.do(cases.Event{What: cases.Declare, Source: "episode/7", Signal: "1", About: []string{"omar"}})
	own.refused("own_matter", cases.Event{What: cases.Triage, By: vera, Result: cases.Likely, Owner: "omar"})
}

// TestDetails: what the register asks for is said when it is known, and said anew when it is known better; unknown is a value.
func TestDetails(t *testing.T) {
	t.Parallel()
	w := begin(t)
	e := breach(cases.Own)
	e.Details = cases.Details{Certainty: cases.Estimate, Found: cases.ByPress, Systems: 2}
	w.do(e)
	if d := w.c.Details; d.Certainty != cases.Estimate || d.Found != cases.ByPress || d.Systems != 2 {
		t.Errorf("declared: %+v", d)
	}
	w.refused("not_allowed", cases.Event{What: cases.Complete, By: emma, Details: cases.Details{Origin: cases.Internal}})
	for _, wrong := range []cases.Details{{Certainty: "rather"}, {Certainty: cases.NotApplicable}, {Origin: "outer"}, {Intent: "evil"}, {Found: "luck"}} {
		w.refused("details_invalid", cases.Event{What: cases.Complete, By: vera, Details: wrong})
	}
	w.do(cases.Event{What: cases.Complete, By: vera, Details: cases.Details{Origin: cases.External, Intent: cases.Malicious, Police: 3, Earlier: []string{"abcdefgh"}}})
	w.do(cases.Event{What: cases.Complete, By: vera, Details: cases.Details{Certainty: cases.Unknown, Systems: 4}})
	want := cases.Details{Certainty: cases.Unknown, Found: cases.ByPress, Systems: 4, Origin: cases.External, Intent: cases.Malicious, Police: 3}
	got := w.c.Details
	if len(got.Earlier) != 1 || got.Earlier[0] != "abcdefgh" {
		t.Errorf("earlier: %v", got.Earlier)
	}
	if got.Earlier = nil; got.Certainty != want.Certainty || got.Found != want.Found || got.Systems != want.Systems || got.Origin != want.Origin || got.Intent != want.Intent || got.Police != want.Police {
		t.Errorf("completed: %+v", got)
	}
	if again := w.do(cases.Event{What: cases.Complete, By: vera, Details: cases.Details{Origin: cases.External}}); len(again) != 0 {
		t.Errorf("said again: %s", said(again))
	}
	// Also of a case that is over: the register is read for years.
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 5})
	}
	w.do(cases.Event{What: cases.Complete, By: vera, Details: cases.Details{Origin: cases.Internal}})
}

// TestException: that persons are not told in spite of a high risk has a letter of the law, by two.
func TestException(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	no := cases.Event{What: cases.Answer, By: vera, Subject: cases.Persons, Text: 2, Exception: "b"}
	w.refused("exception_invalid", cases.Event{What: cases.Answer, By: vera, Subject: cases.Persons, Text: 2, Exception: "d"})
	w.refused("exception_invalid", cases.Event{What: cases.Answer, By: vera, Subject: cases.SA, Text: 2, Exception: "a"})
	w.refused("exception_invalid", cases.Event{What: cases.Answer, By: vera, Subject: cases.Persons, Yes: true, Exception: "a"})
	w.do(no)
	no.By, no.Exception = dana, "c" // another reason in law is another proposal
	if w.do(no); len(w.c.Undecided()) != 2 {
		t.Fatalf("decided by two who say two things: %v", w.c.Undecided())
	}
	no.By, no.Exception = otto, ""
	w.do(no)
	if d := w.c.Decisions[len(w.c.Decisions)-1]; d.Exception != "c" || d.Second != "otto" || d.Settled.IsZero() {
		t.Errorf("decided: %+v", d)
	}
}
