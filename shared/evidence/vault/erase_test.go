package vault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/storetest"
)

// TestErase: nothing opens any more at once; the records name the leaves, the ground and the time; pending ends with the
// horizon and not before.
func TestErase(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	before := r.commit(t, anna)
	r.put(t, anna, leafA, secret)
	r.put(t, anna, leafB, secret)
	r.put(t, bruno, leafC, secret)
	e := r.erase(t, anna)
	if e.State != Pending || !e.Until.Equal(start.Add(horizon)) {
		t.Errorf("%+v", e)
	}
	for _, leaf := range []string{leafA, leafB} {
		if _, err := r.Open(t.Context(), anna, leaf); !fault.Is(err, fault.NotFound) {
			t.Errorf("opening what was erased: %v", err)
		}
	}
	if _, err := r.Open(t.Context(), bruno, leafC); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
	pending := r.steps("pending")
	if len(pending) != 1 || pending[0].Kind != record.Erasure || pending[0].Facts["ground"] != string(Withdrawn) || pending[0].Facts["until"] != "2026-04-07" ||
		!slices.Equal(pending[0].Refs, []record.Ref{{Rel: "erases", ID: leafA}, {Rel: "erases", ID: leafB}}) || pending[0].Subjects != nil {
		t.Errorf("recorded %+v", pending)
	}
	if again := r.erase(t, anna); again != e || len(r.steps("pending")) != 1 {
		t.Errorf("asked again: %+v", again)
	}
	if after := r.commit(t, anna); after == before {
		t.Error("the commitment lives on")
	}
	r.tick(t, horizon-time.Second)
	if len(r.steps("final")) != 0 {
		t.Error("final before the horizon")
	}
	r.tick(t, time.Second)
	final := r.steps("final")
	if len(final) != 1 || !slices.Equal(final[0].Refs, []record.Ref{{Rel: "finalises", ID: pending[0].ID()}}) {
		t.Errorf("final: %+v", final)
	}
	if got, err := r.Erasure(t.Context(), e.ID); err != nil || got.State != Final {
		t.Errorf("%+v: %v", got, err)
	}
	r.tick(t, time.Hour)
	if len(r.steps("final")) != 1 {
		t.Error("final twice")
	}
	if e := r.erase(t, Subject{"person", "nobody"}); e != (Erasure{State: Nothing}) || len(r.records) != 2 {
		t.Errorf("nothing to erase: %+v", e)
	}
}

// TestErasedStaysErased: an event that is delivered again does not bring its payload back; a new one is kept under a
// new key, and can be erased in its turn.
func TestErasedStaysErased(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.put(t, anna, leafA, secret)
	first := r.erase(t, anna)
	if _, err := r.Put(t.Context(), anna, leafA, secret, start); !errors.Is(err, ErrErased) || !fault.Is(err, fault.Denied) {
		t.Errorf("delivered again: %v", err)
	}
	r.put(t, anna, leafB, secret)
	if got, err := r.Open(t.Context(), anna, leafB); err != nil || string(got) != string(secret) {
		t.Errorf("a new one: %q, %v", got, err)
	}
	second := r.erase(t, anna)
	if second.ID == first.ID || len(r.steps("pending")) != 2 {
		t.Errorf("%+v after %+v", second, first)
	}
	r.tick(t, horizon)
	if len(r.steps("final")) != 2 {
		t.Errorf("%d are final", len(r.steps("final")))
	}
	if rest := r.dump(t); strings.Contains(rest, payloads+" ") || strings.Contains(rest, salts+" ") || strings.Contains(rest, subjects+" ") {
		t.Errorf("something is left:\n%s", rest)
	}
}

