package run_test

import (
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// agree has somebody of the desk agree to the plan there is, and waits for the grace to be over.
func (o *office) agree(id string, r *mathrand.Rand) {
	o.t.Helper()
	ctx := o.t.Context()
	who := policy.Person{ID: "a", Email: "a@x.example", Roles: []policy.Role{"owner"}}
	f, err := o.requests.Get(ctx, id, who, o.clock.Now())
	if err != nil || f.State != request.AwaitingApproval {
		o.t.Fatalf("the request is %s %s, %v", f.State, f.Why, err)
	}
	if f.Request, err = o.requests.Approve(ctx, id, who, f.Plan.Digest, o.clock.Now()); err != nil {
		o.t.Fatal(err)
	}
	if f.After.After(o.clock.Now()) {
		if err := o.clock.Set(f.After); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := o.requests.Tick(ctx, o.clock.Now()); err != nil {
		o.t.Fatal(err)
	}
	o.work(id, r)
}

// An account that its owner closes by the link to her address is erased to the end, also when the record that says who owns it
// goes with the first run: what had to stay goes when its period is over, what could not be reached once it can.
func TestClosure(t *testing.T) {
	t.Parallel()
	for _, down := range []bool{false, true} {
		name := "its period is over"
		if down {
			name = "a store was down"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
			o.use("strict: true\n", "strict: true\nowners: {entry: users, identifier: uid, from: uid, where: role, is: owner}\n")
			o.clerk = o.hire(o.store)
			o.requests = o.clerk.Requests
			o.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z", "role", "owner")
			o.people.put("sessions", "1", "uid", "u1")
			if !down {
				o.people.put("invoices", "1", "uid", "u1", "total", "7", "created", "2020-05-05T00:00:00Z")
			}
			asked, err := o.requests.Ask(t.Context(), request.Ask{Tenant: "acme", Email: "jo@acme.example", Language: "en", Kind: request.Account}, o.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			o.work(asked.ID, r)
			o.proveBy("/close/")
			o.work(asked.ID, r)
			want := request.Retained
			if down {
				o.people.fail = func(call string) error {
					if call == "find sessions" && o.people.docs["users/1"] == nil {
						return fault.New(fault.Denied, "down")
					}
					return nil
				}
				want = request.Partial
			}
			o.agree(asked.ID, r)
			if got := o.state(asked.ID); got != want || strings.Contains(o.people.export("acme"), "users/") {
				t.Fatalf("the request is %s\n%s", got, o.people.export("acme"))
			}
			o.people.fail = nil
			if down {
				o.people.put("sessions", "late", "uid", "u1")
				if _, err := o.requests.Resume(t.Context(), asked.ID, policy.Person{ID: "a", Roles: []policy.Role{"owner"}}, o.clock.Now()); err != nil {
					t.Fatal(err)
				}
			} else if err := o.clock.Set(time.Date(2030, 5, 7, 0, 0, 0, 0, time.UTC)); err != nil {
				t.Fatal(err)
			} else if err := o.requests.Tick(t.Context(), o.clock.Now()); err != nil {
				t.Fatal(err)
			}
			o.work(asked.ID, r)
			o.agree(asked.ID, r)
			if got := o.state(asked.ID); got != request.Completed || o.people.export("acme") != "" {
				t.Errorf("the request is %s\n%s", got, o.people.export("acme"))
			}
		})
	}
}

// A note that was looked at and erased by hand, and another that is written afterwards: it is to be looked at, too.
func TestReviewedAgain(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.use("case: lower}, action: delete, created: created, backup_class: pitr}\n  - {id: usage", "case: lower}, action: review, created: created, backup_class: pitr}\n  - {id: usage")
	o.clerk = o.hire(o.store)
	o.requests = o.clerk.Requests
	o.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	o.people.put("notes", "1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	asked, _ := o.ask(r)
	o.work(asked.ID, r)
	o.agree(asked.ID, r)
	look := func(want request.State) {
		t.Helper()
		o.work(asked.ID, r)
		if got := o.state(asked.ID); got != want {
			t.Fatalf("the request is %s", got)
		}
	}
	look(request.Partial)
	if _, err := o.requests.Reviewed(t.Context(), asked.ID, policy.Person{ID: "a", Roles: []policy.Role{"owner"}}, "notes", 1, o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	look(request.Completed)
	delete(o.people.docs, "notes/1")
	o.on(1, asked.ID, r)
	look(request.Completed)
	o.people.put("notes", "2", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	o.on(10, asked.ID, r)
	look(request.Partial)
}

// One of two notes is gone and another was written between two searches: there are as many as a person looked at, and one of
// them she has not seen. Whoever answers for a page that shows the ones before answers for nothing.
func TestReviewedOthers(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.use("case: lower}, action: delete, created: created, backup_class: pitr}\n  - {id: usage", "case: lower}, action: review, created: created, backup_class: pitr}\n  - {id: usage")
	o.clerk = o.hire(o.store)
	o.requests = o.clerk.Requests
	o.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	note := func(name string) {
		o.people.put("notes", name, "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	}
	note("1")
	note("2")
	asked, _ := o.ask(r)
	o.work(asked.ID, r)
	o.agree(asked.ID, r)
	look := func(want request.State) (set string) {
		t.Helper()
		o.work(asked.ID, r)
		w, err := o.requests.Work(t.Context(), asked.ID, o.clock.Now())
		if err != nil || w.State != want {
			t.Fatalf("the request is %s: %+v, %v", w.State, w.Outcome, err)
		}
		for _, open := range w.Outcome.Open {
			set = open.Set
		}
		return set
	}
	looked := func(set string) error {
		_, err := o.requests.Looked(t.Context(), asked.ID, policy.Person{ID: "a", Roles: []policy.Role{"owner"}}, request.Look{Entry: "notes", Items: 2, Set: set}, o.clock.Now())
		return err
	}
	first := look(request.Partial)
	if err := looked(first); err != nil {
		t.Fatal(err)
	}
	look(request.Completed)
	o.on(1, asked.ID, r)
	look(request.Completed) // the same two are settled for good
	delete(o.people.docs, "notes/1")
	note("3")
	o.on(7, asked.ID, r)
	second := look(request.Partial)
	if second == first || second == "" {
		t.Fatalf("the sets are %q and %q", first, second)
	}
	if err := looked(first); fault.CodeOf(err) != "review_unknown" {
		t.Errorf("an answer for the two before: %v", err)
	}
	if err := looked(second); err != nil {
		t.Fatal(err)
	}
	look(request.Completed)
}

// A later search that nobody gets over takes back that the request is completed, and the receipt says that nothing proves it.
func TestHinderedAfterwards(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	asked, _ := o.ask(r)
	o.work(asked.ID, r)
	if err := o.store.Tx(t.Context(), func(tx store.Tx) error { // what is sealed elsewhere nobody opens here
		var other map[string]any
		if err := tx.Get("jobs", asked.ID, &other); err != nil {
			return err
		}
		return tx.Put("jobs", asked.ID+".search2", other)
	}); err != nil || o.state(asked.ID) != request.Completed {
		t.Fatalf("the request is %s, %v", o.state(asked.ID), err)
	}
	if err := o.clock.Set(o.clock.Now().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _ = o.clerk.Search(t.Context(), asked.ID) // the search, the receipt
	}
	w, err := o.requests.Work(t.Context(), asked.ID, o.clock.Now())
	if err != nil || w.State != request.Partial || w.Why != request.Unusable || w.Made != 2 || len(o.receipts) != 2 {
		t.Fatalf("the request is %s %s, %d receipts, %v", w.State, w.Why, w.Made, err)
	}
	for _, e := range o.receipts[2].Entries {
		if e.Open != "unproved" {
			t.Errorf("the receipt says that %s is in order", e.Entry)
		}
	}
}
