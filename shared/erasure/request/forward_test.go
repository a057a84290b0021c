package request

import (
	"context"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/message"
)

// answer says what became of the tenant's letters about a request and its linked ones.
func (w *world) answer(id string, state message.State) (err error) {
	r, kept := w.kept(id)
	if !kept {
		return nil
	}
	for _, one := range append([]string{id}, r.Linked...) {
		for _, sent := range w.letters(one, letter.Instruct) {
			err = errorsJoin(err, w.Answered(context.Background(), message.Answer{Key: sent.Key, State: state}, w.now()))
		}
	}
	return err
}

func (w *world) arrives(id string, state message.State) {
	w.T.Helper()
	for range 2 { // delivered twice
		w.must(w.answer(id, state))
	}
}

// strange is a request from the page of somebody the directory does not have.
func (w *world) strange() Request {
	w.T.Helper()
	r, err := w.Ask(w.T.Context(), Ask{Tenant: "acme", Email: "eve@end.example"}, w.now())
	w.must(err)
	w.must(w.Identify(w.T.Context(), r.ID, w.now()))
	return w.wantState(r.ID, IdentityPending, "")
}

// Somebody whom nobody but a tenant knows: a person passes her request on, unproved and unsearched, and only when it has
// arrived is she told and what she gave destroyed.
func TestPassOn(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	made := w.strange()
	if _, err := w.PassOn(ctx, made.ID, w.person("ada"), "acme", w.now()); code(err) != "role_missing" {
		t.Errorf("by anybody: %v", err)
	}
	for _, to := range []string{"zeta", "unheard-of", ""} {
		if _, err := w.PassOn(ctx, made.ID, w.person("dan"), to, w.now()); code(err) != "body_invalid" {
			t.Errorf("to %q: %v", to, err)
		}
	}
	before := len(w.asked)
	for range 2 {
		_, err := w.PassOn(ctx, made.ID, w.person("dan"), "acme", w.now())
		w.must(err)
	}
	if got := w.wantState(made.ID, Forwarding, ""); got.Private == nil || len(w.asked) != before {
		t.Error("something was searched, or what was given is gone before it arrived")
	}
	to := w.letters(made.ID, letter.Instruct)
	if len(to) != 1 || to[0].To != "privacy@acme.example" || !strings.Contains(to[0].Text, "eve@end.example") || !strings.Contains(to[0].Text, "Niemand hat geprüft") {
		t.Fatalf("%+v", to)
	}
	w.arrives(made.ID, message.StateAccepted)
	told, got := w.letters(made.ID, letter.Forwarded), w.wantState(made.ID, Forwarded, "")
	if len(told) != 1 || told[0].To != "eve@end.example" || !strings.Contains(told[0].Text, "says nothing about whether") || got.Private != nil || got.Closed.IsZero() {
		t.Errorf("%+v %+v", told, got)
	}
	if v, err := w.view(ctx, got, false, w.now()); err != nil || v.State != IdentityPending {
		t.Errorf("whoever typed the address sees %s, %v", v.State, err)
	}
	if want := w.now().Add(Pending); !got.Expires.After(want) {
		t.Errorf("the record goes at %s", got.Expires)
	}
}

