package browser

import (
	_ "embed"
	"fmt"
)

//go:embed inspect.js
var inspect string

// Faults returns what is wrong with the page as it stands in this window: missing names and labels, broken structure,
// text that runs out of the window, targets too small for a finger, another language than lang. With colours also
// contrast below 4.5 (WCAG 2.2, 1.4.3) and of borders below 3 (1.4.11), in the colour scheme that is on.
func (tab *Tab) Faults(lang string, colours bool) []string {
	tab.t.Helper()
	return Eval[[]string](tab, fmt.Sprintf("(%s)(%d, %s, %t)", inspect, tab.width, quote(lang), colours))
}

// Larger sets the text to a multiple of its size, as a person's settings do (WCAG 2.2, 1.4.4).
func (tab *Tab) Larger(times int) {
	tab.t.Helper()
	Eval[string](tab, fmt.Sprintf("document.documentElement.style.fontSize = '%d%%'", 100*times))
}

// Focused says what has the focus: its id, or its text; with " (hidden)" where nobody sees that it has, or where it is
// out of the window.
func (tab *Tab) Focused() string {
	tab.t.Helper()
	return Eval[string](tab, `(() => {
		const el = document.activeElement, style = getComputedStyle(el), box = el.getBoundingClientRect();
		const seen = el.matches(":focus-visible") && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
			&& box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
		return (el.id || el.textContent.trim()) + (seen ? "" : " (hidden)");
	})()`)
}
