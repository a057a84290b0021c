package main_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// TestDoctor runs the command against a server behind a proxy that writes what one of Google's does, or does it wrongly.
func TestDoctor(t *testing.T) {
	t.Parallel()
	const here = "81.2.69.142"
	for name, row := range map[string]struct {
		layout string
		proxy  func(h http.Header)
		exit   int
		says   string
	}{
		"a load balancer": {"loadbalancer", func(h http.Header) { h.Add("X-Forwarded-For", here+", 34.1.2.3") }, 0,
			"\nproven: nobody can register an address that is not her own\n"},
		"a private header that is overwritten": {"header:X-Address,loadbalancer", func(h http.Header) {
			h.Add("X-Forwarded-For", here+", 34.1.2.3")
			h.Set("X-Address", here)
		}, 0, "  right    private-both      X-Address, X-Forwarded-For\n"},
		"a private header that is not": {"header:X-Address", func(h http.Header) {
			if h.Get("X-Address") == "" {
				h.Set("X-Address", here)
			}
		}, 1, "  wrong    private           X-Address; seen as 198.51.100.7\n"},
		"one proxy more than declared": {"loadbalancer", func(h http.Header) { h.Add("X-Forwarded-For", here+", 34.1.2.3, 34.1.2.4") }, 1,
			"  wrong    plain             nothing forged; seen as 34.1.2.3\n"},
		"no proxy writes anything": {"loadbalancer", func(http.Header) {}, 1, "does not see the address given with --from"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := launch(options{dir: t.TempDir(), clock: "system", env: []string{"OSTIARY_CLIENT_ADDRESS=" + row.layout}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.stop() })
			to, err := url.Parse(s.url)
			if err != nil {
				t.Fatal(err)
			}
			front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				for _, header := range []string{"Forwarded", "X-Forwarded-For"} { // which it would take away
					r.Out.Header[header] = r.In.Header[header]
				}
				row.proxy(r.Out.Header)
			}})
			t.Cleanup(front.Close)
			cmd := exec.CommandContext(t.Context(), binary, "doctor", "--probe", front.URL, "--from", here, "--balancer", "34.1.2.3", "--by", "simone.bernard@sharedcontacts.example")
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != row.exit || !strings.Contains(string(out), row.says) {
				t.Errorf("exit %d, %v; want %d and %q:\n%s", code, err, row.exit, row.says, out)
			}
		})
	}
}
