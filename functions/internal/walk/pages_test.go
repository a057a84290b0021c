package walk_test

import (
	"time"

	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"testing"

	"ostiary.internal/functions/internal/browser"
)

// Every page in every language holds in the narrowest window, on a phone and at a desk, with text twice as large, in
// light and in the dark.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			p := stage.Serve(t).Sit(browser.Phone, lang)
			look := func(name, of string) {
				t.Helper()
				if lang == "en" || of == lang { // the pages of local mode are English, once is enough
					p.Inspect(name, lang, axe)
				}
			}
			p.Open(p.Server.URL + "/")
			look("start", "en")
			p.Open(p.Server.URL + "/enrolotp/")
			look("sign-in in place of a page", "en")
			p.Open(p.Server.URL + "/_local/door")
			look("shut door", "en")
			p.SignIn(emma, walk.Home)
			look("morning, first", lang)
			p.Press("a[href='/enrolotp/']")
			look("enrolment, first", lang)
			p.Press("#add-form button")
			look("QR code", lang)
			p.Scan()
			p.Prove(p.Wrong())
			look("enrolment, wrong code", lang)
			p.Prove(p.Code())
			look("recovery codes", lang)
			p.Press("a[href='/registerip/']")
			look("morning", lang)
			p.TypeAndGo("#code", p.Wrong())
			look("morning, wrong code", lang)
			for !p.Has("#wait") {
				p.TypeAndGo("#code", p.Wrong())
			}
			look("morning, throttled", lang)
			p.At.Later(1 * time.Minute)
			p.Open(p.Server.URL + "/registerip/")
			p.TypeAndGo("#code", p.NextCode())
			p.Wait("[data-state=confirmed]")
			look("morning, applied", lang)
			p.Open(p.Server.URL + "/_local/door")
			look("open door", "en")
			p.Open(p.Server.URL + "/registerip/")
			look("morning, working", lang)
			p.Open(p.Server.URL + "/enrolotp/")
			p.Unfold()
			look("enrolment", lang)
			p.Open(p.Server.URL + "/registerip/nothing")
			look("problem", lang)
			p.SignIn(emma, walk.Mobile)
			p.At.MuchLater(14*time.Hour + 40*time.Minute)
			p.Open(p.Server.URL + "/registerip/")
			p.Unfold()
			look("morning, near the end, elsewhere", lang)
			p.SignIn(simone, walk.Home)
			p.Open(p.Server.URL + "/enrolotp/desk")
			p.Choose("#email", emma)
			p.Type("#reason", "Telefon und Codes im Zug liegen gelassen, unter der bekannten Nummer zurückgerufen")
			p.Press("form[action='/enrolotp/desk/reset'] button")
			p.Choose("#to", asha)
			p.Press("form[action='/enrolotp/desk/invite'] button")
			look("desk", lang)
			p.Open(p.Server.URL + "/_local/mail")
			look("mailbox", "en")
			p.Quietly(p.Server.URL)
		})
	}
}
