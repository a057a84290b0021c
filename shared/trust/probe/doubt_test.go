package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"ostiary.internal/shared/trust/probe"
)

// street is an eye on a machine whose ports 80 are elsewhere: what is asked in clear goes to another port.
type street struct {
	probe.Eye
	plain string
}

func (s street) Ask(ctx context.Context, address, bearer string) (probe.Answer, error) {
	if rest, clear := strings.CutPrefix(address, "http://localhost/"); clear {
		address = "http://" + s.plain + "/" + rest
	}
	return s.Eye.Ask(ctx, address, bearer)
}

// port finds the port of an address.
func port(t *testing.T, of net.Addr) string {
	t.Helper()
	_, port, err := net.SplitHostPort(of.String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// ran runs a probe once and returns what it says.
func (w *world) ran(t *testing.T) string {
	t.Helper()
	if err := w.Run(t.Context(), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	return w.said(t)
}

// expect compares the state alone unless more is wanted.
func expect(t *testing.T, got, want string, w *world) {
	t.Helper()
	if !strings.HasPrefix(got, want) {
		t.Errorf("said %q, want %q: %+v", got, want, w.record)
	}
}

// raw is a TLS server that answers requests with texts; "" cuts the line.
func raw(t *testing.T, cert tls.Certificate, answer func(request string, n int64) string) net.Listener {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var n atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var request strings.Builder
				for r := bufio.NewReader(conn); !strings.HasSuffix(request.String(), "\r\n\r\n"); {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					request.WriteString(line)
				}
				_, _ = io.WriteString(conn, answer(request.String(), n.Add(1)))
			}()
		}
	}()
	return listener
}

func says(code int) string {
	return fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", code)
}

// isWhole reports whether a request is the one that every server takes.
func isWhole(request string) bool {
	return strings.HasPrefix(request, "GET / HTTP/1.1\r\n") && !strings.Contains(request, "Content-Length") && !strings.Contains(request, "Bad Name")
}

// TestRefusedBesideWhole: that broken requests are not taken says something only where whole ones are.
func TestRefusedBesideWhole(t *testing.T) {
	t.Parallel()
	either := func(whole, others string) func(string, int64) string {
		return func(request string, _ int64) string {
			if isWhole(request) {
				return whole
			}
			return others
		}
	}
	until := func(last int64, then string) func(string, int64) string {
		return func(request string, n int64) string {
			if n > last {
				return then
			}
			return either(says(200), says(400))(request, n)
		}
	}
	for name, test := range map[string]struct {
		answer func(string, int64) string
		want   string
	}{
		"all is as it should be":    {either(says(200), says(400)), "kept failed_targets 0"},
		"the first page is nowhere": {either(says(404), says(400)), "kept failed_targets 0"},
		"one is taken": {func(request string, n int64) string {
			if strings.Contains(request, "UNION") {
				return says(200)
			}
			return either(says(200), says(400))(request, n)
		}, "broken failed_targets 1"},
		"the line is cut":         {either(says(200), ""), "unknown"},
		"everything is cut":       {either("", ""), "unknown"},
		"half an answer":          {either(says(200), "HTTP/1.1 40"), "unknown"},
		"everything is forbidden": {either(says(403), says(403)), "unknown"},
		"everything fails":        {either(says(503), says(503)), "unknown"},
		"too many requests":       {either(says(200), says(429)), "unknown"},
		"waited in vain":          {either(says(200), says(408)), "unknown"},
		"the edge is overloaded":  {either(says(200), says(503)), "unknown"},
		"down before the end":     {until(6, ""), "unknown"},
		"failing before the end":  {until(6, says(503)), "unknown"},
		"shut before the end":     {until(6, says(400)), "unknown"},
		"down amid it":            {until(3, ""), "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t)
			w := newWorld(t, probe.MalformedRefused, "localhost:"+port(t, raw(t, cert, test.answer).Addr()), "", pool)
			expect(t, w.ran(t), test.want, w)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		cert, pool := certificate(t)
		listener := raw(t, cert, either(says(200), says(400)))
		listener.Close()
		w := newWorld(t, probe.MalformedRefused, "localhost:"+port(t, listener.Addr()), "", pool)
		expect(t, w.ran(t), "unknown", w)
	})
	t.Run("a portal answers", func(t *testing.T) {
		t.Parallel()
		cert, _ := certificate(t)
		w := newWorld(t, probe.MalformedRefused, "localhost:"+port(t, raw(t, cert, either(says(200), says(400))).Addr()), "", x509.NewCertPool())
		expect(t, w.ran(t), "unknown", w)
	})
}

