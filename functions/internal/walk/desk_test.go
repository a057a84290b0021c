package walk_test

import (
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
)

// Two different people reset somebody's authenticators; her access ends, and a link lets her begin anew.
func TestDesk(t *testing.T) {
	t.Parallel()
	s := stage.Serve(t)
	her := s.Sit(browser.Phone, "en")
	her.SignIn(emma, walk.Home)
	her.Enrol()
	her.Press("a[href='/registerip/']")
	her.TypeAndGo("#code", her.NextCode())
	her.Wait("[data-state=confirmed]")

	first := s.Sit(browser.Desk, "fr")
	first.SignIn(simone, walk.Home)
	first.Press("a[href='/enrolotp/desk']")
	first.Choose("#email", emma)
	first.Type("#reason", "Téléphone et codes perdus")
	first.Press("form[action='/enrolotp/desk/reset'] button")
	if said := first.Text("section[aria-labelledby=open]"); !strings.Contains(said, "Une autre personne de l’équipe sécurité doit en décider") || first.Has("form[action='/enrolotp/desk/approve']") {
		t.Fatalf("who asked sees:\n%s", said)
	}

	second := s.Sit(browser.Desk, "de")
	second.SignIn(stefan, walk.Home)
	second.Press("a[href='/enrolotp/desk']")
	second.Press("form[action='/enrolotp/desk/approve'] button")
	if said := second.Text("[role=status]"); !strings.HasPrefix(said, "Zurückgesetzt") {
		t.Errorf("who approved reads %q", said)
	}
	s.Settled()
	her.Open(s.URL + "/registerip/")
	if said := her.Text("main"); !strings.Contains(said, "set up an authenticator app") || her.Has("#live-here") {
		t.Errorf("after the reset she sees:\n%s", said)
	}

	second.Choose("#to", emma)
	second.Press("form[action='/enrolotp/desk/invite'] button")
	link := second.Text("[data-link]")
	_, token, _ := strings.Cut(link, "#enrol=")
	her.Open(link)
	if her.URL() != s.URL+"/enrolotp/" || token == "" {
		t.Errorf("the link stays in the address bar: %s", her.URL())
	}
	unseen(t, her, token) // the field holds it as its value, not as an attribute
	her.Press("#add-form button")
	her.Scan()
	her.Prove(her.NextCode())
	if said := her.Text("[role=status]"); said != "Your app is set up." {
		t.Errorf("after the link she reads %q", said)
	}
	for _, p := range []*walktest.Person{her, first, second} {
		p.Quietly(p.Server.URL)
	}
	// A refusal keeps what was typed, and the page it stands on still works.
	second.Open(s.URL + "/enrolotp/desk")
	second.Choose("#email", asha)
	second.Type("#reason", "x")
	second.Press("form[action='/enrolotp/desk/reset'] button")
	if !second.Has("#ask-trouble") || browser.Eval[string](second.Tab, "document.getElementById('email').value") != asha {
		t.Errorf("a reset of somebody without an app shows:\n%s", second.Text("main"))
	}
	second.Choose("#to", asha)
	second.Press("form[action='/enrolotp/desk/invite'] button")
	if !second.Has("[data-link]") {
		t.Errorf("after a refusal the desk shows:\n%s", second.Text("main"))
	}
}

// Whoever lost her phone ends it and begins anew with a recovery code, which is good once.
func TestRecovery(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	codes := p.Enrol()
	p.Open(p.Server.URL + "/enrolotp/")
	p.Unfold()
	p.Click("input[name=lost]")
	p.Press("form[action='/enrolotp/remove'] button")
	p.Open(p.Server.URL + "/registerip/")
	if said := p.Text("main"); !strings.Contains(said, "None of your authenticator apps is valid any more") {
		t.Errorf("without an app she sees:\n%s", said)
	}
	p.Press("a[href='/enrolotp/']")
	p.Type("#recovery", "AAAA-BBBB-CCCC-DDDD")
	p.Press("form[action='/enrolotp/recover'] button")
	p.Wait("#recovery:focus")
	if focus := p.Focused(); focus != "recovery" || !p.Has("#recovery-trouble") {
		t.Errorf("after a wrong recovery code the focus is at %q, and the page shows:\n%s", focus, p.Text("main"))
	}
	p.Type("#recovery", codes[3])
	p.Press("form[action='/enrolotp/recover'] button")
	p.Press("#add-form button")
	p.Scan()
	p.Prove(p.NextCode())
	if said := p.Text("[role=status]"); said != "Your app is set up." {
		t.Errorf("after the recovery she reads %q", said)
	}
	unseen(t, p, codes[3], p.Secret())
	p.Quietly(p.Server.URL)
}

// Whoever only types a recovery code has nothing else to fill in, and the app of the lost phone is replaced by the new one.
func TestRecoveryReplaces(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	codes := p.Enrol()
	old := p.Secret()
	p.Open(p.Server.URL + "/enrolotp/")
	p.Type("#recovery", codes[0])
	p.Press("form[action='/enrolotp/recover'] button")
	p.Press("#add-form button")
	p.Scan()
	p.Prove(p.NextCode())
	if p.Secret() == old {
		t.Error("the new phone has the secret of the lost one")
	}
	p.Open(p.Server.URL + "/enrolotp/")
	if n := browser.Eval[int](p.Tab, `document.querySelectorAll("section[aria-labelledby=have] > ul > li").length`); n != 1 {
		t.Errorf("with the new phone she has %d apps:\n%s", n, p.Text("main"))
	}
}
