package erasurewalk

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/walk/walktest"

	"ostiary.internal/functions/internal/browser"
)

// TestErased: somebody asks on her phone, opens the link of the mail and confirms; the data protection officer looks at
// what only a person can judge and approves the plan; her page says that it is erased, and by whose search; her twin in
// the other organisation is whole.
func TestErased(t *testing.T) {
	t.Parallel()
	s := shared(t)
	twin := s.data("cabinet-sud")
	p := s.Sit(browser.Phone, "en")
	p.Open(s.URL + "/requesterasure/?lang=en")
	p.Type("#email", chloe)
	p.Type("#tenant", "Cabinet Nord")
	p.Press("form[action$='/ask'] button")
	p.Says("h1", "Look into your mailbox")
	number := p.Text(".big")
	if !p.Has("form[action$='/renew']:not([hidden])") || strings.Contains(p.URL(), "#") {
		t.Errorf("another mail cannot be asked for, or the address keeps the secret: %s", p.URL())
	}
	s.Settled()
	letter, got := s.mail(chloe)
	if !got || !strings.Contains(letter.Subject, number) {
		t.Fatalf("she has the mail %+v", letter)
	}
	p.Requests()
	p.Open(letter.Links[0])
	_, proof, _ := strings.Cut(letter.Links[0], "#")
	_, code, _ := strings.Cut(proof, ".")
	if browser.Eval[string](p.Tab, "document.getElementById('code').value") != code || strings.Contains(p.URL(), code) {
		t.Errorf("the link does not fill in the code, or it stays in the address: %s", p.URL())
	}
	p.Press("form[action$='/confirm'] button")
	p.Says("[role=status]", "it begins now")
	for _, asked := range append(p.Requests(), p.History()...) {
		if strings.Contains(asked, code) {
			t.Errorf("the code stands in an address: %s", asked)
		}
	}
	s.Settled()
	p.Press("body main > form:last-of-type button") // look again
	p.Says("#state", "being looked at")

	desk := s.staff("dorothea.klein", browser.Desk, "en")
	desk.Open(s.URL + "/decideerasure/?lang=en&show=desk")
	desk.Says("main", "Somebody has to look at the plan and approve it.")
	desk.Press("a.item")
	desk.Says("section[aria-labelledby=doubts]", "free text or a file")
	desk.Says("table", "notes")
	desk.Press("form[action$='/reviewed'] button")
	desk.Says("[role=status]", "no longer keep it open")
	browser.Eval[int](desk.Tab, "(document.querySelector(\"form[action$='/approve'] button\").focus(), 0)")
	desk.Enter()
	desk.Says("[role=status]", "Approved: it is carried out.")
	s.Settled()

	p.Press("body main > form:last-of-type button")
	p.Says("#state", "erased")
	p.Says("main", "A second, separate search found nothing")
	p.Says(".way", "Searched for again")
	p.Says("section[aria-labelledby=backups]", "pitr: gone by 11 March 2026")
	p.Says("section[aria-labelledby=kept]", "Code de commerce")
	if strings.Contains(s.data("cabinet-nord"), chloe) {
		t.Error("her address is still there")
	}
	if s.data("cabinet-sud") != twin {
		t.Error("the twin organisation is not what it was")
	}
	receipt(t, s, p, code)
	if noise := append(p.Noise(), desk.Noise()...); len(noise) > 0 {
		t.Errorf("the console says %v", noise)
	}
}

// receipt gets the signed receipt the page offers.
func receipt(t *testing.T, s *server, p *walktest.Person, code string) {
	t.Helper()
	if !p.Has("form[action$='/receipt'] button") {
		t.Fatalf("no receipt is offered:\n%s", p.Text("main"))
	}
	p.Says("section[aria-labelledby=receipt]", "ostiary erase verify-receipt")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/requesterasure/v1/requests/"+p.Text("#state span")+"/receipt", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Request-Secret", code)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	recorded := httptest.NewRecorder()
	_, _ = recorded.Body.ReadFrom(answer.Body)
	text := recorded.Body.String()
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(text, `"signatures":[{`) {
		t.Errorf("the receipt is answered with %s: %.300s", answer.Status, text)
	}
	if strings.Contains(text, chloe) || strings.Contains(text, "cabinet-nord") {
		t.Errorf("the receipt names her: %s", text)
	}
}

// TestWithoutScripts: number and code are typed, and everything works.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	s := shared(t)
	p := s.Sit(browser.Phone, "fr")
	p.Scripts(false)
	p.Open(s.URL + "/requesterasure/?lang=fr")
	p.Type("#email", bruno)
	p.Type("#tenant", "cabinetnord.example")
	p.Press("form[action$='/ask'] button")
	s.Settled()
	letter, _ := s.mail(bruno)
	p.Press("main a.button")
	p.Type("#code", letter.Codes[0])
	p.Press("form[action$='/confirm'] button")
	p.Scripts(true) // to be read
	p.Says("[role=status]", "cela commence maintenant")
	s.Settled()
	p.Press("body main > form:last-of-type button")
	p.Says("#state", "effacé, sauf exceptions")
}

// TestTakenBack: whoever is not known gets the same page; the last owner reads what to do, and takes it back.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	s := shared(t)
	p := s.Sit(browser.Phone, "de")
	p.Open(s.URL + "/requesterasure/?lang=de")
	p.Tabs("Ostiary", "email") // a keyboard is enough
	p.Keys(nobody)
	p.Tabs("Ostiary", "email", "tenant")
	p.Keys("cabinet-nord")
	p.Enter()
	p.Says("h1", "Sehen Sie in Ihr Postfach")
	s.Settled()
	if letter, got := s.mail(nobody); got {
		t.Errorf("whoever is not known got %+v", letter)
	}
	_, number, code := s.confirmed(agathe, "de")
	p.Open(s.URL + "/requesterasure/follow#" + number + "." + code)
	p.Press("form[action$='/follow'] button")
	p.Says("main", "Benennen Sie eine andere")
	p.Unfold()
	p.Click("form[action$='/cancel'] input[name=sure]")
	p.Press("form[action$='/cancel'] button")
	p.Says("[role=status]", "Zurückgenommen")
	p.Says(".way", "entfällt")
}
