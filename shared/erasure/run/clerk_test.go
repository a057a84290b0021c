package run_test

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// ask has jo ask on the page and prove that it is she.
func (o *office) ask(r *mathrand.Rand) (asked request.Receipt, code string) {
	o.t.Helper()
	asked, err := o.requests.Ask(o.t.Context(), request.Ask{Tenant: "acme", Email: "jo@acme.example", Language: "en"}, o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	o.work(asked.ID, r)
	return asked, o.prove()
}

// on lets the clock come to a day and what is due be done.
func (o *office) on(day int, id string, r *mathrand.Rand) {
	o.t.Helper()
	if now := start.AddDate(0, 0, day); now.After(o.clock.Now()) {
		if err := o.clock.Set(now); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := o.requests.Tick(o.t.Context(), o.clock.Now()); err != nil {
		o.t.Fatal(err)
	}
	o.work(id, r)
}

// A person asks on the page, proves who she is by the link to the address on file, and is gone; a search each time for a
// month says so. Messages come twice and in any order; stores fail; somebody else gets her address, and something of hers
// is written late. Nothing of her leaves but in sealed letters.
func TestForgotten(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			forgotten(t, mathrand.New(mathrand.NewPCG(seed, 1)))
		})
	}
}

func forgotten(t *testing.T, r *mathrand.Rand) {
	o := newOffice(t)
	o.fill(400)
	o.shelf()
	twin := o.people.export("twin")
	down, blind := time.Time{}, r.IntN(2) == 0
	o.people.fail = func(call string) error {
		if blind && call == "values profiles" && o.clock.Now().Before(down) {
			return fault.New(fault.Denied, "no")
		}
		if r.IntN(25) == 0 || strings.HasSuffix(call, " profiles") && o.clock.Now().Before(down) {
			return fault.New(fault.Transient, "a death")
		}
		return nil
	}
	stranger, err := o.requests.Ask(t.Context(), request.Ask{Tenant: "acme", Email: "nobody@acme.example", Language: "en"}, o.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	asked, code := o.ask(r)
	if stranger.State != asked.State || stranger.Due != asked.Due {
		t.Fatalf("%+v beside %+v", stranger, asked)
	}
	o.work(asked.ID, r)
	if got := o.state(asked.ID); got != request.Retained {
		t.Fatalf("the request is %s", got)
	}
	days := []int{1, 2, 3, 4, 10, 11, 35, 42}
	newer, late, below := days[r.IntN(4)], days[r.IntN(4)], days[r.IntN(4)]
	for _, day := range days {
		if day == newer {
			o.newer(day)
		}
		if day == late {
			o.late()
			down = o.clock.Now().Add(time.Duration(r.IntN(48)) * time.Hour)
		}
		if day == below {
			o.people.put("folders", "acme/thumbs/late", "tenant", "")
		}
		o.on(day, asked.ID, r)
	}
	o.people.fail = nil
	v, err := o.requests.Status(t.Context(), asked.Number, code, o.clock.Now())
	want := int64(400 + 3 + 2 + 3 + 1)
	if err != nil || v.State != request.Retained || v.Erased != want+1 || v.Passed != 5 || len(v.Kept) != 1 || v.Kept[0].Until.String() != "2030-05-05" || o.people.erased != want {
		t.Errorf("%+v, %v; erased %d", v, err, o.people.erased)
	}
	got := o.people.export("acme") + o.people.export("")
	if strings.Contains(got, "late") || strings.Count(got, "uid:u10 ") != 400 || strings.Count(got, "jo@") != 2 || !strings.Contains(got, "users/new") || !strings.Contains(got, "notes/new") {
		t.Errorf("left: %d of u10\n%s", strings.Count(got, "uid:u10 "), o.people.export(""))
	}
	if last := o.receipts[len(o.receipts)]; len(o.receipts) < 2 || len(last.Passes) == 0 || counts(last) != want+1 {
		t.Errorf("%d receipts, the last of %d", len(o.receipts), counts(last))
	}
	if o.people.export("twin") != twin {
		t.Error("the twin tenant was touched")
	}
	if text := o.leaked.String(); strings.Contains(text, "jo@") || strings.Contains(text, "u1-") || strings.Contains(text, "acme-u1") {
		t.Error("something of the person left in clear")
	}
}

// newer has somebody else get jo's address.
func (o *office) newer(day int) {
	now := start.AddDate(0, 0, day).Format(time.RFC3339)
	o.people.put("users", "new", "uid", "u77", "email", "jo@acme.example", "created", now)
	o.people.put("notes", "new", "email", "jo@acme.example", "created", now)
}

// late is what a queue writes that was behind.
func (o *office) late() {
	o.people.put("sessions", "late", "uid", "u1")
	o.people.put("profiles", "late", "uid", "u1", "customer", "c9")
	o.people.put("orders", "late", "customer", "c9")
}

// counts is how much a receipt says was erased.
func counts(r run.Report) (sum int64) {
	for _, e := range r.Entries {
		sum += e.Erased + e.Anonymised
	}
	return sum
}

// Of a request that is closed nothing stays but that there was one; until its receipt is made it is not.
func TestClosed(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	asked, _ := o.ask(r)
	o.work(asked.ID, r)
	for _, day := range []int{1, 2, 8, 31, 32} {
		o.on(day, asked.ID, r)
	}
	if got := o.state(asked.ID); got != request.Completed || len(o.receipts) != 1 {
		t.Errorf("the request is %s, with %d receipts", got, len(o.receipts))
	}
	for _, c := range ofRequests() {
		if docs, err := o.store.Query(t.Context(), store.Query{Collection: c.Name, Limit: 10}); err != nil || len(docs) > 0 {
			t.Errorf("%s keeps %d documents, %v", c.Name, len(docs), err)
		}
	}
}

// What is on record is not what was approved: nothing is erased, and a person looks.
func TestAnotherPlan(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.fill(1)
	asked, _ := o.ask(r)
	o.stop = request.TopicRun
	o.deliver(r)
	if got := o.state(asked.ID); got != request.Approved {
		t.Fatalf("the request is %s", got)
	}
	if err := o.store.Tx(t.Context(), func(tx store.Tx) error { // somebody who may write the database tries
		var other map[string]any
		if err := tx.Get("jobs", asked.ID, &other); err != nil {
			return err
		}
		other["planned"] = 7
		return tx.Put("jobs", asked.ID, other)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.clerk.Carry(t.Context(), asked.ID); err != nil {
		t.Fatal(err)
	}
	if got := o.state(asked.ID); got != request.Planning || o.people.erased != 0 {
		t.Errorf("the request is %s, and %d are erased", got, o.people.erased)
	}
	o.stop = ""
	o.deliver(r)
	if got := o.state(asked.ID); got != request.AwaitingApproval {
		t.Errorf("the request is %s", got)
	}
}

// A hold stops who is erasing, in the middle; and what she is known by that nobody can search with is a person's to see.
func TestStopped(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.fill(1_000)
	asked, _ := o.ask(r)
	o.stop = request.TopicRun
	o.deliver(r)
	pages := 0
	o.people.fail = func(call string) error {
		if call == "erase sessions" {
			pages++
		}
		if pages == 2 {
			pages++
			_, err := o.requests.Drifted(t.Context(), asked.ID, 1, true, o.clock.Now())
			return err
		}
		return nil
	}
	if again, err := o.clerk.Carry(t.Context(), asked.ID); err != nil || again || o.people.erased != 600 {
		t.Errorf("%v, %v, and %d are erased", again, err, o.people.erased)
	}
}

func TestHindered(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	asked, _ := o.ask(r)
	o.people.put("users", "1", "uid", "..", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	o.work(asked.ID, r)
	v, err := o.requests.Work(t.Context(), asked.ID, o.clock.Now())
	if err != nil || v.State != request.Blocked {
		t.Errorf("the request is %s, %v", v.State, err)
	}
}

// What nobody gets over stops the request for a person, also when erasing has begun.
func TestHinderedLater(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.fill(1)
	asked, _ := o.ask(r)
	o.stop = request.TopicRun
	o.deliver(r)
	o.config.Eraser = nil // as of an account that was given the wrong right
	o.clerk = o.hire(o.store)
	o.requests = o.clerk.Requests
	if again, err := o.clerk.Carry(t.Context(), asked.ID); again || err != nil || o.state(asked.ID) != request.Partial {
		t.Errorf("%v, %v: the request is %s", again, err, o.state(asked.ID))
	}
}

// A receipt that cannot be made keeps no search from being made when it is due.
func TestReceiptFails(t *testing.T) {
	t.Parallel()
	o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
	o.fill(1)
	no := fault.New(fault.Invalid, "a receipt that nobody can make")
	o.clerk.Issue = func(context.Context, request.Work, run.Report) error { return no }
	asked, _ := o.ask(r)
	passed := 0
	for day := range 40 {
		if now := start.AddDate(0, 0, day); now.After(o.clock.Now()) {
			if err := o.clock.Set(now); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.requests.Tick(t.Context(), o.clock.Now()); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			w, err := o.requests.Work(t.Context(), asked.ID, o.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			_, err = o.clerk.Search(t.Context(), asked.ID)
			if (w.Owed > 0) != errors.Is(err, no) {
				t.Fatalf("receipt %d owed: %v", w.Owed, err)
			}
			if _, err := o.clerk.Carry(t.Context(), asked.ID); err != nil {
				t.Fatal(err)
			}
			passed = max(passed, w.Search)
		}
	}
	if got := o.state(asked.ID); got != request.Retained || passed != len(request.Passes()) {
		t.Errorf("the request is %s, after %d searches", got, passed)
	}
}
