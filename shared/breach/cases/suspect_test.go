package cases_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// TestOwnMatter: whom a detection names decides nothing of the case, under whatever address, and takes nothing back.
func TestOwnMatter(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(cases.Event{What: cases.Declare, Text: 1, Source: "episode/a", Signal: "1/silence", About: []string{"vera"}, Tracks: []cases.Track{track("nord")}})
	twin := cases.Actor{ID: "vera2", Roles: vera.Roles, Twins: []string{"vera"}}
	for _, by := range []cases.Actor{vera, twin} {
		for _, e := range cases.Events() {
			w.refused("own_matter", cases.Event{What: e, By: by, Text: 1, Subject: cases.Breach, Result: cases.Confirmed, Step: "security"})
		}
	}
	w.do(cases.Event{What: cases.Suspect, Text: 2, Signal: "2/not_me", About: []string{"vera", "dana"}})
	if got := said(w.last); got != "record suspected, page oncall" || !slices.Equal(w.c.About, []string{"vera", "dana"}) || len(w.c.Signals) != 2 || w.c.Signals[1].Text != 2 {
		t.Errorf("%s: %v, %v", got, w.c.About, w.c.Signals)
	}
	w.do(cases.Event{What: cases.Suspect, Text: 3, Signal: "2/not_me"})
	if len(w.last) != 0 || len(w.c.Signals) != 2 {
		t.Errorf("the same again: %s", said(w.last))
	}
	w.refused("own_matter", cases.Event{What: cases.Triage, By: dana, Result: cases.Confirmed})
	w.do(cases.Event{What: cases.Triage, By: otto, Result: cases.Confirmed})
}

// TestMoreThanRoom: a detection names more customers than a case takes. It has those there is room for, people are called anew, and
// somebody is to say whose data it is.
func TestMoreThanRoom(t *testing.T) {
	t.Parallel()
	w := begin(t)
	var most []cases.Track
	for i := range cases.MaxTracks - 1 {
		most = append(most, cases.Track{ID: fmt.Sprintf("customer-%d", i), Role: cases.Processor})
	}
	w.do(cases.Event{What: cases.Declare, Text: 1, Source: "episode/a", Signal: "1/silence", Tracks: most})
	w.do(cases.Event{What: cases.Describe, By: otto})
	if w.c.Undescribed() {
		t.Error("somebody said that it is all, and is asked again")
	}
	w.do(cases.Event{What: cases.Suspect, Text: 2, Signal: "1/refused", Tracks: []cases.Track{{ID: "customer-7", Role: cases.Processor}, {ID: "one-more", Role: cases.Processor}, {ID: "too-many", Role: cases.Processor}}})
	if n := len(w.c.Tracks); n != cases.MaxTracks || w.c.Tracks[n-1].ID != "one-more" || !w.c.Undescribed() || said(w.last) != "record suspected, page oncall" {
		t.Errorf("%d tracks, asked for %v: %s", n, w.c.Undescribed(), said(w.last))
	}
}

// TestSuspectHearsNothing: she is neither called nor told, and nobody waits for a step with nobody else in it.
func TestSuspectHearsNothing(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.Rules.Ladder[0].Channels = []string{"mail", "chat"}
	c, _, err := d.Declare(ctx, policy.Person{}, cases.Declaration{Client: "a", Source: "episode/a", About: []string{"otto"}, Summary: "Somebody read a lot.", Tracks: []cases.Track{track("nord")}}, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	// Otto alone is on call, and an owner.
	if c.Ladder.Step != 1 || !slices.Equal(c.Ladder.Paged, []string{"security"}) {
		t.Errorf("called first: %+v", c.Ladder)
	}
	if _, err := d.Do(ctx, c.ID, d.person("otto"), cases.Event{What: cases.Ack, Step: "oncall"}, cases.Words{}, d.clock.Now()); fault.CodeOf(err) != "own_matter" {
		t.Errorf("otto answers: %v", err)
	}
	for range 12 {
		if err := d.clock.Set(d.clock.Now().Add(30 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := d.Tick(ctx, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = d.Do(ctx, c.ID, d.person("dana"), cases.Event{What: cases.Triage, Result: cases.Confirmed}, cases.Words{}, d.clock.Now()); err != nil || !c.Ladder.Nobody {
		t.Errorf("%+v, %v", c.Ladder, err)
	}
	for key, way := range d.ways {
		if strings.Contains(way, "otto") || strings.HasPrefix(way, "chat") {
			t.Errorf("%s: %s", key, way)
		}
	}
}

// TestShorterLadder: a case that was called up a longer ladder than there is now is called on, and one that cannot be
// handled stops no other.
func TestShorterLadder(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord"))
	for range 3 {
		w.pass(time.Hour).do(cases.Event{What: cases.Ticked})
	}
	w.do(cases.Event{What: cases.Ack, By: otto, Step: "owner"})
	w.rules.Ladder = w.rules.Ladder[:1]
	w.pass(2 * time.Hour).do(cases.Event{What: cases.Ticked})
	if got := said(w.last); !strings.Contains(got, "page oncall") {
		t.Error(got)
	}

	d, ctx := newDesk(t), context.Background()
	var ids []string
	for _, client := range []string{"a", "b"} {
		one := declaration()
		one.Client = client
		c, _, err := d.Declare(ctx, d.person("emma"), one, d.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	calls := 0
	d.Calls = func(p policy.Person, roles []policy.Role, _ time.Time) bool {
		if calls++; calls == 1 {
			panic("a table that is not there")
		}
		return slices.ContainsFunc(roles, p.Has)
	}
	if err := d.clock.Set(d.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := d.Tick(ctx, d.clock.Now()); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("nothing says that one could not be handled: %v", err)
	}
	climbed := 0
	for _, id := range ids {
		if c, err := d.Get(ctx, id); err != nil || c.Ladder.Calls > 1 {
			climbed++
		}
	}
	if climbed != 1 {
		t.Errorf("%d of 2 were called on", climbed)
	}
}
