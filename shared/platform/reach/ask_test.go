package reach

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7200")
		switch r.URL.Path {
		case "/long":
			_, _ = w.Write([]byte(strings.Repeat("x", 100)))
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("x"))
		case "/away":
			http.Redirect(w, r, "/long", http.StatusFound)
		case "/busy":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/slow":
			w.WriteHeader(http.StatusRequestTimeout)
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	for path, want := range map[string]Failed{
		"/long": {}, "/no": {}, "/cut": {"unreachable", true, 0}, "/away": {"redirected", false, 0}, "/busy": {"busy", true, time.Hour}, "/slow": {"busy", true, time.Hour}, "/broken": {"busy", true, time.Hour},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, body, failed := Ask(Client(Loopback, nil, time.Minute), r, 10, time.Hour)
		switch {
		case want.Why == "" && (failed != nil || answer == nil):
			t.Errorf("%s: %+v", path, failed)
		case want.Why != "" && (failed == nil || *failed != want):
			t.Errorf("%s: %+v, want %+v", path, failed, want)
		case path == "/long" && len(body) != 10:
			t.Errorf("%d bytes were read", len(body))
		}
		if _, _, failed := Ask(Client(Public, nil, time.Minute), r, 10, time.Hour); failed == nil || *failed != (Failed{Why: "out_of_reach"}) {
			t.Errorf("from the internet's side: %+v", failed)
		}
	}
	server.Close()
	r := httptest.NewRequest(http.MethodGet, server.URL, nil)
	r.RequestURI = ""
	if _, _, failed := Ask(Client(Loopback, nil, time.Minute), r, 10, time.Hour); failed == nil || *failed != (Failed{Why: "unreachable", Again: true}) {
		t.Errorf("nobody listens: %+v", failed)
	}
}
