package request

import (
	"maps"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
)

// closing is a request to close an account that an owner proved by the link to her address, carried out once.
func (w *world) closing(address string, o Outcome) Request {
	w.T.Helper()
	ctx := w.T.Context()
	w.known("acme", address)
	asked, err := w.Ask(ctx, Ask{Tenant: "acme", Email: address, Kind: Account}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, asked.ID, w.now()))
	_, err = w.Confirm(ctx, asked.Number, w.code(asked.ID), w.now())
	w.must(err)
	w.approved(asked.ID, Plan{Digest: "d", Items: 5, Own: true, Owner: true, Last: true})
	w.must(w.Clock.Set(w.read(asked.ID).After))
	return w.erased(asked.ID, o)
}

// approved has a plan made and somebody agree to it.
func (w *world) approved(id string, p Plan) {
	w.T.Helper()
	w.planned(id, p)
	_, err := w.Approve(w.T.Context(), id, w.person("dan"), p.Digest, w.now())
	w.must(err)
}

// What was approved stays so: the first run erases who owns the account, and whatever is planned later knows nobody any more.
func TestOwnerGone(t *testing.T) {
	t.Parallel()
	day := calendar.Day{Year: 2026, Month: 6, Day: 30}
	kept := Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: day}}}
	for name, c := range map[string]struct {
		first Outcome
		again func(w *world, r Request)
	}{
		"its period is over": {kept, func(w *world, _ Request) {
			w.must(w.Clock.Set(day.End(w.Rules.Zone)))
			w.must(w.Tick(w.T.Context(), w.now()))
		}},
		"a store was down": {Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}}}, func(w *world, r Request) {
			_, err := w.Resume(w.T.Context(), r.ID, w.person("dan"), w.now())
			w.must(err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.closing("mia@customer.example", c.first)
			c.again(w, r)
			w.wantState(r.ID, Planning, "")
			letters := len(w.letters(r.ID, letter.Closure))
			w.approved(r.ID, Plan{Digest: "d2", Items: 2, Own: true})
			got := w.wantState(r.ID, Approved, "")
			if got.After.After(w.now()) || len(w.letters(r.ID, letter.Closure)) != letters {
				t.Errorf("it can be kept until %s, which it cannot", got.After)
			}
			w.ran(r.ID, 7, 1, Outcome{})
			w.wantState(r.ID, Completed, "")
		})
	}
}

// Nor is a person stopped half erased who turns out later to be an owner, or the last: that was for the first plan to say.
func TestOwnerLater(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	_, err := w.Started(ctx, r.ID, 1, plan().Digest, w.now())
	w.must(err)
	_, err = w.Drifted(ctx, r.ID, 1, true, w.now())
	w.must(err)
	for i, digest := range []string{"d2", "d3"} {
		w.approved(r.ID, Plan{Digest: digest, Items: 2, Own: true, Owner: true, Last: true})
		w.wantState(r.ID, Approved, "")
		_, err = w.Drifted(ctx, r.ID, i+2, true, w.now())
		w.must(err)
	}
	if len(w.letters(r.ID, letter.Owner)) != 0 {
		t.Error("she was asked what is to become of the account")
	}
}

// A later search that nobody gets over takes the end back: once told to the desk, until a search says otherwise.
func TestHinderedAfterwards(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.answered("mia@customer.example")
	if _, err := w.Hindered(ctx, r.ID, r.Round, Unusable, w.now()); code(err) != "state_conflict" {
		t.Errorf("while no search is due: %v", err)
	}
	w.must(w.Clock.Set(r.Pass))
	for range 3 {
		_, err := w.Hindered(ctx, r.ID, r.Round, Unusable, w.now())
		w.must(err)
		w.must(w.Clock.Set(w.now().Add(daily)))
		w.must(w.Tick(ctx, w.now()))
	}
	w.wantState(r.ID, Partial, Unusable)
	work, err := w.Work(ctx, r.ID, w.now())
	if n := w.staffed("kommt nicht weiter"); err != nil || n != 1 || work.Search != 2 || work.Why != Unusable {
		t.Errorf("%d letters, search %d, %v", n, work.Search, err)
	}
	_, err = w.Verified(ctx, r.ID, r.Round, 2, Outcome{}, w.now())
	w.must(err)
	w.wantState(r.ID, Completed, "")
}

// An end that is taken back: the person is told, there is another receipt, and once it is over again she hears of that too.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.answered("mia@customer.example")
	for i, open := range [][]Open{{{Entry: "chats", Why: "unreachable"}}, {{Entry: "chats", Why: "unreachable"}}, nil} {
		w.must(w.Clock.Set(r.Ran.Add(Passes()[i+1])))
		_, err := w.Verified(ctx, r.ID, r.Round, i+2, Outcome{Open: open}, w.now())
		w.must(err)
		want, ends := 2, 1
		if open == nil {
			want, ends = 3, 2
		}
		work, err := w.Work(ctx, r.ID, w.now())
		w.must(err)
		if i != 1 && work.Owed != want {
			t.Errorf("search %d: receipt %d is owed, not %d", i+2, work.Owed, want)
		}
		w.owed(r.ID)
		if got := w.read(r.ID); got.Made != want || len(w.letters(r.ID, letter.Interim)) != 1 || len(w.letters(r.ID, letter.Completed)) != ends {
			t.Errorf("search %d: %d receipts, told %d times that it is not over, %d that it is", i+2, got.Made, len(w.letters(r.ID, letter.Interim)), len(w.letters(r.ID, letter.Completed)))
		}
	}
	w.wantState(r.ID, Completed, "")
}

