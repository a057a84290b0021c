package request

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
)

// answered is a request whose first receipt is made, with every search over.
func (w *world) answered(address string) Request {
	w.T.Helper()
	ctx := w.T.Context()
	r := w.proved(address)
	w.planned(r.ID, plan())
	w.ran(r.ID, 5, 1, Outcome{})
	w.must(w.Receipted(ctx, r.ID, 1, w.now()))
	return w.read(r.ID)
}

// searched lets all searches be made that are left.
func (w *world) searched(r Request) {
	w.T.Helper()
	for i, after := range Passes()[1:] {
		w.must(w.Clock.Set(r.Ran.Add(after)))
		_, err := w.Verified(w.T.Context(), r.ID, w.read(r.ID).Round, i+2, Outcome{}, w.now())
		w.must(err)
	}
}

// TestParties: a receipt that was made before all third parties had answered is amended once the last of them has, and the
// person is told when that is made; until then nothing is closed.
func TestParties(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.answered("mia@customer.example")
	for range 3 {
		w.must(w.Parties(ctx, r.ID, true, false, w.now()))
	}
	before := w.published(TopicPlan, r.ID)
	w.must(w.Clock.Set(w.now().Add(time.Hour)))
	w.must(w.Tick(ctx, w.now()))
	if w.published(TopicPlan, r.ID) <= before {
		t.Error("nobody looks whether they have answered")
	}
	w.searched(r)
	if got := w.read(r.ID); !got.Closed.IsZero() || got.State != Completed {
		t.Fatalf("closed while one has not answered, %s", got.State)
	}
	for range 2 {
		w.must(w.Parties(ctx, r.ID, false, true, w.now())) // the second finds the receipt owed, and not made yet
	}
	work, err := w.Work(ctx, r.ID, w.now())
	if err != nil || work.Owed != 2 || work.Made != 1 || len(w.letters(r.ID, letter.Amended)) != 0 {
		t.Fatalf("owed %d after %d, %d letters, %v", work.Owed, work.Made, len(w.letters(r.ID, letter.Amended)), err)
	}
	w.must(w.Parties(ctx, r.ID, false, false, w.now())) // with the one that is being made
	for range 2 {
		w.must(w.Receipted(ctx, r.ID, 2, w.now()))
	}
	told := w.letters(r.ID, letter.Amended)
	if len(told) != 1 || !strings.Contains(told[0].To, "mia@") {
		t.Errorf("told by %d letters", len(told))
	}
	if got := w.read(r.ID); got.Closed.IsZero() || got.Private != nil || w.of("parties") != 1 {
		t.Errorf("closed %v, %d records", !got.Closed.IsZero(), w.of("parties"))
	}
}

// TestNobodyAnswers: a request does not stay open for ever for what third parties never say.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.answered("mia@customer.example")
	w.must(w.Parties(ctx, r.ID, true, false, w.now()))
	w.searched(r)
	w.must(w.Clock.Set(r.Ran.Add(Patience - time.Minute)))
	w.must(w.Tick(ctx, w.now()))
	if got := w.read(r.ID); !got.Closed.IsZero() {
		t.Fatal("closed too early")
	}
	w.must(w.Clock.Set(r.Ran.Add(Patience + time.Hour)))
	w.must(w.Tick(ctx, w.now()))
	if got := w.read(r.ID); got.Closed.IsZero() || got.Private != nil {
		t.Error("kept open for ever")
	}
	w.must(w.Parties(ctx, r.ID, false, true, w.now()))
	if work, err := w.Work(ctx, r.ID, w.now()); err != nil || work.Owed != 0 {
		t.Errorf("a closed request owes %d, %v", work.Owed, err)
	}
}
