package cases_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

var (
	vera = cases.Actor{ID: "vera", Roles: []policy.Role{policy.Security}}
	dana = cases.Actor{ID: "dana", Roles: []policy.Role{policy.DPO}}
	otto = cases.Actor{ID: "otto", Roles: []policy.Role{policy.Owner}}
	omar = cases.Actor{ID: "omar", Roles: []policy.Role{policy.OnCall}}
	emma = cases.Actor{ID: "emma", Roles: []policy.Role{policy.Employee}}
)

// world is one case with what follows from its events.
type world struct {
	t     *testing.T
	c     cases.Case
	now   time.Time
	rules cases.Rules
	last  []cases.Effect
}

func begin(t *testing.T) *world {
	t.Helper()
	paris, err := calendar.Zone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	rules := cases.Defaults(paris, "FR")
	rules.Regimes = []string{"cnil_followup"}
	rules.Hours = map[string]int{"nord": 24, "sud": 48}
	if err := rules.Check(); err != nil {
		t.Fatal(err)
	}
	return &world{t: t, c: cases.Case{ID: "abcdefgh2345"}, now: time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC), rules: rules}
}

func (w *world) pass(d time.Duration) *world { w.now = w.now.Add(d); return w }

// do lets an event happen, and fails unless it is taken.
func (w *world) do(e cases.Event) []cases.Effect {
	w.t.Helper()
	after, effects, err := cases.Decide(w.c, e, w.now, w.rules)
	if err != nil {
		w.t.Fatalf("%s: %v", e.What, err)
	}
	w.c, w.last = after, effects
	return effects
}

// refused lets an event happen that is not taken, and changes nothing.
func (w *world) refused(code string, e cases.Event) {
	w.t.Helper()
	_, effects, err := cases.Decide(w.c, e, w.now, w.rules)
	if fault.CodeOf(err) != code || effects != nil {
		w.t.Errorf("%s: %v, want %s", e.What, err, code)
	}
}

