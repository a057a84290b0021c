package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// Other tenants' items that look alike are counted and no concern of this request; one without a tenant may be hers.
func TestForeign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	j := w.erased(job(1))
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("the twin's: %+v", o.Open)
	}
	w.people.put("sessions", "nobody", "tenant", "", "uid", "u1")
	if o := w.search(j, 2); len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "sessions", Why: "foreign"}) {
		t.Errorf("nobody's: %+v", o.Open)
	}
}

// What no identifier is known for was not searched, and that is not the same as nothing. Where stores were asked for one
// and had none, there is nothing.
func TestUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("  - {id: customer}\n", "  - {id: customer}\n  - {id: plate}\n",
		"  - id: invoices\n", `  - {id: parking, store: "firestore://p/d", place: parking, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: plate, of: plate}, action: delete, backup_class: pitr}`+"\n  - id: invoices\n")
	w.fill(1)
	p := w.plan(job(1))
	if !slices.Equal(p.Unasked, []string{"parking"}) {
		t.Errorf("unasked %v", p.Unasked)
	}
	w.execute(job(1))
	if o := w.search(job(1), 1); len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "parking", Why: "unasked"}) {
		t.Errorf("open %+v", o.Open)
	}
	stranger := job(1)
	stranger.Request, stranger.IDs = "r9", []datamap.Identifier{{Kind: "email", Value: "nobody@acme.example", Verified: true}}
	if s := w.plan(stranger).Summary(""); s.Own {
		t.Error("what nobody could ask is no data of hers")
	}
}

// An entry of the tenant's own that nothing of his instruction can be searched in stays open too, and nobody approves by
// himself what was not searched.
func TestUnaskedOfAnInstruction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("  - {id: customer}\n", "  - {id: customer}\n  - {id: client, opendsr: controller_customer_id}\n",
		"  - id: invoices\n", `  - {id: clients, store: "firestore://p/d", place: clients, region: europe-west1, role: processor, tenant: {field: tenant}, select: {equals: client, of: client}, action: delete, backup_class: pitr}
  - {id: messages, store: "firestore://p/d", place: messages, region: europe-west1, role: processor, tenant: {field: tenant}, select: {equals: to, of: email}, action: delete, created: created, backup_class: pitr}
  - id: invoices
`)
	w.people.put("clients", "acme-1", "tenant", "acme", "client", "c1", "email", "jo@acme.example")
	w.people.put("messages", "acme-1", "tenant", "acme", "to", "jo@acme.example")
	j := run.Job{Request: "r4", Round: 1, Tenant: "acme", Scope: run.Instructed, IDs: []datamap.Identifier{{Kind: "client", Value: "c1", Verified: true}}}
	p := w.plan(j)
	if !slices.Equal(p.Unasked, []string{"messages"}) || p.Summary("").Blind != 1 || len(p.Forward) > 0 {
		t.Errorf("unasked %v, blind %d, forwarded %v", p.Unasked, p.Summary("").Blind, p.Forward)
	}
	w.execute(j)
	if o := w.search(j, 1); !slices.Equal(o.Open, []request.Open{{Entry: "messages", Why: "unasked"}}) {
		t.Errorf("open %+v", o.Open)
	}
}

// A store that is down is an open entry of the requests that need it, whatever it is asked for; the others go on.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use(`orders, store: "firestore://p/d"`, `orders, store: "firestore://p/e"`)
	w.fill(1)
	w.people.put("profiles", "1", "uid", "u1", "customer", "c9")
	down := fault.Transient
	w.config.Reader = func(_ context.Context, url string) (erasure.Reader, error) {
		if strings.HasSuffix(url, "/e") && down != "" {
			return nil, fault.New(down, "down")
		}
		return w.people, nil
	}
	p := w.plan(job(1))
	if s := p.Summary(""); s.Items != 6 {
		t.Errorf("planned %s", left(p.Entries))
	}
	w.execute(job(1))
	o := w.search(job(1), 1)
	if want := []request.Open{{Entry: "orders", Why: "places_unreachable"}, {Entry: "orders", Why: "unreachable"}}; !slices.Equal(o.Open, want) {
		t.Errorf("open %+v, want %+v", o.Open, want)
	}
	other := run.Job{Request: "r3", Round: 1, Tenant: "acme", Scope: run.Person, IDs: []datamap.Identifier{{Kind: "uid", Value: "u10", Verified: true}, {Kind: "email", Value: "al@acme.example", Verified: true}}}
	w.plan(other)
	w.execute(other)
	if o := w.search(other, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("somebody of whom it has nothing: %+v", o.Open)
	}
	down = ""
	if o := w.search(job(1), 2); len(o.Open) > 0 {
		t.Errorf("when it is back: %+v", o.Open)
	}
}