// TestEraseMany: more than one transaction takes is erased in parts, each leaf named once.
func TestEraseMany(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	const many = 2*perTransaction + 3
	for i := range many {
		r.put(t, anna, leaf(i), secret)
	}
	for month := range 30 {
		if _, err := r.Commit(t.Context(), anna, start.AddDate(0, month, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if e := r.erase(t, anna); e.State != Pending {
		t.Errorf("%+v", e)
	}
	named := map[string]bool{}
	for _, e := range r.steps("pending") {
		for _, ref := range e.Refs {
			if named[ref.ID] {
				t.Errorf("%s is named twice", ref.ID)
			}
			named[ref.ID] = true
		}
	}
	if len(named) != many || strings.Contains(r.dump(t), `"sealed"`) {
		t.Errorf("%d of %d leaves are named", len(named), many)
	}
	r.tick(t, horizon)
	if final := r.steps("final"); len(final) != 1 || len(final[0].Refs) != len(r.steps("pending")) {
		t.Errorf("final: %+v", final)
	}
}

// leaf names the nth record.
func leaf(n int) string {
	digits := strings.Map(func(d rune) rune { return 'a' + d - '0' }, fmt.Sprintf("%06d", n))
	return strings.Repeat("x", 26) + digits
}

// TestHold: a hold puts an erasure off and keeps payloads beyond their time; when it ends the erasure goes on by itself.
func TestHold(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.put(t, anna, leafA, secret)
	until := start.Add(Retention + 30*24*time.Hour)
	hold := Hold{"case-7", ForClaims, until}
	for range 2 {
		if err := r.Hold(t.Context(), anna, hold, start); err != nil {
			t.Fatal(err)
		}
	}
	r.put(t, anna, leafB, secret)
	held := r.steps("held")
	if len(held) != 1 || held[0].Facts["reason"] != string(ForClaims) || held[0].Result.State != record.Exempt || !held[0].Expires.Equal(until) || held[0].Subjects != nil {
		t.Errorf("%+v", held)
	}
	e := r.erase(t, anna)
	if e.State != Waiting || !e.Until.Equal(until) || len(r.steps("waiting")) != 1 {
		t.Errorf("%+v", e)
	}
	if again := r.erase(t, anna); again != e {
		t.Errorf("asked again: %+v", again)
	}
	r.tick(t, Retention+time.Hour)
	for _, leaf := range []string{leafA, leafB} {
		if _, err := r.Open(t.Context(), anna, leaf); err != nil {
			t.Errorf("under the hold: %v", err)
		}
	}
	later := until.Add(24 * time.Hour)
	if err := r.Hold(t.Context(), anna, Hold{"case-8", ForLaw, later}, r.clock.Now()); err != nil {
		t.Fatal(err)
	}
	r.tick(t, until.Sub(r.clock.Now()))
	if got, err := r.Erasure(t.Context(), e.ID); err != nil || got.State != Waiting || !got.Until.Equal(later) {
		t.Errorf("another hold stands: %+v, %v", got, err)
	}
	r.tick(t, 24*time.Hour)
	if got, err := r.Erasure(t.Context(), e.ID); err != nil || got.State != Pending || !got.Until.Equal(later.Add(horizon)) {
		t.Errorf("after the hold: %+v, %v", got, err)
	}
	if _, err := r.Open(t.Context(), anna, leafA); !fault.Is(err, fault.NotFound) {
		t.Errorf("after the hold: %v", err)
	}
}

// TestRelease: a hold that is taken away lets the erasure go on at once, unless another one stands.
func TestRelease(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.put(t, anna, leafA, secret)
	for _, id := range []string{"one", "two"} {
		if err := r.Hold(t.Context(), anna, Hold{id, ForClaims, start.Add(1000 * time.Hour)}, start); err != nil {
			t.Fatal(err)
		}
	}
	e := r.erase(t, anna)
	for i, id := range []string{"one", "two"} {
		if err := r.Release(t.Context(), anna, id, start); err != nil {
			t.Fatal(err)
		}
		r.tick(t, time.Minute)
		want := []State{Waiting, Pending}[i]
		if got, err := r.Erasure(t.Context(), e.ID); err != nil || got.State != want {
			t.Errorf("after the release of %s: %+v, %v", id, got, err)
		}
	}
	if len(r.steps("released")) != 2 {
		t.Errorf("%d releases are recorded", len(r.steps("released")))
	}
	if err := r.Release(t.Context(), anna, "one", start); !fault.Is(err, fault.NotFound) {
		t.Errorf("released twice: %v", err)
	}
}

func TestHoldLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, h := range map[string]Hold{
		"no id": {"", ForLaw, start.Add(1)}, "a name": {"Anna Kowalska", ForLaw, start.Add(1)}, "no reason": {"a", "", start.Add(1)},
		"a reason in words": {"a", "she sues us", start.Add(1)}, "over": {"a", ForLaw, start}, "for ever": {"a", ForLaw, start.Add(MaxHold + 1)},
	} {
		if err := r.Hold(t.Context(), anna, h, start); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "Anna") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range maxHolds {
		if err := r.Hold(t.Context(), anna, Hold{fmt.Sprint("h", i), ForLaw, start.Add(time.Hour)}, start); err != nil {
			t.Fatal(err)
		}
	}
	one := Hold{"another", ForLaw, start.Add(3 * time.Hour)}
	if err := r.Hold(t.Context(), anna, one, start); !fault.Is(err, fault.Exhausted) {
		t.Errorf("too many: %v", err)
	}
	if err := r.Hold(t.Context(), anna, one, start.Add(2*time.Hour)); err != nil {
		t.Errorf("after the others are over: %v", err)
	}
}

// TestDeath kills a subject's whole life at every store call, before and after it is applied; called again, it ends as
// if nothing had happened, with every record there and told once.
func TestDeath(t *testing.T) {
	t.Parallel()
	for nth := 1; ; nth++ {
		injected, over := false, false
		r := newRig(t, func(_ storetest.Point, n int) error {
			if n == nth && !over {
				injected = true
				return storetest.ErrInjected
			}
			return nil
		})
		again := func(what string, do func() error) {
			t.Helper()
			for range 3 {
				err := do()
				if err == nil {
					return
				}
				if !fault.Is(err, fault.Transient) {
					t.Fatalf("call %d, %s: %v", nth, what, err)
				}
			}
			t.Fatalf("call %d, %s: does not recover", nth, what)
		}
		again("committing", func() error { _, err := r.Commit(t.Context(), anna, start); return err })
		again("putting", func() error { _, err := r.Put(t.Context(), anna, leafA, secret, start); return err })
		again("holding", func() error { return r.Hold(t.Context(), anna, Hold{"a", ForLaw, start.Add(time.Hour)}, start) })
		again("erasing", func() error { _, err := r.Erase(t.Context(), anna, Withdrawn, start); return err })
		for _, by := range []time.Duration{time.Hour, horizon, time.Hour} {
			if err := r.clock.Set(r.clock.Now().Add(by)); err != nil {
				t.Fatal(err)
			}
			again("sweeping", func() error { return r.Tick(t.Context(), r.clock.Now()) })
		}
		over = true
		for _, step := range []string{"held", "waiting", "pending", "final"} {
			if n := len(r.steps(step)); n != 1 {
				t.Errorf("call %d: %d records of the step %s", nth, n, step)
			}
		}
		if _, err := r.Open(t.Context(), anna, leafA); !fault.Is(err, fault.NotFound) {
			t.Errorf("call %d: %v", nth, err)
		}
		if rest := r.dump(t); strings.Contains(rest, "sealed") || strings.Contains(rest, "wrapped") || strings.Contains(rest, "outbox ") {
			t.Errorf("call %d: something is left:\n%s", nth, rest)
		}
		if !injected {
			if nth < 30 {
				t.Errorf("only %d store calls", nth)
			}
			return
		}
	}
}
