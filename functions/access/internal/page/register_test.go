package page

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/web"
)

// entries are rows as long as they get.
func entries() []Entry {
	const mark = "hmac-sha256:2026-03:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	first := Entry{Date: "2026-03-03", Person: "emma", Name: "Emma Dubois-Wintersteiger", Address: "2a02:8109:9340:1234::/64", Kind: network.Mobile, Registered: "08:31:07", Ends: "24:00",
		Zone: "America/Argentina/ComodRivadavia", Device: "paired", With: mark, Applied: "08:31:12", Lost: true, Working: "08:31:40", ByDevice: true, Commitment: mark}
	second := Entry{Date: "2026-03-03", Person: "camila", Address: "81.2.69.142/32", Registered: "08:40:00", Ends: "20:00", Zone: "Europe/Paris", TwoStepUsed: true, Device: "own",
		Failed: true, Ended: "08:41:00", Why: "why.capacity_full", Removed: "08:42:00", Commitment: mark}
	return []Entry{first, second}
}

// TestRegisterOnAPhone: nobody scrolls sideways to read the register, on no width and in no language; on paper it is a table; and
// the links to other languages keep the days.
func TestRegisterOnAPhone(t *testing.T) {
	t.Parallel()
	path := browser.Path()
	require.Tool(t, "chromium", path != "")
	chromium, err := browser.Start(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chromium.Close)
	s := New("registerip")
	f := web.Function{Name: "registerip", Routes: []web.Route{s.Assets(),
		{Method: "GET", Path: "/register", Page: true, Handle: func(w http.ResponseWriter, r *http.Request) error {
			return s.Render(w, r, http.StatusOK, "register", shell.View{Path: "/registerip/register", Keep: template.URL("from=2026-03-02&to=2026-03-03"), Title: "register.title", Name: "Aurel Dragan",
				Data: Register{From: "2026-03-02", To: "2026-03-03", Earliest: "2026-01-31", Latest: "2026-03-04", Asked: true, Rows: entries(), Last: "2026-03-03"}})
		}}}}
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	for _, size := range []browser.Size{browser.Narrow, browser.Phone, browser.Desk} {
		tab := chromium.Tab(t, size)
		for _, lang := range shell.Languages {
			tab.Open(server.URL + "/registerip/register?from=2026-03-02&to=2026-03-03&lang=" + lang)
			for _, fault := range tab.Faults(lang, true) {
				t.Errorf("%d px, %s: %s", size.Width, lang, fault)
			}
			const sideways = `[...document.querySelectorAll(".scroll, .scroll *")].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 || e.getBoundingClientRect().right > innerWidth + 1).length`
			if n := browser.Eval[int](tab, sideways); n > 0 {
				t.Errorf("%d px, %s: %d elements run out sideways", size.Width, lang, n)
			}
			const links = `[...document.querySelectorAll(".foot a")].every((a) => new URL(a.href).searchParams.get("from") === "2026-03-02" && new URL(a.href).searchParams.get("to") === "2026-03-03")`
			if !browser.Eval[bool](tab, links) {
				t.Errorf("%s: a link to another language drops the days", lang)
			}
		}
		tab.Paper(true)
		if display := browser.Eval[string](tab, `getComputedStyle(document.querySelector(".stack tr")).display`); display != "table-row" {
			t.Errorf("%d px: on paper a row is a %s", size.Width, display)
		}
	}
}
