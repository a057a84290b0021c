package request

import (
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/message"
)

// A receipt is owed with each end that is new, or that follows an erasing; it is asked for until it is made, and nothing is
// closed before. A closed request asks until nothing is kept of it.
func TestOwed(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	owed := func(want int, forget bool) {
		t.Helper()
		work, err := w.Work(ctx, r.ID, w.now())
		if err != nil || work.Owed != want || work.Forget != forget {
			t.Errorf("owed %d, to be forgotten %v, %v; want %d, %v", work.Owed, work.Forget, err, want, forget)
		}
	}
	asks := func(want bool) {
		t.Helper()
		before := w.published(TopicPlan, r.ID)
		w.must(w.Clock.Set(w.now().Add(Idle)))
		w.must(w.Tick(ctx, w.now()))
		if got := w.published(TopicPlan, r.ID) > before; got != want {
			t.Errorf("asked %v; want %v", got, want)
		}
	}
	day := calendar.Day{Year: 2026, Month: 6, Day: 30}
	w.planned(r.ID, plan())
	owed(0, false)
	before := w.published(TopicPlan, r.ID)
	kept := Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: day}}}
	w.ran(r.ID, 5, 1, kept)
	if w.published(TopicPlan, r.ID) < before+2 { // the search, the receipt
		t.Error("nobody was asked for the receipt")
	}
	owed(1, false)
	asks(true)
	asks(true)
	w.must(w.Receipted(ctx, r.ID, 2, w.now())) // nobody owes that one
	owed(1, false)
	for range 2 {
		w.must(w.Receipted(ctx, r.ID, 1, w.now()))
	}
	owed(0, false)
	asks(false)
	// A search that finds nothing new changes no receipt; late data that is erased does.
	w.to(time.Hour)
	_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, 2, kept, w.now())
	w.must(err)
	owed(0, false)
	w.to(24 * time.Hour)
	_, err = w.Verified(ctx, r.ID, w.read(r.ID).Round, 3, Outcome{Left: 1}, w.now())
	w.must(err)
	owed(0, false)          // not while it is worked on
	w.ran(r.ID, 6, 1, kept) // the searches start again
	owed(2, false)
	// Two that are owed are made one after the other.
	w.must(w.Clock.Set(day.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	w.planned(r.ID, plan())
	owed(0, false)
	at := w.now()
	w.ran(r.ID, 8, 1, Outcome{})
	owed(2, false)
	for i, after := range Passes()[1:] {
		w.must(w.Clock.Set(at.Add(after)))
		_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, i+2, Outcome{}, w.now())
		w.must(err)
	}
	w.must(w.Receipted(ctx, r.ID, 2, w.now()))
	owed(3, false)
	if got := w.read(r.ID); !got.Closed.IsZero() || got.Private == nil {
		t.Error("closed before the last receipt was made")
	}
	w.must(w.Receipted(ctx, r.ID, 3, w.now()))
	if got := w.read(r.ID); got.Closed.IsZero() || got.Private != nil {
		t.Error("not closed")
	}
	owed(0, true)
	asks(true)
	if round, err := w.Current(ctx, r.ID); err != nil || round != 0 {
		t.Errorf("%d, %v", round, err)
	}
	for range 2 {
		w.must(w.Forgotten(ctx, r.ID, w.now()))
	}
	owed(0, false)
	asks(false)
	if w.of("receipted") != 3 {
		t.Errorf("%d receipts", w.of("receipted"))
	}
}

// Whatever way a request ends that the engine has worked on, the engine forgets it.
func TestForgetsEveryEnd(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	cancelled, rejected, forwarded, unproved := w.proved("a@customer.example"), w.proved("b@customer.example"), w.proved("c@customer.example"), w.ask("d@customer.example")
	_, err := w.Cancel(ctx, cancelled.Number, w.code(cancelled.ID), w.now())
	w.must(err)
	for _, who := range []string{"dan", "dora"} {
		_, err := w.Reject(ctx, rejected.ID, w.person(who), NotOwed, "", w.now())
		w.must(err)
	}
	w.planned(forwarded.ID, Plan{Digest: "d", Theirs: true})
	w.arrives(forwarded.ID, message.StateAccepted)
	_, err = w.GiveUp(ctx, unproved.ID, w.person("dan"), w.now())
	w.must(err)
	for _, c := range []struct {
		id   string
		want bool
	}{{cancelled.ID, true}, {rejected.ID, true}, {forwarded.ID, true}, {unproved.ID, false}} {
		if got := w.read(c.id); got.Forget != c.want || (got.Next != 0) != c.want {
			t.Errorf("%s: %v", got.State, got.Forget)
		}
	}
}