// said are the effects as words.
func said(effects []cases.Effect) string {
	var words []string
	for _, e := range effects {
		word := string(e.Do)
		for _, more := range []string{e.Step, e.Clock} {
			if more != "" {
				word += " " + more
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func (w *world) status(id string) clock.Status {
	for _, c := range cases.Clocks(w.c, w.rules, w.now) {
		if c.ID == id {
			return c.Status
		}
	}
	return ""
}

func track(id string) cases.Track {
	t := cases.Track{ID: id, Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Estimate, N: 400}}
	if id == cases.Own {
		t.Role = cases.Controller
	}
	return t
}

func breach(ids ...string) cases.Event {
	e := cases.Event{What: cases.Declare, By: emma, Breach: true, Text: 1}
	for _, id := range ids {
		e.Tracks = append(e.Tracks, track(id))
	}
	return e
}

func score(t *testing.T, id string) severity.Input {
	t.Helper()
	all, _ := severity.Cases()
	at := slices.IndexFunc(all, func(c severity.Case) bool { return c.ID == id })
	return all[at].Input
}

// TestStory is one breach from the suspicion to the review, as people live it.
func TestStory(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(cases.Event{What: cases.Declare, Source: "episode/7", Tracks: []cases.Track{track("nord"), track("sud"), track(cases.Own)}})
	if w.c.State != cases.Suspected || said(w.last) != "record declared, page oncall" || len(cases.Clocks(w.c, w.rules, w.now)) != 0 {
		t.Fatalf("%s: %s", w.c.State, said(w.last))
	}
	w.pass(5 * time.Minute).do(cases.Event{What: cases.Ack, By: omar, Step: "oncall"})
	w.do(cases.Event{What: cases.Triage, By: vera, Result: cases.NotEnough, ToDo: 2})
	w.pass(2 * time.Hour).do(cases.Event{What: cases.Triage, By: vera, Result: cases.Confirmed, Text: 2})
	if w.c.State != cases.Open || w.status("gdpr_33_1") != clock.Running || w.status("contract:nord") != clock.Running || w.status("gdpr_34") != clock.Waiting {
		t.Fatalf("%+v", cases.Clocks(w.c, w.rules, w.now))
	}
	if got := cases.Clocks(w.c, w.rules, w.now)[0].Target; !got.Equal(w.now.Add(72 * time.Hour)) {
		t.Errorf("72 hours end %s", got)
	}
	w.do(cases.Event{What: cases.Rate, By: vera, Input: score(t, "14"), Text: 3})
	for _, subject := range []string{cases.SA, cases.Persons, "nord", "sud"} {
		w.do(cases.Event{What: cases.Answer, By: vera, Subject: subject, Yes: true})
		w.do(cases.Event{What: cases.Answer, By: vera, Subject: subject, Yes: true}) // she alone is not two
		if got := w.c.Undecided(); !slices.Contains(got, subject) {
			t.Errorf("%s is decided by one", subject)
		}
		w.do(cases.Event{What: cases.Answer, By: dana, Subject: subject, Yes: true})
	}
	if left := w.c.Undecided(); len(left) != 0 || w.status("gdpr_34") != clock.Open {
		t.Errorf("undecided %v, persons %s", left, w.status("gdpr_34"))
	}
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: dana})
	w.pass(time.Hour).do(cases.Event{What: cases.Told, Tenant: "nord", At: w.now})
	w.do(cases.Event{What: cases.Told, Tenant: "sud", At: w.now})
	if w.status("contract:nord") != clock.Met || w.status("gdpr_33_1_downstream:sud") != clock.Running {
		t.Errorf("%+v", cases.Clocks(w.c, w.rules, w.now))
	}
	w.do(cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: w.now, Text: 4})
	if w.status("gdpr_33_1") != clock.Met || w.status("cnil_followup") != clock.Running {
		t.Errorf("%+v", cases.Clocks(w.c, w.rules, w.now))
	}
	w.do(cases.Event{What: cases.Promise, By: dana, Name: "complement", At: w.now.Add(48 * time.Hour)})
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: dana})
	w.pass(time.Hour).do(cases.Event{What: cases.Keep, By: dana, Name: "complement"})
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: dana}) // the persons
	w.do(cases.Event{What: cases.Keep, By: dana, Name: cases.Persons, Noted: true})
	if w.status("gdpr_34") != clock.Met {
		t.Errorf("persons told, and the clock is %s", w.status("gdpr_34"))
	}
	w.refused("case_unsettled", cases.Event{What: cases.Close, By: dana}) // the complement for the CNIL
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: "cnil_followup", Text: 1})
	}
	w.do(cases.Event{What: cases.Close, By: dana})
	if w.c.Ending != cases.Handled || said(w.last) != "record closed, stand_down, duty review" {
		t.Errorf("%s: %s", w.c.Ending, said(w.last))
	}
	w.pass(16 * 24 * time.Hour).do(cases.Event{What: cases.Ticked})
	if said(w.last) != "finding review, tell review_overdue" {
		t.Errorf("a review that is overdue: %s", said(w.last))
	}
	w.do(cases.Event{What: cases.Review, By: vera, Text: 5})
	if said(w.last) != "record reviewed, heal review" || w.c.Next != w.c.Expires(w.rules).UnixMicro() {
		t.Errorf("%s, next %d", said(w.last), w.c.Next)
	}
}

