package request

import (
	"slices"
	"testing"
	"time"
)

// What only people can judge is settled by a person, as much as was counted and no more; a search says whether that was all.
func TestReviewed(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	reviewed := func(who, entry string, items int64) string {
		_, err := w.Reviewed(ctx, r.ID, w.person(who), entry, items, w.now())
		return code(err)
	}
	w.planned(r.ID, Plan{Digest: "d", Items: 5, Review: 2, Look: []Look{{Entry: "notes", Items: 2}}, Own: true})
	if got := reviewed("dan", "notes", 3); got != "review_unknown" {
		t.Errorf("more than was counted: %s", got)
	}
	_, err := w.Approve(ctx, r.ID, w.person("dan"), "d", w.now())
	w.must(err)
	open := []Open{{Entry: "notes", Why: review, Items: 2}, {Entry: "files", Why: review, Items: 4}, {Entry: "archive", Why: unasked}}
	w.erased(r.ID, Outcome{Open: open})
	w.wantState(r.ID, Partial, Left)
	w.to(8 * 24 * time.Hour) // the next search of the plan is weeks away
	for i := range Passes()[1:4] {
		_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, i+2, Outcome{Open: open}, w.now())
		w.must(err)
	}
	last := w.wantState(r.ID, Partial, Left)
	for entry, items := range map[string]int64{"files": 5, "notes": 0, "nothing": 1} {
		if got := reviewed("dan", entry, items); got != "review_unknown" {
			t.Errorf("%d of %s: %s", items, entry, got)
		}
	}
	if got := reviewed("ada", "notes", 2); got != "role_missing" {
		t.Error(got)
	}
	called := w.published(TopicPlan, r.ID)
	for _, step := range []Look{{Entry: "notes", Items: 2}, {Entry: "files", Items: 3}, {Entry: "archive"}, {Entry: "archive"}} {
		if got := reviewed("dan", step.Entry, step.Items); got != "" {
			t.Errorf("%+v: %s", step, got)
		}
	}
	if w.published(TopicPlan, r.ID) != called || w.of("reviewed") != 3 {
		t.Errorf("searched although something is left to look at, or recorded %d times", w.of("reviewed"))
	}
	if got := reviewed("dora", "files", 4); got != "" || w.published(TopicPlan, r.ID) != called+1 {
		t.Errorf("%s, called %d times", got, w.published(TopicPlan, r.ID)-called)
	}
	work, err := w.Work(ctx, r.ID, w.now())
	w.must(err)
	if work.Search != 5 || work.Round == last.Round || work.Reviewed["files"] != 4 || work.Reviewed["notes"] != 2 {
		t.Fatalf("%+v", work)
	}
	got, err := w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{Open: open}, w.now())
	w.must(err)
	if got.State != Completed || got.Passed != 4 || !got.Pass.Equal(got.Ran.Add(Passes()[4])) || !got.Closed.IsZero() {
		t.Errorf("%+v", got)
	}
	if _, err := w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{Open: open}, w.now()); code(err) != "request_moved" {
		t.Errorf("the search that came between counts for the last one: %v", err)
	}
	// The last search finds one more: it is open again, and all of it.
	w.to(31 * 24 * time.Hour)
	open[1].Items = 5
	_, err = w.Verified(ctx, r.ID, got.Round, 5, Outcome{Open: open}, w.now())
	w.must(err)
	if got := w.wantState(r.ID, Partial, Left); !slices.Equal(got.Outcome.Open, open[1:2]) {
		t.Errorf("%+v", got.Outcome.Open)
	}
}

// What was looked at before is no doubt about the next plan.
func TestReviewedBefore(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	p := Plan{Digest: "d", Items: 5, Review: 2, Look: []Look{{Entry: "notes", Items: 2}}, Own: true}
	w.planned(r.ID, p)
	_, err := w.Reviewed(ctx, r.ID, w.person("dan"), "notes", 2, w.now())
	w.must(err)
	_, err = w.Approve(ctx, r.ID, w.person("dan"), "d", w.now())
	w.must(err)
	_, err = w.Started(ctx, r.ID, 1, "d", w.now())
	w.must(err)
	w.replanned(r.ID)
	w.planned(r.ID, p)
	if got := w.read(r.ID); slices.Contains(got.Doubts, ReviewNeeded) {
		t.Errorf("%v", got.Doubts)
	}
	w.replanned(r.ID)
	p.Review, p.Look[0].Items = 3, 3
	w.planned(r.ID, p)
	if got := w.read(r.ID); !slices.Contains(got.Doubts, ReviewNeeded) {
		t.Errorf("%v", got.Doubts)
	}
}

