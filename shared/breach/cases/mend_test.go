package cases_test

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
)

// TestFilingCorrected: what was noted wrongly is corrected with a reason, is kept, and counts no more.
func TestFilingCorrected(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	w.pass(10 * time.Hour)
	file := func(at time.Time, wrong int) cases.Event {
		return cases.Event{What: cases.File, By: vera, Clock: "gdpr_33_1", At: at, Text: 1, Wrong: wrong}
	}
	w.refused("clock_invalid", file(w.now, 2))
	w.do(file(w.now, 0))
	w.pass(80 * time.Hour)
	w.refused("filed_before", file(w.now, 0))
	w.refused("late_reasons_missing", file(w.now, 2))
	if w.do(file(w.now.Add(-60*time.Hour), 2)); said(w.last) != "record filing_corrected" {
		t.Error(said(w.last))
	}
	filed := w.c.Filed["gdpr_33_1"]
	if !filed.At.Equal(w.now.Add(-60*time.Hour)) || len(filed.Earlier) != 1 || filed.Earlier[0].Wrong != 2 || !filed.First().Equal(filed.At) || filed.Reference != 1 {
		t.Errorf("%+v", filed)
	}
	// Late after all: the reasons go with it.
	late := file(w.now.Add(-10*time.Hour), 3)
	late.Late = 4
	if w.do(late); w.status("gdpr_33_1") != clock.Late || w.c.Filed["gdpr_33_1"].Reasons != 4 || len(w.c.Filed["gdpr_33_1"].Earlier) != 2 {
		t.Errorf("%s %+v", w.status("gdpr_33_1"), w.c.Filed)
	}
	w.do(late) // the same again
	if len(w.c.Filed["gdpr_33_1"].Earlier) != 2 {
		t.Error("corrected twice")
	}
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.SA, Yes: true})
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Persons, Text: 1})
	}
	w.do(cases.Event{What: cases.File, By: vera, Clock: "cnil_followup", At: w.now})
	w.do(cases.Event{What: cases.Close, By: vera})
	w.refused("state_conflict", file(w.now, 0))
	w.do(file(w.now.Add(-61*time.Hour), 2)) // found when it is looked back at
}

// TestSecondIntermediate: of a clock that takes several reports the first meets it, and the last starts the next.
func TestSecondIntermediate(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.rules.Regimes = []string{"dora_init", "dora_inter", "dora_final"}
	w.do(breach(cases.Own))
	w.do(cases.Event{What: cases.Timed, By: vera, Times: cases.Times{Classified: w.now}})
	file := func(id string, further bool) cases.Event {
		return cases.Event{What: cases.File, By: vera, Clock: id, At: w.now, Further: further}
	}
	w.pass(time.Hour).do(file("dora_init", false))
	w.pass(24 * time.Hour).do(file("dora_inter", false))
	first := w.now
	w.pass(200 * time.Hour)
	w.refused("filed_before", file("dora_inter", false))
	w.refused("filed_before", file("dora_init", true))
	w.do(file("dora_inter", true))
	if filed := w.c.Filed["dora_inter"]; !filed.First().Equal(first) || !filed.At.Equal(w.now) || w.status("dora_inter") != clock.Met {
		t.Errorf("%+v, %s", filed, w.status("dora_inter"))
	}
	for _, c := range cases.Clocks(w.c, w.rules, w.now) {
		if c.ID == "dora_final" && !c.Start.Equal(w.now) {
			t.Errorf("the final report runs from %s", c.Start)
		}
	}
}