// TestAwareness: earlier at once, by whoever declared it or decides; later by two, with a reason; never ahead, never before
// it began.
func TestAwareness(t *testing.T) {
	t.Parallel()
	w := begin(t)
	e := breach("nord")
	e.Times.OccurredFrom = w.now.Add(-10 * time.Hour)
	w.do(e)
	w.do(cases.Event{What: cases.MoveAware, By: emma, At: w.now.Add(-5 * time.Hour), Text: 2})
	if got := w.now.Sub(w.c.Times.Aware); got != 5*time.Hour || said(w.last) != "record aware_moved" {
		t.Errorf("moved by %s: %s", got, said(w.last))
	}
	w.refused("aware_invalid", cases.Event{What: cases.MoveAware, By: vera, At: w.now.Add(-11 * time.Hour)})
	w.refused("aware_invalid", cases.Event{What: cases.MoveAware, By: vera, At: w.now.Add(3 * time.Minute)})
	later := w.now.Add(-time.Hour)
	w.refused("not_allowed", cases.Event{What: cases.MoveAware, By: emma, At: later, Text: 2})
	w.refused("not_allowed", cases.Event{What: cases.MoveAware, By: omar, At: w.now.Add(-6 * time.Hour)})
	w.refused("reason_missing", cases.Event{What: cases.MoveAware, By: vera, At: later})
	w.do(cases.Event{What: cases.MoveAware, By: vera, At: later, Text: 2})
	w.do(cases.Event{What: cases.MoveAware, By: vera, At: later, Text: 2})
	if w.c.Times.Aware.Equal(later) {
		t.Error("one person moved it later")
	}
	w.do(cases.Event{What: cases.MoveAware, By: dana, At: later})
	if last := w.c.Moves[len(w.c.Moves)-1]; !w.c.Times.Aware.Equal(later) || last.By != "vera" || last.Second != "dana" || last.Reason != 2 || last.From.IsZero() {
		t.Errorf("%+v", last)
	}
	if len(w.c.Moves) != 3 {
		t.Errorf("%d moves on record", len(w.c.Moves))
	}
}

// TestAgainstTheScore: two may decide against a notice that score and triggers speak for, one of them the data protection
// officer, with a reason; a later score that speaks for it makes them decide again.
func TestAgainstTheScore(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	no := cases.Event{What: cases.Answer, Subject: cases.SA}
	by := func(a cases.Actor, text int) cases.Event { e := no; e.By, e.Text = a, text; return e }
	w.refused("reason_missing", by(vera, 0))
	w.refused("not_allowed", by(emma, 2))
	w.do(by(vera, 2))
	w.refused("dpo_needed", by(otto, 3)) // nobody has scored it yet
	w.do(cases.Event{What: cases.Rate, By: vera, Input: score(t, "13")})
	w.do(by(otto, 3))
	if len(w.c.Undecided()) != 1 || w.status("gdpr_33_1") != clock.Met {
		t.Fatalf("undecided %v, %s", w.c.Undecided(), w.status("gdpr_33_1"))
	}
	w.do(cases.Event{What: cases.Rate, By: vera, Input: score(t, "11")})
	if said(w.last) != "record scored, record reopened, tell again" || !slices.Contains(w.c.Undecided(), cases.SA) || w.status("gdpr_33_1") != clock.Running {
		t.Fatalf("%s; undecided %v", said(w.last), w.c.Undecided())
	}
	w.do(by(vera, 4))
	w.refused("dpo_needed", by(otto, 5))
	w.do(by(dana, 5))
	var counts cases.Decision
	for _, d := range w.c.Decisions {
		if !d.Replaced && d.Subject == cases.SA {
			counts = d
		}
	}
	if !counts.Below || !counts.DPO || counts.Yes || counts.Again.IsZero() {
		t.Errorf("%+v", counts)
	}
	// A lower score takes back no notice, and no decision.
	w.do(cases.Event{What: cases.Rate, By: vera, Input: score(t, "13")})
	if said(w.last) != "record scored" {
		t.Errorf("%s", said(w.last))
	}
	w.pass(31 * 24 * time.Hour).do(cases.Event{What: cases.Ticked})
	if !strings.Contains(said(w.last), "tell look_again") {
		t.Errorf("a month later: %s", said(w.last))
	}
	if w.do(cases.Event{What: cases.Ticked}); strings.Contains(said(w.last), "look_again") {
		t.Errorf("again at once: %s", said(w.last))
	}
}

