package walk_test

import (
	"time"

	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
)

// The first morning: from nothing to a door that opens, on a phone and at a desk, in light and in the dark.
func TestMorning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		size browser.Size
		dark bool
	}{{"phone", browser.Phone, false}, {"desk in the dark", browser.Desk, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := stage.Serve(t).Sit(c.size, "en")
			p.Dark(c.dark)
			p.SignIn(emma, walk.Home)
			if !strings.Contains(p.Text("main"), "set up an authenticator app") || p.Has("#code") {
				t.Fatalf("before there is an app the page shows:\n%s", p.Text("main"))
			}
			codes := p.Enrol()
			if len(codes) != 10 {
				t.Fatalf("%d recovery codes are shown, not 10", len(codes))
			}
			p.Open(p.Server.URL + "/enrolotp/")
			unseen(t, p, append(codes, p.Secret())...)
			p.Press("a[href='/registerip/']")
			weigh(t, p)
			code := p.NextCode()
			p.TypeAndGo("#code", code[:3]+" "+code[3:]) // sends itself at the sixth digit
			p.Wait("[data-state=confirmed]")
			if said := p.Text("#said"); said != "Ready: you can connect now." {
				t.Errorf("applied, the page says %q", said)
			}
			unseen(t, p, code)
			turnGreen(t, p)
			goHome(t, p)
		})
	}
}

// turnGreen comes in by another window: back on the page, the person sees it change without loading again.
func turnGreen(t *testing.T, p *walktest.Person) {
	t.Helper()
	if err := p.Server.ComeIn(walk.Home); err != nil {
		t.Fatal(err)
	}
	browser.Eval[bool](p.Tab, "(window.stayed = true, document.dispatchEvent(new Event('visibilitychange')))")
	p.Wait("[data-state=working]")
	if said := p.Text("#said"); said != "You are in." || p.Has("#code") {
		t.Errorf("inside, the page says %q", said)
	}
	if !browser.Eval[bool](p.Tab, "window.stayed === true") {
		t.Error("the page was loaded again")
	}
}

// goHome ends the day, and stands before a shut door.
func goHome(t *testing.T, p *walktest.Person) {
	t.Helper()
	p.Open(p.Server.URL + "/_local/door")
	if said := p.Text("h1"); said != "You are in." {
		t.Errorf("the door says %q", said)
	}
	p.Press("main a[href='/registerip/']")
	p.Press("form[action='/registerip/done'] button")
	if said := p.Text("[role=status]"); said != "Your access has ended." || !p.Has("#code") {
		t.Errorf("at the end, the page says %q", said)
	}
	p.At.Settled()
	p.Open(p.Server.URL + "/_local/door")
	if said := p.Text("h1"); said != "The door is shut." {
		t.Errorf("afterwards the door says %q", said)
	}
	p.Quietly(p.Server.URL)
}

// weigh checks that the morning page with all that belongs to it stays below 50 kB when nothing is cached.
func weigh(t *testing.T, p *walktest.Person) {
	t.Helper()
	total := 0
	for _, bytes := range p.Weigh() {
		total += bytes
	}
	t.Logf("the morning page weighs %d bytes", total)
	if total < 5_000 || total >= 50_000 {
		t.Errorf("the morning page weighs %d bytes", total)
	}
}

// The core works where scripts do not: a button to press, a page that looks again by itself.
func TestMorningWithoutScripts(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "en")
	p.Scripts(false)
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Press("a[href='/registerip/']")
	p.Type("#code", p.NextCode())
	p.Press("#register button")
	p.Wait("[data-state=confirmed]")
	if err := p.Server.ComeIn(walk.Home); err != nil {
		t.Fatal(err)
	}
	p.Wait("[data-state=working]")
	goHome(t, p)
}

// A refusal stands beside the field, in the reader's language, says what to do next, and the field is ready.
func TestWrongCode(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	for _, c := range []struct{ lang, what, next string }{
		{"en", "This code is not right.", "Wait for the next code in your app and type that one."},
		{"fr", "Ce code n’est pas le bon.", "Attendez le code suivant dans votre application et saisissez-le."},
		{"de", "Dieser Code stimmt nicht.", "Warten Sie auf den nächsten Code in Ihrer App und geben Sie diesen ein."},
	} {
		p.Open(p.Server.URL + "/registerip/?lang=" + c.lang)
		p.TypeAndGo("#code", p.Wrong())
		if said := p.Text("#code-trouble"); !strings.Contains(said, c.what) || !strings.Contains(said, c.next) {
			t.Errorf("in %s the page says %q", c.lang, said)
		}
		p.Wait("#code:focus")
		if focus := p.Focused(); focus != "code" { // and is seen to have it
			t.Errorf("the focus is at %q", focus)
		}
		if by := browser.Eval[string](p.Tab, "document.getElementById('code').getAttribute('aria-describedby')"); by != "code-trouble" {
			t.Errorf("the field is described by %q", by)
		}
	}
	p.TypeAndGo("#code", p.Wrong())
	if said := p.Text("#wait"); !strings.HasPrefix(said, "Codes werden wieder geprüft in 0:") || !p.Has("#code:disabled") {
		t.Errorf("throttled, the page says %q", said)
	}
	p.Quietly(p.Server.URL)
}

// Whoever tried codes meanwhile is told of, and a code typed twice is named as such.
func TestTriesAndReplay(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Press("a[href='/registerip/']")
	p.TypeAndGo("#code", p.Wrong())
	p.Open(p.Server.URL + "/registerip/")
	if said := p.Text("#tries"); !strings.Contains(said, ": 1.") {
		t.Errorf("the page says %q", said)
	}
	code := p.NextCode()
	p.TypeAndGo("#code", code)
	p.At.Settled()
	p.SignIn(emma, walk.Mobile)
	if said := p.Text("main"); !strings.Contains(said, "Also registered") || !strings.Contains(said, "Last time it was 81.2.69.142.") {
		t.Errorf("on another network the page shows:\n%s", said)
	}
	p.TypeAndGo("#code", code)
	if said := p.Text("#code-trouble"); !strings.Contains(said, "was used already") {
		t.Errorf("a code used twice reads %q", said)
	}
}

// A page left open too long is shown anew, with a word about it; doing it once more works.
func TestPageLeftOpen(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "fr")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Press("a[href='/registerip/']")
	p.At.Later(11 * time.Minute)
	p.TypeAndGo("#code", p.Code())
	if said := p.Text("#code-trouble"); !strings.Contains(said, "restée ouverte trop longtemps") {
		t.Errorf("after eleven minutes the page says %q", said)
	}
	p.TypeAndGo("#code", p.Code()) // the same code: it was not used up
	p.Wait("[data-state=confirmed]")
	p.At.Later(11 * time.Minute)
	p.Press("form[action='/registerip/done'] button")
	if said := p.Text("#trouble"); !strings.Contains(said, "restée ouverte trop longtemps") || !p.Has("#live-here") {
		t.Errorf("after eleven minutes more the page says %q", said)
	}
	p.Press("form[action='/registerip/done'] button")
	if said := p.Text("[role=status]"); said != "Votre accès est terminé." {
		t.Errorf("at the end the page says %q", said)
	}
}