// replanned has a request planned again, from wherever it stands.
func (w *world) replanned(id string) {
	w.T.Helper()
	r := w.read(id)
	if r.State == AwaitingApproval {
		_, err := w.Approve(w.T.Context(), id, w.person("dan"), r.Plan.Digest, w.now())
		w.must(err)
	}
	_, err := w.Drifted(w.T.Context(), id, r.Round, true, w.now())
	w.must(err)
}

// What no search can tell a person answers, for each question by itself: about letters, and about so many anonymous items.
// More of them are a new question.
func TestJudged(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, Plan{Digest: "d", Items: 5, Own: true})
	open := []Open{{Entry: "notes", Why: Letters}, {Entry: "usage", Why: Group, Items: 7}, {Entry: "usage", Why: review, Items: 1}}
	w.erased(r.ID, Outcome{Open: open})
	w.wantState(r.ID, Partial, Left)
	answered := func(entry, why string, items int64) string {
		_, err := w.Judged(ctx, r.ID, w.person("dan"), entry, why, items, w.now())
		return code(err)
	}
	for _, wrong := range []Look{{Entry: "notes", Why: Group}, {Entry: "usage", Why: Letters}, {Entry: "usage", Items: 8, Why: Group}, {Entry: "notes"}, {Entry: "notes", Why: "unreachable"}, {Entry: "usage", Items: -1, Why: Group}} {
		if got := answered(wrong.Entry, wrong.Why, wrong.Items); got != "review_unknown" {
			t.Errorf("%+v: %s", wrong, got)
		}
	}
	called := w.published(TopicPlan, r.ID)
	for _, right := range []Look{{Entry: "notes", Why: Letters}, {Entry: "usage", Items: 7, Why: Group}} {
		if got := answered(right.Entry, right.Why, right.Items); got != "" {
			t.Errorf("%+v: %s", right, got)
		}
	}
	if w.published(TopicPlan, r.ID) != called {
		t.Error("searched although an item is still to be looked at")
	}
	_, err := w.Reviewed(ctx, r.ID, w.person("dan"), "usage", 1, w.now())
	w.must(err)
	work, err := w.Work(ctx, r.ID, w.now())
	w.must(err)
	if w.published(TopicPlan, r.ID) != called+1 || work.Search == 0 {
		t.Fatalf("called %d times, %+v", w.published(TopicPlan, r.ID)-called, work)
	}
	for i, o := range open {
		if !o.Settled(work.Reviewed) {
			t.Errorf("%d: the engine is not told that %+v is settled by %v", i, o, work.Reviewed)
		}
	}
	open[1].Items = 8
	got, err := w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{Open: open}, w.now())
	w.must(err)
	if got.State != Partial || !slices.Equal(got.Outcome.Open, open[1:2]) {
		t.Errorf("one item more: %s, %+v", got.State, got.Outcome.Open)
	}
}

// Where other items were found than were shown at first, an answer has to say which were looked at: nobody settles what she has not
// seen.
func TestReviewedWhich(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	shown := func(set string) {
		t.Helper()
		w.planned(r.ID, Plan{Digest: "d" + set, Items: 5, Review: 2, Look: []Look{{Entry: "notes", Items: 2, Set: set}, {Entry: "files", Items: 1, Set: "f"}}, Own: true})
		w.wantState(r.ID, AwaitingApproval, "")
	}
	answer := func(l Look) string {
		_, err := w.Looked(ctx, r.ID, w.person("dan"), l, w.now())
		return code(err)
	}
	shown("s1")
	if got := answer(Look{Entry: "files", Items: 1}); got != "" {
		t.Errorf("of the only ones that were shown: %s", got)
	}
	_, err := w.Approve(ctx, r.ID, w.person("dan"), "ds1", w.now())
	w.must(err)
	_, err = w.Drifted(ctx, r.ID, w.read(r.ID).Round, true, w.now())
	w.must(err)
	shown("s2")
	before := w.read(r.ID)
	for _, l := range []Look{{Entry: "notes", Items: 2}, {Entry: "notes", Items: 2, Set: "s1"}} {
		if got := answer(l); got != "review_unknown" {
			t.Errorf("%+v: %q", l, got)
		}
	}
	if w.read(r.ID).Rev != before.Rev {
		t.Error("something is settled")
	}
	if got := answer(Look{Entry: "notes", Items: 2, Set: "s2"}); got != "" {
		t.Errorf("of those that were found last: %s", got)
	}
	if got := answer(Look{Entry: "files", Items: 1}); got != "" {
		t.Errorf("of an entry that is as it was: %s", got)
	}
}
