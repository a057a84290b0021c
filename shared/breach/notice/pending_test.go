package notice_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
)

// TestPending: what was approved alone waits for a second look, what may not have arrived for somebody who asks, what is on its
// way for an answer, and a correction for a second person. What changes meanwhile is noticed.
func TestPending(t *testing.T) {
	t.Parallel()
	f, ctx := newFirm(t), context.Background()
	c := f.decided(false, "sud")
	waits := func() (all []cases.Unfinished, unchanged func() bool) {
		t.Helper()
		pending, same, err := f.notices.Pending(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pending {
			all = append(all, p.What)
		}
		return all, func() (still bool) {
			if err := f.raw.Tx(ctx, func(tx store.Tx) (err error) { still, err = same(tx); return err }); err != nil {
				t.Fatal(err)
			}
			return still
		}
	}
	want := func(still string, want ...cases.Unfinished) {
		t.Helper()
		if got, _ := waits(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", still, got, want)
		}
	}
	_, none := waits()
	f.reply = func(message.Message) message.Outcome { return message.Unknown }
	n := f.write(c.ID, "vera")
	if none() {
		t.Error("a notice that came meanwhile is not noticed")
	}
	_, drafted := waits()
	want("a first notice is written")
	if _, err := f.notices.Break(ctx, f.person("vera"), c.ID, n.N, n.Hash, "Nobody answers.", f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if drafted() {
		t.Error("a notice that was approved meanwhile is not noticed")
	}
	want("it is sent", cases.Unreviewed, cases.OnItsWay)
	f.pass(time.Minute)
	want("nobody knows whether it arrived", cases.Unreviewed, cases.InDoubt)
	if _, err := f.notices.Review(ctx, f.person("dana"), c.ID, n.N, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	all, err := f.notices.Outcomes(ctx, c.ID, n.N, nil, 10)
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	if _, err := f.notices.Settle(ctx, f.person("dana"), c.ID, n.N, all[0].ID, notice.Found{Arrived: true}, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.pass(time.Minute)
	want("it arrived")
	if _, err := f.notices.Write(ctx, f.person("vera"), c.ID, 0, draft(notice.Correction), []string{"sud"}, f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	want("a correction is written", cases.Uncorrected)
	if _, still := waits(); !still() {
		t.Error("nothing changed, and it is taken for a change")
	}
}
