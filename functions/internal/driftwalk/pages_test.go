package driftwalk

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk/walktest"
)

// Every page holds in every window, size of text and colour scheme, in every language.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w, paths := full(t)
			p := w.sit("simone.bernard", browser.Phone, lang)
			p.Unfold()
			p.Inspect("full overview", lang, axe)
			for _, name := range []string{"exposed", "held", "long", "hostile", "missing", "company", "settling", "healed", "dropped", "pending", "accepted"} {
				p.Open(p.url + paths[name])
				p.Unfold()
				p.Inspect(name, lang, axe)
			}
			if scripts := browser.Eval[int](p.Tab, "document.scripts.length"); scripts != 0 {
				t.Errorf("%d scripts on a page that has none", scripts)
			}
			p.Open(p.url + paths["extra"])
			p.Inspect("own proposal", lang, axe)
			second := w.sit("dorothea.klein", browser.Phone, lang)
			second.Inspect("overview of the second person", lang, axe)
			second.Open(second.url + paths["extra"])
			second.Inspect("proposal to agree to", lang, axe)
			suspect := w.sit("stefan.weber", browser.Phone, lang)
			suspect.Open(suspect.url + paths["exposed"])
			suspect.Inspect("what the reader may have done", lang, axe)
			reader := w.sit("aurel.roth", browser.Phone, lang)
			reader.Open(reader.url + paths["exposed"])
			reader.Inspect("what the reader may not decide", lang, axe)
			if reader.Has("form") || suspect.Has("form") {
				t.Error("who may not decide has a form")
			}
			// What is refused stands on the page with what was typed.
			p.Open(p.url + paths["exposed"])
			p.Click("summary#accept")
			p.Type("#reason", strings.Repeat("ü", 500)+"\n")
			p.Type("#ticket", "no ticket")
			p.Press("form[action$='/accept'] button")
			p.Inspect("refusal", lang, axe)
			if kept := browser.Eval[string](p.Tab, "document.querySelector('#ticket').value"); kept != "no ticket" || !p.Has("details[open] #reason") {
				t.Errorf("what was typed is gone: %q", kept)
			}
			p.Open(p.url + "/nothing")
			p.Inspect("problem", lang, axe)
			nothing := newWorld(t).sit("omkar.rao", browser.Phone, lang)
			nothing.Inspect("empty overview", lang, axe)
			blind := newWorld(t)
			blind.looked(state(""), state(wants))
			unsure := blind.sit("simone.bernard", browser.Phone, lang)
			unsure.Unfold()
			unsure.Inspect("overview of what nobody can tell", lang, axe)
			if unsure.Has(".said.good") {
				t.Error("in green, nothing is out of order")
			}
			p.quietly()
		})
	}
}

// TestHostileNames: whoever may name a thing chooses neither what the page does nor what is read beside the name.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	w, paths := full(t)
	p := w.sit("simone.bernard", browser.Desk, "en")
	for _, path := range []string{"/", paths["hostile"]} {
		p.Open(p.url + path)
		if p.Has("main img, main script") {
			t.Error("a name became an element")
		}
		if text := p.Text("main"); strings.Contains(text, "\u202e") || !strings.Contains(text, `\u{202e}txt.exe`) {
			t.Errorf("what turns the direction of reading is hidden in:\n%s", text)
		}
	}
	p.Says("#repair ~ pre", `id = "storage.googleapis.com/<img src=x onerror=alert(1)>\u202etxt.exe-`)
	p.Says("#repair ~ pre", `'\"&amp;{{.}}"`)
	p.quietly()
}

// TestFirst: what is wrong, the difference, who it may have been and what to do come before everything else, however long
// the difference is.
func TestFirst(t *testing.T) {
	t.Parallel()
	w, paths := full(t)
	for _, size := range []browser.Size{browser.Narrow, browser.Desk} {
		p := w.sit("simone.bernard", size, "en")
		p.Open(p.url + paths["long"])
		p.Says("h1", "“web” is otherwise than Terraform wants.")
		p.Says(".same", "88 lines that both have")
		order := browser.Eval[[]string](p.Tab, "[...document.querySelectorAll('h1, h2[id], summary')].map((el) => el.id || el.tagName)")
		if got := strings.Join(order, " "); got != "H1 beside who repair accept state SUMMARY" {
			t.Errorf("the order of the page is %s", got)
		}
		if far := browser.Eval[int](p.Tab, "Math.round(document.querySelector('#who').getBoundingClientRect().top)"); far > 2*size.Height {
			t.Errorf("who it may have been stands %d px down, in a window of %d", far, size.Height)
		}
	}
}

