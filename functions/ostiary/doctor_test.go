package main_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
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
			"\nregisterip, over IPv6:\nnot asked: no --from is an IPv6 address. It stays unproven: deployed, no address is taken here.\n"},
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
		"no proxy writes anything": {"loadbalancer", func(http.Header) {}, 1, "undetermined: even without a forged header the service does not see the address given with --from.\nCheck --from first"},
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
			front := behind(t, "127.0.0.1:0", func() *url.URL { return to }, row.proxy)
			cmd := exec.CommandContext(t.Context(), binary, "doctor", "--probe", front.URL, "--from", here, "--balancer", "34.1.2.3", "--by", "simone.bernard@sharedcontacts.example")
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != row.exit || !strings.Contains(string(out), row.says) {
				t.Errorf("exit %d, %v; want %d and %q:\n%s", code, err, row.exit, row.says, out)
			}
		})
	}
}

// behind is a server in front of another one, which writes what proxy does into the headers.
func behind(t *testing.T, at string, to func() *url.URL, proxy func(h http.Header)) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to())
		for _, header := range []string{"Forwarded", "X-Forwarded-For"} { // which it would take away
			r.Out.Header[header] = r.In.Header[header]
		}
		proxy(r.Out.Header)
	}})
	front.Listener.Close()
	front.Listener = listener
	front.Start()
	t.Cleanup(front.Close)
	return front
}

// TestDoctorPlaces: each host that takes addresses is asked over its own family, is not told who asks, and stands by its own.
func TestDoctorPlaces(t *testing.T) {
	t.Parallel()
	const here, here6 = "81.2.69.142", "2a02:6b8:0:1::7"
	var to atomic.Pointer[url.URL]
	balancer := func(sender string) func(http.Header) {
		return func(h http.Header) { h.Add("X-Forwarded-For", sender+", 34.1.2.3") }
	}
	good := behind(t, "127.0.0.1:0", to.Load, balancer(here))
	var believes atomic.Bool
	told := func(h http.Header) {
		if h.Get("Authorization") != "" {
			t.Error("another host is told who asks")
		}
		if !believes.Load() || h.Get("X-Forwarded-For") == "" {
			balancer(here)(h)
		}
	}
	second := behind(t, "127.0.0.1:0", to.Load, told)
	overIPv6 := behind(t, "[::1]:0", to.Load, balancer(here6))
	port := func(s *httptest.Server) string { return s.URL[strings.LastIndex(s.URL, ":"):] }
	s, err := launch(options{dir: t.TempDir(), clock: "system", env: []string{"OSTIARY_CLIENT_ADDRESS=loadbalancer",
		"OSTIARY_PAIR_HOSTS=ipv4=http://localhost" + port(second) + ",ipv6=http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.stop() })
	behindIt, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	to.Store(behindIt)
	for i, row := range []struct {
		site *httptest.Server
		from []string
		exit int
		says []string
	}{
		{good, []string{here}, 0, []string{"\nregisterip, over IPv4:\n  right    plain", "\npairaddress at localhost" + port(second) + ", over IPv4:\n  right    plain",
			"\npairaddress at 127.0.0.1:1, over IPv6:\nnot asked: no --from is an IPv6 address. It stays unproven"}},
		{overIPv6, []string{here, here6}, 0, []string{"\nregisterip, over IPv4:\nnot asked: ::1 has no IPv4 address. What was proven here before stands.\n", "\nregisterip, over IPv6:\n  right    plain",
			"\npairaddress at 127.0.0.1:1, over IPv6:\nnot asked: 127.0.0.1 has no IPv6 address. It stays unproven"}},
		{good, []string{here}, 1, []string{"\nregisterip, over IPv4:\n  right    plain", "\n  wrong    two               X-Forwarded-For\n", "\nnot proven: a forged header was believed. Until"}},
	} {
		believes.Store(i == 2)
		args := []string{"doctor", "--probe", row.site.URL, "--balancer", "34.1.2.3", "--by", "simone.bernard@sharedcontacts.example"}
		for _, from := range row.from {
			args = append(args, "--from", from)
		}
		cmd := exec.CommandContext(t.Context(), binary, args...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != row.exit {
			t.Errorf("from %s: exit %d, want %d:\n%s", row.from, code, row.exit, out)
		}
		for _, says := range row.says {
			if !strings.Contains(string(out), says) {
				t.Errorf("from %s: says nothing of %q:\n%s", row.from, says, out)
			}
		}
	}
}