// A look-up that cannot be made leaves what it would have led to open, and is made by the next search.
func TestLookUpFails(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Transient, fault.Denied} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(1)
			w.people.put("profiles", "1", "uid", "u1", "customer", "c9")
			w.people.put("orders", "1", "customer", "c9")
			w.people.fail = func(call string) error {
				if call == "values profiles" {
					return fault.New(kind, "no")
				}
				return nil
			}
			p := w.plan(job(1))
			if len(p.Lost) != 1 || p.Lost[0].Entry != "profiles" || !strings.HasPrefix(p.Lost[0].Why, "lookup_") || !slices.Equal(p.Unasked, []string{"orders"}) {
				t.Errorf("lost %+v, unasked %v", p.Lost, p.Unasked)
			}
			w.people.fail = nil
			w.people.put("profiles", "1", "uid", "u1", "customer", "c9", "more", "yes")
			if o := w.search(job(1), 1); o.Left < 2 || len(o.Open) > 0 {
				t.Errorf("found %+v", o)
			}
		})
	}
}

// Between tries of a store that does not answer the time grows; whoever calls in between is told to come later.
func TestGrowingWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.plan(job(1))
	tries := 0
	w.people.fail = func(call string) error {
		if call == "find notes" {
			tries++
			return fault.New(fault.Transient, "down")
		}
		return nil
	}
	begun := w.clock.Now()
	calls := 0
	for ; ; calls++ {
		x, done, err := w.engine().Execute(t.Context(), job(1), forever)
		if err != nil && !errors.Is(err, run.ErrLater) {
			t.Fatal(err)
		}
		if done {
			if x.Open[0] != (request.Open{Entry: "notes", Why: "unreachable"}) {
				t.Errorf("open %+v", x.Open)
			}
			break
		}
		w.pass(10 * time.Second)
	}
	if took := w.clock.Now().Sub(begun); tries > 15 || took < 3*time.Hour || calls < 1_000 {
		t.Errorf("%d tries within %s, in %d calls", tries, took, calls)
	}
}

// Anonymised people of whom there are too few alike are not anonymous; also where nothing leads to them any more.
func TestGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("fields: [{field: uid, do: delete}, {field: name, do: delete}]", "fields: [{field: uid, do: delete}, {field: name, do: delete}], group: {fields: [city], min: 5}")
	w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	w.people.put("usage", "1", "uid", "u1", "name", "Jo", "city", "Ulm")
	for i := range 3 {
		w.people.put("usage", fmt.Sprint("other", i), "uid", "u2", "city", "Ulm")
	}
	j := w.erased(job(1))
	if o := w.search(j, 1); len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "usage", Why: "group", Items: 1}) {
		t.Errorf("one of four: %+v", o)
	}
	w.people.put("usage", "fifth", "uid", "u3", "city", "Ulm")
	if o := w.search(j, 2); len(o.Open) > 0 {
		t.Errorf("one of five: %+v", o)
	}
}

// In any store the items that were anonymised are counted with those like them. Of one that finds nothing by its name nobody
// can say that they do not stand alone: a person does, of as many as there were.
func TestGroupElsewhere(t *testing.T) {
	t.Parallel()
	for _, nameless := range []bool{false, true} {
		w := newWorld(t)
		w.use(`usage, store: "firestore://p/d"`, `usage, store: "mongodb://u@h:27017/?secret=x"`,
			"place: usage,", "place: d.usage,", "fields: [{field: uid, do: delete}, {field: name, do: delete}]", "fields: [{field: uid, do: delete}, {field: name, do: delete}], group: {fields: [city], min: 5}")
		w.people.query = func(q erasure.Query) error {
			if nameless && q.Match.Kind == erasure.MatchRef {
				return fault.New(fault.Invalid, "no such way")
			}
			return nil
		}
		w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
		for i := range 3 {
			w.people.put("d.usage", fmt.Sprint("other", i), "uid", "u2", "city", "Ulm")
		}
		if o := w.search(w.erased(job(1)), 1); len(o.Open) > 0 {
			t.Errorf("none anonymised: %+v", o)
		}
		w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
		w.people.put("d.usage", "1", "uid", "u1", "name", "Jo", "city", "Ulm")
		j := job(1)
		j.Request = "r2"
		j = w.erased(j)
		if o := w.search(j, 1); len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "usage", Why: "group", Items: 1}) {
			t.Errorf("one of four, nameless %v: %+v", nameless, o)
		}
		j.Reviewed = map[string]int64{"usage:group": 1}
		if o := w.search(j, 2); len(o.Open) > 0 {
			t.Errorf("a person has answered, nameless %v: %+v", nameless, o)
		}
		j.Reviewed = nil
		w.people.put("d.usage", "fifth", "uid", "u3", "city", "Ulm")
		if o := w.search(j, 3); len(o.Open) > 0 != nameless {
			t.Errorf("one of five, nameless %v: %+v", nameless, o)
		}
	}
}

