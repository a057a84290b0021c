package trustwalk

import (
	"ostiary.internal/functions/internal/walk/walktest"

	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/page/pagetest"
	"ostiary.internal/shared/trust/promise"
)

// enough promises for every state, for every reason why one is not known, and for every sentence that tries to break the
// page.
const enough = 60

// The page in every language holds on a phone and at a desk, in the narrowest window, with text twice as large, in
// light and in the dark, folded and unfolded.
func TestPageHolds(t *testing.T) {
	t.Parallel()
	s := serve(t, enough)
	tab := stage.Tab(t, browser.Phone)
	for _, lang := range []string{"en", "fr", "de"} {
		tab.Resize(browser.Phone)
		tab.Open(s.page(lang))
		seen := map[string]bool{}
		check := func(how string, colours bool) {
			t.Helper()
			for _, fault := range tab.Faults(lang, colours) {
				if !seen[fault] {
					t.Errorf("%s, %s: %s", lang, how, fault)
				}
				seen[fault] = true
			}
		}
		check("360 px", false)
		unfold(tab)
		check("360 px, unfolded", lang == "en")
		if lang == "en" { // colours are the same in every language
			tab.Dark(true)
			check("dark", true)
			tab.Dark(false)
		}
		tab.Resize(browser.Desk)
		check("1280 px", false)
		tab.Resize(browser.Narrow)
		check("320 px", false)
		tab.Larger(2)
		check("320 px, text 200 %", false)
		if noise := tab.Noise(); len(noise) > 0 {
			t.Errorf("%s: the console says %v", lang, noise)
		}
	}
}

// oneOfEach is a page with one promise or two of every look: axe-core weighs every element of a page, however often its like
// comes.
func oneOfEach(at time.Time) promise.Snapshot {
	s := pagetest.Snapshot(enough, at)
	seen := map[record.State]int{}
	s.Promises = slices.DeleteFunc(s.Promises, func(r promise.Row) bool {
		seen[r.State]++
		return seen[r.State] > 2 && !slices.Contains(pagetest.Hostile, r.Text.EN)
	})
	return s
}

// axe-core finds nothing wrong, on a phone in light and at a desk in the dark.
func TestAxe(t *testing.T) {
	t.Parallel()
	script := walktest.Axe(t)
	s := serve(t, enough)
	s.show(t, oneOfEach(s.Clock.Now()))
	tab := stage.Tab(t, browser.Phone)
	for _, look := range []struct {
		size browser.Size
		dark bool
	}{{browser.Phone, false}, {browser.Desk, true}} {
		tab.Resize(look.size)
		tab.Dark(look.dark)
		tab.Open(s.page("en"))
		unfold(tab)
		violations, passes := tab.Violations(script)
		if passes < 20 {
			t.Fatalf("axe-core looked at next to nothing: %d", passes)
		}
		for _, violation := range violations {
			t.Errorf("%d px, dark %t: %s", look.size.Width, look.dark, violation)
		}
	}
}

// A page that nobody updates any more says so, and holds no promise kept.
func TestBehind(t *testing.T) {
	t.Parallel()
	s := serve(t, enough)
	tab := stage.Tab(t, browser.Phone)
	tab.Open(s.page("en"))
	if !tab.Has("li.row.kept") || tab.Has(".note.bad") {
		t.Fatal("the fresh page shows no kept promise, or warns")
	}
	s.Advance(t, 10*time.Minute)
	tab.Reload()
	if said := strings.ReplaceAll(tab.Text(".note.bad"), "\u00a0", " "); !strings.Contains(said, "This page has not been updated") || !strings.Contains(said, "11 min ago") {
		t.Errorf("the page says %q", said)
	}
	if n := browser.Eval[int](tab, "document.querySelectorAll('li.row:not(.unknown)').length"); n != 0 {
		t.Errorf("%d promises have another state than not known", n)
	}
	for _, fault := range tab.Faults("en", true) {
		t.Error(fault)
	}
}

// What a promise says is words, whatever it says.
func TestHostileSentences(t *testing.T) {
	t.Parallel()
	tab := stage.Tab(t, browser.Phone)
	tab.Open(serve(t, enough).page("en"))
	if n := browser.Eval[int](tab, "document.querySelectorAll('script, img, iframe, object, [onerror], [onclick]').length"); n != 0 {
		t.Errorf("%d elements that no template wrote", n)
	}
	if said := tab.Text("#p-F06 .says"); !strings.HasPrefix(said, `<script>alert("promised")</script><img src=x onerror=alert(1)>`) {
		t.Errorf("markup in a promise reads %q", said)
	}
	if said := tab.Text("#p-D17 .says"); !strings.HasPrefix(said, "We promise nothing at all and keep it") {
		t.Errorf("a promise with marks for direction reads %q", said)
	}
	if said := tab.Text("#p-P39 .says"); !strings.HasSuffix(said, "End.") {
		t.Errorf("a long promise is cut off: ...%q", said[max(0, len(said)-40):])
	}
	if n := browser.Eval[int](tab, "document.querySelectorAll('main > *').length"); n < 8 {
		t.Errorf("the page ends early: %d parts", n)
	}
}
