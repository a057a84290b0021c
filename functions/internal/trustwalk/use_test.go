package trustwalk

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
)

// A keyboard is enough: the order is that of the page, what has the focus is seen to have it, and the way past the head
// of the page is short.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t, enough)
	tab := stage.Tab(t, browser.Phone)
	for _, size := range []browser.Size{browser.Phone, browser.Desk} {
		tab.Resize(size)
		tab.Open(s.page("en"))
		var order []string
		for range 22 {
			tab.Tabulate()
			order = append(order, strings.Join(strings.Fields(tab.Focused()), " "))
		}
		want := []string{"Skip to the promises", "Shared Contacts", "English", "Français", "Deutsch", "1 Broken", "12 Not known", "2 Out of date", "1 Exception",
			"5 Stated by a person", "3 From our provider", "36 Kept", "Check it yourself", "L00", "Details and proof of promise L00", "F01"}
		if len(order) < len(want) || !slices.Equal(order[:len(want)], want) {
			t.Errorf("at %d px the Tab key goes %q\nwanted %q", size.Width, order, want)
		}
		for _, focus := range order {
			if strings.HasSuffix(focus, "(hidden)") {
				t.Errorf("at %d px nobody sees the focus at %q", size.Width, focus)
			}
		}
		browser.Eval[int](tab, "(document.querySelector('.skip').focus(), 0)")
		tab.Keys("\r")
		if u := tab.URL(); !strings.HasSuffix(u, "#main") {
			t.Errorf("the skip link leads to %s", u)
		}
		browser.Eval[int](tab, "(document.querySelector('#p-L00 summary').focus(), 0)")
		tab.Keys("\r")
		if !browser.Eval[bool](tab, "document.querySelector('#p-L00 details').open") {
			t.Error("Enter does not unfold the details")
		}
	}
}

// The page is one file: it asks for nothing else, runs without scripts, and reads the same when it was saved.
func TestOneFile(t *testing.T) {
	t.Parallel()
	s := serve(t, enough)
	tab := stage.Tab(t, browser.Desk)
	tab.Scripts(false)
	tab.Open(s.page("de"))
	asked := tab.Requests()
	if own := slices.DeleteFunc(asked, func(r string) bool { return strings.HasPrefix(r, "GET data:") }); len(own) != 1 {
		t.Errorf("the page asked for %q", own)
	}
	if noise := tab.Noise(); len(noise) > 0 {
		t.Errorf("the console says %v", noise)
	}
	looks := func() string {
		return browser.Eval[string](tab, `JSON.stringify([".card", "h1", "li.row", ".strip path.kept", ".tiles a"].map((q) => {
			const e = document.querySelector(q), s = getComputedStyle(e); return [s.display, s.fontSize, s.fill, s.borderLeftWidth, e.getBoundingClientRect().width];
		}))`)
	}
	served, text := looks(), tab.Text("main")
	saved := filepath.Join(t.TempDir(), "seite.html")
	if err := os.WriteFile(saved, []byte("<!doctype html>"+tab.Source()), 0o600); err != nil {
		t.Fatal(err)
	}
	tab.Open((&url.URL{Scheme: "file", Path: saved}).String())
	if looks() != served || tab.Text("main") != text {
		t.Errorf("the saved page looks or reads otherwise:\n%s\n%s", looks(), served)
	}
	if own := slices.DeleteFunc(tab.Requests(), func(r string) bool { return strings.HasPrefix(r, "GET data:") }); len(own) != 1 {
		t.Errorf("the saved page asked for %q", own)
	}
}

// On paper what does not hold is unfolded, ages give way to times, and what only a screen can do is gone.
func TestPrint(t *testing.T) {
	t.Parallel()
	s := serve(t, enough)
	tab := stage.Tab(t, browser.Desk)
	tab.Open(s.page("en"))
	tab.Paper(true)
	shown := func(selector string) bool {
		return browser.Eval[bool](tab, `new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(() => tell( // once it is drawn
			document.querySelector("`+selector+`").checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})))))`)
	}
	for _, selector := range []string{"#p-L00 .facts", ".log .facts code", "#p-L00 .strip", "#p-L00 .full", ".legend", ".proves"} {
		if !shown(selector) {
			t.Errorf("on paper %s is not there", selector)
		}
	}
	for _, selector := range []string{".tongues", "#p-L00 summary", "li.row.kept .facts", "#p-L00 .ago", ".up"} {
		if shown(selector) {
			t.Errorf("on paper %s is there", selector)
		}
	}
	if wide := browser.Eval[int](tab, "document.scrollingElement.scrollWidth"); wide > browser.Desk.Width {
		t.Errorf("on paper the page is %d px wide", wide)
	}
}
