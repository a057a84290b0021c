// Package address decides which observed addresses may be registered, and in which form. It promises that what it
// returns is one canonical prefix of the global unicast space that belongs to nobody special: not a block of IANA's
// special-purpose registries (RFC 6890), not multicast, not a proxy in front of us. It does not observe addresses
// (that is the proxy layout's work) and does not tell homes from mobile carriers or relays.
package address

import (
	"embed"
	"fmt"
	"net/netip"
	"slices"

	"ostiary.internal/shared/platform/fault"
)

//go:embed tables/*.csv
var files embed.FS

// The tables shipped with the program. To renew one, put IANA's newer CSV below our two heading lines.
var (
	special4 = shipped("tables/iana-ipv4.csv")
	special6 = shipped("tables/iana-ipv6.csv")
	other    = shipped("tables/other.csv")
	proxies  = shipped("tables/google.csv")
)

// shipped panics on a broken file: it is part of the build, and a test reads it first.
func shipped(name string) Table {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	t, err := ParseTable(data)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return t
}

// global is the space IANA allocates to networks (RFC 4291 section 2.4; IANA's IPv6 global unicast registry).
var global = netip.MustParsePrefix("2000::/3")

// Screen refuses what nobody may register. The zero Screen knows the shipped tables only. It is safe for
// concurrent use.
type Screen struct {
	own []netip.Prefix
}

// NewScreen returns a screen that also refuses the operator's own addresses, such as the load balancer's.
func NewScreen(own ...netip.Prefix) Screen { return Screen{own: own} }

// Prefix is Screen.Prefix with the shipped tables alone.
func Prefix(addr netip.Addr) (netip.Prefix, error) { return Screen{}.Prefix(addr) }

// Prefix returns the prefix under which addr is registered: an IPv4 address alone (/32), an IPv6 address with its
// subnet (/64, host bits zero). IPv4-mapped IPv6 is IPv4. Errors: Invalid with code "address_refused" and a reason
// for the person; "address_unknown" when addr is no address at all.
func (s Screen) Prefix(addr netip.Addr) (netip.Prefix, error) {
	if !addr.IsValid() {
		return netip.Prefix{}, unknown()
	}
	p, ok := Of(addr)
	if !ok {
		return netip.Prefix{}, refuse("Your address belongs to one network link only (it carries a zone).", nextOwn)
	}
	if err := s.check(p, addr.Unmap()); err != nil {
		return netip.Prefix{}, err
	}
	return p, nil
}

// Site reads the prefix of a fixed site: canonical, at most as wide as SiteIPv4 or SiteIPv6, and touching nothing
// that a lease could not hold. The error is for whoever edits the policy.
func (s Screen) Site(text string) (netip.Prefix, error) {
	p, err := Parse(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if err := CheckWidth(p); err != nil {
		return netip.Prefix{}, err
	}
	for _, t := range []Table{special4, special6, other, proxies} {
		if b, hit := t.Overlapping(p); hit {
			return netip.Prefix{}, fmt.Errorf("prefix %s touches %s (%s)", p, b.Prefix, b.Name)
		}
	}
	for _, own := range s.own {
		if own.Overlaps(p) {
			return netip.Prefix{}, fmt.Errorf("prefix %s touches our own address range %s", p, own)
		}
	}
	if p.Addr().Is6() && !global.Contains(p.Addr()) {
		return netip.Prefix{}, fmt.Errorf("prefix %s is outside %s, the global unicast space", p, global)
	}
	return p, nil
}

// Entrance reports whether an address is one of our own entrance, or of Google's proxies and probes in front of it: who seems to
// come from there was not told right.
func (s Screen) Entrance(addr netip.Addr) bool {
	addr = addr.Unmap()
	_, proxy := proxies.Find(addr)
	return proxy || slices.ContainsFunc(s.own, func(own netip.Prefix) bool { return own.Contains(addr) })
}

const (
	nextOwn   = "Open this page over your own internet connection, without a VPN or company proxy, and try again."
	nextProxy = "Nothing you can do changes this. Tell your security team that the declared proxy layout is wrong."
)

// check takes the address as well as the prefix: the single addresses of the registry are narrower than a /64.
func (s Screen) check(p netip.Prefix, addr netip.Addr) error {
	for _, own := range s.own {
		if own.Overlaps(p) {
			return refuse("We saw an address of our own entrance instead of yours.", nextProxy)
		}
	}
	if b, hit := proxies.Find(addr); hit {
		return refuse(fmt.Sprintf("We saw a proxy instead of you: %s (%s).", b.Prefix, b.Name), nextProxy)
	}
	for _, t := range []Table{other, special4, special6} {
		if b, hit := t.Find(addr); hit {
			return refuse(fmt.Sprintf("Your address lies in %s (%s), which is not an address of your own on the internet.",
				b.Prefix, b.Name), nextOwn)
		}
	}
	if addr.Is6() && !global.Contains(addr) {
		return refuse(fmt.Sprintf("Your address lies outside %s, the only IPv6 space in use on the internet.", global), nextOwn)
	}
	return nil
}

func refuse(detail, next string) error {
	e := fault.Refuse(fault.Invalid, "address_refused", detail, next)
	e.Status = 422
	return e
}

func unknown() error {
	e := fault.Refuse(fault.Transient, "address_unknown", "We could not see the address you come from.",
		"Try again in a minute. If it stays so, tell your security team.")
	e.Status = 503
	return e
}
