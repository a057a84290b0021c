package notice_test

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
)

// TestOverdue: once a tenant's time is over, or nearly, a channel that does not answer is waited for a quarter of an hour,
// and not a day; the last one is tried as long as it takes.
func TestOverdue(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"over": 49 * time.Hour, "nearly over": 47*time.Hour + 10*time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFirm(t)
			f.reply = func(m message.Message) message.Outcome {
				if m.Channel == notice.Webhook {
					return message.Deferred
				}
				return message.Accepted
			}
			c := f.decided(false, "ost")
			if err := f.clock.Set(f.clock.Now().Add(late)); err != nil {
				t.Fatal(err)
			}
			n := f.approve(f.write(c.ID, "vera"), "dana")
			f.tick()
			for range 16 {
				f.pass(time.Minute)
			}
			if got := f.progress(n); got != "ost mail arrived" {
				t.Errorf("after a quarter of an hour: %s", got)
			}
		})
	}
}

// TestOverdueLast: the last channel of somebody who is told late has no end before that of the function that sends.
func TestOverdueLast(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	c := f.decided(false, "nord")
	if err := f.clock.Set(f.clock.Now().Add(23*time.Hour + 30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	f.reply = func(message.Message) message.Outcome { return message.Deferred }
	n := f.approve(f.write(c.ID, "vera"), "dana")
	f.tick()
	for range 20 {
		f.pass(time.Hour)
	}
	if got := f.progress(n); got != "nord mail going, nord mail going" {
		t.Fatal(got)
	}
	f.reply = func(message.Message) message.Outcome { return message.Accepted }
	f.pass(2 * time.Hour)
	if got := f.progress(n); got != "nord mail arrived, nord mail arrived" {
		t.Error(got)
	}
	if all, err := f.notices.Deliveries(context.Background(), c.ID, 1, nil, 10); err != nil || all[0].Tries[0].Channel != notice.SMS || all[0].Tries[0].At.Sub(all[0].Handed) > 2*time.Hour {
		t.Errorf("%+v, %v", all, err)
	}
}
