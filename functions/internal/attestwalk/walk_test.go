package attestwalk

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
)

// says fails unless what the selector names shows a text.
func (p *person) says(selector, text string) {
	p.t.Helper()
	if said := p.Text(selector); !strings.Contains(said, text) {
		p.t.Errorf("on %s %s reads:\n%s\nwanted %q", p.URL(), selector, said, text)
	}
}

// A duty from its reminder to the second person, without scripts on the phone.
func TestDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Advance(t, 40*24*time.Hour)
	w.tick()
	her := w.sit("simone.bernard", browser.Phone, "en")
	her.Scripts(false)
	her.Open(her.url + "/")
	her.says("section[aria-labelledby=do]", "overdue")
	her.Press("a[href$='/risk-register-review']")
	her.says("h1", "Go through the risk register")
	her.Type("#reference", "SEC-7")
	her.Press("form button")
	her.says("[role=status]", "A second person has to look at it now.")
	her.Click("summary")
	her.Press("a[href$='/risk-register-review']")
	her.says("#state", "review overdue")

	second := w.sit("odile.martin", browser.Desk, "fr")
	second.Press("section[aria-labelledby=review] a")
	second.says("dl", "Simone Bernard")
	second.Press("button[value=returned]")
	second.says("[role=status]", "il faut le refaire")
	her.Open(her.url + "/duties/risk-register-review")
	her.Press("form button")
	second.Open(second.url + "/duties/risk-register-review")
	second.Press("button[value=approved]")
	second.says("[role=status]", "C’est noté : vérifié.")
	her.quietly()
	second.quietly()
}

// A keyboard is enough, from the list to the word.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.sit("stefan.weber", browser.Desk, "de")
	p.Open(p.url + "/duties/log-review")
	browser.Eval[int](p.Tab, "(document.querySelector('.skip').focus(), 0)")
	for _, want := range []string{"Ostiary", "reference", "Es ist erledigt"} {
		p.Tabulate()
		if focus := p.Focused(); focus != want {
			t.Errorf("the Tab key leads to %q, not to %q", focus, want)
		}
	}
	p.Enter()
	p.says("[role=status]", "Notiert: Es ist erledigt.")
	// A refusal stands on the page, and what was typed is still there.
	p.Open(p.url + "/ask/software-clearance")
	p.Type("#about", "vim 9.1")
	p.Enter()
	p.says("[role=status]", "Beantragt.")
}

// A sentence is signed as it stands, and two people agree on an exception.
func TestSignAndExcept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.sit("odile.martin", browser.Phone, "en")
	owner.Press("section[aria-labelledby=sign] a")
	owner.Click("input[type=checkbox]")
	owner.Press("form button")
	owner.says("[role=status]", "Signed.")
	owner.Press("a[href='/attest/waivers']")
	owner.Choose("#promise", "F06")
	owner.Choose("#reason", "migration")
	owner.Press("form[action='/attest/waivers'] button")
	owner.says("[role=status]", "Another person has to approve it.")
	owner.says(".card .note", "You asked for it")

	dpo := w.sit("dorothea.klein", browser.Desk, "de")
	dpo.Press("section[aria-labelledby=approve] a")
	dpo.Press("form[action$='/approve'] button")
	dpo.says("[role=status]", "Genehmigt")
	dpo.says("section[aria-labelledby=inforce]", "Odile Martin")
	// Whoever sees that it is not needed any more ends it, from the phone too.
	owner.Open(owner.url + "/waivers")
	owner.Press("form[action$='/end'] button")
	owner.says("[role=status]", "no longer counts")
	if left := browser.Eval[int](owner.Tab, "document.querySelectorAll('section[aria-labelledby=inforce]').length"); left != 0 {
		t.Error("what was ended is still in force")
	}
	// Left open too long, the page comes back with what was chosen.
	owner.Choose("#promise", "F05")
	owner.Choose("#reason", "incident")
	w.Advance(t, 11*time.Minute)
	owner.Press("form[action='/attest/waivers'] button")
	owner.says("[role=alert]", "open too long")
	owner.quietly()
	dpo.quietly()
}

// A document is filed with its number and its end; what is refused stands on the page with what was typed.
func TestDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.sit("odile.martin", browser.Phone, "fr")
	p.Open(p.url + "/duties/google-premium-partner")
	p.Type("#issuer", "Société d’exemple")
	p.Type("#number", "PARTENAIRE/7")
	browser.Eval[int](p.Tab, "(document.querySelector('#valid_until').removeAttribute('min'), 0)")
	p.Choose("#valid_until", "2026-03-02")
	p.Press("form[action$='/done'] button")
	p.says("[role=alert]", "passée")
	if kept := browser.Eval[string](p.Tab, "document.querySelector('#number').value"); kept != "PARTENAIRE/7" {
		t.Errorf("the number typed is %q now", kept)
	}
	p.Choose("#valid_until", "2026-09-30")
	p.Press("form[action$='/done'] button")
	p.says("[role=status]", "c’est fait")
	p.Open(p.url + "/duties/google-premium-partner")
	p.says("dl", "PARTENAIRE/7, Société d’exemple")
	p.says("dl", "30 septembre 2026")
	p.quietly()
}

