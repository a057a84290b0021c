package cases_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/platform/fault"
)

// TestAwarenessBounded: who declared a case and decides nothing moves awareness a few times, with a reason; nobody without
// end. What counts no more is forgotten before a case outgrows its document.
func TestAwarenessBounded(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	earlier := func(n int) time.Time { return w.now.Add(-time.Duration(n) * time.Minute) }
	w.refused("reason_missing", cases.Event{What: cases.MoveAware, By: emma, At: earlier(1)})
	for n := 1; n <= 5; n++ {
		w.do(cases.Event{What: cases.MoveAware, By: emma, At: earlier(n), Text: 2})
	}
	w.refused("aware_invalid", cases.Event{What: cases.MoveAware, By: emma, At: earlier(6), Text: 2})
	moved := 6
	for ; moved < 500; moved++ {
		after, _, err := cases.Decide(w.c, cases.Event{What: cases.MoveAware, By: vera, At: earlier(moved)}, w.now, w.rules)
		if fault.CodeOf(err) == "aware_invalid" {
			break
		}
		w.c = after
	}
	if len(w.c.Moves) != 100 {
		t.Errorf("%d moves", len(w.c.Moves))
	}
	for n := range 600 {
		w.do(cases.Event{What: cases.Answer, By: vera, Subject: cases.SA, Yes: n%2 == 0, Text: 3})
	}
	if n := len(w.c.Decisions); n > 201 || w.c.Decisions[n-1].Yes || w.c.Decisions[n-1].Replaced {
		t.Errorf("%d decisions, the last %+v", n, w.c.Decisions[n-1])
	}
}

// TestPersonsTold: that the persons were told is noted on their notice, at its time, and by no other word.
func TestPersonsTold(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Persons, Yes: true})
	}
	w.refused("notice_missing", cases.Event{What: cases.Keep, By: vera, Name: cases.Persons})
	w.do(cases.Event{What: cases.Promise, By: vera, Name: cases.Persons, At: w.now.Add(time.Hour)})
	w.refused("notice_missing", cases.Event{What: cases.Keep, By: vera, Name: cases.Persons})
	told := w.now.Add(10 * time.Minute)
	w.pass(time.Hour).do(cases.Event{What: cases.Keep, By: vera, Name: cases.Persons, Noted: true, At: told})
	if got := w.c.Kept[cases.Persons]; !got.Equal(told) || w.status("gdpr_34") != clock.Met {
		t.Errorf("told at %s: %s", got, w.status("gdpr_34"))
	}
}

// TestFilingCompleted: what is missing in a report on record is added, and what is wrong in it is corrected with a reason.
func TestFilingCompleted(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	declared := declaration()
	declared.Tracks = []cases.Track{track(cases.Own)}
	c, _, err := d.Declare(ctx, d.person("emma"), declared, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	at := d.clock.Now().Add(time.Hour)
	if err := d.clock.Set(at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for n, one := range []struct {
		words   cases.Words
		refused string
		want    string
		earlier int
	}{
		{cases.Words{}, "", "", 0}, {cases.Words{Text: "CNIL-1"}, "", "CNIL-1 ", 0}, {cases.Words{Text: "CNIL-1"}, "", "CNIL-1 ", 0},
		{cases.Words{Text: "CNIL-1", Late: "Found late."}, "", "CNIL-1 Found late.", 0}, {cases.Words{Text: "CNIL-2"}, "filed_before", "CNIL-1 Found late.", 0},
		{cases.Words{Text: "CNIL-2", Why: "A slip."}, "", "CNIL-2 Found late.", 1}, {cases.Words{Text: "CNIL-2", Why: "A slip."}, "", "CNIL-2 Found late.", 1},
	} {
		_, err := d.Do(ctx, c.ID, d.person("vera"), cases.Event{What: cases.File, Clock: "gdpr_33_1", At: at}, one.words, d.clock.Now())
		read, _ := d.Get(ctx, c.ID)
		f := read.Filed["gdpr_33_1"]
		if got := strings.TrimLeft(read.Text(f.Reference)+" "+read.Text(f.Reasons), " "); fault.CodeOf(err) != one.refused || got != one.want || len(f.Earlier) != one.earlier {
			t.Errorf("%d: %v: %q with %d earlier, want %q", n, err, got, len(f.Earlier), one.want)
		}
	}
}

// TestPolicyChanges: hours, regimes and zone are those of when they began to count.
func TestPolicyChanges(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.rules.Regimes = []string{"nis2_ew"}
	w.do(breach("nord", cases.Own))
	before := cases.Clocks(w.c, w.rules, w.now)
	w.rules.Hours, w.rules.Regimes, w.rules.Zone, w.rules.Country, w.rules.Aim = map[string]int{"nord": 2, "sud": 3}, []string{"dora_init"}, time.UTC, "DE", time.Hour
	if after := cases.Clocks(w.c, w.rules, w.now); len(before) < 4 || !slices.Equal(before, after) {
		t.Errorf("%v\nbefore %v", after, before)
	}
	w.do(cases.Event{What: cases.Describe, By: vera, Tracks: []cases.Track{track("sud")}})
	for _, c := range cases.Clocks(w.c, w.rules, w.now) {
		if c.ID == "contract:sud" && c.Target.Sub(c.Start) != 3*time.Hour {
			t.Errorf("of a tenant found later: %v", c)
		}
	}
}

// TestFirstScore: a "no" from before there was a score is decided again when the first one speaks for a notice, and so is
// that a law applies; against it, one of the two is the data protection officer.
func TestFirstScore(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.rules.Regimes = []string{"uk_33"}
	w.do(breach(cases.Own))
	both := func(second cases.Actor, subject string) {
		t.Helper()
		for _, by := range []cases.Actor{vera, second} {
			w.do(cases.Event{What: cases.Answer, By: by, Subject: subject, Text: 2})
		}
	}
	both(dana, cases.SA)
	both(otto, "uk_33")
	high := score(t, "01")
	for _, id := range []string{"02", "03", "05", "08", "13", "14"} {
		if severity.Of(high).Presumption.Authority {
			break
		}
		high = score(t, id)
	}
	w.do(cases.Event{What: cases.Rate, By: vera, Input: high})
	for _, subject := range []string{cases.SA, "uk_33"} {
		if _, decided := w.c.Decided(subject); decided {
			t.Errorf("%s is still decided", subject)
		}
	}
	w.do(cases.Event{What: cases.Answer, By: vera, Subject: "uk_33", Text: 2})
	w.refused("dpo_needed", cases.Event{What: cases.Answer, By: otto, Subject: "uk_33", Text: 2})
	w.do(cases.Event{What: cases.Answer, By: dana, Subject: "uk_33", Text: 2})
	w.do(cases.Event{What: cases.Rate, By: dana, Input: high})
	if _, decided := w.c.Decided("uk_33"); !decided || len(w.c.Rated) != 1 || w.c.Rated[0].By != "vera" || w.c.Score.By != "dana" {
		t.Errorf("%t, %+v", decided, w.c.Rated)
	}
}

// TestPromiseClock: what is promised late in a case has its own time.
func TestPromiseClock(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	w.do(cases.Event{What: cases.Ack, By: omar, Step: "oncall"})
	w.pass(90 * time.Hour).do(cases.Event{What: cases.Promise, By: vera, Name: "update", At: w.now.Add(10 * time.Hour)})
	promised := w.now
	w.do(cases.Event{What: cases.Ticked})
	for _, c := range cases.Clocks(w.c, w.rules, w.now) {
		if c.ID == "promise:update" && (!c.Start.Equal(promised) || w.c.Said[c.ID].Mark != 0) {
			t.Errorf("%v, said %v", c, w.c.Said[c.ID])
		}
	}
}

// TestReviewsKept: a case that is opened again keeps what was learned before.
func TestReviewsKept(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 2})
	}
	w.do(cases.Event{What: cases.Review, By: vera, Text: 7})
	first := w.now
	w.pass(time.Hour).do(cases.Event{What: cases.Reopen, By: vera, Text: 3})
	if len(w.c.Reviews) != 1 || w.c.Reviews[0].Lessons != 7 || !w.c.Reviews[0].At.Equal(first) || !w.c.Reviewed.IsZero() {
		t.Errorf("%+v", w.c.Reviews)
	}
}

