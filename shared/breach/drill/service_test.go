package drill_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// TestNobodyPlays: a quarter later an exercise begins; nobody does anything; it has failed, ends, and calls nobody any more.
func TestNobodyPlays(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(95*24*time.Hour, time.Hour)
	all := d.of(drill.Exercise)
	if len(all) != 1 || all[0].State != drill.Failed || all[0].Ended.IsZero() || all[0].Case == "" {
		t.Fatalf("%+v", all)
	}
	if went := all[0].Ended.Sub(all[0].Begun); went > 7*time.Hour {
		t.Errorf("it went on calling for %s", went)
	}
	c, err := d.Cases.Get(t.Context(), all[0].Case)
	if err != nil || !c.Exercise || c.State != cases.Closed || c.Ending != cases.TimeUp || len(c.Tracks) != 2 || !strings.HasPrefix(c.Number, "ex") {
		t.Fatalf("%+v %v", c.Case, err)
	}
	r := d.result(drill.Exercise)
	if r.Kind != record.Drill || r.Result.State != record.Broken || r.Facts["ack_s"] != "never" || !slices.Equal(r.Promises, []string{"X94"}) {
		t.Errorf("%+v", r)
	}
	for _, must := range []string{"vera: EXERCICE : ", "échoué", "dana: ÜBUNG: ", "nicht bestanden", "otto: EXERCISE: ", "failed"} {
		if !d.says(must) {
			t.Errorf("nobody reads %q", must)
		}
	}
	mails := len(d.mail)
	if d.pass(20*24*time.Hour, time.Hour); len(d.of(drill.Exercise)) != 1 || len(d.mail) > mails+10 {
		t.Errorf("it goes on: %d messages more", len(d.mail)-mails)
	}
}