// served starts a TLS server that may look at each hello, and tells its port.
func served(t *testing.T, cert tls.Certificate, handle http.HandlerFunc, meet func(h *tls.ClientHelloInfo, n int64) (*tls.Config, error)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handle)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	var n atomic.Int64
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if meet == nil {
			return nil, nil
		}
		return meet(h, n.Add(1))
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// newest is the newest version a client offers.
func newest(h *tls.ClientHelloInfo) (version uint16) {
	for _, v := range h.SupportedVersions {
		version = max(version, v)
	}
	return version
}

func cut(h *tls.ClientHelloInfo) (*tls.Config, error) { return nil, h.Conn.Close() }

// TestOldVersionsRefused: only by the host itself, in words, while it is up.
func TestOldVersionsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meet func(cert tls.Certificate) func(h *tls.ClientHelloInfo, n int64) (*tls.Config, error)
		want string
	}{
		"in words": {func(tls.Certificate) func(*tls.ClientHelloInfo, int64) (*tls.Config, error) { return nil }, "kept tls_version_x10 12"},
		"by a cut line": {func(tls.Certificate) func(*tls.ClientHelloInfo, int64) (*tls.Config, error) {
			return func(h *tls.ClientHelloInfo, _ int64) (*tls.Config, error) {
				if newest(h) < tls.VersionTLS12 {
					return cut(h)
				}
				return nil, nil
			}
		}, "unknown"},
		"and then the host is down": {func(tls.Certificate) func(*tls.ClientHelloInfo, int64) (*tls.Config, error) {
			return func(h *tls.ClientHelloInfo, n int64) (*tls.Config, error) {
				if n > 1 && newest(h) >= tls.VersionTLS12 {
					return cut(h)
				}
				return nil, nil
			}
		}, "unknown"},
		"all but the oldest": {func(cert tls.Certificate) func(*tls.ClientHelloInfo, int64) (*tls.Config, error) {
			return func(h *tls.ClientHelloInfo, _ int64) (*tls.Config, error) {
				if newest(h) == tls.VersionTLS10 {
					return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10}, nil //nolint:gosec // what a careless server does
				}
				return nil, nil
			}
		}, "broken tls_version_x10 10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t)
			server := served(t, cert, site(true), test.meet(cert))
			w := newWorld(t, probe.TLSVersion, "localhost:"+port(t, server.Listener.Addr()), "", pool)
			expect(t, w.ran(t), test.want, w)
		})
	}
	t.Run("by a portal", func(t *testing.T) {
		t.Parallel()
		cert, _ := certificate(t)
		server := served(t, cert, site(true), nil)
		w := newWorld(t, probe.TLSVersion, "localhost:"+port(t, server.Listener.Addr()), "", x509.NewCertPool())
		expect(t, w.ran(t), "unknown", w)
	})
}

// TestNothingInClear: port 80 says something only while the host itself is up.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	moved := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://localhost/")
		w.WriteHeader(http.StatusMovedPermanently)
	}
	for name, test := range map[string]struct {
		plain http.HandlerFunc // nil: nobody listens
		meet  func(h *tls.ClientHelloInfo, n int64) (*tls.Config, error)
		known bool
		want  string
	}{
		"moved":                      {moved, nil, true, "kept"},
		"closed":                     {nil, nil, true, "kept"},
		"answered":                   {site(true), nil, true, "broken"},
		"failing":                    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, nil, true, "unknown"},
		"closed and all is down":     {nil, func(h *tls.ClientHelloInfo, _ int64) (*tls.Config, error) { return cut(h) }, true, "unknown"},
		"closed and then all down":   {nil, func(h *tls.ClientHelloInfo, n int64) (*tls.Config, error) { return later(h, n) }, true, "unknown"},
		"moved and then all is down": {moved, func(h *tls.ClientHelloInfo, n int64) (*tls.Config, error) { return later(h, n) }, true, "unknown"},
		"closed by a portal":         {nil, nil, false, "unknown"},
		"moved by a portal":          {moved, nil, false, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t)
			if !test.known {
				pool = x509.NewCertPool()
			}
			server, plain := served(t, cert, site(true), test.meet), httptest.NewServer(test.plain)
			if test.plain == nil {
				plain.Close()
			}
			defer plain.Close()
			w := newWorld(t, probe.HTTPSRedirect, "localhost:"+port(t, server.Listener.Addr()), "", pool)
			w.Eye = street{w.Eye, plain.Listener.Addr().String()}
			expect(t, w.ran(t), test.want, w)
		})
	}
}

// later meets the first hello and cuts the others.
func later(h *tls.ClientHelloInfo, n int64) (*tls.Config, error) {
	if n > 1 {
		return cut(h)
	}
	return nil, nil
}
