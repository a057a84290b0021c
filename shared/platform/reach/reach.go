// Package reach makes HTTP clients for addresses that others have a say in: hooks, callbacks, endpoints of third parties.
//
// It promises that such a client connects to the network it may reach and to nothing else: the address that a name
// resolves to is checked at the moment of connecting, so that a name cannot answer once with a harmless address and once
// with one of ours. No redirect is followed, no proxy of the environment used, no cookie kept. Link-local addresses, and with
// them the metadata server, are out of reach for everybody. It does not look at what is sent; of an answer it looks at the
// status, and at how long that asks to wait.
package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Network is what a client may reach.
type Network string

// The networks.
const (
	Public   Network = "public"   // addresses of the internet
	Private  Network = "private"  // those, and private ones (RFC 1918, RFC 4193)
	Loopback Network = "loopback" // this machine alone, for local mode
)

// ErrOutOfReach is in the chain of the error of a request to an address that is not of the network.
var ErrOutOfReach = errors.New("the address is out of reach")

// Client returns a client that trusts certificates that lead to roots, nil for those of the system; timeout bounds a request
// and the reading of its answer.
func Client(to Network, roots *x509.CertPool, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: transport(to, roots), Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func transport(to Network, roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !to.Has(at.Addr()) {
			return ErrOutOfReach
		}
		return nil
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, TLSHandshakeTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
}

// others are networks that are global or private by their form and lead elsewhere (RFC 6890 and its registries), and the
// metadata server's address in IPv6.
var others = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("fd20:ce::254/128"),
}

// Has reports whether an address is of the network.
func (n Network) Has(addr netip.Addr) bool {
	addr = addr.Unmap()
	if n == Loopback || addr.IsLoopback() {
		return n == Loopback && addr.IsLoopback()
	}
	if !addr.IsGlobalUnicast() || addr.Zone() != "" || slices.ContainsFunc(others, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return false
	}
	return n == Private || n == Public && !addr.IsPrivate()
}
