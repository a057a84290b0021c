package walk_test

import (
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"
)

// relay is an address of a privacy relay.
const relay = "172.224.226.1"

// TestNetworksAndRegister: on mobile data the page names the network; over a relay it says what to do, in every language; the
// auditor finds the day in the register.
func TestNetworksAndRegister(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	s := stage.Serve(t)
	phone := s.Sit(browser.Phone, "en")
	phone.SignIn(emma, walk.Mobile)
	phone.Enrol()
	phone.Open(s.URL + "/registerip/")
	phone.Says("#network", "Mobile network: Three UK")
	phone.Inspect("morning, mobile network", "en", axe)
	phone.TypeAndGo("#code", phone.NextCode())
	phone.Wait("[data-state=confirmed]")
	for _, lang := range []string{"en", "fr", "de"} {
		relayed := s.Sit(browser.Phone, lang)
		relayed.Open(s.URL + "/_local/signin")
		relayed.Choose("#email", emma)
		relayed.Type("#other", relay)
		relayed.Press("main button")
		relayed.Open(s.URL + "/registerip/?lang=" + lang)
		relayed.Says("#network", "iCloud Private Relay")
		if relayed.Has("#code") {
			t.Error("a code is asked for over a relay")
		}
		relayed.Inspect("morning, relay", lang, axe)
		relayed.Quietly(s.URL)
		auditor := s.Sit(browser.Phone, lang)
		auditor.SignIn("aurel.roth@sharedcontacts.example", walk.Home)
		auditor.Press("a[href='/registerip/register']")
		auditor.Inspect("register, days", lang, axe)
		auditor.Press("form[action='/registerip/register'] button")
		auditor.Says("main table", "Emma Dubois")
		auditor.Says("main table", walk.Mobile)
		auditor.Inspect("register", lang, axe)
		if lang == "en" && !strings.Contains(auditor.Text("main table"), "enforced on the account") {
			t.Error("the proof is said to be more than is known")
		}
		auditor.Quietly(s.URL)
	}
}
