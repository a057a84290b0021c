package people

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/shared/platform/clock"
)

// Leg is a stretch of a day, and what it took.
type Leg struct {
	Who, What string
	Desk      bool // at a keyboard and not on a phone
	Taps      int  // on the screen; a choice of a list is two
	Swipes    int  // until what is tapped can be seen
	Keys      int  // typed
	Pages     int  // that came up
	Words     int  // on them, folded ones not
	Machine   time.Duration
}

// hand is a person of whom every tap and key is counted. Where a leg is missing nothing is.
type hand struct {
	*walk.Person
	company Company
	leg     *Leg
}

// begin begins a leg of somebody's day.
func (c Company) begin(p *walk.Person, who, what string) *hand {
	return &hand{Person: p, company: c, leg: &Leg{Who: who, What: what}}
}

// page does what brings up another page, and counts that and the time until it was there.
func (h *hand) page(step func()) {
	h.T.Helper()
	h.time(step)
	h.leg.Pages++
	h.leg.Words += browser.Eval[int](h.Tab, words)
	if h.company.Eye != nil {
		h.company.Eye(h.Tab)
	}
}

// words counts those of a page that are seen. Hidden and folded ones are not.
const words = `(() => {
	const seen = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let n = 0;
	for (let t = seen.nextNode(); t; t = seen.nextNode()) {
		const e = t.parentElement;
		if (e.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}) && e.getClientRects().length && !e.closest(".skip, noscript, option"))
			n += (t.textContent.match(/\S+/g) || []).length;
	}
	return n;
})()`

// time counts the machine's time of a step.
func (h *hand) time(step func()) {
	began := clock.System{}.Now()
	step()
	h.leg.Machine += clock.System{}.Now().Sub(began)
}

// reach swipes until what the selector names can be seen. One swipe moves most of a window.
func (h *hand) reach(selector string) {
	h.T.Helper()
	below := browser.Eval[float64](h.Tab, fmt.Sprintf(`(() => {
		const e = document.querySelector(%q), box = e && e.getBoundingClientRect();
		if (!e || box.top >= 0 && box.bottom <= innerHeight) return 0;
		const by = box.bottom > innerHeight ? (box.bottom - innerHeight) / innerHeight : -box.top / innerHeight;
		e.scrollIntoView({block: "center"});
		return by;
	})()`, selector))
	h.leg.Swipes += int(math.Ceil(below / 0.8))
}

// Go opens an address by one tap, such as a bookmark or the link of a mail.
func (h *hand) Go(url string) {
	h.T.Helper()
	h.leg.Taps++
	h.page(func() { h.Open(url) })
}

// Press taps what leads to another page.
func (h *hand) Press(selector string) {
	h.T.Helper()
	h.reach(selector)
	h.leg.Taps++
	h.page(func() { h.Person.Press(selector) })
}

// Click taps what stays on the page.
func (h *hand) Click(selector string) {
	h.T.Helper()
	h.reach(selector)
	h.leg.Taps++
	h.Person.Click(selector)
}

// Choose opens a list and picks one of it.
func (h *hand) Choose(selector, value string) {
	h.T.Helper()
	h.reach(selector)
	h.leg.Taps += 2
	h.Person.Choose(selector, value)
}

// Type types into a field, which takes a tap where it has not the focus already.
func (h *hand) Type(selector, text string) {
	h.T.Helper()
	h.into(selector, text)
	h.Person.Type(selector, text)
}

// TypeAndGo types what makes the page go on by itself.
func (h *hand) TypeAndGo(selector, text string) {
	h.T.Helper()
	h.into(selector, text)
	h.page(func() { h.Person.TypeAndGo(selector, text) })
}

func (h *hand) into(selector, text string) {
	h.T.Helper()
	if !browser.Eval[bool](h.Tab, fmt.Sprintf("document.activeElement === document.querySelector(%q)", selector)) {
		h.reach(selector)
		h.leg.Taps++
	}
	h.leg.Keys += utf8.RuneCountInString(text)
}

// Look goes to the authenticator app and comes back: two taps.
func (h *hand) Look() { h.leg.Taps += 2 }

// Until waits until the page shows something, and counts the time.
func (h *hand) Until(selector string) {
	h.T.Helper()
	h.time(func() { h.Wait(selector) })
}

// Read reads a mail.
func (h *hand) Read(text string) { h.leg.Words += len(strings.Fields(text)) }

// Show shows the page to the camera.
func (h *hand) Show(name string) { h.show(name, false) }

func (h *hand) show(name string, whole bool) {
	if h.company.Camera != nil {
		h.company.Camera(name, h.Tab, whole)
	}
}
