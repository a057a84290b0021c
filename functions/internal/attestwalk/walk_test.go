package attestwalk

import (
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk/walktest"
)

// A duty from its reminder to the second person, without scripts on the phone.
func TestDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Advance(t, 40*24*time.Hour)
	w.tick()
	her := w.sit("simone.bernard", browser.Phone, "en")
	her.Scripts(false)
	her.Open(her.url + "/")
	her.Says("section[aria-labelledby=do]", "overdue")
	her.Press("a[href$='/risk-register-review']")
	her.Says("h1", "Go through the risk register")
	her.Type("#reference", "SEC-7")
	her.Press("form button")
	her.Says("[role=status]", "A second person has to look at it now.")
	her.Click("summary")
	her.Press("a[href$='/risk-register-review']")
	her.Says("#state", "review overdue")

	second := w.sit("odile.martin", browser.Desk, "fr")
	second.Press("section[aria-labelledby=review] a")
	second.Says("dl", "Simone Bernard")
	second.Press("button[value=returned]")
	second.Says("[role=status]", "il faut le refaire")
	her.Open(her.url + "/duties/risk-register-review")
	her.Press("form button")
	second.Open(second.url + "/duties/risk-register-review")
	second.Press("button[value=approved]")
	second.Says("[role=status]", "C’est noté : vérifié.")
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
	p.Says("[role=status]", "Notiert: Es ist erledigt.")
	// A refusal stands on the page, and what was typed is still there.
	p.Open(p.url + "/ask/software-clearance")
	p.Type("#about", "vim 9.1")
	p.Enter()
	p.Says("[role=status]", "Beantragt.")
}

// A sentence is signed as it stands, and two people agree on an exception.
func TestSignAndExcept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.sit("odile.martin", browser.Phone, "en")
	owner.Press("section[aria-labelledby=sign] a")
	owner.Click("input[type=checkbox]")
	owner.Press("form button")
	owner.Says("[role=status]", "Signed.")
	owner.Press("a[href='/attest/waivers']")
	owner.Choose("#promise", "F06")
	owner.Choose("#reason", "migration")
	owner.Press("form[action='/attest/waivers'] button")
	owner.Says("[role=status]", "Another person has to approve it.")
	owner.Says(".card .note", "You asked for it")

	dpo := w.sit("dorothea.klein", browser.Desk, "de")
	dpo.Press("section[aria-labelledby=approve] a")
	dpo.Press("form[action$='/approve'] button")
	dpo.Says("[role=status]", "Genehmigt")
	dpo.Says("section[aria-labelledby=inforce]", "Odile Martin")
	// Whoever sees that it is not needed any more ends it, from the phone too.
	owner.Open(owner.url + "/waivers")
	owner.Press("form[action$='/end'] button")
	owner.Says("[role=status]", "no longer counts")
	if left := browser.Eval[int](owner.Tab, "document.querySelectorAll('section[aria-labelledby=inforce]').length"); left != 0 {
		t.Error("what was ended is still in force")
	}
	// Left open too long, the page comes back with what was chosen.
	owner.Choose("#promise", "F05")
	owner.Choose("#reason", "incident")
	w.Advance(t, 11*time.Minute)
	owner.Press("form[action='/attest/waivers'] button")
	owner.Says("[role=alert]", "open too long")
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
	p.Says("[role=alert]", "passée")
	if kept := browser.Eval[string](p.Tab, "document.querySelector('#number').value"); kept != "PARTENAIRE/7" {
		t.Errorf("the number typed is %q now", kept)
	}
	p.Choose("#valid_until", "2026-09-30")
	p.Press("form[action$='/done'] button")
	p.Says("[role=status]", "c’est fait")
	p.Open(p.url + "/duties/google-premium-partner")
	p.Says("dl", "PARTENAIRE/7, Société d’exemple")
	p.Says("dl", "30 septembre 2026")
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
		asker.Says("[role=status]", "Demandé")
	}
	w.scanned("evil 1", true)
	her := w.sit("simone.bernard", browser.Phone, "en")
	her.Press("section[aria-labelledby=do] a[href*='software-clearance']")
	her.Says("section[aria-labelledby=failed]", "the result of a scan")
	her.Press("button[value=refused]")
	her.Says("[role=status]", "Refused.")
	her.Click("summary")
	her.Says("details", "refused")

	asker.Open(asker.url + "/")
	asker.Click("summary")
	asker.Says("details", "refusée")
	asker.Press("details li:has(a[href*='software-clearance']):not(:has(.bad)):has(.row .quiet) a")
	asker.Press("form[action$='/withdraw'] button")
	asker.Says("[role=status]", "Retirée")
	her.quietly()
	asker.quietly()
}

// Every page holds in every window, size of text and colour scheme, in every language.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Advance(t, 20*24*time.Hour)
			w.tick()
			p := w.sit("simone.bernard", browser.Phone, lang)
			p.Inspect("overview", lang, axe)
			p.Open(p.url + "/ask/software-clearance")
			p.Type("#about", "Einkaufsverwaltung Professional 2026.1 (x86_64)")
			p.Inspect("ask", lang, axe)
			p.Press("form button")
			p.Unfold()
			p.Inspect("overview after asking", lang, axe)
			p.Press("details a[href*='software-clearance']")
			p.Inspect("duty that waits for evidence", lang, axe)
			w.scanned("Einkaufsverwaltung Professional 2026.1 (x86_64)", true)
			other := w.sit("stefan.weber", browser.Phone, lang)
			other.Press("section[aria-labelledby=do] a[href*='software-clearance']")
			other.Inspect("request that evidence speaks against", lang, axe)
			other.Press("button[value=refused]")
			p.Open(p.url + "/")
			p.Unfold()
			p.Press("details a[href*='software-clearance']")
			p.Inspect("refused request", lang, axe)
			p.Open(p.url + "/duties/risk-register-review")
			p.Inspect("duty to do", lang, axe)
			p.Open(p.url + "/duties/access-review")
			p.Inspect("duty that waits for a review", lang, axe)
			p.Open(p.url + "/duties/risk-register-review")
			p.Press("form button")
			boss := w.sit("odile.martin", browser.Phone, lang)
			boss.Open(boss.url + "/duties/risk-register-review")
			boss.Inspect("duty to review", lang, axe)
			boss.Open(boss.url + "/duties/google-premium-partner")
			boss.Inspect("duty that files a document", lang, axe)
			boss.Type("#issuer", "Gesellschaft für Beispielzertifizierungen mbH")
			boss.Type("#number", "ISO-IEC-27001:2022/4711-0815-GOOGLE-CLOUD-PLATFORM")
			boss.Choose("#valid_until", "2027-12-31")
			boss.Press("form[action$='/done'] button")
			boss.Open(boss.url + "/duties/google-premium-partner")
			boss.Inspect("document on file", lang, axe)
			p.Open(p.url + "/statements")
			p.Inspect("statements", lang, axe)
			p.Press("section[aria-labelledby=mine] a")
			p.Unfold()
			p.Inspect("statement", lang, axe)
			p.Open(p.url + "/waivers")
			p.Choose("#promise", "F06")
			p.Choose("#reason", "supplier-outage")
			p.Press("form[action='/attest/waivers'] button")
			p.Inspect("exceptions", lang, axe)
			boss.Open(boss.url + "/waivers")
			boss.Press("form[action$='/approve'] button")
			boss.Inspect("exception in force", lang, axe)
			p.Open(p.url + "/duties/nothing")
			p.Inspect("problem", lang, axe)
			p.quietly()
		})
	}
}
