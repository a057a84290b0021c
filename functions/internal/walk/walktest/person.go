package walktest

import (
	"net/url"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// Person is somebody in front of a browser.
type Person struct {
	*walk.Person
	T  *testing.T
	At *Server // nil where the test serves the pages itself
}

// Says fails unless what the selector names shows a text.
func (p *Person) Says(selector, text string) {
	p.T.Helper()
	if said := p.Text(selector); !strings.Contains(said, text) {
		p.T.Errorf("on %s %s reads:\n%s\nwanted %q", p.URL(), selector, said, text)
	}
}

// Tabs goes on by the Tab key from the beginning of a page; what has the focus is named in this order.
func (p *Person) Tabs(names ...string) {
	p.T.Helper()
	browser.Eval[int](p.Tab, "(document.querySelector('.skip').focus(), 0)")
	for _, want := range names {
		p.Tabulate()
		if focus := p.Focused(); focus != want {
			p.T.Errorf("on %s the Tab key leads to %q, not to %q", p.URL(), focus, want)
		}
	}
}

// Unfold opens what is folded.
func (p *Person) Unfold() {
	p.T.Helper()
	browser.Eval[int](p.Tab, "document.querySelectorAll('details').forEach((d) => { d.open = true; }), 0")
}

// Inspect looks at one page in the narrowest window with large text, the hardest place for every language; in English also on
// a phone, in the dark and at a desk, and by axe-core where its script is given.
func (p *Person) Inspect(name, lang, axe string) {
	p.T.Helper()
	seen := map[string]bool{}
	check := func(how string, faults []string) {
		p.T.Helper()
		for _, fault := range faults {
			if !seen[fault] {
				p.T.Errorf("%s, %s, %s: %s", name, lang, how, fault)
			}
			seen[fault] = true
		}
	}
	if lang == "en" {
		check("360 px", p.Faults(lang, true))
		p.axe(name, axe, check)
		p.Dark(true)
		check("dark", p.Faults(lang, true))
		p.Dark(false)
		p.Resize(browser.Desk)
		check("1280 px", p.Faults(lang, false))
	}
	p.Resize(browser.Narrow)
	check("320 px", p.Faults(lang, false))
	p.Larger(2)
	check("320 px, text 200 %", p.Faults(lang, false))
	p.Larger(1)
	p.Resize(browser.Phone)
}

func (p *Person) axe(name, script string, check func(string, []string)) {
	p.T.Helper()
	if script == "" {
		return
	}
	violations, passes := p.Violations(script)
	if check("axe-core, 360 px", violations); passes < 10 {
		p.T.Errorf("%s: axe-core looked at next to nothing", name)
	}
}

// Quietly checks that the page wrote nothing to its console but that a refusal was a refusal, and called nobody but the server
// at an address such as http://127.0.0.1:8080.
func (p *Person) Quietly(server string) {
	p.T.Helper()
	for _, line := range p.Noise() {
		if !strings.Contains(line, "Failed to load resource: the server responded with a status of 4") {
			p.T.Errorf("the console says %s", line)
		}
	}
	for _, request := range p.Requests() {
		_, address, _ := strings.Cut(request, " ")
		if u, err := url.Parse(address); err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != server {
			p.T.Errorf("the page asked for %s", request)
		}
	}
}
