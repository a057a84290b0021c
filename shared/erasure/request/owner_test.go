package request

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
)

// A last owner who makes somebody else an owner need not say so: it is looked at again each day, without a word to anybody.
func TestOwnerFound(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	p := plan()
	p.Last = true
	w.planned(r.ID, p)
	for day := range 8 {
		w.to(time.Duration(day+1) * 24 * time.Hour)
		w.must(w.Tick(ctx, w.now()))
		w.wantState(r.ID, Planning, "")
		w.planned(r.ID, p)
		if got := w.wantState(r.ID, Blocked, LastOwner); !got.Frozen {
			t.Errorf("%+v", got)
		}
	}
	if n := w.staffed("kommt nicht weiter"); len(w.letters(r.ID, letter.Owner)) != 1 || w.published(TopicFreeze, r.ID) != 1 || n != 2 { // and again after a week
		t.Errorf("told %d times, the desk %d times", len(w.letters(r.ID, letter.Owner)), n)
	}
	w.to(9 * 24 * time.Hour)
	w.must(w.Tick(ctx, w.now()))
	w.planned(r.ID, plan())
	if got := w.wantState(r.ID, Approved, ""); got.Frozen || w.published(TopicFreeze, r.ID) != 2 {
		t.Errorf("%+v", got)
	}
}

// Or she has the account closed, with the code from her mail, and can change her mind until the grace is over.
func TestOwnerCloses(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	if _, err := w.CloseAccount(ctx, r.Number, w.code(r.ID), w.now()); code(err) != "state_conflict" {
		t.Errorf("before anybody knows that she is the last: %v", err)
	}
	p := plan()
	p.Last, p.Owner = true, true
	w.planned(r.ID, p)
	old := w.read(r.ID).Marks
	if _, err := w.CloseAccount(ctx, r.Number, r.Secret, w.now()); code(err) != "request_unknown" {
		t.Errorf("by whoever typed her address into the page: %v", err)
	}
	for range 2 {
		v, err := w.CloseAccount(ctx, r.Number, w.code(r.ID), w.now())
		if err != nil || v.Kind != Account || v.State != Planning {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	got := w.wantState(r.ID, Planning, "")
	if got.Requester != TenantOwner || got.Frozen || slices.Equal(got.Marks, old) || w.of("widened") != 1 {
		t.Errorf("%+v", got)
	}
	w.planned(r.ID, p)
	_, err := w.Approve(ctx, r.ID, w.person("dan"), p.Digest, w.now())
	w.must(err)
	if got := w.wantState(r.ID, Approved, ""); !got.After.Equal(w.now().Add(14*24*time.Hour)) || w.published(TopicRevoke, r.ID) != 1 || w.published(TopicRun, r.ID) != 0 {
		t.Errorf("%+v", got)
	}
	// A request of hers for herself is another matter; one to close the account again is this one.
	w.to(24 * time.Hour)
	self := w.proved("mia@customer.example")
	w.wantState(self.ID, Planning, "")
	own := w.code(self.ID)
	again, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "mia@customer.example", Kind: Account}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, again.ID, w.now()))
	_, err = w.Confirm(ctx, again.Number, w.code(again.ID), w.now())
	w.must(err)
	if got := w.wantState(again.ID, Cancelled, Duplicate); got.Of != r.ID {
		t.Errorf("%+v", got)
	}
	w.planned(self.ID, p)
	if _, err := w.CloseAccount(ctx, self.Number, own, w.now()); code(err) != "state_conflict" {
		t.Errorf("closed twice: %v", err)
	}
	// Kept after all: what is still being tried stops.
	used := w.letters(r.ID, letter.Link)[0]
	_, err = w.Cancel(ctx, r.Number, codeForm.FindStringSubmatch(used.Text)[2], w.now())
	w.must(err)
	if w.published(TopicRevoke, r.ID) != 2 {
		t.Error("nobody was told that the account stays")
	}
}

