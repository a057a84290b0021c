package page

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/web"
)

// door is a beacon behind a door that lets nobody through until it is opened.
type door struct {
	*httptest.Server
	open  atomic.Bool
	asked atomic.Int32
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.asked.Add(1)
		if !d.open.Load() {
			panic(http.ErrAbortHandler) // as a firewall answers: not at all
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusNoContent)
		if r.Header.Get("Cookie") != "" {
			t.Error("a beacon was sent cookies")
		}
	}))
	t.Cleanup(d.Close)
	return d
}

// The page turns green when every beacon behind the doors has answered this device, and not before; it may call nobody else.
func TestBeaconsTurnThePageGreen(t *testing.T) {
	t.Parallel()
	path := browser.Path()
	require.Tool(t, "chromium", path != "")
	chromium, err := browser.Start(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chromium.Close)
	first, second, stranger := newDoor(t), newDoor(t), newDoor(t)
	first.open.Store(true)
	stranger.open.Store(true)
	var tested atomic.Bool
	s := New("registerip")
	f := web.Function{Name: "registerip", Connect: []string{first.URL + "/ok", second.URL + "/ok"}, Routes: []web.Route{
		s.Assets(),
		{Method: "GET", Path: "/", Page: true, Handle: func(w http.ResponseWriter, r *http.Request) error {
			here := at(lease.Confirmed)
			if here.Tested = tested.Load(); here.Tested {
				here.State = lease.Working
			}
			return s.Render(w, r, http.StatusOK, "morning", shell.View{Lang: "en", Title: "morning.title", Data: Morning{Address: "81.2.69.142", Enrolled: true, Here: here,
				Beacons: []string{first.URL + "/ok", second.URL + "/ok"}}})
		}},
		{Method: "GET", Path: "/v1/leases", Handle: func(w http.ResponseWriter, _ *http.Request) error {
			return web.WriteJSON(w, http.StatusOK, map[string]any{"leases": []map[string]any{{"id": "abc", "state": "confirmed", "prefix": "81.2.69.142/32"}}})
		}},
		{Method: "POST", Path: "/v1/leases/{id}/tested", Browser: true, Handle: func(w http.ResponseWriter, r *http.Request) error {
			tested.Store(r.PathValue("id") == "abc")
			return web.WriteJSON(w, http.StatusOK, map[string]string{})
		}},
	}}
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	tab := chromium.Tab(t, browser.Phone)
	tab.Open(server.URL + "/registerip/")
	tab.Wait("#live-here")
	if through := browser.Eval[bool](tab, `fetch("`+second.URL+`/ok").then(() => true, () => false)`); through { // the page asked before
		t.Fatal("the shut door is open")
	}
	if first.asked.Load() == 0 || second.asked.Load() == 0 || tested.Load() || tab.Has("[data-state=working]") {
		t.Errorf("behind a shut door: asked %d and %d times, tested %t", first.asked.Load(), second.asked.Load(), tested.Load())
	}
	if reached := browser.Eval[bool](tab, `fetch("`+stranger.URL+`/ok").then(() => true, () => false)`); reached || stranger.asked.Load() > 0 {
		t.Error("the page may call a stranger")
	}
	second.open.Store(true)
	browser.Eval[bool](tab, `(document.dispatchEvent(new Event("visibilitychange")), true)`)
	tab.Wait("[data-state=working]")
	if said := tab.Text("#said"); said != "You are in: tested from this device." {
		t.Errorf("the page says %q", said)
	}
}
