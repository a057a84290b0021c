package browser

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Open loads a URL and waits until it is there.
func (tab *Tab) Open(url string) {
	tab.t.Helper()
	tab.do("opening "+url, chromedp.Navigate(url))
	tab.seen()
}

// seen waits until the page that has come is drawn, as a person does who acts on it: what it gives the focus has it by then.
// Where nobody looks there may be no frames, and a page may lead to the next at once: then it is a second at most.
func (tab *Tab) seen() {
	tab.t.Helper()
	if tab.still {
		return
	}
	ctx, cancel := context.WithTimeout(tab.ctx, time.Second)
	defer cancel()
	_, _ = chromedp.Run(ctx, chromedp.Evaluate[bool]("new Promise(r => requestAnimationFrame(() => r(true)))", chromedp.EvalAwaitPromise))
}

// Before runs a script in every page the tab opens from now on, before the page's own.
func (tab *Tab) Before(script string) {
	tab.t.Helper()
	call(tab, "preparing a script", page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// Reload loads the page again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.do("loading again", chromedp.Reload())
	tab.seen()
}

// follow does what leads to another page and waits until that is there.
func (tab *Tab) follow(step chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, step)); err != nil {
		tab.t.Fatalf("following from %s: %v", tab.URL(), err)
	}
	tab.seen()
}

// Press clicks what the selector names and waits for the page it leads to.
func (tab *Tab) Press(selector string) {
	tab.t.Helper()
	tab.must(selector)
	tab.follow(chromedp.Click(chromedp.CSS(selector)))
}

// Click clicks what the selector names and stays.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.must(selector)
	tab.do("clicking "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Type types into what the selector names.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.must(selector)
	tab.do("typing into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// TypeAndGo types what makes the page go on by itself.
func (tab *Tab) TypeAndGo(selector, text string) {
	tab.t.Helper()
	tab.must(selector)
	tab.follow(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Choose picks an option of a list by its value.
func (tab *Tab) Choose(selector, value string) {
	tab.t.Helper()
	tab.must(selector)
	tab.do("choosing in "+selector, chromedp.SetValue(chromedp.CSS(selector), value))
}

// Tabulate presses the Tab key.
func (tab *Tab) Tabulate() {
	tab.t.Helper()
	tab.do("pressing Tab", chromedp.KeyEvent(kb.Tab))
}

// Enter presses the Enter key where the focus is and waits for the page it leads to.
func (tab *Tab) Enter() {
	tab.t.Helper()
	tab.follow(chromedp.KeyEvent(kb.Enter))
}

// Keys types where the focus is.
func (tab *Tab) Keys(text string) {
	tab.t.Helper()
	tab.do("typing", chromedp.KeyEvent(text))
}

// Text returns the text a person sees in the first element the selector names.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	tab.must(selector)
	return Eval[string](tab, "document.querySelector("+quote(selector)+").innerText")
}

// Has reports whether something on the page matches the selector.
func (tab *Tab) Has(selector string) bool {
	tab.t.Helper()
	return Eval[bool](tab, "!!document.querySelector("+quote(selector)+")")
}

// must ends where the selector names nothing, with what the page shows instead.
func (tab *Tab) must(selector string) {
	tab.t.Helper()
	if !tab.Has(selector) {
		tab.t.Fatalf("nothing on %s matches %s; it shows:\n%s", tab.URL(), selector, Eval[string](tab, "document.body.innerText"))
	}
}

// Wait waits until something on the page matches the selector, across reloads.
func (tab *Tab) Wait(selector string) {
	tab.t.Helper()
	tab.do(fmt.Sprintf("waiting for %s", selector), chromedp.WaitReady(chromedp.CSS(selector)))
}

// URL returns where the tab is, fragment included.
func (tab *Tab) URL() string {
	tab.t.Helper()
	return Eval[string](tab, "location.href")
}

// Source returns the page as it stands in the document now.
func (tab *Tab) Source() string {
	tab.t.Helper()
	return Eval[string](tab, "document.documentElement.outerHTML")
}

// History returns the URLs the tab went through.
func (tab *Tab) History() []string {
	tab.t.Helper()
	var urls []string
	for _, entry := range call(tab, "reading the history", page.GetNavigationHistory, cdp.Empty{}).Entries {
		urls = append(urls, entry.URL)
	}
	return urls
}
