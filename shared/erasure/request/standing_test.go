package request

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
)

// What an administrator or a controller asked for is theirs to take back, and never in the way of the person's own request.
func TestOwnRequestStands(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	theirs, err := w.Ask(ctx, Ask{Session: session(TenantAdmin), Tenant: "acme", Email: "leo@customer.example"}, w.now())
	w.must(err)
	hers := w.proved("leo@customer.example")
	w.wantState(hers.ID, Planning, "")
	_, err = w.Cancel(ctx, theirs.Number, theirs.Secret, w.now())
	w.must(err)
	w.wantState(hers.ID, Planning, "")
}

// Each identifier is proved on its own: a link to an address proves no id that came with it.
func TestEachIdentity(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	old := session(Subject)
	old.At = noon.Add(-time.Hour)
	r, err := w.Ask(ctx, Ask{Session: old, Tenant: "acme"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, r.ID, w.now()))
	_, err = w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	work, err := w.Work(ctx, r.ID, w.now())
	if err != nil || len(work.Identifiers) != 1 || work.Identifiers[0].Value != "mia@customer.example" {
		t.Errorf("%+v, %v", work.Identifiers, err)
	}
}

// What was opened before the transaction is what the transaction works on, whoever comes between.
func TestOpenedAnew(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	r := w.ask("mia@customer.example")
	w.to(2 * time.Hour) // the key of letters is too old
	w.hook = func() { w.must(w.Identify(ctx, r.ID, w.now())) }
	_, err := w.GiveUp(ctx, r.ID, w.person("dan"), w.now())
	w.must(err)
	if told := w.letters(r.ID, letter.Identity); len(told) != 1 || len(w.letters(r.ID, letter.Link)) != 1 {
		t.Errorf("%+v", told)
	}
}

// What a statute keeps is erased when its time is over, years later, and the person told.
func TestRetention(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	first := r.ID
	day := func(year int) calendar.Day { return calendar.Day{Year: year, Month: 12, Day: 31} }
	kept := Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: day(2034)}, {Entry: "letters", Items: 1, Ground: Statute, Citation: "§ 257 HGB", Until: day(2032)}}}
	w.erased(r.ID, kept)
	w.wantState(r.ID, Retained, "")
	if told := w.letters(r.ID, letter.Retained); len(told) != 1 || !strings.Contains(told[0].Text, "§ 147 AO; jusqu’au 31 décembre 2034\n- letters : ") {
		t.Errorf("%+v", told)
	}
	for _, year := range []int{2032, 2034} {
		w.must(w.Clock.Set(day(year).End(w.Rules.Zone)))
		w.must(w.Tick(ctx, w.now()))
		w.wantState(r.ID, Planning, "")
		w.planned(r.ID, plan())
		if kept.Kept = kept.Kept[:1]; year == 2034 {
			kept.Kept = nil
		}
		w.erased(r.ID, kept)
		w.to(w.now().Sub(noon) + 8*24*time.Hour)
		w.must(w.Tick(ctx, w.now()))
	}
	if got := w.wantState(r.ID, Completed, ""); got.Overdue || got.Late || w.of("overdue")+w.of("alarm")+w.of("target_missed") != 0 {
		t.Errorf("%+v", got)
	}
	// What is slow again is told again.
	r = w.proved("leo@customer.example")
	w.to(w.now().Sub(noon) + 7*24*time.Hour)
	w.must(w.Tick(ctx, w.now()))
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{Kept: []Kept{{Entry: "invoices", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: day(2036)}}})
	w.must(w.Clock.Set(day(2036).End(w.Rules.Zone)))
	for range 2 {
		w.must(w.Tick(ctx, w.now()))
		w.to(w.now().Sub(noon) + 7*24*time.Hour)
	}
	w.must(w.Tick(ctx, w.now()))
	if w.of("target_missed") != 2 {
		t.Errorf("told %d times", w.of("target_missed"))
	}
	r.ID = first
	if len(w.letters(r.ID, letter.Retained)) != 1 || len(w.letters(r.ID, letter.Completed)) != 1 {
		t.Errorf("%d and %d letters", len(w.letters(r.ID, letter.Retained)), len(w.letters(r.ID, letter.Completed)))
	}
}
