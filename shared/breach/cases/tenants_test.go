package cases_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
)

// TestTenants: one answer about all tenants nobody decided about, and a second person's; who is decided stays so.
func TestTenants(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.do(breach("nord", "sud", "ost", cases.Own))
	all := func(by cases.Actor, yes bool) cases.Event {
		return cases.Event{What: cases.Answer, By: by, Subject: cases.Tenants, Yes: yes, Text: 2}
	}
	w.refused("not_allowed", all(emma, true))
	w.refused("reason_missing", cases.Event{What: cases.Answer, By: vera, Subject: cases.Tenants})
	for _, by := range []cases.Actor{vera, dana} {
		w.do(cases.Event{What: cases.Answer, By: by, Subject: "sud", Text: 2})
	}
	w.do(cases.Event{What: cases.Answer, By: dana, Subject: "ost", Yes: true})
	w.do(all(vera, true)) // agrees about ost, and proposes nord
	if got := said(w.last); got != "record proposed, tell proposed, record decided" {
		t.Errorf("%s", got)
	}
	w.do(all(vera, true))
	if got := w.c.Undecided(); !slices.Equal(got, []string{cases.SA, cases.Persons, "nord"}) || said(w.last) != "" {
		t.Errorf("undecided %v: %s", got, said(w.last))
	}
	w.do(all(otto, false)) // withdraws, and proposes otherwise
	w.do(all(dana, true))
	w.do(all(vera, true))
	if yes, decided := w.c.Decided("nord"); !yes || !decided {
		t.Errorf("nord: %t %t", yes, decided)
	}
	if yes, decided := w.c.Decided("sud"); yes || !decided {
		t.Errorf("sud: %t %t", yes, decided)
	}
	w.refused("tracks_invalid", cases.Event{What: cases.Describe, By: vera, Tracks: []cases.Track{track(cases.Tenants)}})
	at := w.now
	w.pass(time.Hour)
	w.refused("subject_invalid", cases.Event{What: cases.Told, Arrivals: map[string]time.Time{"nord": at, "west": at}})
	w.do(cases.Event{What: cases.Told, Arrivals: map[string]time.Time{"nord": at, "ost": w.now}})
	w.do(cases.Event{What: cases.Told, Arrivals: map[string]time.Time{"nord": w.now}})
	if got := w.c.Tracks[0].Told; !got.Equal(at) || said(w.last) != "" {
		t.Errorf("nord was told at %s: %s", got, said(w.last))
	}
}

// TestOneAlarm: what is to be told of the clocks of many tenants is told in one message.
func TestOneAlarm(t *testing.T) {
	t.Parallel()
	w := begin(t)
	ids := []string{"nord", "sud"}
	for i := range 300 {
		ids = append(ids, fmt.Sprint("t", i))
	}
	w.do(breach(ids...))
	w.pass(7 * time.Hour).do(cases.Event{What: cases.Ticked})
	alarms := 0
	for _, e := range w.last {
		if e.Do == cases.DoAlarm {
			alarms++
			if strings.HasPrefix(e.Clock, "aim:") && e.More != 299 {
				t.Errorf("%s and %d more", e.Clock, e.More)
			}
		}
	}
	if alarms != 2 { // the contract with nord, and the aim for all without hours
		t.Errorf("%d alarms: %s", alarms, said(w.last))
	}
}

// TestLarge: a case of as many tracks as there may be, all decided twice, told and late, fits its document with room to
// spare, and one more is refused.
func TestLarge(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	random := rand.New(rand.NewPCG(1, 2))
	declared := declaration()
	declared.Tracks = []cases.Track{track(cases.Own)}
	var tracks []cases.Track
	for range cases.MaxTracks - 1 {
		id := make([]byte, 63)
		for i := range id {
			id[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[random.IntN(36)]
		}
		one := track(string(id))
		one.Records.N = random.Int64N(1 << 40)
		tracks = append(tracks, one)
	}
	c, _, err := d.Declare(ctx, d.person("emma"), declared, d.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	do := func(who string, e cases.Event) {
		t.Helper()
		if _, err := d.Do(ctx, c.ID, d.person(who), e, cases.Words{Text: "because"}, d.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for text, n := strings.Repeat("<", 7_000), 0; ; n++ { // written as six bytes each
		_, err := d.Do(ctx, c.ID, d.person("vera"), cases.Event{What: cases.Promise, Name: fmt.Sprint("p", n), At: d.clock.Now().Add(time.Hour)}, cases.Words{Text: text}, d.clock.Now())
		if code(err) == "text_invalid" && n > 2 {
			break
		} else if err != nil {
			t.Fatal(n, err)
		}
	}
	do("vera", cases.Event{What: cases.Describe, Tracks: tracks})
	for _, yes := range []bool{false, true} {
		for _, who := range []string{"vera", "dana"} {
			do(who, cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: yes})
			if yes {
				continue
			}
			do("otto", cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}) // and so all is withdrawn once
		}
	}
	arrivals := map[string]time.Time{}
	for _, one := range tracks {
		arrivals[one.ID] = d.clock.Now().Add(time.Duration(random.Int64N(int64(time.Hour))))
	}
	if err := d.clock.Set(d.clock.Now().Add(30 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := d.Tick(ctx, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	do("", cases.Event{What: cases.Told, Arrivals: arrivals})
	var whole map[string]any
	if err := d.Store.Get(ctx, cases.Cases, c.ID, &whole); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	read, err := d.Get(ctx, c.ID)
	if err != nil || len(read.Tracks) != cases.MaxTracks || len(read.Said) == 0 || read.Tracks[7].Told.IsZero() {
		t.Fatalf("%d tracks, %d said, %v", len(read.Tracks), len(read.Said), err)
	}
	t.Logf("%d tracks, %d decisions, %d said: %d bytes", len(read.Tracks), len(read.Decisions), len(read.Said), len(data))
	if len(data) > 900<<10 {
		t.Errorf("the case takes %d bytes", len(data))
	}
	for _, r := range d.records {
		if r.Facts["event"] == "decided" && r.Facts["subject"] == cases.Tenants && slices.ContainsFunc(r.Subjects, func(s record.Subject) bool { return s.Type == "tenants" }) {
			return
		}
	}
	t.Error("no record says about how many it was decided")
}