// What failed its scan is refused, and what is not needed any more withdrawn.
func TestRefuseAndWithdraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asker := w.sit("emma.dubois", browser.Phone, "fr")
	for _, about := range []string{"evil 1", "ed 1.20"} {
		asker.Open(asker.url + "/ask/software-clearance")
		asker.Type("#about", about)
		asker.Press("form button")
		asker.says("[role=status]", "Demandé")
	}
	w.scanned("evil 1", true)
	her := w.sit("simone.bernard", browser.Phone, "en")
	her.Press("section[aria-labelledby=do] a[href*='software-clearance']")
	her.says("section[aria-labelledby=failed]", "the result of a scan")
	her.Press("button[value=refused]")
	her.says("[role=status]", "Refused.")
	her.Click("summary")
	her.says("details", "refused")

	asker.Open(asker.url + "/")
	asker.Click("summary")
	asker.says("details", "refusée")
	asker.Press("details li:has(a[href*='software-clearance']):not(:has(.bad)):has(.row .quiet) a")
	asker.Press("form[action$='/withdraw'] button")
	asker.says("[role=status]", "Retirée")
	her.quietly()
	asker.quietly()
}

// Every page holds in every window, size of text and colour scheme, in every language.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Advance(t, 20*24*time.Hour)
			w.tick()
			p := w.sit("simone.bernard", browser.Phone, lang)
			p.inspect("overview", lang)
			p.Open(p.url + "/ask/software-clearance")
			p.Type("#about", "Einkaufsverwaltung Professional 2026.1 (x86_64)")
			p.inspect("ask", lang)
			p.Press("form button")
			openAll(p)
			p.inspect("overview after asking", lang)
			p.Press("details a[href*='software-clearance']")
			p.inspect("duty that waits for evidence", lang)
			w.scanned("Einkaufsverwaltung Professional 2026.1 (x86_64)", true)
			other := w.sit("stefan.weber", browser.Phone, lang)
			other.Press("section[aria-labelledby=do] a[href*='software-clearance']")
			other.inspect("request that evidence speaks against", lang)
			other.Press("button[value=refused]")
			p.Open(p.url + "/")
			openAll(p)
			p.Press("details a[href*='software-clearance']")
			p.inspect("refused request", lang)
			p.Open(p.url + "/duties/risk-register-review")
			p.inspect("duty to do", lang)
			p.Open(p.url + "/duties/access-review")
			p.inspect("duty that waits for a review", lang)
			p.Open(p.url + "/duties/risk-register-review")
			p.Press("form button")
			boss := w.sit("odile.martin", browser.Phone, lang)
			boss.Open(boss.url + "/duties/risk-register-review")
			boss.inspect("duty to review", lang)
			boss.Open(boss.url + "/duties/google-premium-partner")
			boss.inspect("duty that files a document", lang)
			boss.Type("#issuer", "Gesellschaft für Beispielzertifizierungen mbH")
			boss.Type("#number", "ISO-IEC-27001:2022/4711-0815-GOOGLE-CLOUD-PLATFORM")
			boss.Choose("#valid_until", "2027-12-31")
			boss.Press("form[action$='/done'] button")
			boss.Open(boss.url + "/duties/google-premium-partner")
			boss.inspect("document on file", lang)
			p.Open(p.url + "/statements")
			p.inspect("statements", lang)
			p.Press("section[aria-labelledby=mine] a")
			openAll(p)
			p.inspect("statement", lang)
			p.Open(p.url + "/waivers")
			p.Choose("#promise", "F06")
			p.Choose("#reason", "supplier-outage")
			p.Press("form[action='/attest/waivers'] button")
			p.inspect("exceptions", lang)
			boss.Open(boss.url + "/waivers")
			boss.Press("form[action$='/approve'] button")
			boss.inspect("exception in force", lang)
			p.Open(p.url + "/duties/nothing")
			p.inspect("problem", lang)
			p.quietly()
		})
	}
}

// openAll opens what is folded.
func openAll(p *person) {
	p.t.Helper()
	browser.Eval[int](p.Tab, "document.querySelectorAll('details').forEach((d) => { d.open = true; }), 0")
}

// inspect looks at one page in the narrowest window with large text, the hardest place for every language; in English also
// on a phone, in the dark and at a desk.
func (p *person) inspect(name, lang string) {
	p.t.Helper()
	seen := map[string]bool{}
	check := func(how string, colours bool) {
		p.t.Helper()
		for _, fault := range p.Faults(lang, colours) {
			if !seen[fault] {
				p.t.Errorf("%s, %s: %s", name, how, fault)
			}
			seen[fault] = true
		}
	}
	if lang == "en" {
		check("360 px", true)
		p.Dark(true)
		check("dark", true)
		p.Dark(false)
		p.Resize(browser.Desk)
		check("1280 px", false)
	}
	p.Resize(browser.Narrow)
	p.Larger(2)
	check("320 px, text 200 %", false)
	p.Larger(1)
	p.Resize(browser.Phone)
}
