package request

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

// From the public page to the close: one letter each, the second search decides, and nothing of what was given stays.
func TestLife(t *testing.T) {
	t.Parallel()
	live(t, newWorld(t))
}

// TestLifeOnTheEmulator is TestLife on Firestore.
func TestLifeOnTheEmulator(t *testing.T) {
	t.Parallel()
	live(t, newWorldOn(t, func(o store.Options) store.Store { return firestoretest.New(t, o) }))
}

func live(t *testing.T, w *world) {
	t.Helper()
	ctx := t.Context()
	w.known("acme", "Mia@customer.example")
	r := w.ask("mia@customer.example")
	if r.State != Received || r.Due.String() != "2026-04-02" || len(r.Secret) < 50 || w.published(TopicPlan, r.ID) != 1 {
		t.Fatalf("%+v", r)
	}
	w.must(w.Identify(ctx, r.ID, w.now()))
	w.must(w.Identify(ctx, r.ID, w.now()))
	links := w.letters(r.ID, letter.Link)
	if len(links) != 1 || links[0].To != "Mia@customer.example" || links[0].Language != "fr" || links[0].Kind != message.Customer || !strings.Contains(links[0].Text, "3 mars 2026 13:00 CET") {
		t.Fatalf("%+v", links)
	}
	if _, err := w.Planned(ctx, r.ID, 0, plan(), w.now()); code(err) != "state_conflict" {
		t.Errorf("planned before the proof: %v", err)
	}
	v, err := w.Confirm(ctx, strings.ToUpper(spoken(r.Number)), spoken(w.code(r.ID)), w.now())
	w.must(err)
	if v.State != Planning || len(w.letters(r.ID, letter.Received)) != 1 || w.published(TopicPlan, r.ID) != 2 {
		t.Errorf("%+v", v)
	}
	work, err := w.Work(ctx, r.ID, w.now())
	w.must(err)
	if len(work.Identifiers) != 1 || work.Identifiers[0] != (Identifier{Kind: "email", Value: "Mia@customer.example", Verified: true}) || work.Round != 1 {
		t.Errorf("%+v", work)
	}
	w.planned(r.ID, plan())
	w.wantState(r.ID, Approved, "")
	if w.published(TopicRun, r.ID) != 1 {
		t.Error("nobody was called to carry it out")
	}
	at := w.now()
	w.erased(r.ID, Outcome{Purge: []Tail{{"pitr", calendar.Day{Year: 2026, Month: 4, Day: 1}}}})
	w.wantState(r.ID, Completed, "")
	done := w.letters(r.ID, letter.Completed)
	if len(done) != 1 || !strings.Contains(done[0].Text, "- pitr : effacées au plus tard le 1er avril 2026") || w.read(r.ID).Private == nil {
		t.Fatalf("%+v", done)
	}
	for i, after := range Passes()[1:] {
		w.to(at.Add(after).Sub(noon))
		w.must(w.Tick(ctx, w.now()))
		work, err := w.Work(ctx, r.ID, w.now())
		w.must(err)
		if work.Search != i+2 || w.published(TopicPlan, r.ID) != 5+i {
			t.Errorf("after %s: search %d, called %d times", after, work.Search, w.published(TopicPlan, r.ID))
		}
		_, err = w.Verified(ctx, r.ID, work.Round, work.Search, Outcome{}, w.now())
		w.must(err)
	}
	if got := w.read(r.ID); !got.Closed.IsZero() || got.owed() != 1 {
		t.Errorf("closed before its receipt was made: %+v", got)
	}
	w.owed(r.ID)
	end := w.read(r.ID)
	if end.Private != nil || len(end.Marks) != 0 || end.Closed.IsZero() || end.Next != 0 || len(w.letters(r.ID, letter.Completed)) != 1 {
		t.Errorf("%+v", end)
	}
	if v, err := w.Status(ctx, r.Number, w.code(r.ID), w.now()); err != nil || v.State != Completed || v.Passed != 5 || v.Erased != 7 {
		t.Errorf("%+v, %v", v, err)
	}
	// Whoever typed her address into the page sees what becomes of one that nobody proves.
	if v, err := w.Status(ctx, r.Number, r.Secret, w.now()); err != nil || v.State != NotEstablished || v.Passed != 0 || v.Erased != 0 || v.Counts != "" {
		t.Errorf("%+v, %v", v, err)
	}
}

