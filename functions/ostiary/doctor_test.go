package main_test

import (
	"fmt"
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
		}, 1, "  forged   private           X-Address; seen as 198.51.100.7\n"},
		"one proxy more than declared": {"loadbalancer", func(h http.Header) { h.Add("X-Forwarded-For", here+", 34.1.2.3, 34.1.2.4") }, 1,
			"  forged   plain             nothing forged; seen as 34.1.2.3\n"},
		"everybody is the load balancer": {"direct", func(h http.Header) { h.Add("X-Forwarded-For", here+", 34.1.2.3") }, 1,
			"\nnot proven: without any forged header, the service took the load balancer"},
		"no proxy writes anything": {"loadbalancer", func(http.Header) {}, 1, "\nnot proven: a forged header was believed. Until"},
		"another sender than --from": {"loadbalancer", func(h http.Header) { h.Add("X-Forwarded-For", "92.40.1.7, 34.1.2.3") }, 1,
			"undetermined: even without a forged header the service does not see the address given with --from.\nCheck --from first"},
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
		{good, []string{here}, 1, []string{"\nregisterip, over IPv4:\n  right    plain", "\n  forged   two               X-Forwarded-For\n", "\nnot proven: a forged header was believed. Until"}},
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

// TestDoctorGoesOn: a place that cannot be asked, or breaks off, keeps no other from being judged; a front that refuses what is
// forged in its own words is no belief, and one that refuses everything shows nothing.
func TestDoctorGoesOn(t *testing.T) {
	t.Parallel()
	const here = "81.2.69.142"
	var to atomic.Pointer[url.URL]
	balancer := func(h http.Header) { h.Add("X-Forwarded-For", here+", 34.1.2.3") }
	good := behind(t, "127.0.0.1:0", to.Load, balancer)
	var refuses atomic.Pointer[func(r *http.Request) int]
	front := behind(t, "127.0.0.1:0", to.Load, balancer)
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := (*refuses.Load())(r); status != 0 {
			http.Error(w, "no", status)
			return
		}
		front.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(second.Close)
	s, err := launch(options{dir: t.TempDir(), clock: "system", env: []string{"OSTIARY_CLIENT_ADDRESS=loadbalancer",
		"OSTIARY_PAIR_HOSTS=ipv4=http://localhost" + second.URL[strings.LastIndex(second.URL, ":"):] + ",ipv6=http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.stop() })
	behindIt, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	to.Store(behindIt)
	forges := func(h http.Header) bool {
		return h.Get("X-Forwarded-For") != "" || h.Get("Forwarded") != "" || h.Get("X-Real-Ip") != "" || h.Get("True-Client-Ip") != "" || h.Get("Cf-Connecting-Ip") != "" || h.Get("Client-Ip") != ""
	}
	for name, row := range map[string]struct {
		front func(r *http.Request) int
		exit  int
		says  string
	}{
		"refuses one forgery": {func(r *http.Request) int {
			if strings.Count(r.Header.Get("X-Forwarded-For"), ",") > 50 {
				return 403
			}
			return 0
		}, 0, "  blocked  many              X-Forwarded-For\n"},
		"refuses every forgery": {func(r *http.Request) int {
			if forges(r.Header) {
				return 400
			}
			return 0
		}, 1, "undetermined: what stands in front refused the forged requests that would show"},
		"names what lets them through": {func(r *http.Request) int {
			if h := r.Header.Get("X-Forwarded-For"); strings.ContainsAny(h, ".:") {
				return 403
			}
			return 0
		}, 1, "Exempt the path /pairaddress/v1/proofs/cases of this host"},
		"refuses bogons": {func(r *http.Request) int {
			if text := fmt.Sprint(r.Header); strings.Contains(text, "198.51.100.") || strings.Contains(text, "2001:db8:") {
				return 403
			}
			return 0
		}, 0, "  right    routable          X-Forwarded-For\n"},
		"has enough half way": {func(r *http.Request) int {
			if r.Header.Get("Forwarded") != "" {
				return 429
			}
			return 0
		}, 1, "\nbroken off: sending the request \"forwarded\": "},
		"refuses everybody": {func(*http.Request) int { return 403 }, 1, "\nbroken off: sending the request \"plain\": "},
	} {
		refuses.Store(&row.front)
		out, _ := exec.CommandContext(t.Context(), binary, "doctor", "--probe", good.URL, "--from", here, "--balancer", "34.1.2.3", "--by", "simone.bernard@sharedcontacts.example").CombinedOutput()
		text := string(out)
		first, rest, _ := strings.Cut(text, "\npairaddress ")
		if !strings.Contains(first, "proven: nobody can register an address that is not her own") || !strings.Contains(rest, row.says) {
			t.Errorf("a front that %s, want %q:\n%s", name, row.says, text)
		}
		cmd := exec.CommandContext(t.Context(), binary, "doctor", "--probe", good.URL, "--from", here, "--balancer", "34.1.2.3", "--by", "simone.bernard@sharedcontacts.example", "--json")
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != row.exit {
			t.Errorf("a front that %s: exit %d, want %d", name, code, row.exit)
		}
	}
}
