package request

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

// values are what a request searches for.
func (w *world) values(id string) (all []string) {
	w.T.Helper()
	work, err := w.Work(w.T.Context(), id, w.now())
	w.must(err)
	for _, one := range work.Identifiers {
		all = append(all, one.Value)
	}
	slices.Sort(all)
	return all
}

// What a linked request proves beyond the first is searched for with the rest, in a new plan.
func TestUnited(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	first := w.proved("mia@customer.example")
	w.planned(first.ID, Plan{Digest: "d", Items: 501, Own: true})
	before := w.wantState(first.ID, AwaitingApproval, "")
	second, err := w.Ask(ctx, Ask{Session: session(Subject), Tenant: "acme", Export: true}, w.now())
	w.must(err)
	if got := w.wantState(second.ID, Cancelled, Duplicate); got.Of != first.ID || second.State != Planning {
		t.Fatalf("%+v, told %s", got, second.State)
	}
	got := w.wantState(first.ID, Planning, "")
	if got.Round != before.Round+1 || !got.Export || !slices.Equal(w.values(first.ID), []string{"mia@customer.example", "u1"}) {
		t.Errorf("%+v searches for %v", got, w.values(first.ID))
	}
	if _, err := w.Approve(ctx, first.ID, w.person("dan"), "d", w.now()); code(err) != "state_conflict" {
		t.Errorf("the plan without the id was approved: %v", err)
	}
	if _, err := w.Planned(ctx, first.ID, before.Round, plan(), w.now()); code(err) != "request_moved" {
		t.Errorf("a search without the id counted: %v", err)
	}
	// By the id alone she is the same person now.
	byID := session(Subject)
	byID.Email = ""
	third, err := w.Ask(ctx, Ask{Session: byID, Tenant: "acme"}, w.now())
	w.must(err)
	if got := w.wantState(third.ID, Cancelled, Duplicate); got.Of != first.ID {
		t.Errorf("%+v", got)
	}
	// What adds nothing plans nothing again; when it closes, nothing recognises her any more.
	if again := w.read(first.ID); again.Round != got.Round || len(again.Linked) != 2 {
		t.Errorf("%+v", again)
	}
	_, err = w.Cancel(ctx, first.Number, w.code(first.ID), w.now())
	w.must(err)
	for _, mark := range got.Marks {
		var c claim
		if err := w.Raw.Get(ctx, claims, mark, &c); !fault.Is(err, fault.NotFound) {
			t.Errorf("a claim stays: %+v, %v", c, err)
		}
	}
	if len(got.Marks) != 2 {
		t.Errorf("%d marks", len(got.Marks))
	}
}

// A union that was sealed before somebody else changed the first request is made again.
func TestUnitedAnew(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	first := w.proved("mia@customer.example")
	other := session(Subject)
	other.UID = "u2"
	w.skip = 1 // its own content is sealed first, then the union
	w.hook = func() {
		_, err := w.Ask(ctx, Ask{Session: other, Tenant: "acme"}, w.now())
		w.must(err)
	}
	_, err := w.Ask(ctx, Ask{Session: session(Subject), Tenant: "acme"}, w.now())
	w.must(err)
	if got := w.values(first.ID); !slices.Equal(got, []string{"mia@customer.example", "u1", "u2"}) {
		t.Errorf("%v", got)
	}
}

// What has erased stands for nobody's later request: who has the address now may be somebody else.
func TestLaterPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.proved("mia@customer.example")
	w.planned(old.ID, plan())
	w.erased(old.ID, Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}}})
	w.wantState(old.ID, Partial, Left)
	w.to(24 * time.Hour)
	newer := w.proved("mia@customer.example")
	if got := w.wantState(newer.ID, Planning, ""); got.Of != "" {
		t.Errorf("%+v", got)
	}
	if got := w.wantState(old.ID, Partial, Left); len(got.Linked) != 0 {
		t.Errorf("%+v", got)
	}
}

// What two people hold of a request is held of the one it becomes part of.
func TestHoldFollows(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	entered, err := w.Enter(ctx, w.person("sam"), Entry{Channel: Paper, Received: noon, Tenant: "acme", Email: "mia@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, entered.ID, w.now()))
	for _, who := range []string{"dan", "dora"} {
		_, err := w.Hold(ctx, entered.ID, w.person(who), Hold{Entry: "invoices", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 12, Day: 31}}, w.now())
		w.must(err)
	}
	page := w.proved("mia@customer.example")
	if got := w.wantState(entered.ID, Cancelled, Duplicate); got.Of != page.ID {
		t.Fatalf("%+v", got)
	}
	if got := w.wantState(page.ID, Planning, ""); len(got.Holds) != 1 || got.Holds[0].Entry != "invoices" || got.Round != 2 {
		t.Errorf("%+v", got)
	}
}

// What two people hold of a request that was carried out is held of the next one she makes: it would erase it.
func TestHoldOutlives(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	old := w.proved("mia@customer.example")
	for _, who := range []string{"dan", "dora"} {
		_, err := w.Hold(ctx, old.ID, w.person(who), Hold{Entry: "invoices", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 12, Day: 31}}, w.now())
		w.must(err)
	}
	w.planned(old.ID, plan())
	w.erased(old.ID, Outcome{})
	w.wantState(old.ID, Retained, "")
	w.to(24 * time.Hour)
	newer := w.proved("mia@customer.example")
	if got := w.wantState(newer.ID, Planning, ""); got.Of != "" || len(got.Holds) != 1 || got.Holds[0].Entry != "invoices" {
		t.Errorf("%+v", got)
	}
}
