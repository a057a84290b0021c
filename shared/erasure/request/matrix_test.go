package request

import (
	"testing"
)

// TestWholeMatrix: each requester, asking for herself, a member, an owner and the account. Who an owner is only the search
// tells: until then nobody who asks learns it.
func TestWholeMatrix(t *testing.T) {
	t.Parallel()
	owned := plan()
	owned.Owner = true
	const refused, stopped, done = "not_allowed", "stopped", "done"
	for who, want := range map[Requester]map[whom]string{
		Subject:     {herself: done, another: refused, owner: refused, tenant: refused},
		TenantAdmin: {herself: done, another: done, owner: stopped, tenant: refused},
		TenantOwner: {herself: done, another: done, owner: done, tenant: done},
		Agent:       {another: done, owner: done, tenant: refused}, // whom she speaks for has confirmed it
		Controller:  {another: done, owner: done},                  // of what it answers for itself
	} {
		for about, want := range want {
			t.Run(string(who)+" "+string(about), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				id, err := w.asks(who, about)
				if want == refused {
					if code(err) != refused || len(w.Order)+len(w.asked) > 0 {
						t.Errorf("%v, %d records", err, len(w.Order))
					}
					return
				}
				w.must(err)
				p := plan()
				if about == owner || about == tenant {
					p = owned
				}
				switch w.planned(id, p); {
				case want == stopped:
					w.wantState(id, Blocked, NotOwner)
				case about == tenant:
					w.wantState(id, AwaitingApproval, "") // closing an account waits for a person whoever asks
				default:
					w.wantState(id, Approved, "")
				}
			})
		}
	}
}

// asks lets somebody ask, and proves it.
func (w *world) asks(who Requester, about whom) (id string, err error) {
	ctx := w.T.Context()
	const other = "leo@customer.example"
	w.known("acme", other)
	var r Receipt
	switch {
	case who == Controller:
		r, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: "i1", Digest: "d", Submitted: w.now(), Identifiers: []Identifier{{Kind: "email", Value: other}}}, w.now())
		return r.ID, err
	case who == Agent:
		a := Ask{Tenant: "acme", Email: other, Mandate: "M-1"}
		if about == tenant {
			a.Kind = Account
		}
		if r, err = w.Ask(ctx, a, w.now()); err != nil {
			return "", err
		}
		w.must(w.Identify(ctx, r.ID, w.now()))
		_, err = w.Confirm(ctx, r.Number, w.code(r.ID), w.now())
		return r.ID, err
	}
	a := Ask{Session: session(who), Tenant: "acme"}
	switch about {
	case tenant:
		a.Kind = Account
	case another, owner:
		a.Email = other
	}
	r, err = w.Ask(ctx, a, w.now())
	return r.ID, err
}

// An administrator has no owner erased whatever the desk settles, is not told to close the account, and does not close it
// by asking for the last owner; her request stands in the way of nobody's own.
func TestAdministratorAndOwner(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	made, err := w.Ask(ctx, Ask{Session: session(TenantAdmin), Tenant: "acme", Email: "leo@customer.example"}, w.now())
	w.must(err)
	unread := plan()
	unread.Last = true
	w.planned(made.ID, unread)
	w.wantState(made.ID, Blocked, LastOwner)
	if _, err := w.CloseAccount(ctx, made.Number, made.Secret, w.now()); code(err) != "state_conflict" {
		t.Errorf("an administrator closes an account: %v", err)
	}
	_, err = w.Settle(ctx, made.ID, w.person("dan"), w.now())
	w.must(err)
	owned := plan()
	owned.Owner = true
	for range 2 {
		w.planned(made.ID, owned)
		if got := w.wantState(made.ID, Blocked, NotOwner); got.Frozen {
			t.Error("the account stands still for it")
		}
		_, err = w.Resume(ctx, made.ID, w.person("dan"), w.now())
		w.must(err)
	}
	last := owned
	last.Last = true
	w.planned(made.ID, last)
	if got := w.wantState(made.ID, Blocked, NotOwner); got.Frozen {
		t.Error("the account stands still for it")
	}
	own := w.proved("leo@customer.example")
	w.planned(own.ID, owned)
	w.wantState(own.ID, Approved, "")
}
