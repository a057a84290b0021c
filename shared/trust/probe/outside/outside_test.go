package outside

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// The name the test server's certificate is for.
const host = "example.com"

// serve starts a TLS server, and an eye that finds it under every name.
func serve(t *testing.T, config *tls.Config, handle http.HandlerFunc) (*Outside, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(handle)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	o, err := New(reach.Loopback, clock.System{}, roots)
	if err != nil {
		t.Fatal(err)
	}
	connect := o.connect
	o.connect = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return connect(ctx, network, server.Listener.Addr().String())
	}
	return o, server
}

func hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	w.Header().Set("Last-Modified", "Tue, 03 Mar 2026 08:00:00 GMT")
	w.Header().Set("Location", "https://elsewhere.example/")
	if r.URL.Path == "/moved" {
		w.WriteHeader(http.StatusFound)
	}
	_, _ = w.Write([]byte("hello " + r.Header.Get("Authorization") + strings.Repeat("x", maxBody)))
}

func TestShake(t *testing.T) {
	t.Parallel()
	strict, _ := serve(t, &tls.Config{MinVersion: tls.VersionTLS12}, hello)
	lax, _ := serve(t, &tls.Config{MinVersion: tls.VersionTLS10}, hello) //nolint:gosec // what a careless server does
	for _, test := range []struct {
		eye     *Outside
		highest int
		want    int // 0 for refused
	}{{strict, 13, 13}, {strict, 12, 12}, {strict, 11, 0}, {strict, 10, 0}, {lax, 11, 11}, {lax, 10, 10}} {
		met, err := test.eye.Shake(t.Context(), host, test.highest)
		if err != nil || met.Version != test.want || met.Refused != (test.want == 0) {
			t.Errorf("offered up to %d: %+v %v", test.highest, met, err)
		}
		if !met.Refused && (!met.Trusted || met.NotAfter.IsZero() || met.Signature == "") {
			t.Errorf("the certificate: %+v", met)
		}
	}
	if met, err := strict.Shake(t.Context(), "other.test.invalid", 13); err != nil || met.Trusted {
		t.Errorf("a certificate of another name: %+v %v", met, err)
	}
	strict.trust.RootCAs = x509.NewCertPool()
	if met, err := strict.Shake(t.Context(), host, 13); err != nil || met.Trusted {
		t.Errorf("a certificate nobody vouches for: %+v %v", met, err)
	}
	late, _ := serve(t, nil, hello)
	late.trust.Time = clock.NewManual(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)).Now
	if met, err := late.Shake(t.Context(), host, 13); err != nil || met.Trusted {
		t.Errorf("a certificate that has expired: %+v %v", met, err)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	o, server := serve(t, nil, hello)
	got, err := o.Ask(t.Context(), "https://"+host+"/moved", "")
	if err != nil || got.Status != http.StatusFound || got.Location != "https://elsewhere.example/" || len(got.Body) != maxBody || !got.Cut {
		t.Errorf("followed, or read too much: %d %q, %d bytes, %v", got.Status, got.Location, len(got.Body), err)
	}
	if got.Header["strict-transport-security"] == "" || got.Date.IsZero() {
		t.Errorf("%v %v", got.Header, got.Date)
	}
	if got, err = o.Ask(t.Context(), "https://"+host+"/", "canary"); err != nil || !strings.HasPrefix(string(got.Body), "hello Bearer canary") {
		t.Errorf("%.30s %v", got.Body, err)
	}
	stranger, _ := serve(t, nil, hello)
	stranger.trust.RootCAs = x509.NewCertPool()
	if got, err = stranger.Ask(t.Context(), "https://"+host+"/", "canary"); !fault.Is(err, fault.Transient) {
		t.Errorf("a server nobody vouches for was told the token: %d %v", got.Status, err)
	}
	server.Close()
	if got, err = o.Ask(t.Context(), "https://"+host+"/", ""); err != nil || !got.Closed {
		t.Errorf("nobody listens: %+v %v", got, err)
	}
	if _, err = o.Shake(t.Context(), host, 13); !fault.Is(err, fault.Transient) {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err = o.Ask(t.Context(), "https://%zz/", ""); err == nil {
		t.Error("an address that is none")
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	o, _ := serve(t, nil, hello)
	for request, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n":                        200,
		"GET / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: abc\r\nConnection: close\r\n\r\n": 400,
	} {
		if got, err := o.Send(t.Context(), host, []byte(request)); err != nil || got.Status != want {
			t.Errorf("%q: %+v %v", request, got, err)
		}
	}
	cut, _ := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	request := []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, err := cut.Send(t.Context(), host, request); !fault.Is(err, fault.Transient) {
		t.Errorf("the line is cut: %+v %v", got, err)
	}
	stranger, server := serve(t, nil, hello)
	stranger.trust.RootCAs = x509.NewCertPool()
	if got, err := stranger.Send(t.Context(), host, request); !fault.Is(err, fault.Transient) {
		t.Errorf("a server nobody vouches for: %+v %v", got, err)
	}
	server.Close()
	if got, err := stranger.Send(t.Context(), host, request); !fault.Is(err, fault.Transient) {
		t.Errorf("nobody listens: %+v %v", got, err)
	}
}

// TestCutHandshake: only an alert refuses.
func TestCutHandshake(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meet    func(*tls.ClientHelloInfo) (*tls.Config, error)
		refused bool
	}{
		"cut":         {func(h *tls.ClientHelloInfo) (*tls.Config, error) { return nil, h.Conn.Close() }, false},
		"other alert": {func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }, false},
		"too old":     {func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }, true},
		"no cipher":   {func(*tls.ClientHelloInfo) (*tls.Config, error) { return &tls.Config{MinVersion: tls.VersionTLS10}, nil }, false}, //nolint:gosec // it has no certificate
		"never answers": {func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			_, err := h.Conn.Read(make([]byte, 1))
			return nil, errors.Join(err, errors.New("gone"))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _ := serve(t, &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: test.meet}, hello)
			patience := 2 * time.Second
			if test.refused { // it is waited for
				patience = time.Minute
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			met, err := o.Shake(ctx, host, 11)
			if met.Refused != test.refused || (err == nil) != test.refused {
				t.Errorf("%+v %v", met, err)
			}
		})
	}
}

