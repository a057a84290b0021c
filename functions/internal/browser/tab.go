package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"maps"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// T is who hears that a step did not work: a test, or a program that ends with it. Fatalf must not return.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(fn func())
}

// Tab is one page of a browser session of its own. It is not for concurrent use.
type Tab struct {
	t     T
	ctx   context.Context
	width int
	still bool // no scripts run

	mu       sync.Mutex
	requests []string
	bytes    map[string]int
	urls     map[network.RequestID]string
	noise    []string
}

// Size is a window. Phones have touch, and a scale of two.
type Size struct {
	Width, Height int
	Phone         bool
}

// Sizes of the pages we look at: the narrowest that must work, a small phone, a desk.
var (
	Narrow = Size{320, 640, true}
	Phone  = Size{360, 740, true}
	Desk   = Size{1280, 800, false}
)

// Tab opens a tab that is closed with t.
func (b *Browser) Tab(t T, size Size) *Tab {
	t.Helper()
	tab := &Tab{t: t, bytes: map[string]int{}, urls: map[network.RequestID]string{}}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.hear))
	t.Cleanup(cancel)
	tab.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first step
		t.Fatalf("opening a tab: %v", err)
	}
	// Several tabs at once, and in each the page believes that it has the person's attention.
	call(tab, "giving the focus", emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	tab.Resize(size)
	return tab
}

// hear notes what the page asks for and complains about.
func (tab *Tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.Method+" "+e.Request.URL)
		tab.urls[e.RequestID] = e.Request.URL
	case *network.EventLoadingFinished:
		tab.bytes[tab.urls[e.RequestID]] = int(e.EncodedDataLength)
	case *runtime.EventExceptionThrown:
		tab.noise = append(tab.noise, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		tab.noise = append(tab.noise, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		tab.noise = append(tab.noise, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	}
}

// Requests returns method and URL of everything the page asked for since the last call.
func (tab *Tab) Requests() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	seen := tab.requests
	tab.requests = nil
	return seen
}

// Noise returns what the page wrote to its console since the last call: errors, refusals by the content policy.
func (tab *Tab) Noise() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	heard := tab.noise
	tab.noise = nil
	return heard
}

// do runs steps within the patience.
func (tab *Tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

// call sends a protocol command.
func call[P, R any](tab *Tab, what string, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
	return answer
}

// Eval returns the value of a JavaScript expression, a promise's included.
func Eval[V any](tab *Tab, expression string) V {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("evaluating %s: %v", short(expression), err)
	}
	return value
}

func short(text string) string {
	if len(text) > 200 {
		return text[:200] + "..."
	}
	return text
}

// quote writes a text as a JavaScript string: all of JSON is JavaScript (ECMA-262, edition 10), which Go's own quoting is not.
func quote(text string) string {
	quoted, _ := json.Marshal(text) // a string always has a JSON form
	return string(quoted)
}

// Resize sets the window.
func (tab *Tab) Resize(size Size) {
	tab.t.Helper()
	tab.width = size.Width
	options := []chromedp.EmulateViewportOption{}
	if size.Phone {
		options = append(options, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	tab.do("setting the window", chromedp.EmulateViewport(int64(size.Width), int64(size.Height), options...))
}

// Weigh loads the page again with nothing cached and returns the bytes that took, headers included, by URL.
func (tab *Tab) Weigh() map[string]int {
	tab.t.Helper()
	call(tab, "switching the cache", network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	tab.mu.Lock()
	tab.bytes = map[string]int{}
	tab.mu.Unlock()
	tab.Reload()
	call(tab, "switching the cache", network.SetCacheDisabled, network.SetCacheDisabledParams{})
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return maps.Clone(tab.bytes)
}

// Dark chooses the colour scheme a person set on her device.
func (tab *Tab) Dark(on bool) {
	tab.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	call(tab, "setting the colour scheme", emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// Paper shows the page as it is printed, or again as on a screen.
func (tab *Tab) Paper(on bool) {
	tab.t.Helper()
	media := "screen"
	if on {
		media = "print"
	}
	call(tab, "setting the medium", emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media})
}

// Scripts says whether pages may run any.
func (tab *Tab) Scripts(on bool) {
	tab.t.Helper()
	tab.still = !on
	call(tab, "switching scripts", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Scripted reports whether pages may run scripts.
func (tab *Tab) Scripted() bool { return !tab.still }

// Picture returns a PNG of the window or, where whole is set, of the page to its end.
func (tab *Tab) Picture(whole bool) []byte {
	tab.t.Helper()
	params := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng}
	if whole {
		size := call(tab, "measuring the page", page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize
		beyond := true
		params.CaptureBeyondViewport = &beyond
		params.Clip = &page.Viewport{Width: float64(tab.width), Height: size.Height, Scale: 1}
	}
	return call(tab, "taking a picture", page.CaptureScreenshot, params).Data
}

// Boxes are where a picture of the window, or of the page to its end, shows what the selector names, in pixels.
func (tab *Tab) Boxes(selector string, whole bool) (boxes []image.Rectangle) {
	tab.t.Helper()
	for _, b := range Eval[[][4]float64](tab, fmt.Sprintf(`[...document.querySelectorAll(%s)].map((e) => {
		const r = e.getBoundingClientRect(), x = r.x + (%t ? scrollX : 0), y = r.y + (%[2]t ? scrollY : 0);
		return [x, y, x + r.width, y + r.height].map((n) => n * devicePixelRatio);
	})`, quote(selector), whole)) {
		boxes = append(boxes, image.Rect(int(b[0]), int(b[1]), int(b[2])+1, int(b[3])+1))
	}
	return boxes
}

// Near takes a picture of one element, so many times its size.
func (tab *Tab) Near(selector string, scale float64) []byte {
	tab.t.Helper()
	box := Eval[struct{ X, Y, W, H float64 }](tab, `(() => { const r = document.querySelector(`+quote(selector)+`).getBoundingClientRect()
		return {X: r.x + scrollX, Y: r.y + scrollY, W: r.width, H: r.height} })()`)
	beyond := true
	params := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &beyond,
		Clip: &page.Viewport{X: box.X, Y: box.Y, Width: box.W, Height: box.H, Scale: scale}}
	return call(tab, "taking a picture", page.CaptureScreenshot, params).Data
}
