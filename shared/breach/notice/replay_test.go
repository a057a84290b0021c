package notice_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
)

// TestReplay: what no way delivered is tried again when somebody says so, under the same keys, by the ways on which nothing was
// sent; an answer to the first try counts no more.
func TestReplay(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.SMS {
			return message.Accepted
		}
		return message.Failed
	}
	c := f.decided(false, "nord", "ost") // sms and mail; mail; webhook and mail
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	if got := f.progress(n); got != "nord mail lost, nord mail lost, ost mail lost" {
		t.Fatal(got)
	}
	all, err := f.notices.Outcomes(ctx, c.ID, 1, nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	replay := func(who string, at int) error {
		return f.notices.Replay(ctx, f.person(who), c.ID, 1, all[at].ID, f.clock.Now())
	}
	if err := replay("emma", 0); code(err) != "not_allowed" {
		t.Error(err)
	}
	f.reply = func(m message.Message) message.Outcome {
		if m.Channel == notice.Webhook {
			return message.Failed
		}
		return message.Accepted
	}
	for _, at := range []int{0, 2} {
		for range 2 {
			if err := replay("vera", at); err != nil {
				t.Fatal(err)
			}
		}
	}
	old := message.Answer{V: 1, Key: "breach-notice/" + all[2].ID + "/0-webhook", State: message.StateAccepted, At: f.clock.Now()}
	if told, err := f.notices.Answered(ctx, old, f.clock.Now()); err != nil || len(told) > 0 {
		t.Errorf("an answer to the first try: %v, %v", told, err)
	}
	f.tick()
	f.pass(time.Hour)
	want := `mail dpo@east.example Security incident NUMBER: your organisation is concerned
mail nuit@nord.example Incident de sécurité NUMBER : votre organisation est concernée
sms +33123456789 Firm, message NUMBER : lisez votre courriel, ou joignez-nous : +33 1 00 00 00 00, security@sharedcontacts.example`
	if got := f.progress(n); got != "nord mail arrived, nord mail lost, ost mail arrived" || f.taken(c.Number) != want {
		t.Errorf("%s\n%s", got, f.taken(c.Number))
	}
	if got := f.events("remediation"); strings.Count(got, "tenant_not_told 1") != 2 {
		t.Error(got)
	}
	replays := 0
	for _, r := range f.records {
		if r.Facts["replay"] == "1" && r.Facts["by"] == "person" {
			replays++
		}
	}
	if replays != 2 {
		t.Errorf("%d replays are on record", replays)
	}
	if err := replay("vera", 0); code(err) != "state_conflict" {
		t.Errorf("one that arrived: %v", err)
	}
	// Whoever has nothing of what was taken is called: the same is not sent to her twice.
	if err := f.says(c.ID, 0, notice.Found{}); err != nil {
		t.Fatal(err)
	}
	if err := replay("vera", 0); code(err) != "state_conflict" {
		t.Errorf("one that was taken: %v", err)
	}
}

// TestRestored: a store that was put back from a backup knows nothing of what left since. What was agreed to before is not
// handed over, what was on its way goes no further by itself, and people are asked; nobody is told twice.
func TestRestored(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	f.reply = func(m message.Message) message.Outcome { return message.Deferred }
	ids := f.many(103)
	c := f.decided(false, ids...)
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.settleBus(t)
	if n.Next != 100 || n.State != notice.Approved {
		t.Fatalf("%+v", n)
	}
	if err := f.clock.Set(f.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	f.config.Restored = f.clock.Now()
	f.courier.Restored = f.clock.Now()
	s, err := notice.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	f.notices, f.reply = s, func(m message.Message) message.Outcome { return message.Accepted }
	for range 4 {
		f.pass(15 * time.Minute)
	}
	stored, err := f.notices.Get(ctx, c.ID, 1)
	if err != nil || stored.State != notice.Voided || stored.Next != 100 || stored.Unknown != 100 || len(f.sent) != 0 {
		t.Errorf("%+v, %d sent, %v", stored.Notice, len(f.sent), err)
	}
	// Whoever it was never on its way to hears by another notice.
	f.do(c.ID, "vera", cases.Event{What: cases.Timed, Times: cases.Times{Contained: f.clock.Now()}}, "")
	again, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now())
	if err != nil || again.To != 3 {
		t.Fatalf("%+v, %v", again, err)
	}
	f.approve(again, "dana")
	if f.tick(); len(f.sent) != 3 {
		t.Errorf("%d sent", len(f.sent))
	}
}

func (f *firm) settleBus(t *testing.T) {
	t.Helper()
	if err := f.settle(); err != nil {
		t.Fatal(err)
	}
}

// TestStale: what was agreed to and lay still for a day is looked at first: it may have been stopped for a reason.
func TestStale(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	ids := f.many(103)
	c := f.decided(false, ids...)
	if n := f.approve(f.write(c.ID, "vera"), "dana"); n.Next != 100 {
		t.Fatalf("%+v", n)
	}
	f.settleBus(t)
	f.pass(notice.ApprovalLife)
	if stored, err := f.notices.Get(t.Context(), c.ID, 1); err != nil || stored.State != notice.Voided || len(f.sent) != 100 || f.told("notice 1 was stopped") != 1 {
		t.Errorf("%+v, %d sent, %v", stored.Notice, len(f.sent), err)
	}
}
