package cases_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

func (w *world) day(days int) calendar.Day {
	return calendar.AddDays(calendar.Date(w.now, w.rules.Zone), days)
}

// none ends the case as no breach.
func (w *world) none() {
	w.do(breach("nord"))
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: cases.Breach, Text: 2})
	}
}

// TestHold: two place a hold and two lift it; while it stands, or waits, the case does not expire, and people are asked
// whether it is needed.
func TestHold(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.none()
	w.do(cases.Event{What: cases.Review, By: vera, Text: 3})
	ends := w.c.Expires(w.rules)
	if want := w.c.Closed.AddDate(5, 0, 0); !ends.Equal(want) || w.c.Next != ends.UnixMicro() {
		t.Errorf("it expires %s, want %s", ends, want)
	}
	place := func(by cases.Actor) cases.Event {
		return cases.Event{What: cases.Preserve, By: by, Yes: true, Text: 4, Again: w.day(90)}
	}
	lift := func(by cases.Actor) cases.Event { return cases.Event{What: cases.Preserve, By: by, Text: 5} }
	second := otto
	second.Twins = []string{vera.ID}
	w.refused("not_allowed", place(emma))
	w.refused("reason_missing", cases.Event{What: cases.Preserve, By: vera, Yes: true, Again: w.day(9)})
	w.refused("times_invalid", cases.Event{What: cases.Preserve, By: vera, Yes: true, Text: 4, Again: w.day(-1)})
	w.do(place(vera))
	w.do(place(vera)) // she alone is not two
	w.refused("same_person", place(second))
	if h := w.c.Held(); h == nil || !h.Settled.IsZero() || !w.c.Expires(w.rules).IsZero() {
		t.Fatalf("%+v, expires %s", h, w.c.Expires(w.rules))
	}
	if w.do(place(dana)); said(w.last) != "record hold_placed" || w.c.Held().Second != "dana" {
		t.Error(said(w.last))
	}
	asked := 0
	for range 400 {
		w.pass(24 * time.Hour).do(cases.Event{What: cases.Ticked})
		asked += strings.Count(said(w.last), "tell hold_again")
	}
	if asked < 10 || asked > 12 {
		t.Errorf("asked %d times in 310 days", asked)
	}
	w.now = ends.AddDate(1, 0, 0)
	w.do(cases.Event{What: cases.Ticked})
	w.refused("reason_missing", cases.Event{What: cases.Preserve, By: vera})
	w.do(lift(vera))
	w.do(lift(vera))
	w.refused("same_person", lift(second))
	if w.c.Held() == nil {
		t.Fatal("lifted by one")
	}
	w.do(lift(otto))
	if w.c.Held() != nil || !w.c.Expires(w.rules).Equal(ends) || w.c.Next != ends.UnixMicro() {
		t.Errorf("%+v, next %d", w.c.Holds, w.c.Next)
	}
}

// TestActions: what a review comes to has an owner and a day; she hears of it shortly before, and with those who decide once
// a week when it is overdue.
func TestActions(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.none()
	review := cases.Event{What: cases.Review, By: vera, Text: 3}
	for _, bad := range []cases.Action{{Owner: "emma", By: w.day(9)}, {What: 4, By: w.day(9)}, {What: 4, Owner: "emma"}, {What: 4, Owner: "emma", By: w.day(-1)}} {
		review.Actions = []cases.Action{bad}
		w.refused("actions_invalid", review)
	}
	review.Actions = []cases.Action{{What: 4, Owner: "emma", By: w.day(20)}, {What: 5, Owner: "omar", By: w.day(30)}}
	w.do(review)
	told := map[int]int{}
	for range 45 {
		w.pass(24 * time.Hour)
		if w.c.Next > w.now.UnixMicro() {
			continue
		}
		w.do(cases.Event{What: cases.Ticked})
		for _, e := range w.last {
			if e.Do == cases.DoAction {
				told[e.Action]++
			}
		}
	}
	if told[1] != 5 || told[2] != 4 { // before its day, and of 24 and 14 days overdue
		t.Errorf("told %v", told)
	}
	done := func(by cases.Actor, n int) cases.Event {
		return cases.Event{What: cases.Did, By: by, Action: n, Text: 6}
	}
	w.refused("not_allowed", done(omar, 1))
	w.refused("action_unknown", done(vera, 3))
	w.do(done(emma, 1))
	w.do(done(vera, 2))
	w.do(done(vera, 1)) // it is done
	if a := w.c.Actions; a[0].DoneBy != "emma" || a[1].DoneBy != "vera" || a[0].Overdue(w.day(0)) || w.c.Next != w.c.Expires(w.rules).UnixMicro() {
		t.Errorf("%+v", a)
	}
}