// The data map may have changed since it was planned: it is searched by the new one, which the report names, and what was
// planned and is not in it any more nobody has searched.
func TestMapChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	j := w.erased(job(1))
	before := w.config.Map.Digest()
	w.search(j, 1)
	w.use("  - {id: notes, ", "  - {id: remarks, ")
	r, err := w.engine().Account(t.Context(), j)
	if err != nil || r.Map != before {
		t.Errorf("searched by the old map, named %s, %v", r.Map, err)
	}
	if o := w.search(j, 2); !slices.Contains(o.Open, request.Open{Entry: "notes", Why: "unasked"}) {
		t.Errorf("found %+v", o)
	}
	if r, err = w.engine().Account(t.Context(), j); err != nil || r.Map != w.config.Map.Digest() || r.Map == before {
		t.Errorf("searched by the new map, named %s, %v", r.Map, err)
	}
	j.Reviewed = map[string]int64{"notes": 0}
	if o := w.search(j, 3); len(o.Open) > 0 {
		t.Errorf("when somebody has looked: %+v", o)
	}
}

// A request that has moved on is not worked for any more, in the middle of an entry.
func TestStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1_000)
	w.plan(job(1))
	j, pages := job(1), 0
	j.Still = func(context.Context) error {
		if pages++; pages > 2 {
			return fault.Refuse(fault.Conflict, "request_moved", "no", "no")
		}
		return nil
	}
	if _, _, err := w.engine().Execute(t.Context(), j, forever); fault.CodeOf(err) != "request_moved" {
		t.Fatalf("got %v", err)
	}
	if got := strings.Count(w.people.export("acme"), "uid:u1 "); got != 1_000-600+1+2+1 {
		t.Errorf("%d items are left", got)
	}
	if x := w.execute(job(1)); x.Totals.Erased != 1_003 {
		t.Errorf("executed %+v", x.Totals)
	}
}

// What is of no tenant is erased for who proved herself who she is, and for nobody who speaks for her; what it tells leads to
// what is the tenant's, and to nothing else.
func TestGlobal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use(`place: profiles, region: europe-west1, role: controller, tenant: {field: tenant}`, `place: profiles, region: europe-west1, role: controller, tenant: {global: "one account for all tenants; reviewed by A on 2026-01-05"}`)
	w.fill(1)
	w.people.put("profiles", "1", "uid", "u1", "customer", "c9")
	w.people.put("orders", "1", "customer", "c9")
	w.people.put("orders", "elsewhere", "customer", "c9", "tenant", "twin")
	if p := w.plan(job(1)); strings.Contains(left(p.Entries), "profiles") || !strings.Contains(left(p.Entries), "orders 1/0") || len(p.Unasked) > 0 {
		t.Errorf("planned for an administrator: %s, unasked %v", left(p.Entries), p.Unasked)
	}
	w.execute(job(1))
	if o := w.search(job(1), 1); o.Left > 0 || len(o.Open) > 0 || w.people.docs["profiles/1"] == nil || w.people.docs["orders/elsewhere"] == nil {
		t.Errorf("erased for an administrator: %+v", o)
	}
	w.people.put("orders", "1", "customer", "c9")
	j := job(1)
	j.Request, j.Global, j.IDs = "r2", true, append(j.IDs, datamap.Identifier{Kind: "uid", Value: "u1", Verified: true})
	if p := w.plan(j); !strings.Contains(left(p.Entries), "profiles 1/0, orders 1/0") {
		t.Errorf("planned for herself: %s", left(p.Entries))
	}
}

// A record that turns up later and cannot be searched with is a person's to see; what was known before is searched for.
func TestLaterNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	j := w.erased(job(1))
	w.people.put("profiles", "late", "uid", "u1", "customer", "..")
	o := w.search(j, 1)
	if o.Left != 1 || len(o.Open) != 1 || o.Open[0].Why != "identifiers_refused" {
		t.Errorf("found %+v", o)
	}
}
