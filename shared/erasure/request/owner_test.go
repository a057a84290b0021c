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
	w.must(w.clock.Set(begins(calendar.Day{Year: 2026, Month: 3, Day: 31}, w.Rules.Zone).Add(-time.Second)))
	w.must(w.Tick(ctx, w.now()))
	if n := len(w.letters(r.ID, letter.Interim)); n != 0 {
		t.Errorf("told %d times before it was time", n)
	}
	for range 3 {
		w.must(w.clock.Set(w.now().Add(24 * time.Hour)))
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
