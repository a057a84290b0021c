package notice_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
)

// TestWaits: who may approve is asked, and not the author; three quarters through the shortest clock the deputies are told;
// after a day it may be true no longer.
func TestWaits(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "nord") // 24 hours
	n := f.write(c.ID, "vera")
	if got := f.told("notice 1") + f.told("Mitteilung 1"); got != 2 || f.told("l’avis 1") != 0 {
		t.Errorf("asked %d:\n%s", got, f.subjects(c.Number))
	}
	for range 71 { // until 15 minutes before
		f.pass(15 * time.Minute)
	}
	if f.told("time runs out") != 0 {
		t.Fatal("too early")
	}
	for range 3 {
		f.pass(15 * time.Minute)
	}
	if got := f.subjects(c.Number); f.told("time runs out") != 2 || !strings.Contains(got, "mona|mail|Security incident NUMBER: notice 1 is not approved") || f.told("le temps presse") != 1 {
		t.Errorf("deputies:\n%s", got)
	}
	f.pass(6 * time.Hour)
	stored, err := f.notices.Get(ctx, c.ID, 1)
	if err != nil || stored.State != notice.Expired || f.told("notice 1 expired") != 1 {
		t.Errorf("%+v, %v\n%s", stored.Notice, err, f.subjects(c.Number))
	}
	if _, err := f.notices.Approve(ctx, f.person("dana"), c.ID, 1, n.Hash, f.clock.Now()); code(err) != "state_conflict" {
		t.Error(err)
	}
	again, err := f.notices.Write(ctx, f.person("vera"), c.ID, 1, draft(notice.Initial), nil, f.clock.Now())
	if err != nil || again.Version != 2 || again.State != notice.Drafted {
		t.Errorf("%+v, %v", again, err)
	}
	if again = f.approve(again, "dana"); again.State != notice.Sent {
		t.Errorf("%+v", again)
	}
}

