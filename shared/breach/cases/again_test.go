package cases_test

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// TestLookAgainAtSeveral: answers that are due for another look on one day are told of once, and stop nothing of what time
// brings. That several people proposed what one agreed to is on record.
func TestLookAgainAtSeveral(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	declared := declaration()
	declared.Tracks = []cases.Track{track("nord"), track("sud"), track(cases.Own)}
	c, _, err := d.Declare(ctx, d.person("emma"), declared, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	answer := func(who, subject string) {
		t.Helper()
		if _, err := d.Do(ctx, c.ID, d.person(who), cases.Event{What: cases.Answer, Subject: subject}, cases.Words{Text: "because"}, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	answer("vera", "nord")
	answer("otto", "sud")
	answer("dana", cases.Tenants)
	for _, subject := range []string{cases.SA, cases.Persons} {
		answer("vera", subject)
		answer("dana", subject)
	}
	seconds := 0
	for _, r := range d.records {
		for _, s := range r.Subjects {
			if s.Type == "second" && r.Facts["subject"] == "tenants" {
				seconds++
			}
		}
	}
	if seconds != 2 {
		t.Errorf("%d who proposed are on record of the answer about all tenants", seconds)
	}
	if err := d.clock.Set(d.clock.Now().Add(31 * 24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Tick(ctx, d.clock.Now()); err != nil {
			t.Fatalf("time stands still for the case: %v", err)
		}
	}
	after, err := d.Get(ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range after.Decisions {
		if one.Looked.IsZero() {
			t.Errorf("nobody was told to look at %s again", one.Subject)
		}
	}
}

// TestNoBreachAgainstTheScore: what somebody was certain of is no breach after all only by two of whom one is the data
// protection officer, where the score speaks for a notice or there is none.
func TestNoBreachAgainstTheScore(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	no := func(by cases.Actor) cases.Event {
		return cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 2}
	}
	w.do(no(vera))
	w.refused("dpo_needed", no(otto))
	w.do(no(dana))
	if w.c.State != cases.Closed || w.c.Ending != cases.NotABreach {
		t.Errorf("%s %s", w.c.State, w.c.Ending)
	}
	// A suspicion two people may end, whoever they are.
	w = begin(t)
	suspicion := breach(cases.Own)
	suspicion.Breach = false
	w.do(suspicion)
	w.do(no(vera))
	w.do(no(otto))
	if w.c.State != cases.Closed {
		t.Errorf("%s", w.c.State)
	}
}

// TestEvidence: a "no" waits for what shows that it may be one; taking the evidence away opens the decision again. That it is
// no breach is not easier to say for it.
func TestEvidence(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	no := func(by cases.Actor, subject string) cases.Event {
		return cases.Event{What: cases.Answer, By: by, Subject: subject, Text: 2}
	}
	shown := score(t, "10")
	said := shown
	said.Evidence = nil
	w.do(cases.Event{What: cases.Rate, By: vera, Input: said})
	for _, who := range []cases.Actor{vera, dana} {
		w.refused("evidence_missing", no(who, cases.SA))
	}
	w.do(no(vera, cases.Persons)) // with or without it nothing asks for that
	w.do(no(vera, cases.Breach))
	w.refused("dpo_needed", no(otto, cases.Breach))
	w.do(cases.Event{What: cases.Rate, By: vera, Input: shown})
	w.do(no(vera, cases.SA))
	w.do(no(otto, cases.SA))
	if _, decided := w.c.Decided(cases.SA); !decided {
		t.Fatal("not decided")
	}
	w.do(cases.Event{What: cases.Rate, By: vera, Input: said})
	if _, decided := w.c.Decided(cases.SA); decided {
		t.Error("decided by what nothing shows")
	}
	w.do(cases.Event{What: cases.Answer, By: vera, Subject: cases.SA, Yes: true})
}
