package notice_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
)

// TestTwice: a notice that is written again after one was stopped on its way goes to those alone who do not have that one,
// unless they are named.
func TestTwice(t *testing.T) {
	t.Parallel()
	for _, kind := range []notice.Kind{notice.Initial, notice.Update} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f, ctx := newFirm(t), context.Background()
			ids := f.many(103)
			c := f.decided(false, ids...)
			f.reply = func(m message.Message) message.Outcome {
				switch m.To {
				case "dpo@t0000.example":
					return message.Failed
				case "dpo@t0001.example":
					return message.Deferred
				case "dpo@t0002.example":
					return message.Unknown
				}
				return message.Accepted
			}
			write := func(tenants ...string) (notice.Notice, error) {
				return f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(kind), tenants, f.clock.Now())
			}
			n, err := write()
			if err != nil {
				t.Fatal(err)
			}
			if n = f.approve(n, "dana"); n.Next != 100 || n.State != notice.Approved {
				t.Fatalf("%+v", n)
			}
			f.do(c.ID, "vera", cases.Event{What: cases.Promise, Name: notice.NextUpdate, At: f.clock.Now().Add(time.Hour)}, "")
			f.pass(time.Minute)
			want := []string{"t0000", "t0100", "t0101", "t0102"} // one could not be reached, three were never tried
			if chosen, err := f.notices.Choice(ctx, c.ID, kind); err != nil || !slices.Equal(chosen, want) {
				t.Errorf("%v, %v", chosen, err)
			}
			again, err := write()
			if err != nil || again.To != 4 {
				t.Fatalf("to %d, %v", again.To, err)
			}
			if o, err := f.notices.Get(ctx, c.ID, again.N); err != nil || !slices.Equal(o.Tenants, want) {
				t.Errorf("%v, %v", o.Tenants, err)
			}
			f.approve(again, "dana")
			f.tick()
			if got := f.sentTo("dpo@t0050.example"); got != 1 {
				t.Errorf("%d messages to one who was told", got)
			}
			if named, err := write("t0050"); err != nil || named.To != 1 {
				t.Errorf("who is named hears it again: to %d, %v", named.To, err)
			}
		})
	}
}

func (f *firm) sentTo(address string) (n int) {
	for _, m := range f.sent {
		if m.To == address {
			n++
		}
	}
	return n
}

// TestOnce: everybody is told once that there is a breach, and of news as often as there are some.
func TestOnce(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "sud", "ost")
	for _, kind := range []notice.Kind{notice.Initial, notice.Update, notice.Update} {
		n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(kind), nil, f.clock.Now())
		if err != nil || n.To != 2 {
			t.Fatalf("%s to %d, %v", kind, n.To, err)
		}
		f.approve(n, "dana")
		f.tick()
	}
	if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Initial), nil, f.clock.Now()); code(err) != "subject_invalid" {
		t.Errorf("a second first notice: %v", err)
	}
}

// TestPersonsNo: what two people decided not to tell persons nobody approves, not even in need.
func TestPersonsNo(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	d := cases.Declaration{Client: "own", Breach: true, Summary: "files were read", Tracks: []cases.Track{{ID: cases.Own, Role: cases.Controller, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Unknown}}}}
	c, _, err := f.cases.Declare(ctx, f.person("emma"), d, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Persons), nil, f.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Persons}, "no high risk")
	}
	if _, err := f.notices.Approve(ctx, f.person("dana"), c.ID, n.N, n.Hash, f.clock.Now()); code(err) != "state_conflict" {
		t.Errorf("approved: %v", err)
	}
	if _, err := f.notices.Break(ctx, f.person("otto"), c.ID, n.N, n.Hash, "night", f.clock.Now()); code(err) != "state_conflict" {
		t.Errorf("approved alone: %v", err)
	}
	for _, who := range []string{"vera", "dana"} {
		f.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Persons, Yes: true}, "")
	}
	if n = f.approve(n, "dana"); n.State != notice.Approved {
		t.Errorf("%+v", n)
	}
}
