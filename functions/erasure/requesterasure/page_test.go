package requesterasure

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/store"
)

func partsOf(t *testing.T, w *functiontest.World) *parts.Parts {
	t.Helper()
	p, err := parts.New(w.Deps("requesterasure"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// send posts a form of a page.
func send(t *testing.T, s *scene.Scene, path string, fields ...string) functiontest.Answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return s.Call(t, functiontest.Request{Method: "POST", Path: "/requesterasure" + path, Body: values.Encode(), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
}

// read opens a page.
func read(t *testing.T, s *scene.Scene, path string) string {
	t.Helper()
	return string(s.Call(t, functiontest.Request{Method: "GET", Path: "/requesterasure" + path}).Want(t, 200, "").Body)
}

// says fails unless a page shows all of some texts.
func says(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
}

// Without a script: ask, type number and code, and see how it goes, with no secret in an address.
func TestPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	says(t, read(t, s, "/"), `lang="en"`, "Have your data erased", "Shared Contacts", `name="email"`)
	says(t, read(t, s, "/?lang=fr&tenant=cabinet-nord"), `lang="fr"`, "Faire effacer vos données", `value="cabinet-nord"`)
	says(t, read(t, s, "/?lang=de"), `lang="de"`, "Ihre Daten löschen lassen")

	sent := send(t, s, "/ask", "email", mia, "tenant", "Cabinet Nord", "kind", "erasure", "language", "fr").Want(t, 303, "")
	to := regexp.MustCompile(`^/requesterasure/sent\?number=([a-z2-9-]+)#([a-z2-9-]+)\.([a-z2-9]+)$`).FindStringSubmatch(sent.Header.Get("Location"))
	if to == nil || to[1] != to[2] {
		t.Fatalf("led to %s", sent.Header.Get("Location"))
	}
	s.Private(to[3])
	says(t, read(t, s, "/sent?number="+to[1]), "Look into your mailbox", to[1])
	if page := read(t, s, "/sent?number=%3Cb%3Ehello"); strings.Contains(page, "hello") {
		t.Error("the page repeats what its address says")
	}
	number, code := s.Identified(t, only(t, s))
	says(t, read(t, s, "/confirm?number="+number), "Confirm your request", `data-fragment`)
	says(t, string(send(t, s, "/confirm", "number", number, "code", "abc").Body), `id="trouble"`, "do not go together")
	confirmed := send(t, s, "/confirm", "number", strings.ToUpper(number), "code", code[:4]+" "+code[4:])
	if confirmed.Status != 200 {
		t.Fatalf("confirmed: %d", confirmed.Status)
	}
	says(t, string(confirmed.Body), "it begins now", "being searched", "Confirmed that it is you", "Take the request back")
	again := string(send(t, s, "/confirm", "number", number, "code", code).Body) // loaded again
	says(t, again, "being searched")
	says(t, string(send(t, s, "/follow", "number", number, "code", "abc").Body), `id="trouble"`)
	says(t, string(send(t, s, "/follow", "number", number, "code", code).Body), "Your request", `aria-current="step"`)
	if got := send(t, s, "/receipt", "number", number, "code", code); got.Status != 404 {
		t.Errorf("a receipt before there is one: %d", got.Status)
	}
	says(t, string(send(t, s, "/cancel", "number", number, "code", code).Body), "Take the request back") // not sure
	says(t, string(send(t, s, "/cancel", "number", number, "code", code, "sure", "yes").Body), "Taken back", "does not happen")
}

// only is the id of the one request there is.
func only(t *testing.T, s *scene.Scene) string {
	t.Helper()
	dpo, _ := s.Policy.Person("dorothea.klein@sharedcontacts.example")
	for _, over := range []bool{false, true} {
		list, err := s.Requests.List(t.Context(), dpo, over, s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 {
			return list[0].ID
		}
	}
	t.Fatal("there is not one request")
	return ""
}

// What is erased, what stays and why, and until when: told to the person in her language.
func TestOutcomePages(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	_, code := s.Identified(t, made.ID)
	send(t, s, "/confirm", "number", made.Number, "code", code).Want(t, 200, "")
	s.Planned(t, made.ID, request.Plan{Digest: strings.Repeat("a", 64), Map: "m", Items: 3, Kept: 1, Own: true})
	s.Started(t, made.ID)
	s.Executed(t, made.ID, request.Totals{Erased: 3})
	s.Verified(t, made.ID, request.Outcome{
		Kept:  []request.Kept{{Entry: "invoices", Items: 1, Ground: request.Statute, Citation: "Code de commerce, art. L123-22", Until: calendar.Day{Year: 2036, Month: 1, Day: 2}}},
		Purge: []request.Tail{{Class: "pitr", By: calendar.Day{Year: 2026, Month: 4, Day: 3}}},
	})
	if err := s.Raw("erasure").Tx(t.Context(), func(tx store.Tx) error {
		return tx.Create(recipient.Notices, "n1", recipient.Notice{V: 1, ID: "n1", Request: made.ID, Recipient: "mailer", State: receipt.Acknowledged, At: s.Clock.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"en": {"Postkutsche Mailversand", "has confirmed", "erased, but for some", "invoices", "Code de commerce, art. L123-22", "Until 2 January 2036", "pitr: gone by 3 April 2026", "Article 77", "anonymous so far: 3", "after 30 days"},
		"fr": {"a confirmé", "effacé, sauf exceptions", "Jusqu’au 2 janvier 2036", "article 77", "jusqu’ici : 3"},
		"de": {"gelöscht bis auf einiges", "Bis zum 2. Januar 2036", "Artikel 77", "Einträge: 3"},
	} {
		says(t, string(send(t, s, "/follow?lang="+lang, "number", made.Number, "code", code).Body), want...)
	}
	if page := string(send(t, s, "/follow", "number", made.Number, "code", made.Secret).Body); strings.Contains(page, "invoices") || strings.Contains(page, "so far") || strings.Contains(page, "Postkutsche") {
		t.Error("who only asked sees what there was")
	}
}

// A form that cannot be taken keeps what was typed; a page of another site sends none.
func TestRefusedForms(t *testing.T) {
	t.Parallel()
	s := started(t)
	page := string(send(t, s, "/ask", "email", "nonsense", "tenant", "Cabinet Nord", "kind", "account", "language", "de").Body)
	says(t, page, `id="trouble"`, `value="nonsense"`, `value="Cabinet Nord"`, `value="account" checked`, `value="de" lang="de" selected`)
	for range request.MaxAsks + 1 { // one more is taken too: it may be hers
		send(t, s, "/ask", "email", mia, "tenant", tenant, "kind", "erasure", "language", "en").Want(t, 303, "")
	}
	foreign := s.Call(t, functiontest.Request{Method: "POST", Path: "/requesterasure/ask", Body: "email=x", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}}})
	if foreign.Status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", foreign.Status)
	}
	for _, path := range []string{"/confirm", "/follow", "/cancel", "/close", "/renew", "/receipt"} {
		if got := send(t, s, path, "number", "abcdefghjk", "code", "x", "sure", "yes"); got.Status != 404 && got.Status != 403 {
			t.Errorf("%s for a request there is none of: %d", path, got.Status)
		} else {
			says(t, string(got.Body), `id="trouble"`)
		}
	}
}

// What we depend on does not answer: that is said, and that nothing was taken.
func TestDown(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.Store.Down()
	before := s.State(t)
	for _, path := range []string{"/ask", "/confirm", "/follow", "/cancel", "/renew", "/receipt"} {
		got := send(t, s, path, "email", mia, "tenant", tenant, "kind", "erasure", "number", "abcdefghjk", "code", "x", "sure", "yes")
		if got.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", path, got.Status)
		}
		says(t, string(got.Body), "does not answer")
	}
	s.Unchanged(t, before)
}

// Another mail is asked for with what the page of the first one has.
func TestRenewed(t *testing.T) {
	t.Parallel()
	s := started(t)
	made := ask(t, s, mia)
	s.Identified(t, made.ID)
	got := send(t, s, "/renew", "number", made.Number, "code", made.Secret).Want(t, 303, "")
	if to := got.Header.Get("Location"); !strings.HasPrefix(to, "/requesterasure/sent?number=") || !strings.Contains(to, "&again=1#") {
		t.Errorf("led to %s", to)
	}
	says(t, read(t, s, "/sent?number="+made.Number+"&again=1"), "another mail is on its way")
}

// Whoever typed somebody's address into the page sees that another request counts, and nothing of that one.
func TestDuplicatePage(t *testing.T) {
	t.Parallel()
	s := started(t)
	typed, own := ask(t, s, mia), ask(t, s, mia)
	number, code := s.Identified(t, own.ID)
	s.Identified(t, typed.ID)
	do(t, s, call("POST", "/v1/requests/"+number+"/confirm", code, nil), 200, "")
	if v := view(t, s, typed.Number, typed.Secret); v.State != request.IdentityPending || v.Why != "" || v.First != "" {
		t.Errorf("%+v", v)
	}
	page := string(send(t, s, "/follow", "number", typed.Number, "code", typed.Secret).Body)
	if strings.Contains(page, "Another request counts") || strings.Contains(page, spoken(own.Number)) {
		t.Errorf("the page says:\n%s", page)
	}
}