// What is left, or comes late, is erased, and the receipt amended; with no end to it a person has to look.
func TestLate(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{Left: 1})
	w.wantState(r.ID, Approved, "")
	w.erased(r.ID, Outcome{})
	w.to(time.Hour)
	round := w.read(r.ID).Round
	_, err := w.Verified(ctx, r.ID, round, 2, Outcome{Left: 3}, w.now())
	w.must(err)
	if got := w.wantState(r.ID, Approved, ""); got.Receipts != 1 || got.Round != round+1 || w.of("swept") != 2 {
		t.Errorf("%+v", got)
	}
	if _, err := w.Executed(ctx, r.ID, round, Totals{}, w.now()); code(err) != "request_moved" {
		t.Errorf("of an earlier round: %v", err)
	}
	for range maxSweeps + 1 {
		r := w.read(r.ID)
		if r.State != Approved {
			break
		}
		_, err = w.Started(ctx, r.ID, r.Round, r.Plan.Digest, w.now())
		w.must(err)
		_, err = w.Executed(ctx, r.ID, r.Round, Totals{Erased: 9}, w.now())
		w.must(err)
		_, err = w.Verified(ctx, r.ID, r.Round, 1, Outcome{Left: 3}, w.now()) // the searches start again
		w.must(err)
	}
	if got := w.wantState(r.ID, Partial, Left); got.Passed != 1 || w.staffed("kommt nicht weiter") != 1 {
		t.Errorf("%+v", got)
	}
	search := func(n int, o Outcome) {
		t.Helper()
		_, err := w.Verified(ctx, r.ID, w.read(r.ID).Round, n, o, w.now())
		w.must(err)
	}
	search(2, Outcome{})
	w.wantState(r.ID, Completed, "")
	before := len(w.Order)
	search(2, Outcome{Left: 9}) // the same word again
	search(1, Outcome{Left: 9})
	if w.wantState(r.ID, Completed, ""); len(w.Order) != before {
		t.Error("a search that was told before counted again")
	}
	search(3, Outcome{})
	search(4, Outcome{})
	// What the last search cannot reach is searched for each day, until it is in order.
	for range 3 {
		search(5, Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}}})
		w.must(w.Clock.Set(w.now().Add(24 * time.Hour)))
		before := w.published(TopicPlan, r.ID)
		w.must(w.Tick(ctx, w.now()))
		if got := w.wantState(r.ID, Partial, Left); w.published(TopicPlan, r.ID) != before+1 || got.Closed != (time.Time{}) {
			t.Errorf("%+v", got)
		}
	}
	search(5, Outcome{})
	w.owed(r.ID)
	if got := w.wantState(r.ID, Completed, ""); got.Closed.IsZero() || len(w.letters(r.ID, letter.Completed)) != 3 || len(w.letters(r.ID, letter.Interim)) != 2 { // taken back twice
		t.Errorf("%+v", got)
	}
}

// The state and every answer are the same whether the company knows somebody or not, and cost the same.
func TestStranger(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	cost := func(address string) (costs []int, seen []string) {
		t.Helper()
		r := w.ask(address)
		step := func(fn func() error) {
			before := w.Calls
			seen = append(seen, code(fn()))
			costs = append(costs, w.Calls-before)
			v, err := w.Status(ctx, r.Number, r.Secret, w.now())
			w.must(err)
			seen = append(seen, string(v.State)+string(v.Why)+v.Due.String())
		}
		w.must(w.Identify(ctx, r.ID, w.now()))
		step(func() error { return nil })
		for range MaxTries + 1 {
			step(func() error { _, err := w.Confirm(ctx, r.Number, strings.Repeat("a", 52), w.now()); return err })
		}
		w.must(w.Clock.Set(w.now().Add(LinkEvery)))
		for range 2 {
			step(func() error { return w.Renew(ctx, r.Number, r.Secret, w.now()) })
		}
		step(func() error { _, err := w.Cancel(ctx, r.Number, r.Secret, w.now()); return err })
		return costs, seen
	}
	w.ask("first@customer.example") // fetches the key of letters
	start := w.Calls
	w.ask("mia@customer.example")
	first := w.Calls - start
	w.ask("nobody@customer.example")
	if second := w.Calls - start - first; first != second {
		t.Errorf("asking costs %d calls for who is known, %d for who is not", first, second)
	}
	knownCost, knownSeen := cost("mia@customer.example")
	strangeCost, strangeSeen := cost("nobody@customer.example")
	if !slices.Equal(knownCost, strangeCost) || !slices.Equal(knownSeen, strangeSeen) {
		t.Errorf("who is known: %v %v\nwho is not: %v %v", knownCost, knownSeen, strangeCost, strangeSeen)
	}
	for _, m := range w.Mail {
		if m.To == "nobody@customer.example" {
			t.Errorf("a letter to an address that was typed into a page: %s", m.Subject)
		}
	}
	if _, err := w.Confirm(ctx, "abcdefghjkmn", "x", w.now()); code(err) != "token_invalid" {
		t.Errorf("a number there is none of: %v", err)
	}
	if _, err := w.Status(ctx, "abcdefghjkmn", "x", w.now()); code(err) != "request_unknown" {
		t.Errorf("a number there is none of: %v", err)
	}
}

