package walk

import (
	"testing"

	"ostiary.internal/functions/internal/browser"
)

// Every page in every language holds in the narrowest window, on a phone and at a desk, with text twice as large, in
// light and in the dark.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			p := sit(t, serve(t), browser.Phone, lang)
			look := func(name, of string) {
				t.Helper()
				if lang == "en" || of == lang { // the pages of local mode are English, once is enough
					inspect(t, p, name, lang)
				}
			}
			p.Open(p.Server.URL + "/")
			look("start", "en")
			p.Open(p.Server.URL + "/enrolotp/")
			look("sign-in in place of a page", "en")
			p.Open(p.Server.URL + "/_local/door")
			look("shut door", "en")
			p.SignIn(emma, Home)
			look("morning, first", lang)
			p.Press("a[href='/enrolotp/']")
			look("enrolment, first", lang)
			p.Press("#add-form button")
			look("QR code", lang)
			p.Scan()
			p.Type("#code", p.Wrong())
			p.Press("form[action='/enrolotp/confirm'] button")
			look("enrolment, wrong code", lang)
			p.Type("#code", p.Code())
			p.Press("form[action='/enrolotp/confirm'] button")
			look("recovery codes", lang)
			p.Press("a[href='/registerip/']")
			look("morning", lang)
			p.TypeAndGo("#code", p.Wrong())
			look("morning, wrong code", lang)
			for !p.Has("#wait") {
				p.TypeAndGo("#code", p.Wrong())
			}
			look("morning, throttled", lang)
			advance(t, p.Server, "1m")
			p.Open(p.Server.URL + "/registerip/")
			p.TypeAndGo("#code", p.NextCode())
			p.Wait("[data-state=confirmed]")
			look("morning, applied", lang)
			p.Open(p.Server.URL + "/_local/door")
			look("open door", "en")
			p.Open(p.Server.URL + "/registerip/")
			look("morning, working", lang)
			p.Open(p.Server.URL + "/enrolotp/")
			openAll(p)
			look("enrolment", lang)
			p.Open(p.Server.URL + "/registerip/nothing")
			look("problem", lang)
			p.SignIn(emma, Mobile)
			advance(t, p.Server, "14h40m")
			p.Open(p.Server.URL + "/registerip/")
			openAll(p)
			look("morning, near the end, elsewhere", lang)
			p.SignIn(simone, Home)
			p.Open(p.Server.URL + "/enrolotp/desk")
			p.Choose("#email", emma)
			p.Type("#reason", "Telefon und Codes im Zug liegen gelassen, unter der bekannten Nummer zurückgerufen")
			p.Press("form[action='/enrolotp/desk/reset'] button")
			p.Choose("#to", asha)
			p.Press("form[action='/enrolotp/desk/invite'] button")
			look("desk", lang)
			p.Open(p.Server.URL + "/_local/mail")
			look("mailbox", "en")
			quietly(t, p)
		})
	}
}

// openAll opens what is folded.
func openAll(p *Person) {
	p.T.Helper()
	browser.Eval[int](p.Tab, "document.querySelectorAll('details').forEach((d) => { d.open = true; }), 0")
}

// inspect looks at one page in every window, size of text and colour scheme.
func inspect(t *testing.T, p *Person, name, lang string) {
	t.Helper()
	seen := map[string]bool{}
	check := func(how string, colours bool) {
		t.Helper()
		for _, fault := range p.Faults(lang, colours) {
			if !seen[fault] {
				t.Errorf("%s, %s: %s", name, how, fault)
			}
			seen[fault] = true
		}
	}
	check("360 px", lang == "en")
	if lang == "en" { // colours are the same in every language, and a wide window has room for each
		p.Dark(true)
		check("dark", true)
		p.Dark(false)
		p.Resize(browser.Desk)
		check("1280 px", false)
	}
	p.Resize(browser.Narrow)
	check("320 px", false)
	p.Larger(2)
	check("320 px, text 200 %", false)
	p.Larger(1)
	p.Resize(browser.Phone)
}
