package request

import (
	"slices"
	"testing"
	"time"
)

// What lies in another region somebody says was done there, by an id that names nobody; it stands under who said so, and goes
// when the entry is searched here after all.
func TestDoneElsewhere(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, Plan{Digest: "d", Items: 5, Own: true})
	open := []Open{{Entry: "sessions", Why: Region}, {Entry: "notes", Why: Letters}}
	w.erased(r.ID, Outcome{Open: open})
	before := w.wantState(r.ID, Partial, Left)
	done := func(who, entry, reference string) string {
		_, err := w.DoneElsewhere(ctx, r.ID, w.person(who), entry, reference, w.now())
		return code(err)
	}
	for _, wrong := range []struct{ who, entry, reference, want string }{
		{"dan", "sessions", "", "reference_invalid"}, {"dan", "sessions", "two words", "reference_invalid"}, {"dan", "sessions", "mia@customer.example", "reference_invalid"},
		{"dan", "notes", "r-1", "review_unknown"}, {"dan", "nothing", "r-1", "review_unknown"}, {"ada", "sessions", "r-1", "role_missing"},
	} {
		if got := done(wrong.who, wrong.entry, wrong.reference); got != wrong.want {
			t.Errorf("%+v: %q", wrong, got)
		}
	}
	if _, err := w.Judged(ctx, r.ID, w.person("dan"), "sessions", Region, 0, w.now()); code(err) != "review_unknown" {
		t.Errorf("without a reference: %v", err)
	}
	if w.read(r.ID).Rev != before.Rev {
		t.Error("a refusal changed something")
	}
	for _, reference := range []string{"r-typo", "receipt-77", "receipt-77"} {
		if got := done("dan", "sessions", reference); got != "" {
			t.Errorf("%s: %s", reference, got)
		}
	}
	if w.of("reviewed") != 2 || w.Order[len(w.Order)-1].Facts["reference"] != "receipt-77" {
		t.Errorf("%d records, the last of %v", w.of("reviewed"), w.Order[len(w.Order)-1].Facts)
	}
	_, err := w.Judged(ctx, r.ID, w.person("dora"), "notes", Letters, 0, w.now())
	w.must(err)
	work, err := w.Work(ctx, r.ID, w.now())
	w.must(err)
	got, err := w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{Settled: open}, w.now())
	w.must(err)
	if got.State != Completed {
		t.Fatalf("%s, %+v", got.State, got.Outcome.Open)
	}
	work, err = w.Work(ctx, r.ID, w.now())
	w.must(err)
	want := []Answer{{"notes", Letters, "dora", w.now(), ""}, {"sessions", Region, "dan", w.now(), "receipt-77"}}
	if !slices.Equal(work.Answers, want) {
		t.Errorf("%+v", work.Answers)
	}
	w.to(time.Hour) // the map has it here by then
	_, err = w.Verified(ctx, r.ID, got.Round, got.Passed+1, Outcome{Settled: open[1:]}, w.now())
	w.must(err)
	if got := w.read(r.ID).Said(); !slices.Equal(got, want[:1]) {
		t.Errorf("%+v", got)
	}
}

// Nobody who entered a request, nor somebody it is about, says that it was done elsewhere.
func TestDoneElsewhereApart(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("sam@firm.example")
	w.planned(r.ID, Plan{Digest: "d", Items: 5, Own: true})
	w.erased(r.ID, Outcome{Open: []Open{{Entry: "sessions", Why: Region}}})
	if _, err := w.DoneElsewhere(ctx, r.ID, w.person("sam"), "sessions", "receipt-77", w.now()); code(err) != "own_matter" {
		t.Errorf("about herself: %v", err)
	}
}