// A person's word is about what she saw: when that is gone, it settles nothing that comes later.
func TestReviewedIsGone(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	two := []Open{{Entry: "notes", Why: review, Items: 1}, {Entry: "archive", Why: unasked}, {Entry: "files", Why: review, Items: 3}}
	w.erased(r.ID, Outcome{Open: two})
	for _, l := range []Look{{Entry: "notes", Items: 1}, {Entry: "archive"}, {Entry: "files", Items: 3}} {
		_, err := w.Reviewed(ctx, r.ID, w.person("dan"), l.Entry, l.Items, w.now())
		w.must(err)
	}
	search := func(o Outcome, want State) Request {
		t.Helper()
		work, err := w.Work(ctx, r.ID, w.now())
		w.must(err)
		if work.Search == 0 {
			t.Fatal("no search is due")
		}
		got, err := w.Verified(ctx, r.ID, work.Round, work.Search, o, w.now())
		w.must(err)
		if got.State != want || len(got.Outcome.Settled) > 0 {
			t.Errorf("%s, %+v", got.State, got.Outcome)
		}
		w.owed(r.ID)
		return got
	}
	// As the engine has it: what is settled stands apart. One file is gone, the archive is mapped, and the notes were not reached.
	got := search(Outcome{Open: []Open{{Entry: "notes", Why: "unreachable"}}, Settled: []Open{{Entry: "files", Why: review, Items: 2}}}, Partial)
	if want := map[string]int64{"notes": 1, "files": 2}; !maps.Equal(got.Reviewed, want) {
		t.Errorf("%v", got.Reviewed)
	}
	w.must(w.Clock.Set(got.Ran.Add(Passes()[1])))
	got = search(Outcome{}, Completed)
	if len(got.Reviewed) != 0 {
		t.Errorf("%v", got.Reviewed)
	}
	w.must(w.Clock.Set(got.Ran.Add(Passes()[2])))
	search(Outcome{Open: two[:1]}, Partial)
}

// As does what a plan finds.
func TestReviewedIsGoneFromThePlan(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	p := Plan{Digest: "d", Items: 5, Review: 1, Look: []Look{{Entry: "notes", Items: 1}}, Own: true}
	w.planned(r.ID, p)
	_, err := w.Reviewed(ctx, r.ID, w.person("dan"), "notes", 1, w.now())
	w.must(err)
	w.replanned(r.ID)
	w.planned(r.ID, plan())
	w.replanned(r.ID)
	p.Digest = "d3"
	if got := w.planned(r.ID, p); len(got.Reviewed) != 0 {
		t.Errorf("%v", got.Reviewed)
	}
}

// Whenever something more of her is erased the searches start again, so that a month without any follows the last; but not for
// ever: what goes on appearing a person looks into.
func TestSearchesStartAgain(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.answered("mia@customer.example")
	late := func(erased int64) Request {
		t.Helper()
		w.must(w.Clock.Set(w.read(r.ID).Pass))
		work, err := w.Work(ctx, r.ID, w.now())
		w.must(err)
		_, err = w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{Left: 1}, w.now())
		w.must(err)
		at := w.wantState(r.ID, Approved, "")
		_, err = w.Started(ctx, r.ID, at.Round, at.Plan.Digest, w.now())
		w.must(err)
		at, err = w.Executed(ctx, r.ID, at.Round, Totals{Erased: erased}, w.now())
		w.must(err)
		got, err := w.Verified(ctx, r.ID, at.Round, at.Passed+1, Outcome{}, w.now())
		w.must(err)
		w.owed(r.ID)
		return got
	}
	staff := w.staffed("kommt nicht weiter")
	for i := range 3 {
		got := late(int64(6 + i))
		if got.State != Completed || got.Passed != 1 || !got.Ran.Equal(w.now()) || !got.Pass.Equal(w.now().Add(time.Hour)) {
			t.Fatalf("%d: %s after %d searches, the next on %s", i+1, got.State, got.Passed, got.Pass)
		}
	}
	got := late(9)
	if got.State != Partial || got.Why != Left || w.staffed("kommt nicht weiter") != staff+1 {
		t.Fatalf("%s %s after %d searches", got.State, got.Why, got.Passed)
	}
	for range 8 { // whatever they find, it waits for a person
		w.must(w.Clock.Set(w.read(r.ID).Pass))
		work, err := w.Work(ctx, r.ID, w.now())
		w.must(err)
		_, err = w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{}, w.now())
		w.must(err)
		w.wantState(r.ID, Partial, Left)
	}
	_, err := w.Resume(ctx, r.ID, w.person("dan"), w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d9", Own: true})
	w.ran(r.ID, 9, 1, Outcome{})
	w.wantState(r.ID, Completed, "")
}