// TestGlassBroken: one person in need, with a reason that is kept; all are told at once, a second looks within a day, and
// nobody doing so is a finding that her look closes.
func TestGlassBroken(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.declared(false, "sud")
	n := f.write(c.ID, "vera")
	if _, err := f.notices.Break(ctx, f.person("vera"), c.ID, 1, n.Hash, "  ", f.clock.Now()); code(err) != "reason_missing" {
		t.Error(err)
	}
	for range 2 {
		if _, err := f.notices.Break(ctx, f.person("vera"), c.ID, 1, n.Hash, "nobody answers", f.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	f.tick()
	if f.told("approved by one person alone") != 1 || f.told("von einer Person allein") != 1 || f.told("par une seule personne") != 1 || len(f.sent) != 1 {
		t.Errorf("%d sent\n%s", len(f.sent), f.subjects(c.Number))
	}
	if stored, err := f.notices.Get(ctx, c.ID, 1); err != nil || !stored.Glass || notice.Opened(stored).Reason != "nobody answers" {
		t.Errorf("%+v, %v", stored, err)
	}
	if _, err := f.notices.Review(ctx, f.person("vera"), c.ID, 1, f.clock.Now()); code(err) != "own_notice" {
		t.Error(err)
	}
	f.pass(24 * time.Hour)
	f.pass(24 * time.Hour)
	if got := f.events("finding"); !strings.Contains(got, "finding notice_review 0") || f.told("nobody looked at notice 1") != 1 {
		t.Errorf("%s\n%s", got, f.subjects(c.Number))
	}
	for range 2 {
		if _, err := f.notices.Review(ctx, f.person("dana"), c.ID, 1, f.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.events("remediation"); !strings.Contains(got, "remediation notice_review 1") {
		t.Errorf("%s", got)
	}
}

// TestExercise: whatever is configured, in an exercise everything goes to people of our own, says that it is one, and proves
// nothing; no address of a tenant leaves.
func TestExercise(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.reply = func(m message.Message) message.Outcome { return message.Failed }
	c := f.decided(true, "nord", "sud", "ost")
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	f.pass(time.Hour)
	if got := f.progress(n); strings.Count(got, "lost") != 4 {
		t.Errorf("%s", got)
	}
	f.reply = func(m message.Message) message.Outcome { return message.Accepted }
	second, err := f.notices.Write(context.Background(), f.person("vera"), c.ID, 0, draft(notice.Update), nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.approve(second, "dana")
	f.tick()
	if len(f.sent) != 5 { // the contact with sms first is written to twice
		t.Fatalf("%d sent:\n%s", len(f.sent), f.taken(c.Number))
	}
	for _, m := range f.sent {
		prefix := strings.HasPrefix(m.Subject, "EXERCISE: ") || strings.HasPrefix(m.Subject, "EXERCICE : ") || strings.HasPrefix(m.Subject, "ÜBUNG: ")
		if m.Channel != message.Mail || !strings.HasSuffix(m.To, "@firm.example") || !prefix {
			t.Errorf("%s to %s: %s", m.Channel, m.To, m.Subject)
		}
	}
	for _, r := range f.records {
		if r.Kind != "drill" || len(r.Promises) > 0 {
			t.Errorf("%s %s proves %v", r.Kind, r.Facts["event"], r.Promises)
		}
	}
	f.config.Drill = nil
	without, err := notice.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	third, err := without.Write(context.Background(), f.person("vera"), c.ID, 0, draft(notice.Final), nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := without.Approve(context.Background(), f.person("dana"), c.ID, third.N, third.Hash, f.clock.Now()); err == nil || len(f.sent) != 5 {
		t.Errorf("sent to nobody of our own: %v", err)
	}
}

// TestCompromised: while a channel is not trusted, tenants are told by the ways that were agreed for that alone, and not
// at all where there are none; what was on its way by others goes no further.
func TestCompromised(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "nord", "sud", "ost")
	f.reply = func(m message.Message) message.Outcome { return message.Deferred }
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	f.do(c.ID, "vera", cases.Event{What: cases.Channel, Channels: []string{"mail", "chat"}}, "")
	f.reply = func(m message.Message) message.Outcome { return message.Failed }
	f.pass(time.Hour)
	if got := f.progress(n); got != "nord sms lost, nord mail lost, sud mail lost, ost webhook lost" {
		t.Errorf("went on by %s", got)
	}
	if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now()); code(err) != "contact_missing" {
		t.Errorf("%v", err)
	}
	f.config.OutOfBand = []notice.Other{{Person: "vera", Channel: "mail", To: "vera@elsewhere.example"}, {Tenant: "sud", Channel: "sms", To: "+49123456789"}, {Tenant: "sud", Channel: "mail", To: "sued@elsewhere.example"}, {Tenant: "ost", Channel: "sms", To: "+353123456789"}}
	var err error
	if f.notices, err = notice.New(f.config); err != nil {
		t.Fatal(err)
	}
	f.reply = func(m message.Message) message.Outcome { return message.Accepted }
	for _, id := range []string{"nord", "ost"} { // none, and none that carries a text
		if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), []string{id}, f.clock.Now()); code(err) != "contact_missing" {
			t.Errorf("%s: %v", id, err)
		}
	}
	second, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), []string{"sud"}, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.approve(second, "dana")
	f.tick()
	if got := f.taken(c.Number); len(f.sent) != 2 || f.sent[0].To != "+49123456789" || f.sent[1].To != "sued@elsewhere.example" {
		t.Errorf("%s", got)
	}
}

// TestPersons: approved by two as any other, handed to nobody; that the persons were told is what somebody says.
func TestPersons(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "sud")
	d := draft(notice.Persons)
	delete(d.Texts, "en")
	n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, d, nil, f.clock.Now())
	if err != nil || n.To != 2 {
		t.Fatalf("%+v, %v", n, err)
	}
	note := func(who, means string, at time.Time) error {
		_, err := f.notices.Note(ctx, f.person(who), c.ID, 1, means, at, f.clock.Now())
		return err
	}
	if err := note("vera", "mail", f.clock.Now()); code(err) != "state_conflict" {
		t.Error(err)
	}
	n = f.approve(n, "dana")
	f.pass(time.Hour)
	if _, all, err := f.notices.Preview(ctx, c.ID, 1, f.clock.Now()); err != nil || len(all) != 2 || len(f.sent) != 0 || n.State != notice.Approved {
		t.Fatalf("%d texts, %d sent, %s, %v", len(all), len(f.sent), n.State, err)
	}
	for want, err := range map[string]error{
		"not_allowed": note("emma", "mail", f.clock.Now()), "reason_missing": note("vera", "", f.clock.Now()), "times_invalid": note("vera", "mail", f.clock.Now().Add(-2*time.Hour)),
	} {
		if code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := note("vera", "mail from the product", f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := note("vera", "mail from the product", f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	stored, err := f.notices.Get(ctx, c.ID, 1)
	if err != nil || stored.State != notice.Sent || stored.How != "mail from the product" || stored.Noter != "vera" || stored.Due != 0 {
		t.Errorf("%+v, %v", stored, err)
	}
	if got := f.events("breach"); strings.Count(got, "notice_note") != 1 {
		t.Errorf("%s", got)
	}
}

// TestNothingInClear: neither what people wrote nor an address leaves in clear, in records, on the bus, in the log or in what
// is stored.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		return map[string]message.Outcome{"sicherheit@sued.example": message.Unknown, "dpo@east.example": message.Failed}[m.To]
	}
	c := f.declared(false, "nord", "sud", "ost")
	n := f.write(c.ID, "vera")
	if _, err := f.notices.Break(ctx, f.person("vera"), c.ID, 1, n.Hash, "canary reason", f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.tick()
	for _, collection := range append(notice.Collection(), message.Collection()) {
		docs, err := f.raw.Query(ctx, store.Query{Collection: collection.Name, Limit: 100})
		if err != nil || len(docs) == 0 {
			t.Fatal(len(docs), err)
		}
		for _, doc := range docs {
			var whole map[string]any
			if err := doc.Decode(&whole); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&f.clear, whole)
		}
	}
	for _, secret := range []string{"NATURE", "canary", "@nord.example", "@sued.example", "hooks.east", "+33123456789", "Cabinet", "security@sharedcontacts"} {
		if strings.Contains(f.clear.String(), secret) {
			t.Errorf("%q stands somewhere in clear", secret)
		}
	}
}