// What is still open when the answer is due the person is told, once, with what she may do about it.
func TestInterim(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	w.planned(r.ID, plan())
	w.erased(r.ID, Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}, {Entry: "files", Why: "held"}, {Entry: "chats", Why: "foreign"}}})
	w.must(w.Clock.Set(begins(calendar.Day{Year: 2026, Month: 3, Day: 31}, w.Rules.Zone).Add(-time.Second)))
	w.must(w.Tick(ctx, w.now()))
	if n := len(w.letters(r.ID, letter.Interim)); n != 0 {
		t.Errorf("told %d times before it was time", n)
	}
	for range 3 {
		w.must(w.Clock.Set(w.now().Add(24 * time.Hour)))
		w.must(w.Tick(ctx, w.now()))
	}
	told := w.letters(r.ID, letter.Interim)
	if len(told) != 1 || !strings.Contains(told[0].Text, "- chats\n- files\n") || !strings.Contains(told[0].Text, "article 77") || w.read(r.ID).Answered != "" {
		t.Errorf("%+v", told)
	}
}

// The desk goes through its requests page by page, those due first in front, or those of one state.
func TestBrowse(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var want []string
	for i := range 7 {
		r, err := w.Enter(ctx, w.person("dora"), Entry{Channel: Paper, Received: noon.Add(-time.Duration(14-i) * 24 * time.Hour), Tenant: "acme", Email: fmt.Sprintf("p%d@customer.example", i)}, w.now())
		w.must(err)
		want = append(want, r.ID)
	}
	_, err := w.GiveUp(ctx, want[6], w.person("dan"), w.now())
	w.must(err)
	w.must(w.Identify(ctx, want[0], w.now()))
	for name, c := range map[string]struct {
		l    Listing
		want []string
	}{
		"all": {Listing{Limit: 4}, want[:6]}, "one state": {Listing{State: Received, Limit: 2}, want[1:6]}, "another": {Listing{State: IdentityPending}, want[:1]},
		"over": {Listing{Over: true}, want[6:]}, "over, of a state": {Listing{State: NotEstablished, Limit: 1}, want[6:]}, "none": {Listing{State: Blocked}, nil},
	} {
		var got []string
		for l := c.l; ; {
			all, next, err := w.Browse(ctx, w.person("dan"), l, w.now())
			w.must(err)
			for _, r := range all {
				got = append(got, r.ID)
			}
			if l.After = next; next == "" || len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d of %d, or in another order", name, len(got), len(c.want))
		}
	}
	for _, after := range []string{"x", "1.", "1.x", ".", "1." + strings.Repeat("a", 65)} {
		if _, _, err := w.Browse(ctx, w.person("dan"), Listing{After: after}, w.now()); code(err) != "body_invalid" {
			t.Errorf("%q: %v", after, err)
		}
	}
	if _, _, err := w.Browse(ctx, w.person("ada"), Listing{}, w.now()); code(err) != "role_missing" {
		t.Errorf("%v", err)
	}
}

// One person's word that there is another owner has it searched again; against what the search says it takes two, not the same human,
// and not who entered it.
func TestSettleAgainstSearch(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	p := plan()
	p.Last, p.Owner = true, true
	w.planned(r.ID, p)
	settled := func(who string) string {
		_, err := w.Settle(ctx, r.ID, w.person(who), w.now())
		return code(err)
	}
	for range 2 {
		if got := settled("dan"); got != "" {
			t.Fatal(got)
		}
		if got := w.wantState(r.ID, Planning, ""); got.Settled || !got.Frozen || got.Proposed == nil {
			t.Errorf("%+v", got)
		}
	}
	w.planned(r.ID, p)
	w.wantState(r.ID, Blocked, LastOwner)
	if got := settled("sam"); got != "" {
		t.Fatal(got)
	}
	w.planned(r.ID, p)
	if got := w.wantState(r.ID, Approved, ""); got.Frozen || got.Proposed != nil || w.of("settled") != 1 {
		t.Errorf("by two people's word: %+v", got)
	}
	// Where the search finds the other one, one word was enough, and nothing waits for a second.
	r = w.proved("ann@customer.example")
	w.planned(r.ID, p)
	w.wantState(r.ID, Blocked, LastOwner)
	if got := settled("dan"); got != "" {
		t.Fatal(got)
	}
	found := p
	found.Last = false
	w.planned(r.ID, found)
	if got := w.wantState(r.ID, Approved, ""); got.Frozen || got.Proposed != nil || got.Settled {
		t.Errorf("found by the search: %+v", got)
	}
}

