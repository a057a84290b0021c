package notice_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/message"
)

// TestApprovedWhileClosing: of a notice that somebody approves at the very moment its case ends nothing leaves after that, wherever in
// between it ends: it is void, on record, and those who decide are told.
func TestApprovedWhileClosing(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]notice.Kind{"no breach": notice.Initial, "handled": notice.Correction} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			met := 0
			for at := 1; ; at++ {
				if !approvedWhileClosing(t, fmt.Sprintf("%s, at %d", name, at), kind, at) {
					break
				}
				met++
			}
			if met < 2 {
				t.Errorf("the end met the approval at %d points", met)
			}
		})
	}
}

// approvedWhileClosing ends the case at one of the looks that an approval has a look at the outside world; false: it has no more.
func approvedWhileClosing(t *testing.T, when string, kind notice.Kind, at int) (met bool) {
	t.Helper()
	ctx := context.Background()
	f := newFirm(t)
	c := f.decided(false, "sud")
	if kind == notice.Correction {
		f.approve(f.write(c.ID, "otto"), "dana")
		f.tick()
	}
	n, err := f.draft(c.ID, "vera", kind, "sud")
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	config, calls := f.config, 0
	config.Commit = func(ctx context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
		if calls++; calls == at {
			f.endCase(c.ID, kind)
			met, before = true, len(f.sent)+len(f.bus)
		}
		return f.config.Commit(ctx, s, now)
	}
	s, err := notice.New(config)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Approve(ctx, f.person("dana"), c.ID, n.N, n.Hash, f.clock.Now())
	if !met {
		return false
	}
	read, err := f.cases.Get(ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.pass(3 * time.Minute)
	stored, err := f.notices.Get(ctx, c.ID, n.N)
	if err != nil {
		t.Fatal(err)
	}
	if read.State != cases.Closed { // the notice came first: the case waits for it
		if kind != notice.Correction || stored.State != notice.Sent {
			t.Errorf("%s: the case is %s and the notice %s", when, read.State, stored.State)
		}
		return true
	}
	if len(f.sent) != before || stored.State == notice.Approved || stored.State == notice.Sent {
		t.Errorf("%s: %d left after the end, the notice is %s", when, len(f.sent)-before, stored.State)
	}
	if void := stored.State == notice.Voided; void != strings.Contains(f.events(record.Breach), "notice_changed") || void != (f.told(fmt.Sprintf("notice %d was stopped", n.N)) > 0) {
		t.Errorf("%s: %s\n%s\n%s", when, stored.State, f.events(record.Breach), f.subjects(c.Number))
	}
	return true
}

// endCase has two decide that it was no breach, or, after a notice arrived, one close it where nothing is left; a refusal is for the
// caller to find.
func (f *firm) endCase(id string, kind notice.Kind) {
	f.t.Helper()
	ctx, now := context.Background(), f.clock.Now()
	if kind == notice.Correction {
		_, _ = f.cases.Do(ctx, id, f.person("vera"), cases.Event{What: cases.Close}, cases.Words{}, now)
		return
	}
	for _, who := range []string{"vera", "dana"} {
		f.do(id, who, cases.Event{What: cases.Answer, Subject: cases.Breach}, "a test file")
	}
}

// TestNextWayWhileClosing: what goes by a next way at the very moment its case ends does not leave either: somebody has to call.
func TestNextWayWhileClosing(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "ost")
	f.reply = func(message.Message) message.Outcome { return message.Failed }
	n := f.approve(f.write(c.ID, "vera"), "dana")
	config, ended := f.config, false
	config.Case = func(ctx context.Context, id string) (notice.About, error) {
		about, err := f.config.Case(ctx, id)
		if !ended {
			ended = true
			f.endCase(c.ID, notice.Initial)
		}
		return about, err
	}
	s, err := notice.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.notices = s
	f.pass(time.Minute)
	if got := f.progress(n); got != "ost webhook lost" || !ended {
		t.Error(got)
	}
}
