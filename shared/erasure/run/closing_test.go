package run_test

import (
	mathrand "math/rand/v2"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
)

var desk = []policy.Person{{ID: "a", Email: "a@x.example", Roles: []policy.Role{"owner"}}, {ID: "b", Email: "b@x.example", Roles: []policy.Role{"owner"}}}

// hold has two people hold an entry of a request until the first of September.
func (o *office) hold(id, entry string) (hold string) {
	o.t.Helper()
	h := request.Hold{Entry: entry, Ground: request.Statute, Citation: "HGB 257", Until: calendar.Date(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.UTC)}
	for _, who := range desk {
		r, err := o.requests.Hold(o.t.Context(), id, who, h, o.clock.Now())
		if err != nil {
			o.t.Fatal(err)
		}
		if len(r.Holds) > 0 {
			hold = r.Holds[len(r.Holds)-1].ID
		}
	}
	return hold
}

// by asks as somebody of the tenant and follows the link.
func (o *office) by(address string, kind request.Kind, letter string, r *mathrand.Rand) string {
	o.t.Helper()
	asked, err := o.requests.Ask(o.t.Context(), request.Ask{Tenant: "acme", Email: address, Language: "en", Kind: kind}, o.clock.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	o.work(asked.ID, r)
	o.proveBy(letter)
	return asked.ID
}

// What a request of somebody else's holds outlasts the end of her account, in whatever state that request is, when it was held
// after the plan, and when whoever erases dies on the way: it is named, and goes when it is let go or over.
func TestClosureLeavesWhatIsHeld(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, when, ends string }{
		{"of an open request", "open", "released"}, {"of one that is through", "through", "released"}, {"held after the plan", "late", "released"},
		{"while it goes", "midway", "released"}, {"until it is over", "open", "over"}, {"a death", "death", "over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, r := newOffice(t), mathrand.New(mathrand.NewPCG(1, 1))
			o.use("strict: true\n", "strict: true\nowners: {entry: users, identifier: uid, from: uid, where: role, is: owner}\n")
			o.clerk = o.hire(o.store)
			o.requests = o.clerk.Requests
			for who, role := range map[string]string{"jo": "owner", "al": "member"} {
				o.people.put("users", who, "uid", "u"+who, "email", who+"@acme.example", "created", "2026-01-01T00:00:00Z", "role", role)
				o.people.put("notes", who, "email", who+"@acme.example", "created", "2026-01-01T00:00:00Z")
				o.people.put("sessions", who, "uid", "u"+who)
			}
			als, hold := o.by("al@acme.example", request.Person, "/link/", r), ""
			o.stop = request.TopicRun // hers is not carried out
			switch c.when {
			case "late", "midway":
				o.work2(als, r)
			default:
				hold = o.hold(als, "notes")
				o.work2(als, r)
			}
			if o.stop = ""; c.when == "through" {
				o.work(als, r)
				if got := o.state(als); got != request.Retained {
					t.Fatalf("hers is %s", got)
				}
			}
			whole := o.by("jo@acme.example", request.Account, "/close/", r)
			o.stop = request.TopicRun
			o.work2(whole, r)
			switch c.when {
			case "late":
				hold = o.hold(als, "notes")
			case "midway":
				o.people.fail = func(call string) error {
					if call == "erased sessions/al" {
						o.people.fail = nil
						o.people.mu.Unlock()
						hold = o.hold(als, "notes")
						o.people.mu.Lock()
					}
					return nil
				}
			case "death":
				died, calls := 0, 0
				o.clerk = o.hire(storetest.Faulty(o.store, func(storetest.Point, int) error {
					o.mu.Lock()
					defer o.mu.Unlock()
					if calls++; calls%17 == 0 && calls < 800 {
						return fault.New(fault.Transient, "died")
					}
					return nil
				}))
				o.people.fail = func(call string) error {
					if died++; died%3 == 0 && died < 60 {
						return fault.New(fault.Transient, "died at %s", call)
					}
					return nil
				}
			}
			o.agreed(whole, r)
			if c.when == "late" || c.when == "midway" {
				if got := o.state(whole); got != request.AwaitingApproval || o.people.docs["notes/jo"] == nil || o.people.docs["notes/al"] == nil {
					t.Fatalf("held since: %s\n%s", got, o.people.export("acme"))
				}
				o.agreed(whole, r)
			}
			w, err := o.requests.Work(t.Context(), whole, o.clock.Now())
			if err != nil || w.State != request.Retained || len(w.Outcome.Kept) != 1 || w.Outcome.Kept[0].Entry != "notes" || w.Outcome.Kept[0].Items != 1 || w.Outcome.Kept[0].Citation != "HGB 257" {
				t.Fatalf("the request is %s: %+v, %v", w.State, w.Outcome, err)
			}
			if got := o.refs(); len(got) != 1 || got[0] != "notes/al" {
				t.Fatalf("left %v", got)
			}
			if c.ends == "over" {
				o.on(190, whole, r)
			} else {
				if _, err := o.requests.Release(t.Context(), als, desk[0], hold, o.clock.Now()); err != nil {
					t.Fatal(err)
				}
				if err := o.clock.Set(o.clock.Now().Add(2 * request.Idle)); err != nil {
					t.Fatal(err)
				}
				if err := o.requests.Tick(t.Context(), o.clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
			o.stop = request.TopicRun // als goes by itself
			o.work2(whole, r)
			o.agreed(whole, r)
			if got := o.refs(); len(got) > 0 || o.state(whole) != request.Completed {
				t.Errorf("afterwards %s, %v", o.state(whole), got)
			}
		})
	}
}

// work2 is work for a request that may wait for its run.
func (o *office) work2(id string, r *mathrand.Rand) {
	o.t.Helper()
	for range 20 {
		o.deliver(r)
		if s := o.state(id); s != request.Received && s != request.Planning && s != request.Verifying {
			return
		}
		if err := o.clock.Set(o.clock.Now().Add(request.Idle + time.Minute)); err != nil {
			o.t.Fatal(err)
		}
		if err := o.requests.Tick(o.t.Context(), o.clock.Now()); err != nil {
			o.t.Fatal(err)
		}
	}
}

// agreed has the plan agreed to and carried out alone: other requests are not.
func (o *office) agreed(id string, r *mathrand.Rand) {
	o.t.Helper()
	ctx := o.t.Context()
	f, err := o.requests.Get(ctx, id, desk[0], o.clock.Now())
	if err != nil || f.State != request.AwaitingApproval {
		o.t.Fatalf("the request is %s %s, %v", f.State, f.Why, err)
	}
	if f.Request, err = o.requests.Approve(ctx, id, desk[0], f.Plan.Digest, o.clock.Now()); err != nil {
		o.t.Fatal(err)
	}
	if f.After.After(o.clock.Now()) {
		if err := o.clock.Set(f.After); err != nil {
			o.t.Fatal(err)
		}
	}
	for range 200 {
		if s := o.state(id); s != request.Approved && s != request.Executing {
			break
		}
		if _, err := o.clerk.Carry(ctx, id); err != nil && !fault.Is(err, fault.Transient) {
			o.t.Fatal(err)
		}
		if err := o.clock.Set(o.clock.Now().Add(11 * time.Minute)); err != nil {
			o.t.Fatal(err)
		}
	}
	o.work2(id, r)
}
