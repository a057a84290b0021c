package walk_test

import (
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"

	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
)

// A keyboard is enough: the field has the focus, Enter sends, and whatever has the focus is seen to have it.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Desk, "en")
	p.SignIn(emma, walk.Home)
	p.Press("a[href='/enrolotp/']")
	tabThrough(t, p, "name", "Show the QR code")
	p.Press("#add-form button")
	p.Scan()
	tabThrough(t, p, "Open the app on this phone", "I cannot scan: show the key", "code", "Confirm")
	p.Prove(p.Code())
	p.Press("a[href='/registerip/']")
	p.Wait("#code:focus")
	if focus := p.Focused(); focus != "code" {
		t.Fatalf("when the page opens, the focus is at %q", focus)
	}
	p.Tabulate()
	if focus := p.Focused(); focus != "Let me in" {
		t.Errorf("after the field comes %q", focus)
	}
	tabThrough(t, p, "code", "Let me in", "Another device?", "My phone changed")
	p.Open(p.Server.URL + "/registerip/")
	p.Wait("#code:focus")
	// Five of six digits: the page does not send by itself, Enter does.
	p.Keys(p.NextCode()[:5])
	p.Enter()
	if said := p.Text("#code-trouble"); !strings.Contains(said, "That is not a code") {
		t.Errorf("five digits read %q", said)
	}
}

// tabThrough goes through a page by the Tab key from its beginning. The names must come in this order, the first of
// them before anything but the links to skip to the content and to go home.
func tabThrough(t *testing.T, p *walktest.Person, names ...string) {
	t.Helper()
	browser.Eval[int](p.Tab, "(document.querySelector('.skip').focus(), 0)")
	var order []string
	for range 25 {
		p.Tabulate()
		focus := p.Focused()
		if strings.HasPrefix(focus, "Skip") || focus == "" {
			break
		}
		if strings.HasSuffix(focus, "(hidden)") && len(focus) < 100 {
			t.Errorf("on %s nobody sees the focus at %q", p.URL(), focus)
		}
		order = append(order, focus)
	}
	at := -1
	for i, name := range names {
		next := slices.Index(order, name)
		if next <= at || i == 0 && next > 1 { // the link home may come before
			t.Errorf("on %s the Tab key goes %q; wanted %q in this order", p.URL(), order, names)
			return
		}
		at = next
	}
}
