package request

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Who asks again and again is told to wait, and never at the first time; a request never waits for its letter's turn.
func TestRepeats(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	from := func(source string) (Receipt, error) {
		return w.Ask(ctx, Ask{Tenant: "acme", Email: "mia@customer.example", Source: source}, w.now())
	}
	for i := range 2 * MaxAsks {
		_, err := from("net-1")
		if want := i >= MaxAsks; (code(err) == "too_many") != want || want && err.(*fault.Error).RetryAfter != 24*time.Hour {
			t.Fatalf("request %d: %v", i+1, err)
		}
	}
	for _, kind := range []Kind{Account, Person} { // what is another kind, or about another, is a first request
		_, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "leo@customer.example", Kind: kind, Source: "net-1"}, w.now())
		w.must(err)
	}
	_, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "mia@customer.example", Kind: Account, Source: "net-1"}, w.now())
	w.must(err)
	for _, e := range w.asked[MaxAsks:] {
		_, err := w.engine(ctx, strings.Split(e.Key, "/")[1], Event{What: Withdraw}, w.now())
		w.must(err)
	}
	w.asked = w.asked[:MaxAsks]
	own, err := from("net-2")
	w.must(err)
	for _, e := range w.asked {
		id := strings.Split(e.Key, "/")[1]
		w.must(w.Identify(ctx, id, w.now()))
		w.wantState(id, IdentityPending, "")
	}
	if n := len(w.mail); n != 1 {
		t.Errorf("%d letters", n)
	}
	v, err := w.Confirm(ctx, own.Number, w.code(own.ID), w.now())
	if err != nil || v.First != "" || v.State != Planning {
		t.Errorf("%+v, %v", v, err)
	}
	w.to(24 * time.Hour)
	if _, err := from("net-1"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// What somebody asked and took back keeps nobody else out: her request is her first.
func TestRepeatsTakenBack(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	ask := Ask{Tenant: "acme", Email: "mia@customer.example", Source: "unknown"}
	for range MaxAsks {
		r, err := w.Ask(ctx, ask, w.now())
		w.must(err)
		_, err = w.Cancel(ctx, r.Number, r.Secret, w.now())
		w.must(err)
	}
	_, err := w.Ask(ctx, ask, w.now())
	w.must(err)
	if _, err := w.Ask(ctx, ask, w.now()); code(err) != "too_many" {
		t.Errorf("a repetition of what is open: %v", err)
	}
}