// TestCountsStay: what is known stays where nobody says something else.
func TestCountsStay(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	known := cases.Track{ID: "nord", Role: cases.Processor, People: cases.Count{N: 7, How: cases.Exact}, Records: cases.Count{N: 70, How: cases.Estimate}, Hours: 24}
	w.do(cases.Event{What: cases.Describe, By: vera, Tracks: []cases.Track{known}})
	w.do(cases.Event{What: cases.Describe, By: vera, Tracks: []cases.Track{{ID: "nord", Role: cases.Processor}, {ID: "sud", Role: cases.Processor, People: cases.Count{N: 3, How: cases.Exact}}}})
	if got := w.c.Tracks[0]; got.People != known.People || got.Records != known.Records || got.Hours != known.Hours || w.c.Tracks[1].People.N != 3 || w.c.Tracks[1].Records.How != cases.Unknown {
		t.Errorf("%+v", w.c.Tracks)
	}
	w.do(cases.Event{What: cases.Describe, By: vera, Tracks: []cases.Track{{ID: "nord", Role: cases.Processor, People: cases.Count{How: cases.Unknown}}}})
	if got := w.c.Tracks[0]; got.People.How != cases.Unknown || got.Records.N != 70 {
		t.Errorf("unknown is a value: %+v", got)
	}
}

// TestCountsGoBack: that it is not known after all is said of counts too, and what was said before stays on record with who
// corrected it; the same again is no correction, and their number has an end.
func TestCountsGoBack(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	say := func(by cases.Actor, people, records cases.Count) cases.Event {
		return cases.Event{What: cases.Describe, By: by, Tracks: []cases.Track{{ID: "sud", Role: cases.Processor, People: people, Records: records}}}
	}
	unknown, seven, about := cases.Count{How: cases.Unknown}, cases.Count{N: 7, How: cases.Exact}, cases.Count{N: 70, How: cases.Estimate}
	w.do(say(vera, unknown, cases.Count{}))
	w.do(say(vera, seven, cases.Count{}))
	w.do(say(vera, cases.Count{}, about)) // who says it first corrects nothing
	w.pass(time.Hour)
	w.do(say(dana, unknown, cases.Count{}))
	first := cases.Counted{People: seven, Records: about, By: "dana", At: w.now}
	if got := w.c.Tracks[1]; got.People != unknown || got.Records != about || !slices.Equal(got.Earlier, []cases.Counted{first}) {
		t.Errorf("%+v", got)
	}
	w.pass(time.Hour).do(say(vera, unknown, unknown))
	second := cases.Counted{People: unknown, Records: about, By: "vera", At: w.now}
	w.do(say(vera, unknown, unknown))
	w.do(say(vera, seven, cases.Count{}))
	if got := w.c.Tracks[1].Earlier; !slices.Equal(got, []cases.Counted{first, second}) {
		t.Errorf("%+v", got)
	}
	for i := range cases.MaxCorrections - 2 {
		w.do(say(vera, cases.Count{N: int64(i + 8), How: cases.Exact}, cases.Count{}))
	}
	w.refused("tracks_invalid", say(vera, unknown, cases.Count{}))
}

// TestWork: an answer lives as long as somebody is at it, wherever; without a sign of it the step is called again.
func TestWork(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	w.do(cases.Event{What: cases.Ack, By: omar, Step: "oncall"})
	for range 5 {
		w.pass(50 * time.Minute).do(cases.Event{What: cases.Work, By: vera})
		w.pass(5 * time.Minute).do(cases.Event{What: cases.Ack, By: omar, Step: "oncall"})
		if w.do(cases.Event{What: cases.Ticked}); w.c.Ladder.Acked.IsZero() {
			t.Fatal("called although somebody is at it")
		}
	}
	w.do(cases.Event{What: cases.Work, By: vera}) // a moment later: nothing worth keeping
	if len(w.last) != 0 {
		t.Error(said(w.last))
	}
	if w.pass(time.Hour).do(cases.Event{What: cases.Ticked}); !w.c.Ladder.Acked.IsZero() {
		t.Error("nobody is called again")
	}
}

// TestLongPromise: what is promised for years ahead is told of when its time comes, and nobody promises for ever.
func TestLongPromise(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	w.refused("times_invalid", cases.Event{What: cases.Promise, By: vera, Name: "retest", At: w.now.AddDate(11, 0, 0)})
	w.do(cases.Event{What: cases.Promise, By: vera, Name: "retest", At: w.now.AddDate(9, 0, 0)})
	w.do(cases.Event{What: cases.Ticked})
	if at := w.c.Said["promise:retest"]; at.Mark != 0 {
		t.Errorf("told of %d %% at once", at.Mark)
	}
}
