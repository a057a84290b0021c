package page

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/web"
)

// hurry makes every wait of a page pass at once, and writes down how long each would have been.
const hurry = `
	window.waits = [];
	const wait = window.setTimeout, now = Date.now;
	let skipped = 0;
	Date.now = () => now() + skipped;
	window.setTimeout = (then, ms) => { window.waits.push(ms); skipped += ms; return wait(then, 0); };`

// A page that waits asks often for half a minute, then seldom, and gives up after ten minutes.
func TestThePageAsksPolitely(t *testing.T) {
	t.Parallel()
	path := browser.Path()
	require.Tool(t, "chromium", path != "")
	chromium, err := browser.Start(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chromium.Close)
	for state, want := range map[lease.State]struct{ quick, slow int }{lease.Received: {20, 57}, lease.Confirmed: {0, 60}, lease.Working: {0, 0}} {
		tab := chromium.Tab(t, browser.Phone)
		tab.Before(hurry)
		tab.Open(serve(t, state) + "/registerip/")
		tab.Wait("#live-here")
		quick, slow, others := 0, 0, 0
		// The last wait is over when there was none for a while.
		for _, ms := range browser.Eval[[]int](tab, `new Promise((done) => {
			let seen = -1;
			const look = setInterval(() => { if (waits.length === seen) { clearInterval(look); done(waits); } seen = waits.length; }, 1000);
		})`) {
			switch ms {
			case 1500:
				quick++
			case 10000:
				slow++
			default:
				others++
			}
		}
		if quick != want.quick || slow < want.slow-1 || slow > want.slow+1 || others > 0 {
			t.Errorf("%s: the page asks %d times quickly and %d times slowly, not %d and %d", state, quick, slow, want.quick, want.slow)
		}
		if said := tab.Text("#said"); state == lease.Received && said != texts(t, "en")["morning.slow"] {
			t.Errorf("after half a minute the page says %q", said)
		}
	}
}

// serve answers the morning page with a lease that stays as it is.
func serve(t *testing.T, state lease.State) string {
	t.Helper()
	s := New("registerip")
	f := web.Function{Name: "registerip", Routes: []web.Route{
		s.Assets(),
		{Method: "GET", Path: "/", Page: true, Handle: func(w http.ResponseWriter, r *http.Request) error {
			return s.Render(w, r, http.StatusOK, "morning", shell.View{Lang: "en", Title: "morning.title", Data: Morning{Address: "81.2.69.142", Enrolled: true, Here: at(state)}})
		}},
		{Method: "GET", Path: "/v1/leases", Handle: func(w http.ResponseWriter, _ *http.Request) error {
			return json.NewEncoder(w).Encode(map[string]any{"leases": []map[string]any{{"id": "abc", "state": state}}})
		}},
	}}
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	return server.URL
}
