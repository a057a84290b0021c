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

// TestPromised: the first notice says by when tenants hear again; the update that goes to all of them keeps that, and does not
// promise it again.
func TestPromised(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "sud", "ost")
	by := f.clock.Now().Add(24 * time.Hour)
	f.do(c.ID, "vera", cases.Event{What: cases.Promise, Name: notice.NextUpdate, At: by}, "")
	f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	if !strings.Contains(f.sent[0].Text, "2026-03-28 10:30") {
		t.Fatalf("the first notice promises nothing:\n%s", f.sent[0].Text)
	}
	kept := func() time.Time {
		t.Helper()
		read, err := f.cases.Get(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return read.Kept[notice.NextUpdate]
	}
	f.pass(time.Hour)
	send := func(k notice.Kind, tenants ...string) string {
		t.Helper()
		f.sent = nil
		n, err := f.draft(c.ID, "vera", k, tenants...)
		if err != nil {
			t.Fatal(err)
		}
		f.approve(n, "dana")
		f.tick()
		return f.sent[len(f.sent)-1].Text
	}
	if text := send(notice.Update, "ost"); strings.Contains(text, "2026-03-28") || !kept().IsZero() {
		t.Errorf("told one of two, kept %s:\n%s", kept(), text)
	}
	f.pass(time.Hour)
	f.reply = func(message.Message) message.Outcome { return message.Unknown }
	if send(notice.Update, "sud"); !kept().IsZero() {
		t.Error("kept while nobody knows whether it arrived")
	}
	all, err := f.notices.Outcomes(ctx, c.ID, 3, nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	at := f.clock.Now()
	f.pass(time.Hour)
	if _, err := f.notices.Settle(ctx, f.person("otto"), c.ID, 3, all[0].ID, notice.Found{Arrived: true, At: at}, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if f.tick(); !kept().Equal(at) {
		t.Errorf("kept %s, want %s", kept(), at)
	}
	// Another promise needs no reason, the next update says it, and the last report keeps it.
	f.reply = func(message.Message) message.Outcome { return message.Accepted }
	f.do(c.ID, "vera", cases.Event{What: cases.Promise, Name: notice.NextUpdate, At: by.Add(24 * time.Hour)}, "")
	if text := send(notice.Update); !strings.Contains(text, "2026-03-29 11:30") || !kept().IsZero() {
		t.Errorf("kept %s:\n%s", kept(), text)
	}
	if send(notice.Correction); !kept().IsZero() {
		t.Error("a correction is no update")
	}
	if send(notice.Final); kept().IsZero() {
		t.Error("the last report came, and the promise stands")
	}
}

// TestStalls: an approval stalls by the clocks of those it is for, and not before people had a while to look at it.
func TestStalls(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "nord", "ost") // 24 and 48 hours
	if err := f.clock.Set(f.clock.Now().Add(20 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.draft(c.ID, "vera", notice.Initial, "ost"); err != nil {
		t.Fatal(err)
	}
	f.pass(time.Hour)
	if got := f.told("time runs out"); got != 0 {
		t.Fatalf("%d were told that time runs out of a notice that has 27 hours left", got)
	}
	if _, err := f.draft(c.ID, "vera", notice.Initial, "nord"); err != nil {
		t.Fatal(err)
	}
	f.pass(14 * time.Minute)
	if got := f.told("time runs out"); got != 0 {
		t.Errorf("%d were told so a quarter of an hour after it was written", got)
	}
	f.pass(time.Minute)
	if got := f.told("time runs out"); got == 0 || !strings.Contains(f.subjects(c.Number), "notice 2 is not approved") || strings.Contains(f.subjects(c.Number), "notice 1 is not approved") {
		t.Errorf("%d:\n%s", got, f.subjects(c.Number))
	}
}

// TestPromisedLater: whoever dies before the case hears that a promise was kept has it hear the next time.
func TestPromisedLater(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "sud")
	f.do(c.ID, "vera", cases.Event{What: cases.Promise, Name: notice.NextUpdate, At: f.clock.Now().Add(24 * time.Hour)}, "")
	f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	dead := true
	f.config.Keep = func(ctx context.Context, id string, at, now time.Time) error {
		if dead {
			return errDown
		}
		return f.promised(ctx, id, at, now)
	}
	var err error
	if f.notices, err = notice.New(f.config); err != nil {
		t.Fatal(err)
	}
	f.pass(time.Hour)
	n, err := f.draft(c.ID, "vera", notice.Update)
	if err != nil {
		t.Fatal(err)
	}
	f.approve(n, "dana")
	f.settleBus(t)
	if err := f.notices.Tick(ctx, f.clock.Now()); err == nil {
		t.Error("nobody said that the case did not hear")
	}
	dead = false
	f.tick()
	if read, err := f.cases.Get(ctx, c.ID); err != nil || read.Kept[notice.NextUpdate].IsZero() {
		t.Errorf("%v, %v", read.Kept, err)
	}
}