// TestClosed: only a host that refuses connections at all of its addresses is closed.
func TestClosed(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	o, err := New(reach.Loopback, clock.System{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // takes a connection and cuts it
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
		}
	}()
	if got, err := o.Ask(t.Context(), "http://"+at+"/", ""); err == nil {
		t.Errorf("a cut line: %+v", got)
	}
	listener.Close()
	if got, err := o.Ask(t.Context(), "http://"+at+"/", ""); err != nil || !got.Closed {
		t.Errorf("nobody listens: %+v %v", got, err)
	}
	if got, err := o.Ask(t.Context(), "http://company.example/", ""); err == nil {
		t.Errorf("a name that is not this machine's: %+v", got)
	}
	if got, err := o.Ask(t.Context(), "http://192.0.2.1/", ""); err == nil {
		t.Errorf("an address that is not this machine's: %+v", got)
	}
}

// TestReach: the address is judged, not the name.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, to := range []reach.Network{"everywhere", reach.Private, ""} {
		if _, err := New(to, clock.System{}, nil); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("reach %q: %v", to, err)
		}
	}
	public, here := &Outside{reach: reach.Public}, &Outside{reach: reach.Loopback}
	for address, outward := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "::": false, "224.0.0.1": false, "ff02::1": false, "fe80::1": false, "fd00::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "192.0.2.1": false, "203.0.113.9": false, "255.255.255.255": false,
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(address), 443).String()
		if got := public.guard("tcp", at, nil) == nil; got != outward {
			t.Errorf("%s is reached from the internet's side: %v", address, got)
		}
		if got := here.guard("tcp", at, nil) == nil; got != netip.MustParseAddr(address).Unmap().IsLoopback() {
			t.Errorf("%s is reached in local mode: %v", address, got)
		}
	}
	if public.guard("tcp", "nonsense", nil) == nil {
		t.Error("an address that is none is reached")
	}
	o, err := New(reach.Public, clock.System{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	if got, err := o.Ask(t.Context(), server.URL, ""); err == nil {
		t.Errorf("this machine was reached: %d", got.Status)
	}
}