// A link works once, for a day, for five tries; another one can be asked for.
func TestLink(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	r := w.ask("mia@customer.example")
	w.must(w.Identify(ctx, r.ID, w.now()))
	confirm := func(token string) string { _, err := w.Confirm(ctx, r.Number, token, w.now()); return code(err) }
	first := w.code(r.ID)
	w.to(LinkLife)
	if got := confirm(first); got != "token_invalid" {
		t.Errorf("after a day: %s", got)
	}
	w.renewed(r)
	if err := w.Renew(ctx, r.Number, "wrong", w.now()); code(err) != "request_unknown" {
		t.Errorf("renewed with a wrong secret: %v", err)
	}
	second := w.code(r.ID)
	if second == first {
		t.Fatal("the same link again")
	}
	for range MaxTries {
		if got := confirm(first); got != "token_invalid" {
			t.Errorf("the old one: %s", got)
		}
	}
	if got := confirm(second); got != "token_invalid" {
		t.Errorf("after five wrong ones: %s", got)
	}
	w.to(LinkLife + LinkEvery)
	w.renewed(r)
	third := w.code(r.ID)
	if got := confirm(third); got != "" {
		t.Errorf("a good one: %s", got)
	}
	if got := confirm(third); got != "token_used" {
		t.Errorf("used again: %s", got)
	}
	if text := w.read(r.ID); strings.Contains(text.Used, third) {
		t.Error("the code is stored")
	}
}

// Nobody proved it in 30 days: it is told, and gone.
func TestNeverProved(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	known, strange := w.ask("mia@customer.example"), w.ask("nobody@customer.example")
	for _, r := range []Receipt{known, strange} {
		w.must(w.Identify(ctx, r.ID, w.now()))
	}
	w.to(Pending - time.Minute)
	w.must(w.Tick(ctx, w.now()))
	w.wantState(known.ID, IdentityPending, "")
	w.to(Pending)
	w.must(w.Tick(ctx, w.now()))
	for _, r := range []Receipt{known, strange} {
		if got := w.wantState(r.ID, NotEstablished, ""); got.Private != nil || got.Address != "" || got.Overdue {
			t.Errorf("%+v", got)
		}
	}
	told := w.letters(known.ID, letter.Identity)
	if len(told) != 1 || !strings.Contains(told[0].Text, "Commission nationale") && !strings.Contains(told[0].Text, "bfdi") || len(w.letters(strange.ID, letter.Identity)) != 0 {
		t.Errorf("%+v", told)
	}
	if n := w.staffed("fällig"); n != 0 {
		t.Errorf("%d alarms about strangers", n)
	}
}

// Of several requests for one person the first that is proved counts, and the earliest arrival.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	first := w.ask("mia@customer.example")
	w.must(w.Identify(ctx, first.ID, w.now()))
	firstCode := w.code(first.ID)
	w.to(12 * time.Hour)
	second := w.proved("mia@customer.example") // the one before does not stand in its way, and is proved with it
	if r := w.wantState(second.ID, Planning, ""); r.Deadline.Due.String() != "2026-04-02" || !slices.Equal(r.Linked, []string{first.ID}) || r.Gather != "" {
		t.Errorf("%+v", r)
	}
	if r := w.wantState(first.ID, Cancelled, Duplicate); r.Of != second.ID || r.Private != nil {
		t.Errorf("%+v", r)
	}
	v, err := w.Status(ctx, first.Number, first.Secret, w.now())
	if err != nil || v.State != IdentityPending || v.Why != "" || v.First != "" {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = w.Status(ctx, first.Number, w.code(second.ID), w.now()) // which proved both
	if err != nil || v.State != Planning || v.First != second.Number || v.Due.String() != "2026-04-02" {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := w.Confirm(ctx, first.Number, firstCode, w.now()); code(err) != "token_used" {
		t.Errorf("its own letter: %v", err)
	}
	w.to(18 * time.Hour)
	third := w.proved("mia@customer.example") // by a letter of its own: told that it is part of the other
	if told := w.letters(third.ID, letter.Linked); len(told) != 1 || !strings.Contains(told[0].Text, spoken(second.Number)) || len(w.letters(first.ID, letter.Linked)) != 0 {
		t.Errorf("%+v", told)
	}
	// Whichever number she takes back, it is the one that counts.
	if _, err := w.Cancel(ctx, second.Number, second.Secret, w.now()); code(err) != "request_unknown" {
		t.Errorf("taken back by whoever typed the address into the page: %v", err)
	}
	w.to(24 * time.Hour)
	fourth := w.ask("mia@customer.example")
	w.must(w.Identify(ctx, fourth.ID, w.now()))
	_, err = w.Confirm(ctx, fourth.Number, w.code(fourth.ID), w.now())
	w.must(err)
	if got := w.read(fourth.ID); got.Of != second.ID {
		t.Errorf("%+v", got)
	}
	// When that one is over, the next is a new one.
	w.planned(second.ID, plan())
	w.erased(second.ID, Outcome{})
	w.to(48 * time.Hour)
	w.to(72 * time.Hour)
	next := w.proved("mia@customer.example")
	w.wantState(next.ID, Planning, "")
	// In another tenant she is another person.
	w.known("zeta", "mia@customer.example")
	other, err := w.Ask(ctx, Ask{Tenant: "zeta", Email: "mia@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, other.ID, w.now()))
	_, err = w.Confirm(ctx, other.Number, w.code(other.ID), w.now())
	w.must(err)
	w.wantState(other.ID, Planning, "")
}
