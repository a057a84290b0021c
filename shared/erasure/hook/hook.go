// Package hook searches and erases through an HTTPS service of the company's own, for data that no other driver reaches.
//
// The protocol: JSON by POST to BASE/find, /erase, /values, /group, /places and /traces; the bodies are the types of
// wire.go, with an example of each in testdata. "v" is 1. Times are RFC 3339, and left out where there is none; names that
// are not in the types are refused by both sides. A request carries
//
//	Ostiary-Time: 1767603600
//	Ostiary-Signature: sha256=HEX
//
// where HEX is the HMAC-SHA256 (RFC 2104), under a secret of at least 32 bytes, of the time, a line feed, the last part of the
// path ("find"), a line feed and the body's bytes. The service refuses what is more than five minutes old or new. It
// answers 200, or 400 for a query it cannot carry out, 401 or 403 for a signature or a caller it does not take, 404 for a
// place that does not exist, 429 with Retry-After where it wants rest, 501 for a call it does not have, and 503 when it may be
// asked again. What erasure.Store promises is for the service to keep: above all that it looks at the tenant again in the step
// that erases. Handler is such a service in front of any store.
//
// The client promises to send a query nowhere but there (TLS 1.2 or later, no redirect, no address of our own network unless
// the URL says network=private) and to take no answer that breaks the protocol: it is an error, never an empty page. It
// cannot see whether the service tells the truth.
//
// The URL is https://HOST/BASE?secret=NAME; http, and this machine, are for local mode alone. Readers and stores should have
// secrets of their own, so that the service can refuse to erase for who only reads.
package hook

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

const (
	patience    = time.Minute // of one call
	minSecret   = 32          // bytes
	maxBody     = 4 << 20     // of a request and of an answer, bytes
	maxName     = 4096        // of a Ref or a cursor, bytes
	maxDepth    = 8
	skew        = 5 * time.Minute
	timeHeader  = "Ostiary-Time"
	signHeader  = "Ostiary-Signature"
	contentType = "application/json"
)

func init() {
	for _, scheme := range []string{"https", "http"} {
		erasure.Readers.Register(scheme, func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Reader, error) {
			return open(u, o, os.Getenv)
		})
		erasure.Stores.Register(scheme, func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Store, error) {
			return open(u, o, os.Getenv)
		})
	}
}

// Hook is a client of one service. It is safe for concurrent use.
type Hook struct {
	base   string // without a slash at its end
	secret string // its name
	read   func(ctx context.Context, name string) ([]byte, error)
	clock  clock.Clock
	client *http.Client
}

var _ erasure.Store = (*Hook)(nil)

func open(u *url.URL, o erasure.Options, getenv func(string) string) (*Hook, error) {
	query, network := u.Query(), reach.Public
	for key, values := range query {
		if len(values) != 1 || key != "secret" && (key != "network" || values[0] != string(reach.Private)) {
			return nil, fault.New(fault.Misconfigured, "opening a hook: allowed in the URL are secret=NAME and network=private, once each")
		}
	}
	if query.Has("network") {
		network = reach.Private
	}
	here := loopback(u.Hostname())
	if here {
		network = reach.Loopback
	}
	deployed := getenv("K_SERVICE") != ""
	switch {
	case query.Get("secret") == "" || u.Host == "" || u.User != nil:
		return nil, fault.New(fault.Misconfigured, "opening a hook: a URL is https://HOST/BASE?secret=NAME")
	case here && (!o.Loopback || deployed), !here && u.Scheme != "https":
		return nil, fault.New(fault.Misconfigured, "opening a hook: a hook is elsewhere and speaks https, but in local mode")
	case o.Secret == nil || o.Clock == nil:
		return nil, fault.New(fault.Misconfigured, "opening a hook: no secrets or no clock are configured")
	}
	base := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}
	return &Hook{base: base.String(), secret: query.Get("secret"), read: o.Secret, clock: o.Clock, client: reach.Client(network, o.Roots, patience)}, nil
}

// loopback reports whether a host is this machine by its form or name (RFC 6761, section 6.3).
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && addr.Unmap().IsLoopback()
}

// Close implements io.Closer.
func (h *Hook) Close() error {
	h.client.CloseIdleConnections()
	return nil
}