// Two owners who ask at the same time are not both erased by plans that each has the other for an owner: while one is being erased the
// other waits, and by a plan that is older than the end of it nobody is.
func TestTwoOwners(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	owner := Plan{Digest: "d", Map: "m", Items: 1, Own: true, Owner: true}
	anna, bob := w.proved("anna@customer.example"), w.proved("bob@customer.example")
	for _, r := range []Receipt{anna, bob} {
		w.planned(r.ID, owner)
		w.wantState(r.ID, Approved, "")
	}
	w.to(time.Minute)
	started := func(r Receipt) string {
		_, err := w.Started(ctx, r.ID, w.read(r.ID).Round, owner.Digest, w.now())
		return code(err)
	}
	if got := started(bob); got != "" {
		t.Fatal(got)
	}
	if got := started(anna); got != "other_owner" {
		t.Errorf("while the other is being erased: %q", got)
	}
	w.wantState(anna.ID, Approved, "")
	_, err := w.Executed(ctx, bob.ID, w.read(bob.ID).Round, Totals{Erased: 1}, w.now())
	w.must(err)
	if got := started(anna); got != "plan_changed" {
		t.Errorf("by a plan of before: %q", got)
	}
	got := w.wantState(anna.ID, Planning, "")
	if got.Begun {
		t.Error("something of hers may be gone")
	}
	w.to(2 * time.Minute)
	last := owner
	last.Last = true
	w.planned(anna.ID, last)
	w.wantState(anna.ID, Blocked, LastOwner)
	// Of another tenant, or of a member, nobody waits.
	w.known("zeta", "zoe@customer.example")
	other, err := w.Ask(ctx, Ask{Tenant: "zeta", Email: "zoe@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, other.ID, w.now()))
	w.confirmed(other)
	w.planned(other.ID, owner)
	member := w.proved("mem@customer.example")
	w.planned(member.ID, plan())
	_, err = w.Started(ctx, member.ID, 1, plan().Digest, w.now())
	w.must(err)
	if got := started(other); got != "" {
		t.Errorf("of another tenant: %s", got)
	}
}

// What was found to be more than was approved before anything of it went can still be refused, or taken back; afterwards not.
func TestGrownUntouched(t *testing.T) {
	t.Parallel()
	for _, touched := range []bool{false, true} {
		w, ctx := newWorld(t), t.Context()
		r := w.proved("mia@customer.example")
		w.planned(r.ID, plan())
		_, err := w.Started(ctx, r.ID, 1, plan().Digest, w.now())
		w.must(err)
		_, err = w.Drifted(ctx, r.ID, 1, touched, w.now())
		w.must(err)
		w.planned(r.ID, Plan{Digest: "more", Items: 1_000_000, Own: true})
		w.wantState(r.ID, AwaitingApproval, "")
		_, rejected := w.Reject(ctx, r.ID, w.person("dan"), NotOwed, "", w.now())
		_, taken := w.Cancel(ctx, r.Number, codeForm.FindStringSubmatch(w.letters(r.ID, letter.Link)[0].Text)[2], w.now())
		want := map[bool]string{true: "too_late"}[touched]
		if code(rejected) != want || code(taken) != want {
			t.Errorf("touched %t: refused %v, taken back %v", touched, rejected, taken)
		}
	}
}

// While a decision waits for its second person the engine and the clock go on, whose accounts can make commitments to nobody.
func TestProposedWithoutVault(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	_, err := w.Reject(ctx, r.ID, w.person("dan"), NotOwed, "", w.now())
	w.must(err)
	commit := w.Commit
	w.Commit = nil
	w.planned(r.ID, plan())
	if got := w.wantState(r.ID, Approved, ""); got.Proposed != nil {
		t.Errorf("%+v", got.Proposed)
	}
	w.Commit = commit
	r = w.proved("ann@customer.example")
	_, err = w.Hold(ctx, r.ID, w.person("dan"), Hold{Entry: "invoices", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}, w.now())
	w.must(err)
	w.Commit = nil
	w.to(Proposal)
	w.must(w.Tick(ctx, w.now()))
	if got := w.read(r.ID); got.Proposed != nil || w.of("proposal_lapsed") != 1 {
		t.Errorf("%+v", got.Proposed)
	}
}