// TestHoldsNameBoth: who placed a hold and who lifts it are on record with who agreed.
func TestHoldsNameBoth(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		who  string
		keep bool
	}{{"vera", true}, {"dana", true}, {"vera", false}, {"dana", false}} {
		if _, err := d.Do(ctx, c.ID, d.person(one.who), cases.Event{What: cases.Preserve, Yes: one.keep, Again: begin(t).day(30)}, cases.Words{Text: "A claim."}, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	both := map[string]bool{}
	for _, r := range d.records {
		first := map[string]string{}
		for _, s := range r.Subjects {
			first[s.Type] = s.C
		}
		if event := r.Facts["event"]; event == "hold_placed" || event == "hold_lifted" {
			both[event] = first["actor"] != "" && first["second"] != "" && first["actor"] != first["second"]
		}
	}
	if !both["hold_placed"] || !both["hold_lifted"] {
		t.Errorf("%v", both)
	}
}

// TestLongReasons: reasons that are each short enough are taken together.
func TestLongReasons(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	in := score(t, "14")
	long := strings.Repeat("x", severity.MaxReason)
	all, _ := severity.Cases()
	in.DPC = map[severity.Class]severity.Rating{}
	for _, one := range all {
		for class, rating := range one.Input.DPC {
			rating.Reason = long
			in.DPC[class] = rating
		}
	}
	in.Unintelligible, in.Evidence = true, map[string]severity.Proof{"unintelligible": {Reference: long, Note: long}}
	if err := in.Check(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Do(ctx, c.ID, d.person("vera"), cases.Event{What: cases.Rate, Input: in}, cases.Words{}, d.clock.Now()); err != nil {
		t.Error(err)
	}
}

// TestMissedMarks: marks that passed while nobody looked stand in the message that comes then.
func TestMissedMarks(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	if _, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"–", "50 %"} {
		clear(d.ways)
		if err := d.clock.Set(d.clock.Now().Add([]time.Duration{7 * time.Hour, 12 * time.Hour}[n])); err != nil {
			t.Fatal(err)
		}
		if err := d.Tick(ctx, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, text := range d.ways {
			for _, word := range []string{"Passed before without a message: ", "Passés auparavant sans message : ", "Zuvor ohne Nachricht verstrichen: "} {
				if strings.Contains(text, "contract:nord") && strings.Contains(text, word+want) {
					found[word] = true
				}
			}
		}
		if len(found) != 3 {
			t.Errorf("%q in %d languages of %v", want, len(found), d.ways)
		}
	}
}