// TestPlayed: who answers, approves and delivers in time has passed, whatever nobody saw of it meanwhile.
func TestPlayed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for len(d.of(drill.Exercise)) == 0 {
		d.pass(time.Hour, time.Hour)
	}
	e, ctx := d.of(drill.Exercise)[0], t.Context()
	act := func(who string, after time.Duration, event cases.Event) {
		t.Helper()
		p, _ := d.Policy.PersonByID(who)
		if _, err := d.Cases.Do(ctx, e.Case, p, event, cases.Words{}, e.Begun.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	act("otto", 5*time.Minute, cases.Event{What: cases.Ack, Step: "oncall"})
	d.notices = []notice.Notice{{Kind: notice.Initial, Written: e.Begun.Add(time.Hour), Agreed: e.Begun.Add(time.Hour), Glass: true}, {Kind: notice.Initial, Written: e.Begun.Add(time.Hour), Agreed: e.Begun.Add(2 * time.Hour)}}
	act("", 0, cases.Event{What: cases.Told, Tenant: "nord", At: e.Begun.Add(3 * time.Hour)})
	d.pass(2*time.Hour, time.Hour)
	r := d.result(drill.Exercise)
	if got := d.of(drill.Exercise)[0]; got.State != drill.Passed || r.Result.State != record.Kept || r.Facts["ack_s"] != "300" || r.Facts["approve_s"] != "7200" || r.Facts["deliver_s"] != "10800" {
		t.Errorf("%+v %+v", got, r.Facts)
	}
	if !d.says("passed") || !d.says("bestanden") {
		t.Error("nobody reads that it was passed")
	}
}

// test lets the clock come to the next test of the channels.
func (d *desk) test() drill.Drill {
	d.t.Helper()
	for before := len(d.of(drill.Channels)); len(d.of(drill.Channels)) == before; {
		d.pass(time.Hour, time.Hour)
	}
	return d.of(drill.Channels)[0]
}

// TestChannelsEachMonth: every channel of the ladder gets one message; what the provider took and nobody read is told of after a day, what it
// refused alarms at once by another channel, and only somebody who is called confirms.
func TestChannelsEachMonth(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	one := d.test()
	if len(one.Tries) != 3 || !d.says("mail otto: Test") || !d.says("sms +33639980001: Test") || !d.says("chat otto: Test") {
		t.Fatalf("%+v %v", one, d.mail)
	}
	answer := func(id, channel string, state message.State) {
		t.Helper()
		if err := d.Answered(ctx, message.Answer{Key: "breach-drill/" + id + "/" + channel, State: state, At: d.clock.Now()}, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	otto, _ := d.Policy.PersonByID("otto")
	emma, _ := d.Policy.PersonByID("emma")
	if _, err := d.Confirm(ctx, emma, one.ID, "mail", d.clock.Now()); fault.CodeOf(err) != "not_allowed" {
		t.Error(err)
	}
	if _, err := d.Confirm(ctx, otto, one.ID, "pigeon", d.clock.Now()); fault.CodeOf(err) != "channel_unknown" {
		t.Error(err)
	}
	if _, err := d.Confirm(ctx, otto, "schedule", "mail", d.clock.Now()); fault.CodeOf(err) != "drill_unknown" {
		t.Error(err)
	}
	answer("gone", "mail", message.StateAccepted)
	for range 2 {
		for _, c := range []string{"mail", "sms", "chat"} {
			answer(one.ID, c, message.StateAccepted)
		}
	}
	if _, err := d.Confirm(ctx, otto, one.ID, "mail", d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	d.pass(25*time.Hour, time.Hour)
	if r := d.result(drill.Channels); r.Result.State != record.Unknown || r.Facts["state"] != "unread" || r.Facts["channel_mail"] != "confirmed" || r.Facts["channel_sms"] != "accepted" {
		t.Errorf("%+v", r)
	}
	if !d.says("mail vera: Personne ne dit avoir lu l’appel d’essai par sms, chat") {
		t.Errorf("nobody is told that nobody read it: %v", d.mail)
	}
	two := d.test()
	answer(two.ID, "mail", message.StateFailed)
	if !d.says("chat vera: ") || d.says("mail vera: Personne ne peut") {
		t.Errorf("the alarm does not go around: %v", d.mail)
	}
	answer(two.ID, "sms", message.StateAccepted)
	d.numbers = false
	d.pass(25*time.Hour, time.Hour)
	if r := d.result(drill.Channels); r.Result.State != record.Broken || r.Facts["channel_mail"] != "lost" || r.Facts["channel_chat"] != "lost" || r.Control == d.result(drill.Exercise).Control {
		t.Errorf("%+v", r)
	}
	if three := d.test(); three.Tries[1].Reached != drill.Lost || three.Tries[1].Key != "" {
		t.Errorf("nobody has a number: %+v", three)
	}
}

// TestAtOnce: another process ticks, or takes an answer, at the same moment: each thing happens once, and nothing is lost.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for len(d.of(drill.Exercise)) == 0 {
		must(d.clock.Set(d.clock.Now().Add(time.Hour)))
		d.meanwhile = func() { must(d.Tick(ctx, d.clock.Now())) }
		must(d.Tick(ctx, d.clock.Now()))
	}
	two := d.test()
	answer := func(n int) func() {
		return func() {
			must(d.Answered(ctx, message.Answer{Key: two.Tries[n].Key, State: message.StateAccepted, At: d.clock.Now()}, d.clock.Now()))
		}
	}
	d.meanwhile = answer(1)
	answer(0)()
	for _, try := range d.of(drill.Channels)[0].Tries[:2] {
		if try.Reached != drill.Accepted {
			t.Errorf("%+v: an answer is lost", try)
		}
	}
	if begun, err := d.Cases.List(ctx, nil, 100); err != nil || len(begun) != 1 {
		t.Errorf("%d cases, %v", len(begun), err)
	}
}

// TestReminder: that nobody went through the policy in time is told once.
func TestReminder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(146*24*time.Hour, 2*time.Hour) // 30 May 2026 is 180 days after 1 December
	if d.says("2026-05-30") {
		t.Error("too early")
	}
	d.pass(5*24*time.Hour, 2*time.Hour)
	told := 0
	for _, text := range d.mail {
		if strings.Contains(text, "2026-05-30") {
			told++
		}
	}
	if told != 3 {
		t.Errorf("%d were told", told)
	}
}

// TestDeaths kills the process at any call and begins again: what left is the same as without, nothing twice and nothing lost.
func TestDeaths(t *testing.T) {
	t.Parallel()
	calm := newDesk(t)
	calm.year(func(step func() error) {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	})
	want := calm.told()
	if !strings.HasPrefix(want, "1 cases") || !strings.Contains(want, "drill exercise failed") || !strings.Contains(want, "drill channels failed") {
		t.Fatal(want)
	}
	for seed := range seeds() {
		random := mathrand.New(mathrand.NewPCG(seed, 5))
		d := newDesk(t)
		d.year(func(step func() error) {
			for attempt := 0; ; attempt++ {
				if d.left = random.IntN(40); attempt > 3 {
					d.left = -1
				}
				if err := step(); err == nil {
					break
				} else if !strings.Contains(err.Error(), errDown.Error()) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			d.left = -1
		})
		if got := d.told(); got != want {
			t.Fatalf("seed %d:\n%s\nwithout deaths:\n%s", seed, got, want)
		}
	}
}

// year lets a quarter and more pass in uneven looks, each of which may die.
func (d *desk) year(run func(step func() error)) {
	ctx := context.Background()
	for i := range 260 {
		if err := d.clock.Set(d.clock.Now().Add(time.Duration(7+i%5) * time.Hour)); err != nil {
			d.t.Fatal(err)
		}
		run(func() error { return d.Tick(ctx, d.clock.Now()) })
	}
	if err := d.clock.Set(d.clock.Now().Add(time.Hour)); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.Box.Sweep(ctx); err != nil {
		d.t.Fatal(err)
	}
}

// told are results and messages as words, sorted, whatever ids they had.
func (d *desk) told() string {
	var all []string
	for _, r := range d.records {
		if r.Facts["drill"] != "" {
			all = append(all, fmt.Sprintf("drill %s %s %v", r.Facts["drill"], r.Facts["state"], r.Source.Observed))
		}
	}
	for key := range d.mail {
		if strings.HasPrefix(key, "breach-drill/") {
			all = append(all, key)
		}
	}
	begun, err := d.Cases.List(context.Background(), nil, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	held, err := json.Marshal(append(d.of(drill.Exercise), d.of(drill.Channels)...))
	if err != nil || bytes.Contains(held, []byte("otto")) || bytes.Contains(held, []byte("+336")) {
		d.t.Errorf("a drill names somebody: %v %s", err, held)
	}
	slices.Sort(all)
	return fmt.Sprintf("%d cases\n%s", len(begun), strings.Join(all, "\n"))
}