// TestPurge: a case whose time is up is deleted with what belongs to it, and leaves one record; whatever fails meanwhile, and
// not before two have lifted a hold.
func TestPurge(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	gone := 0
	d.Purge = func(context.Context, string, time.Time) error { gone++; return d.step() }
	c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	do := func(who string, e cases.Event) {
		t.Helper()
		if c, err = d.Do(ctx, c.ID, d.person(who), e, cases.Words{Text: canary}, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"vera", "dana"} {
		do(who, cases.Event{What: cases.Answer, Subject: cases.Breach})
	}
	held := cases.Event{What: cases.Preserve, Yes: true, Again: calendar.Date(d.clock.Now(), time.UTC)}
	do("vera", held)
	do("dana", held)
	if err := d.clock.Set(c.Closed.AddDate(5, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := d.Tick(ctx, d.clock.Now()); err != nil || gone != 0 {
		t.Fatalf("held, and deleted: %v", err)
	}
	do("vera", cases.Event{What: cases.Preserve})
	do("otto", cases.Event{What: cases.Preserve})
	for left := 0; ; left++ {
		d.mu.Lock()
		d.left = left
		d.mu.Unlock()
		err := d.Tick(ctx, d.clock.Now())
		d.mu.Lock()
		d.left = -1
		d.mu.Unlock()
		if _, missing := d.Get(ctx, c.ID); code(missing) == "case_unknown" && err == nil {
			break
		}
		if left > 200 {
			t.Fatal(err)
		}
	}
	if err := d.clock.Set(d.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Box.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	records := 0
	for _, r := range d.records {
		if r.Facts["event"] == "purged" {
			records++
			if r.Facts["keep"] != "P5Y" {
				t.Errorf("%+v", r.Facts)
			}
		}
	}
	if records != 1 || gone == 0 {
		t.Errorf("%d records, asked %d times for the rest", records, gone)
	}
}

// TestCode: the code of a call by text message stands for the step of whoever was called: once, in any spelling, and after
// ten wrong ones not at all. Nobody else can use it, and it is not kept as it is.
func TestCode(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	start := func() (*desk, cases.Case, string) {
		d := newDesk(t)
		d.Rules.Ladder = []cases.Step{{ID: "oncall", Roles: []policy.Role{policy.OnCall}, Wait: 10 * time.Minute, Channels: []string{"mail", "sms"}}}
		c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range d.ways {
			if _, after, is := strings.Cut(text, "Code: "); is {
				return d, c, after[:8]
			}
		}
		t.Fatal("no text message carries a code", d.ways)
		return nil, c, ""
	}
	ack := func(d *desk, id, who, typed string) (cases.Case, error) {
		return d.Do(ctx, id, d.person(who), cases.Event{What: cases.Ack}, cases.Words{Code: typed}, d.clock.Now())
	}
	d, c, sent := start()
	if _, err := ack(d, c.ID, "emma", sent); code(err) != "not_allowed" {
		t.Errorf("by somebody who was not called: %v", err)
	}
	if _, err := ack(d, c.ID, "otto", "AAAAAAAA"); code(err) != "code_invalid" {
		t.Error(err)
	}
	after, err := ack(d, c.ID, "otto", strings.ToLower(sent[:4])+" "+sent[4:])
	if err != nil || after.Ladder.AckBy != "otto" || after.Ladder.Code != "" {
		t.Errorf("%+v, %v", after.Ladder, err)
	}
	if stored := dump(t, c); strings.Contains(strings.ToUpper(stored), sent) || strings.Contains(strings.ToUpper(d.clear.String()), sent) {
		t.Error("the code is kept as it is, or left in clear")
	}
	d, c, sent = start()
	for range 10 {
		if _, err := ack(d, c.ID, "otto", "AAAAAAAA"); code(err) != "code_invalid" {
			t.Fatal(err)
		}
	}
	if _, err := ack(d, c.ID, "otto", sent); code(err) != "code_invalid" {
		t.Errorf("after ten wrong ones: %v", err)
	}
	if _, err := d.Do(ctx, c.ID, d.person("otto"), cases.Event{What: cases.Ack, Step: "oncall"}, cases.Words{}, d.clock.Now()); err != nil {
		t.Errorf("without a code: %v", err)
	}
}

// TestOnCall: of the step of those on call the ones are called whose turn it is.
func TestOnCall(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Calls = func(p policy.Person, roles []policy.Role, at time.Time) bool {
		return roles[0] == policy.OnCall && p.ID == "emma" && at.Equal(d.clock.Now())
	}
	if _, _, err := d.Declare(context.Background(), d.person("vera"), declaration(), d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	called := ""
	for key, to := range d.mail {
		if strings.HasPrefix(key, "breach-page") {
			called += to
		}
	}
	if !strings.Contains(called, "emma") || strings.Contains(called, "otto") {
		t.Errorf("called: %s", called)
	}
}
