package requesterasure

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/request"
)

// Whoever speaks for somebody and names an address beside her id is told at once, alike whether it is on file, that it is searched
// for only if it is; and reads it on the page of the request. Who names one of both is told nothing of the kind.
func TestBeside(t *testing.T) {
	t.Parallel()
	s := started(t)
	ask := func(body NewRequest) (made Taken) {
		t.Helper()
		body.Tenant = tenant
		r := call("POST", "/v1/requests", "", body)
		r.Token = s.Customer("admin@cabinetnord.example", tenant, map[string]any{"role": "admin"})
		s.Call(t, r).Want(t, 202, "").Decode(t, &made)
		return made
	}
	known, stranger := ask(NewRequest{UID: "u7", Email: mia}), ask(NewRequest{UID: "u8", Email: nobody})
	for _, made := range []Taken{known, stranger} {
		if !slices.Equal(made.Unsearched, []string{"email"}) || made.State != string(request.Planning) {
			t.Errorf("%+v", made)
		}
		if v := view(t, s, made.Number, made.Secret); !slices.Equal(v.Unsearched, made.Unsearched) {
			t.Errorf("%+v", v)
		}
		page := string(send(t, s, "/follow?lang=de", "number", made.Number, "code", made.Secret).Body)
		if !strings.Contains(page, "Nach der Adresse, die neben der Kennung genannt wurde, wird nicht gesucht") {
			t.Errorf("the page says\n%s", page)
		}
	}
	for _, body := range []NewRequest{{UID: "u9"}, {Email: nobody}} {
		if made := ask(body); made.Unsearched != nil {
			t.Errorf("%+v", made)
		}
	}
}
