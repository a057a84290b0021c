package cases_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
)

// TestOneHuman: under two addresses somebody is one of the two who decide, and of the two who move awareness.
func TestOneHuman(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach(cases.Own))
	second := otto
	second.Twins = []string{vera.ID}
	w.do(cases.Event{What: cases.Answer, By: vera, Subject: cases.SA, Yes: true})
	w.refused("same_person", cases.Event{What: cases.Answer, By: second, Subject: cases.SA, Yes: true})
	w.pass(time.Hour).do(cases.Event{What: cases.MoveAware, By: vera, At: w.now.Add(-time.Minute), Text: 1})
	w.refused("same_person", cases.Event{What: cases.MoveAware, By: second, At: w.now.Add(-time.Minute), Text: 1})
	if _, decided := w.c.Decided(cases.SA); decided || len(w.c.Moves) != 1 {
		t.Error("decided by one")
	}
	w.do(cases.Event{What: cases.Answer, By: dana, Subject: cases.SA, Yes: true})
	if _, decided := w.c.Decided(cases.SA); !decided {
		t.Error("not decided by two")
	}
}

// TestOneHumanByThePolicy: the file of people is asked.
func TestOneHumanByThePolicy(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	for i := range d.Policy.People {
		if p := &d.Policy.People[i]; p.ID == "otto" {
			p.Also = []string{"vera@firm.example"}
		}
	}
	declared := declaration()
	declared.Breach = true
	c, _, err := d.Declare(ctx, d.person("emma"), declared, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	yes := cases.Event{What: cases.Answer, Subject: "nord", Yes: true}
	if _, err := d.Do(ctx, c.ID, d.person("vera"), yes, cases.Words{}, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = d.Do(ctx, c.ID, d.person("otto"), yes, cases.Words{}, d.clock.Now())
	if code(err) != "same_person" || strings.Contains(err.Error(), "vera") {
		t.Error(err)
	}
}