// What a person wrote by letter goes along, and no link of it; who entered it does not pass it on, nor is an account or
// what is proved.
func TestPassOnLetter(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	made, err := w.Enter(ctx, w.person("dan"), Entry{Channel: Mail, Received: noon.Add(-time.Hour), Tenant: "zeta", Reply: "eve@end.example", Text: "I bought shoes.\nSee https://evil.example/x", Language: "en"}, w.now())
	w.must(err)
	if got := w.letters(made.ID, letter.Entered); len(got) != 1 || got[0].To != "eve@end.example" || !strings.Contains(got[0].Text, "2 April 2026") {
		t.Errorf("acknowledged by %+v", got)
	}
	if _, err := w.PassOn(ctx, made.ID, w.person("dan"), "acme", w.now()); code(err) != "approve_self" {
		t.Errorf("%v", err)
	}
	_, err = w.PassOn(ctx, made.ID, w.person("dora"), "acme", w.now())
	w.must(err)
	to := w.letters(made.ID, letter.Instruct)
	if len(to) != 1 || !strings.Contains(to[0].Text, "> I bought shoes.") || strings.Contains(to[0].Text, "https://") || !strings.Contains(to[0].Text, "eve@end.example") {
		t.Fatalf("%+v", to)
	}
	w.arrives(made.ID, message.StateAccepted)
	if told := w.letters(made.ID, letter.Forwarded); len(told) != 1 || told[0].To != "eve@end.example" || !strings.Contains(told[0].Text, "Acme") {
		t.Errorf("%+v", told)
	}
	if _, err := w.PassOn(ctx, w.proved("mia@customer.example").ID, w.person("dora"), "acme", w.now()); code(err) != "state_conflict" {
		t.Errorf("what is proved: %v", err)
	}
	account, err := w.Ask(ctx, Ask{Tenant: "acme", Email: "leo@end.example", Kind: Account}, w.now())
	w.must(err)
	if _, err := w.PassOn(ctx, account.ID, w.person("dora"), "acme", w.now()); code(err) != "state_conflict" {
		t.Errorf("an account: %v", err)
	}
	silent, err := w.Enter(ctx, w.person("dan"), Entry{Channel: Paper, Received: noon.Add(-time.Hour), Tenant: "acme", Email: "eve@end.example"}, w.now())
	w.must(err)
	if got := w.letters(silent.ID, letter.Entered); len(got) != 0 {
		t.Errorf("an address nobody wrote from got %+v", got)
	}
}

// A letter that was lost, or of which nothing is heard, comes back to the desk with all that was given, and goes out again.
func TestPassOnLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(w *world, id string){
		"lost":  func(w *world, id string) { w.arrives(id, message.StateFailed) },
		"mute":  func(w *world, id string) { w.to(overdueLetter); w.must(w.Tick(t.Context(), w.now())) },
		"doubt": func(w *world, id string) { w.arrives(id, message.StateUnknown) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ctx := newWorld(t), context.Background()
			r := w.proved("mia@customer.example")
			w.planned(r.ID, Plan{Digest: "d", Theirs: true})
			lose(w, r.ID)
			if got := w.wantState(r.ID, Blocked, Undelivered); got.Private == nil || len(w.letters(r.ID, letter.Forwarded)) != 0 || w.staffed("kommt nicht weiter") != 1 {
				t.Errorf("%+v", got)
			}
			_, err := w.Resume(ctx, r.ID, w.person("dan"), w.now())
			w.must(err)
			if again := w.letters(r.ID, letter.Instruct); len(again) != 2 || !strings.Contains(again[1].Text, "mia@customer.example") {
				t.Fatalf("%+v", again)
			}
			w.wantState(r.ID, Forwarding, "")
			w.arrives(r.ID, message.StateAccepted)
			if got := w.wantState(r.ID, Forwarded, ""); got.Private != nil || len(w.letters(r.ID, letter.Forwarded)) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A proved request of a tenant without a contact goes out as soon as there is one, or to another tenant a person names.
func TestNoContact(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.known("zeta", "mia@customer.example")
	made, err := w.Ask(ctx, Ask{Tenant: "zeta", Email: "mia@customer.example"}, w.now())
	w.must(err)
	w.must(w.Identify(ctx, made.ID, w.now()))
	_, err = w.Confirm(ctx, made.Number, w.code(made.ID), w.now())
	w.must(err)
	w.planned(made.ID, Plan{Digest: "d", Theirs: true})
	_, err = w.Resume(ctx, made.ID, w.person("dan"), w.now())
	w.must(err)
	w.wantState(made.ID, Blocked, NoContact)
	_, err = w.PassOn(ctx, made.ID, w.person("dan"), "acme", w.now())
	w.must(err)
	if to := w.letters(made.ID, letter.Instruct); len(to) != 1 || to[0].To != "privacy@acme.example" {
		t.Errorf("%+v", to)
	}
}