// TestAsked: what a call asked for stands beside what it was, in every language, and what nobody is shown is said to be that.
func TestAsked(t *testing.T) {
	t.Parallel()
	w, paths := full(t)
	for lang, words := range map[string][]string{
		"en": {"What the call asked for", "before: nothing", "asked for: true", "not known any more", "*** stands for a value that nobody is shown.", "There was more than is shown here.", "The log does not hold what was asked for."},
		"fr": {"Ce que l’appel demandait", "avant : rien", "demandé : true", "on ne le sait plus", "*** remplace une valeur qui n’est montrée à personne.", "Il y avait davantage", "Le journal ne contient pas"},
		"de": {"Was der Aufruf verlangte", "vorher: nichts", "verlangt: true", "nicht mehr bekannt", "*** steht für einen Wert, der niemandem gezeigt wird.", "Es war mehr", "Das Protokoll enthält nicht"},
	} {
		p := w.sit("simone.bernard", browser.Phone, lang)
		p.Open(p.url + paths["exposed"])
		for _, word := range words {
			p.Says("section[aria-labelledby=who]", word)
		}
		if p.Has("main script, section[aria-labelledby=who] b") || strings.Contains(p.Text("main"), "\u202e") {
			t.Error("what was asked for became an element, or turns the direction of reading")
		}
		p.Open(p.url + paths["held"])
		p.Says("main", map[string]string{"en": "It holds data of people", "fr": "Des données de personnes s’y trouvent", "de": "Hier liegen Daten von Menschen"}[lang])
		p.quietly()
	}
}

// TestChangedSince: what changed and could not be read since stands on a phone's first page with its name and why, and holds the page
// together, however it is called; it goes when it was read.
func TestChangedSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cloud := &partly{clock: w.Clock}
	w.lookedAt(cloud, database, hostile)
	for lang, words := range map[string][2]string{"en": {"What changed since", "some of it could not be read"}, "fr": {"Ce qui a changé depuis", "une partie n’a pas pu être lue"}, "de": {"Was sich seither geändert hat", "ein Teil ließ sich nicht lesen"}} {
		p := w.sit("simone.bernard", browser.Phone, lang)
		p.Unfold()
		text := p.Text("main")
		for _, want := range append(words[:], "instances/support: denied", `\u{202e}`) {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the first page lacks %q:\n%s", lang, want, text)
			}
		}
		if p.Has("main img, main script") {
			t.Error("a name became an element")
		}
		if wide := browser.Eval[int](p.Tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
			t.Errorf("%s: the page is %d px wider than a phone", lang, wide)
		}
		p.quietly()
	}
	cloud.reads = true
	w.Advance(t, 2*time.Minute)
	w.lookedAt(cloud)
	p := w.sit("simone.bernard", browser.Phone, "en")
	p.Unfold()
	if text := p.Text("main"); strings.Contains(text, "What changed since") {
		t.Errorf("it was read, and the page says:\n%s", text)
	}
}

// TestKeyboard: a keyboard is enough, from the list to the word.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.out(exposed("settings.ipConfiguration.ipv4Enabled: true"))
	p := w.sit("simone.bernard", browser.Desk, "de")
	p.Tabs("Ostiary", "Eine Datenbank ist aus dem Internet erreichbar, oder ohne Verschlüsselung.")
	p.Enter()
	p.Says("h1", "aus dem Internet erreichbar")
	p.to("accept") // past the command that would put it right
	p.Keys(" ")
	p.to("reason")
	p.Keys("Umzug bis Freitag")
	p.to("ticket")
	p.Keys("OPS-7")
	p.to("until")
	p.to("Bis zu diesem Tag hinnehmen")
	p.Enter()
	p.Says("[role=status]", "Eine zweite Person muss nun zustimmen")
	p.quietly()
}

// to goes on by the Tab key until what has this id or name has the focus; a date has several parts.
func (p *person) to(name string) {
	p.T.Helper()
	for range 8 {
		if p.Tabulate(); p.Focused() == name {
			return
		}
	}
	p.T.Fatalf("the Tab key leads to %q, not to %q", p.Focused(), name)
}
