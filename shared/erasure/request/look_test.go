package request

import (
	"testing"
	"time"
)

// TestLookBy: what only a person can judge has a last day of its own, inside the legal one; people are told before it, when it has
// passed and again until somebody has looked.
func TestLookBy(t *testing.T) {
	t.Parallel()
	const day, words = 24 * time.Hour, "jemand muss nachsehen"
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, Plan{Digest: "d", Items: 5, Review: 2, Look: []Look{{Entry: "notes", Items: 2, Set: "aa"}}, Own: true})
	got := w.read(r.ID)
	if got.LookBy.String() != "2026-03-12" { // ten days
		t.Fatalf("to be looked at by %s, %s", got.LookBy, got.Deadline.Conservative)
	}
	for _, c := range []struct {
		after time.Duration
		told  int
	}{{7 * day, 0}, {8 * day, 1}, {9 * day, 1}, {11 * day, 2}, {12 * day, 2}, {13 * day, 3}} {
		w.to(c.after)
		w.must(w.Tick(ctx, w.now()))
		if n := w.staffed(words); n != c.told {
			t.Errorf("after %s people were told %d times, want %d", c.after, n, c.told)
		}
	}
	_, err := w.Reviewed(ctx, r.ID, w.person("dan"), "notes", 2, w.now())
	w.must(err)
	if got := w.read(r.ID); !got.LookBy.IsZero() || !got.LookTold.IsZero() {
		t.Errorf("looked at, it is still to be looked at by %s", got.LookBy)
	}
	w.to(20 * day)
	w.must(w.Tick(ctx, w.now()))
	if n := w.staffed(words); n != 3 {
		t.Errorf("people were told %d times", n)
	}
	late := w.proved("leo@customer.example")
	w.to(20*day + 25*day)
	w.must(w.Tick(ctx, w.now()))
	w.planned(late.ID, Plan{Digest: "d", Items: 5, Review: 2, Look: []Look{{Entry: "notes", Items: 2, Set: "aa"}}, Own: true})
	if got := w.read(late.ID); !got.LookBy.Before(got.Deadline.Conservative) {
		t.Errorf("to be looked at by %s, answered by %s", got.LookBy, got.Deadline.Conservative)
	}
}
