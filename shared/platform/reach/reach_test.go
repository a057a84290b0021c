package reach

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	for address, networks := range map[string]string{
		"8.8.8.8": "public private", "2a00:1450:4001:81b::1": "public private", "::ffff:8.8.8.8": "public private",
		"10.0.0.1": "private", "172.16.0.1": "private", "192.168.1.1": "private", "::ffff:10.0.0.1": "private", "fd00::1": "private",
		"127.0.0.1": "loopback", "127.9.9.9": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
		"169.254.169.254": "", "::ffff:169.254.169.254": "", "fe80::1": "", "fd20:ce::254": "", "0.0.0.0": "", "0.1.2.3": "", "::": "", "100.64.0.1": "", "198.18.0.1": "",
		"224.0.0.1": "", "255.255.255.255": "", "ff02::1": "", "64:ff9b::a00:1": "", "2002:a00:1::": "", "192.0.2.1": "", "2001:db8::1": "", "fd00::1%eth0": "",
	} {
		for _, n := range []Network{Public, Private, Loopback, "", "all"} {
			want := n != "" && strings.Contains(" "+networks+" ", " "+string(n)+" ")
			if got := n.Has(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s is of %q: %t, want %t", address, n, got, want)
			}
		}
	}
}

// TestClient: names are no way around, a redirect is an answer like any other, and the environment's proxy is nobody's.
func TestClient(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, n := range []Network{Public, Private, "", "all"} {
		for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1"} {
			got, err := Client(n, nil, time.Second).Get("http://" + host + port)
			if err == nil {
				_ = got.Body.Close()
			}
			if err == nil || host != "127.1" && !errors.Is(err, ErrOutOfReach) { // 127.1 is a name to most resolvers
				t.Errorf("%s from %q: %v", host, n, err)
			}
		}
	}
	if asked != 0 {
		t.Errorf("%d requests arrived", asked)
	}
	got, err := Client(Loopback, nil, time.Second).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusFound || asked != 1 || transport(Loopback, nil).Proxy != nil {
		t.Errorf("status %d after %d requests", got.StatusCode, asked)
	}
}

// TestRebinding: a name that answers with an address of the internet when it is looked at, and with ours when it is connected
// to, leads nowhere: what counts is the address of the connection.
func TestRebinding(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	names := nameserver(t, "8.8.8.8", "127.0.0.1", "169.254.169.254", "10.0.0.1")
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", names)
	}}
	defer func() { net.DefaultResolver = before }()
	if first, err := net.DefaultResolver.LookupHost(t.Context(), "rebound.example."); err != nil || len(first) != 1 || first[0] != "8.8.8.8" {
		t.Fatalf("looked at first as %v: %v", first, err)
	}
	for range 3 {
		got, err := Client(Public, nil, 2*time.Second).Get("http://rebound.example." + server.URL[strings.LastIndex(server.URL, ":"):])
		if err == nil {
			_ = got.Body.Close()
		}
		if !errors.Is(err, ErrOutOfReach) {
			t.Errorf("connected to: %v", err)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests arrived", asked)
	}
}

// nameserver answers each question about an IPv4 address with the next of some addresses, with no time to live, and says of
// all else that there is none (RFC 1035).
func nameserver(t *testing.T, addresses ...string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		packet, n := make([]byte, 512), 0
		for {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			var p dnsmessage.Parser
			header, err := p.Start(packet[:size])
			if err != nil {
				continue
			}
			question, err := p.Question()
			if err != nil {
				continue
			}
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true}, Questions: []dnsmessage.Question{question}}
			if question.Type == dnsmessage.TypeA {
				answer.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: question.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addresses[n%len(addresses)]).As4()},
				}}
				n++
			}
			if packed, err := answer.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}