// TestNoBreach ends a case by two, stops every clock, and can be opened again.
func TestNoBreach(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord", cases.Own))
	w.pass(29 * time.Hour)
	w.do(cases.Event{What: cases.Answer, By: vera, Subject: cases.Breach, Text: 2})
	w.do(cases.Event{What: cases.Answer, By: dana, Subject: cases.Breach, Text: 3})
	if w.c.State != cases.Closed || w.c.Ending != cases.NotABreach {
		t.Fatalf("%s %s", w.c.State, w.c.Ending)
	}
	w.pass(100 * time.Hour).do(cases.Event{What: cases.Ticked})
	for _, c := range cases.Clocks(w.c, w.rules, w.now) {
		if c.Status != clock.Stopped {
			t.Errorf("%s is %s", c.ID, c.Status)
		}
	}
	if said(w.last) != "" {
		t.Errorf("a closed case says %s", said(w.last))
	}
	w.refused("reason_missing", cases.Event{What: cases.Reopen, By: vera})
	w.do(cases.Event{What: cases.Reopen, By: vera, Text: 4})
	if w.c.State != cases.Open || w.status("contract:nord") != clock.Overdue || w.c.ID != "abcdefgh2345" {
		t.Errorf("%s, %s", w.c.State, w.status("contract:nord"))
	}
}

// TestRefused: what cannot be said of a case.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := begin(t)
	wrong := track("nord")
	wrong.Role = cases.Controller
	w.refused("tracks_invalid", cases.Event{What: cases.Declare, By: emma, Tracks: []cases.Track{wrong}})
	wrong = track("nord")
	wrong.People = cases.Count{How: cases.Unknown, N: 3}
	w.refused("tracks_invalid", cases.Event{What: cases.Declare, By: emma, Tracks: []cases.Track{wrong}})
	w.refused("times_invalid", cases.Event{What: cases.Declare, By: emma, Times: cases.Times{Detected: w.now.Add(time.Hour)}})
	w.do(breach("nord"))
	w.refused("state_conflict", breach("nord"))
	w.refused("subject_invalid", cases.Event{What: cases.Answer, By: vera, Subject: cases.SA, Yes: true}) // a processor files nothing
	w.refused("subject_invalid", cases.Event{What: cases.Answer, By: vera, Subject: "sud", Yes: true})
	w.refused("subject_invalid", cases.Event{What: cases.Answer, By: vera, Subject: cases.Breach, Yes: true})
	w.refused("subject_invalid", cases.Event{What: cases.Told, Tenant: "sud", At: w.now})
	w.refused("clock_invalid", cases.Event{What: cases.File, By: vera, Clock: "gdpr_33_1", At: w.now})
	w.refused("times_invalid", cases.Event{What: cases.Timed, By: vera, Times: cases.Times{Aware: w.now}})
	w.refused("times_invalid", cases.Event{What: cases.Timed, By: vera, Times: cases.Times{OccurredFrom: w.now.Add(time.Minute)}})
	w.refused("times_invalid", cases.Event{What: cases.Promise, By: vera, Name: "update", At: w.now})
	w.refused("name_invalid", cases.Event{What: cases.Keep, By: vera, Name: "update"})
	w.refused("input_invalid", cases.Event{What: cases.Rate, By: vera})
	w.refused("state_conflict", cases.Event{What: cases.Review, By: vera, Text: 2})
	for _, e := range cases.Events() {
		if slices.Contains([]cases.What{cases.Told, cases.Ticked, cases.Ack}, e) {
			continue
		}
		w.refused("not_allowed", cases.Event{What: e, By: cases.Actor{ID: "nobody"}})
	}
	own := begin(t)
	own.do(breach(cases.Own))
	own.pass(73 * time.Hour)
	own.refused("late_reasons_missing", cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: own.now})
	own.do(cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: own.now, Late: 2})
	own.refused("filed_before", cases.Event{What: cases.File, By: dana, Clock: "gdpr_33_1", At: own.now.Add(-time.Hour), Late: 2})
	if own.status("gdpr_33_1") != clock.Late {
		t.Errorf("filed after 73 hours: %s", own.status("gdpr_33_1"))
	}
}
