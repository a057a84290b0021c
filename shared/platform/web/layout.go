package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/http/httpguts"

	"ostiary.internal/shared/platform/fault"
)

// place says where the caller's address stands.
type place string

const (
	placeDirect       place = "direct"
	placeLoadBalancer place = "loadbalancer"
	placeHeader       place = "header"
)

const forwardedFor = "X-Forwarded-For"

// Layout is the declared chain of proxies in front of a function: it says which entry was written by a proxy of
// ours. Everything else in the headers is the caller's word and never looked at. The zero Layout knows nobody.
type Layout struct {
	place  place
	header string
	check  place // of a header: the position in X-Forwarded-For that must agree, or ""
}

// ParseLayout reads what OSTIARY_CLIENT_ADDRESS declares:
//
//	direct             the right-most entry of X-Forwarded-For; without that header, the peer
//	loadbalancer       the second entry from the right, for a load balancer appends "client, itself"
//	header:NAME        the header NAME alone, which our proxy sets and overwrites
//	header:NAME,direct or header:NAME,loadbalancer: the same, and the entry named so must agree
//
// Anything else is Misconfigured.
func ParseLayout(s string) (Layout, error) {
	switch place(s) {
	case placeDirect, placeLoadBalancer:
		return Layout{place: place(s)}, nil
	}
	kind, rest, _ := strings.Cut(s, ":")
	name, check, checked := strings.Cut(rest, ",")
	name = http.CanonicalHeaderKey(name)
	switch {
	case place(kind) != placeHeader || !httpguts.ValidHeaderFieldName(name):
		return Layout{}, fault.New(fault.Misconfigured, "client address layout %q: allowed are direct, loadbalancer, header:NAME", s)
	case name == forwardedFor || name == "Forwarded":
		return Layout{}, fault.New(fault.Misconfigured, "client address layout %q: a list is not a header of ours alone; declare direct or loadbalancer", s)
	case checked && place(check) != placeDirect && place(check) != placeLoadBalancer:
		return Layout{}, fault.New(fault.Misconfigured, "client address layout %q: after the comma, allowed are direct and loadbalancer", s)
	}
	return Layout{placeHeader, name, place(check)}, nil
}

// String returns the layout as ParseLayout reads it.
func (l Layout) String() string {
	switch {
	case l.place != placeHeader:
		return string(l.place)
	case l.check != "":
		return "header:" + l.header + "," + string(l.check)
	}
	return "header:" + l.header
}

// Client returns the caller's address, an IPv4-mapped one as IPv4. When the trusted entry is absent or unreadable
// there is no other: the error is Misconfigured with code "address_unknown" (503), for the declared layout is not
// the real one.
func (l Layout) Client(r *http.Request) (netip.Addr, error) {
	client, why := l.client(r)
	if why != "" {
		return netip.Addr{}, &fault.Error{
			Kind: fault.Misconfigured, Code: "address_unknown", Err: fmt.Errorf("client address by layout %s: %s", l, why),
			Detail: "The network address you come from could not be determined.", Next: "Report this to the security lead; nothing was changed.",
		}
	}
	return client, nil
}

// client returns the address, or why there is none.
func (l Layout) client(r *http.Request) (client netip.Addr, why string) {
	switch l.place {
	case placeDirect, placeLoadBalancer:
		return positioned(l.place, r)
	case placeHeader:
		values := r.Header.Values(l.header)
		if len(values) != 1 {
			return client, fmt.Sprintf("the header occurs %d times", len(values))
		}
		client, why = literal(values[0])
		if why != "" || l.check == "" {
			return client, why
		}
		other, why := positioned(l.check, r)
		if why == "" && other != client {
			why = "the header and X-Forwarded-For disagree"
		}
		return client, why
	}
	return client, "no layout is declared"
}

// positioned reads an entry of X-Forwarded-For, counted from the right: what is left of it, the caller wrote.
func positioned(p place, r *http.Request) (netip.Addr, string) {
	lines := r.Header.Values(forwardedFor)
	if len(lines) == 0 && p == placeDirect {
		return literal(peer(r.RemoteAddr))
	}
	entries := strings.Split(strings.Join(lines, ","), ",") // repeated lines are one list (RFC 9110, section 5.3)
	fromRight := 1
	if p == placeLoadBalancer {
		fromRight = 2
	}
	if len(entries) < fromRight {
		return netip.Addr{}, "X-Forwarded-For has too few entries"
	}
	return literal(entries[len(entries)-fromRight])
}

// peer takes the port off the address of the connection.
func peer(remote string) string {
	host, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	return host.Addr().String()
}

// literal reads a bare address: no port, no zone, no brackets, no leading zeros in IPv4.
func literal(s string) (netip.Addr, string) {
	addr, err := netip.ParseAddr(strings.Trim(s, " \t"))
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, "the entry is not a bare address"
	}
	return addr.Unmap(), ""
}
