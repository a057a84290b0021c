package request

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// elsewhere is a request from the page of somebody only a tenant's own data has.
func (w *world) elsewhere(tenant string) Receipt {
	w.T.Helper()
	ctx := w.T.Context()
	w.onFile[tenant+" held eve@end.example"] = "eve@end.example"
	r, err := w.Ask(ctx, Ask{Tenant: tenant, Email: "Eve@end.example", Source: "net-1"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, r.ID, w.now()))
	return r
}

// Somebody only a tenant's own data has proves her address, and her request goes to the tenant by itself; neither the letter
// with the link nor any other says whether there is data, and whoever typed the address sees what she would see of anybody.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.elsewhere("acme")
	w.wantState(r.ID, IdentityPending, "")
	links := w.letters(r.ID, letter.Elsewhere)
	if len(links) != 1 || len(w.letters(r.ID, letter.Link)) != 0 || links[0].To != "eve@end.example" || !strings.Contains(links[0].Text, "Acme") || !strings.Contains(links[0].Text, "This says nothing") {
		t.Fatalf("%+v", links)
	}
	_, err := w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	w.wantState(r.ID, Forwarding, "")
	w.arrives(r.ID, message.StateAccepted)
	got := w.wantState(r.ID, Forwarded, "")
	to, told := w.letters(r.ID, letter.Instruct), w.letters(r.ID, letter.Forwarded)
	if len(to) != 1 || to[0].To != "privacy@acme.example" || !strings.Contains(to[0].Text, "eve@end.example") || strings.Contains(to[0].Text, "Niemand hat geprüft") {
		t.Errorf("the tenant got %+v", to)
	}
	if len(told) != 1 || told[0].To != "eve@end.example" || got.Private != nil || got.By != "" || w.published(TopicRun, r.ID) != 0 {
		t.Errorf("she got %+v", told)
	}
	if n := w.of("forward_late"); n != 0 {
		t.Errorf("%d records of being late", n)
	}
	// An account is nobody's to close who has none.
	w.onFile["acme held leo@end.example"] = "leo@end.example"
	account, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "leo@end.example", Kind: Account}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, account.ID, w.now()))
	if got := w.read(account.ID); got.Known {
		t.Error("a stranger was sent the link to close an account")
	}
}

// She is in our own data too, found by the address she proved: two requests, linked.
func TestElsewhereMixed(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.elsewhere("acme")
	_, err := w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	p := plan()
	p.Theirs = true
	w.planned(r.ID, p)
	got := w.wantState(r.ID, Approved, "")
	if len(got.Linked) != 1 {
		t.Fatalf("linked: %v", got.Linked)
	}
	w.arrives(got.Linked[0], message.StateAccepted)
	w.wantState(got.Linked[0], Forwarded, "")
}

// What cannot be passed on within the working days of the policy is told; a week-end does not count.
func TestForwardLate(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	friday := 4 * 24 * time.Hour
	w.to(friday)
	r := w.elsewhere("zeta") // which has no contact
	_, err := w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
	w.must(err)
	w.planned(r.ID, Plan{Digest: "d", Theirs: true})
	w.wantState(r.ID, Blocked, NoContact)
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{friday + 3*24*time.Hour, 0}, {friday + 4*24*time.Hour + 10*time.Hour, 0}, {friday + 4*24*time.Hour + 11*time.Hour, 1}, {friday + 6*24*time.Hour, 1}} {
		w.to(c.at)
		w.must(w.Tick(ctx, w.now()))
		if n := w.of("forward_late"); n != c.want {
			t.Errorf("%s after the proof: told %d times, want %d", c.at-friday, n, c.want)
		}
	}
}

// deaf is a directory of which the tenant's own data does not say whom it has.
type deaf struct {
	*world
	err error
}

func (d deaf) HeldFor(context.Context, string, string) (bool, string, error) { return false, "", d.err }

// What of a tenant's own data cannot be asked keeps nobody's request waiting: it goes on as one of whom nothing is held, a person
// of the desk sees that not everything was asked, and whoever typed an address reads the same all the time.
func TestElsewhereDark(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Denied, fault.Misconfigured, fault.Invalid, fault.NotFound, fault.Transient, fault.Exhausted} {
		w, ctx := newWorld(t), t.Context()
		w.Directory = deaf{w, fault.New(kind, "no")}
		w.known("acme", "mia@customer.example")
		hers, strangers := w.ask("mia@customer.example"), w.ask("eve@end.example")
		read := func(r Receipt) string {
			v, err := w.Status(ctx, r.Number, r.Secret, w.now())
			w.must(err)
			v.ID, v.Number = "", ""
			return fmt.Sprintf("%+v", v)
		}
		same := func() {
			t.Helper()
			if a, b := read(hers), read(strangers); a != b {
				t.Errorf("%s: who is known reads %s, who is not %s", kind, a, b)
			}
		}
		same()
		w.must(w.Identify(ctx, hers.ID, w.now()))
		err := w.Identify(ctx, strangers.ID, w.now())
		lasting := kind != fault.Transient && kind != fault.Exhausted
		if same(); (err == nil) != lasting {
			t.Errorf("%s: %v", kind, err)
		}
		w.to(Unheard)
		w.must(w.Identify(ctx, strangers.ID, w.now()))
		if got := w.wantState(strangers.ID, IdentityPending, ""); got.Known || !slices.Equal(got.Doubts, []Doubt{Blind}) {
			t.Errorf("%s: %+v", kind, got)
		}
		if same(); len(w.read(hers.ID).Doubts) > 0 || len(w.Mail) != 1 {
			t.Errorf("%s: of who is known %v, %d letters", kind, w.read(hers.ID).Doubts, len(w.Mail))
		}
	}
}
