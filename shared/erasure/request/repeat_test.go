package request

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// Whoever asks on the public page is never turned away, however often somebody of her own network asked for her before: beyond a few
// she waits a little for her letter, and any letter to her proves all of them.
func TestRepeats(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("acme", "mia@customer.example")
	from := func(source string) Receipt {
		t.Helper()
		r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "mia@customer.example", Source: source}, w.now())
		w.must(err)
		return r
	}
	for i := range MaxAsks {
		if r := from("net-1"); !w.read(r.ID).Paced.IsZero() {
			t.Errorf("request %d waits", i+1)
		}
	}
	own := from("net-1")
	if got := w.read(own.ID).Paced; !got.Equal(w.now().Add(LinkEvery)) {
		t.Errorf("hers waits until %s", got)
	}
	for _, kind := range []Kind{Account, Person} { // what is another kind, or about another, waits for none of them
		r, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "leo@customer.example", Kind: kind, Source: "net-1"}, w.now())
		w.must(err)
		if !w.read(r.ID).Paced.IsZero() {
			t.Errorf("another's %s waits", kind)
		}
	}
	w.to(LinkEvery)
	w.must(w.Tick(ctx, w.now()))
	w.must(w.Identify(ctx, own.ID, w.now()))
	v, err := w.Confirm(ctx, own.Number, w.code(own.ID), w.now())
	if err != nil || v.State != Planning {
		t.Errorf("%+v, %v", v, err)
	}
}

// Who is signed in and asks for the same again and again, while that is open, is told to wait: it is certainly no first request.
func TestRepeatsSignedIn(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	ask := func(uid string) (Receipt, error) {
		s := session(TenantOwner)
		s.At = w.now()
		return w.Ask(ctx, Ask{Session: s, Source: "session u1", Tenant: "acme", UID: uid}, w.now())
	}
	for i := range 2 * MaxAsks {
		_, err := ask("p1")
		if want := i >= MaxAsks; (code(err) == "too_many") != want || want && err.(*fault.Error).RetryAfter != 24*time.Hour {
			t.Fatalf("request %d: %v", i+1, err)
		}
	}
	if _, err := ask("p2"); err != nil {
		t.Errorf("about another: %v", err)
	}
	w.to(24 * time.Hour)
	if _, err := ask("p1"); err != nil {
		t.Errorf("the next day: %v", err)
	}
	taken := func() Receipt {
		r, err := ask("p3")
		w.must(err)
		return r
	}
	for range MaxAsks {
		r := taken()
		_, err := w.Cancel(ctx, r.Number, r.Secret, w.now())
		w.must(err)
	}
	taken() // what was taken back keeps nobody out
}
