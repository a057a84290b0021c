package planerasure

import (
	"regexp"
	"strings"
	"testing"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/testdata/sample"
)

// TestElsewhere: somebody whom only a customer's address book has proves her address, and her request goes to that customer by
// itself. Nothing is erased; of another customer's book, or of an address two of ours share, no letter goes out.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	const eve = "eve@end.example"
	w := newWorld(t)
	w.Put("contacts", erasuretest.Nord, sample.Document{Name: "eve", Created: functiontest.Start, Fields: map[string]any{"emails": []any{eve}, "primary_email": eve, "name": "Eve"}})
	for _, name := range []string{"twin1", "twin2"} {
		w.Put("users", erasuretest.Sud, sample.Document{Name: name, Created: functiontest.Start, Fields: map[string]any{"uid": name, "email": "both@end.example"}})
	}
	w.Put("contacts", erasuretest.Sud, sample.Document{Name: "both", Created: functiontest.Start, Fields: map[string]any{"emails": []any{"both@end.example"}}})
	before := w.Export("")
	ask := func(tenant, address string) request.Receipt {
		t.Helper()
		r, err := w.Requests(me).Ask(t.Context(), request.Ask{Tenant: tenant, Email: address, Source: "net-1"}, w.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	asked, strange, both := ask(erasuretest.Nord, "Eve@end.example"), ask(erasuretest.Sud, eve), ask(erasuretest.Sud, "both@end.example")
	w.Deliver(t)
	letters := func(id, kind string) (all []string) {
		for key, c := range w.Letters() {
			if strings.HasPrefix(key, "dsr/"+id+"/"+kind) {
				all = append(all, c.To+"\n"+c.Text)
			}
		}
		return all
	}
	links := letters(asked.ID, "elsewhere")
	if len(links) != 1 || !strings.HasPrefix(strings.ToLower(links[0]), eve) {
		t.Fatalf("letters with a link: %q", links)
	}
	for name, r := range map[string]request.Receipt{"another customer's": strange, "two people's": both} {
		if all := letters(r.ID, ""); len(all) != 0 || w.Request(r.ID).State != request.IdentityPending || w.Request(r.ID).Known {
			t.Errorf("%s address: %q, %s", name, all, w.Request(r.ID).State)
		}
	}
	code := regexp.MustCompile(`#[a-z2-9]+\.([a-z2-9]+)`).FindStringSubmatch(links[0])
	w.Private(code[1])
	if _, err := w.Requests(me).Confirm(t.Context(), asked.Number, code[1], w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	settled(t, w)
	if got := w.Request(asked.ID); got.State != request.Forwarding && got.State != request.Forwarded {
		t.Errorf("the request is %s %s", got.State, got.Why)
	}
	to := letters(asked.ID, "instruct")
	if len(to) != 1 || !strings.Contains(strings.ToLower(to[0]), "\n"+eve+"\n") {
		t.Errorf("the customer got %q", to)
	}
	if w.Export("") != before {
		t.Error("something was erased")
	}
}
