package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/opendsr/callback/wire"
	"ostiary.internal/shared/platform/fault"
)

// TestPost: an answer of success is a yes, everything else is not, and no error names the URL.
func TestPost(t *testing.T) {
	t.Parallel()
	var heard []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard = append(heard, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Signed")+" "+r.Header.Get("Content-Type"))
		switch r.URL.Path {
		case "/yes":
			w.WriteHeader(http.StatusNoContent)
		case "/away":
			http.Redirect(w, r, "/yes", http.StatusPermanentRedirect)
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(server.Close)
	post := wire.New(server.Client().Transport)
	for path, want := range map[string]fault.Kind{"/yes": "", "/away": fault.Transient, "/no": fault.Transient} {
		heard = nil
		err := post(t.Context(), server.URL+path+"?token=secret", map[string][]string{"X-Signed": {"7"}}, []byte("{}"))
		if fault.KindOf(err) != want || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", path, err)
		}
		if len(heard) != 1 || heard[0] != "POST "+path+" 7 application/json" {
			t.Errorf("%s: heard %q", path, heard)
		}
	}
}

// TestOutOfReach: what is not on the internet is not connected to.
func TestOutOfReach(t *testing.T) {
	t.Parallel()
	heard := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard = true }))
	t.Cleanup(server.Close)
	post := wire.New(nil)
	for _, url := range []string{server.URL, "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/", "https://[fd20:ce::254]/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "\x00"} {
		if err := post(t.Context(), url, nil, nil); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if heard {
		t.Error("something was sent")
	}
}
