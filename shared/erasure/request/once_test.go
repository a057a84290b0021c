package request

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
)

// ran carries out and searches once, with so much erased over all runs.
func (w *world) ran(id string, erased int64, search int, o Outcome) Request {
	w.T.Helper()
	ctx := w.T.Context()
	r := w.read(id)
	_, err := w.Started(ctx, id, r.Round, r.Plan.Digest, w.now())
	w.must(err)
	_, err = w.Executed(ctx, id, r.Round, Totals{Erased: erased}, w.now())
	w.must(err)
	r, err = w.Verified(ctx, id, r.Round, search, o, w.now())
	w.must(err)
	return r
}

// The first run stays the first, whatever is planned again: what was made after it may be somebody else's. Searches and
// backups count from the last run that erased something.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	day := calendar.Day{Year: 2026, Month: 6, Day: 30}
	w.planned(r.ID, plan())
	w.ran(r.ID, 5, 1, Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: day}}})
	first := w.now()
	w.must(w.Clock.Set(day.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	w.wantState(r.ID, Planning, "")
	w.planned(r.ID, plan())
	w.ran(r.ID, 7, 1, Outcome{})
	second := w.now()
	work, err := w.Work(ctx, r.ID, w.now())
	w.must(err)
	if !work.Executed.Equal(first) || !work.Ran.Equal(second) || !w.read(r.ID).Pass.Equal(second.Add(time.Hour)) {
		t.Errorf("first run %s, last %s, next search %s", work.Executed, work.Ran, w.read(r.ID).Pass)
	}
	// Late data moves the last run, a run that erased nothing does not.
	for i, erased := range []int64{8, 8} {
		w.must(w.Clock.Set(second.Add(time.Hour + time.Duration(i)*time.Minute)))
		_, err = w.Verified(ctx, r.ID, w.read(r.ID).Round, w.read(r.ID).Passed+1, Outcome{Left: 1}, w.now())
		w.must(err)
		got := w.read(r.ID)
		_, err = w.Started(ctx, r.ID, got.Round, got.Plan.Digest, w.now())
		w.must(err)
		_, err = w.Executed(ctx, r.ID, got.Round, Totals{Erased: erased}, w.now())
		w.must(err)
		if got := w.read(r.ID); !got.Executed.Equal(first) || !got.Ran.Equal(second.Add(time.Hour)) {
			t.Errorf("first run %s, last %s", got.Executed, got.Ran)
		}
	}
}

// What was begun nobody takes back or refuses, however often it is planned again.
func TestBegun(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	_, err := w.Started(ctx, r.ID, 1, "sha256:aa", w.now())
	w.must(err)
	_, err = w.Drifted(ctx, r.ID, 1, true, w.now())
	w.must(err)
	w.wantState(r.ID, Planning, "")
	if _, err := w.Cancel(ctx, r.Number, w.code(r.ID), w.now()); code(err) != "too_late" {
		t.Errorf("taken back: %v", err)
	}
	for _, who := range []string{"dan", "dora"} {
		if _, err := w.Reject(ctx, r.ID, w.person(who), NotOwed, "", w.now()); code(err) != "too_late" {
			t.Errorf("refused: %v", err)
		}
	}
}

// Retention opens the request again when the first item may go, not when the last one may; an end that the store does not
// keep is asked for once a day, not at once for ever.
func TestEarliestEnd(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	first, last := calendar.Day{Year: 2027, Month: 12, Day: 31}, calendar.Day{Year: 2034, Month: 12, Day: 31}
	kept := Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", First: first, Until: last}}}
	w.ran(r.ID, 5, 1, kept)
	w.must(w.Clock.Set(first.End(w.Rules.Zone).Add(-time.Second)))
	w.must(w.Tick(ctx, w.now()))
	w.wantState(r.ID, Retained, "")
	w.must(w.Clock.Set(first.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	w.wantState(r.ID, Planning, "")
	w.planned(r.ID, plan())
	w.ran(r.ID, 5, 1, kept) // it says the same end, which has passed
	for range 3 {
		w.must(w.Tick(ctx, w.now()))
	}
	w.wantState(r.ID, Retained, "")
	w.must(w.Clock.Set(w.now().Add(daily)))
	w.must(w.Tick(ctx, w.now()))
	w.wantState(r.ID, Planning, "")
}

// A hold that ends while the search is under way: what it kept is planned for, and not closed over.
func TestHoldEndsInSearch(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	until := calendar.Day{Year: 2026, Month: 3, Day: 10}
	for _, who := range []string{"dan", "dora"} {
		_, err := w.Hold(ctx, r.ID, w.person(who), Hold{Entry: "invoices", Ground: LegalClaims, Until: until}, w.now())
		w.must(err)
	}
	w.planned(r.ID, plan())
	w.must(w.Clock.Set(until.End(w.Rules.Zone).Add(-time.Minute)))
	round := w.read(r.ID).Round
	_, err := w.Started(ctx, r.ID, round, "sha256:aa", w.now())
	w.must(err)
	_, err = w.Executed(ctx, r.ID, round, Totals{Erased: 5}, w.now())
	w.must(err)
	w.wantState(r.ID, Verifying, "")
	w.must(w.Clock.Set(until.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	if _, err := w.Verified(ctx, r.ID, round, 1, Outcome{}, w.now()); code(err) != "request_moved" {
		t.Errorf("a search that left out what was held counts: %v", err)
	}
	w.wantState(r.ID, Planning, "")
	w.planned(r.ID, plan())
	w.ran(r.ID, 7, 1, Outcome{})
	w.wantState(r.ID, Completed, "")
}

// Whatever changes what is to be kept begins a new round, also after the answer.
func TestHoldsMoveTheRound(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	w.ran(r.ID, 5, 1, Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: calendar.Day{Year: 2034, Month: 12, Day: 31}}}})
	before := w.wantState(r.ID, Retained, "").Round
	if round, err := w.Current(ctx, r.ID); err != nil || round != before {
		t.Errorf("%d, %v", round, err)
	}
	for _, who := range []string{"dan", "dora"} {
		_, err := w.Hold(ctx, r.ID, w.person(who), Hold{Entry: "invoices", Fields: []string{"total"}, Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 12, Day: 31}}, w.now())
		w.must(err)
	}
	if round, err := w.Current(ctx, r.ID); err != nil || round != before+1 {
		t.Errorf("%d, %v", round, err)
	}
	if _, err := w.Verified(ctx, r.ID, before, 2, Outcome{Left: 2}, w.now()); code(err) != "request_moved" {
		t.Errorf("a search without the hold would erase what is held: %v", err)
	}
	// She was told one reason, and is told the other.
	if told := w.letters(r.ID, letter.Retained); len(told) != 2 || !strings.Contains(told[0].Text+told[1].Text, "- invoices (total) : ") {
		t.Errorf("%+v", told)
	}
	work, err := w.Work(ctx, r.ID, w.now())
	if err != nil || len(work.Holds) != 1 || len(work.Holds[0].Fields) != 1 || !work.Global {
		t.Errorf("%+v, %v", work, err)
	}
	if _, err := w.Current(ctx, "aaaaaaaaaaaa"); code(err) != "request_unknown" {
		t.Errorf("%v", err)
	}
}

// Each of the daily searches is one of its own: the engine does not answer it from memory.
func TestDailyRounds(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	w.ran(r.ID, 5, 1, Outcome{})
	at := w.now()
	open := Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}}}
	for i, after := range Passes()[1:] {
		w.must(w.Clock.Set(at.Add(after)))
		_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, i+2, open, w.now())
		w.must(err)
	}
	seen := map[int]bool{}
	for range 4 {
		w.must(w.Clock.Set(w.now().Add(daily)))
		w.must(w.Tick(ctx, w.now()))
		work, err := w.Work(ctx, r.ID, w.now())
		w.must(err)
		if work.Search != len(Passes()) || seen[work.Round] {
			t.Errorf("search %d of round %d, again", work.Search, work.Round)
		}
		seen[work.Round] = true
		for i := range 2 { // delivered twice
			if _, err := w.Verified(ctx, r.ID, work.Round, work.Search, open, w.now()); (code(err) == "request_moved") != (i == 1) {
				t.Errorf("%v", err)
			}
		}
	}
}

// What was ours is erased, and what remains is the tenant's: that is no reason to pass the whole request on.
func TestNotForwardedAfterwards(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	day := calendar.Day{Year: 2026, Month: 6, Day: 30}
	w.planned(r.ID, plan())
	w.ran(r.ID, 5, 1, Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: day}}})
	w.must(w.Clock.Set(day.End(w.Rules.Zone)))
	w.must(w.Tick(ctx, w.now()))
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	got := w.wantState(r.ID, Approved, "")
	if len(got.Linked) != 1 || len(w.letters(got.Linked[0], letter.Instruct)) != 1 {
		t.Errorf("%+v", got)
	}
	// Split before, it is not passed on a second time.
	r = w.proved("leo@customer.example")
	p := plan()
	p.Theirs = true
	w.planned(r.ID, p)
	_, err := w.Drifted(ctx, r.ID, 1, true, w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	w.wantState(r.ID, AwaitingApproval, "")
}
