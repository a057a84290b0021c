package run_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// What a record would have told stays until it was told: once it is erased, a look-up that succeeds finds nothing, and what
// it would have led to would be nobody's.
func TestNotErasedUnread(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Denied, fault.Transient, fault.Exhausted} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(1)
			w.people.put("profiles", "1", "uid", "u1", "customer", "c9")
			w.people.put("orders", "1", "customer", "c9")
			down := true
			w.people.fail = func(call string) error {
				if down && call == "values profiles" {
					return fault.New(kind, "no")
				}
				return nil
			}
			p := w.plan(job(1))
			if s := p.Summary(""); s.Blind != 2 {
				t.Errorf("%d entries are dark: lost %v, unasked %v", s.Blind, p.Lost, p.Unasked)
			}
			x := w.execute(job(1))
			if !slices.ContainsFunc(x.Open, func(o request.Open) bool { return o.Entry == "profiles" && strings.HasPrefix(o.Why, "lookup_") }) || w.people.docs["profiles/1"] == nil {
				t.Fatalf("open %+v, profile %v", x.Open, w.people.docs["profiles/1"])
			}
			j := job(2)
			j.Executed = w.clock.Now()
			if o := w.search(j, 1); !slices.ContainsFunc(o.Open, func(o request.Open) bool { return o.Entry == "profiles" }) {
				t.Errorf("found %+v", o)
			}
			w.execute(j)
			if w.people.docs["profiles/1"] == nil {
				t.Fatal("a later round erased what nobody has read")
			}
			down = false
			j.Round = 3
			if o := w.search(j, 1); o.Left != 4 || len(o.Open) > 0 {
				t.Errorf("when it can be read: %+v", o)
			}
			w.execute(j)
			j.Round = 4
			if o := w.search(j, 1); o.Left > 0 || len(o.Open) > 0 || w.people.docs["orders/1"] != nil {
				t.Errorf("in the end: %+v", o)
			}
		})
	}
}

// A look-up that nobody can make any more, for somebody else has the address by which it was made, is no answer.
func TestUnreadForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.people.put("orders", "1", "customer", "c9")
	w.use("select: {equals: uid, of: uid}, action: delete, derives: [{identifier: customer, from: customer}]", "select: {equals: email, of: email}, action: delete, created: created, derives: [{identifier: customer, from: customer}]")
	w.people.put("profiles", "1", "email", "jo@acme.example", "customer", "c9") // nobody knows when it was made
	down := true
	w.people.fail = func(call string) error {
		if down && call == "values profiles" {
			return fault.New(fault.Denied, "no")
		}
		return nil
	}
	w.plan(job(1))
	w.execute(job(1))
	down = false
	j := job(1)
	j.Executed = w.clock.Now()
	w.pass(time.Hour)
	for range 2 {
		j.Round++
		if o := w.search(j, 1); !slices.Contains(o.Open, request.Open{Entry: "profiles", Why: "lookup_denied"}) {
			t.Fatalf("found %+v", o)
		}
		w.execute(j)
	}
	if w.people.docs["profiles/1"] == nil {
		t.Error("it was erased")
	}
}

// What a later search finds is erased without a person as long as it is no more than was planned and the map lets pass.
func TestGrownLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		before, after int // how many there are when it is searched, and how many come then
		grown         bool
	}{{"few", 400, 0, false}, {"many", 600, 0, true}, {"many that come later", 1, 600, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(1)
			j := w.erased(job(1))
			erased := w.people.erased
			j.Round = 2
			w.flood("a", c.before)
			if o := w.search(j, 1); o.Left != int64(c.before) {
				t.Fatalf("found %+v", o)
			}
			w.flood("b", c.after)
			x := w.execute(j)
			if x.Grown != c.grown || c.grown && c.after == 0 && w.people.erased != erased || w.people.erased-erased > 511 {
				t.Fatalf("%+v, erased %d", x, w.people.erased-erased)
			}
			if c.grown {
				j.Round = 3
				w.plan(j)
				x = w.execute(j)
			}
			if x.Grown || w.people.erased != erased+int64(c.before+c.after) {
				t.Errorf("in the end %+v, erased %d", x, w.people.erased-erased)
			}
		})
	}
}

// flood has a queue write n sessions that was behind.
func (w *world) flood(name string, n int) {
	for i := range n {
		w.people.put("sessions", name+strings.Repeat("x", i%7)+time.Duration(i).String(), "uid", "u1")
	}
}
