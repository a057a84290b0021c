package address

import (
	"errors"
	"fmt"
	"net/netip"
)

// Widths nobody exceeds, administrators included.
const (
	LeaseIPv4 = 32 // a lease is one IPv4 address
	LeaseIPv6 = 64 // or one IPv6 subnet: temporary addresses change daily within it (RFC 8981)
	SiteIPv4  = 24 // the widest fixed site
	SiteIPv6  = 48
)

// Parse reads a prefix in its one canonical spelling (RFC 4632, RFC 5952): no host bits, no zone, no leading zeros,
// no IPv4-mapped form. Everything else is an error, never repaired.
func Parse(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("reading a prefix: %w", err)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("prefix %s is an IPv4 address in IPv6 spelling", p)
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("prefix %s has host bits; write %s", p, p.Masked())
	case p.String() != text:
		return netip.Prefix{}, fmt.Errorf("prefix is not in canonical spelling; write %s", p)
	}
	return p, nil
}

// CheckWidth refuses a prefix no allow-list may hold: not canonical, or wider than a fixed site may be. 0.0.0.0/0
// and ::/0 are the extreme cases.
func CheckWidth(p netip.Prefix) error {
	switch {
	case !p.IsValid() || p.Addr().Is4In6() || p != p.Masked():
		return errors.New("prefix is not canonical")
	case p.Addr().Is4() && p.Bits() < SiteIPv4:
		return fmt.Errorf("prefix %s is wider than /%d", p, SiteIPv4)
	case p.Addr().Is6() && p.Bits() < SiteIPv6:
		return fmt.Errorf("prefix %s is wider than /%d", p, SiteIPv6)
	}
	return nil
}

// Of returns the prefix under which an observed address would be leased, without asking whether it may be:
// IPv4-mapped addresses are IPv4, IPv6 loses its host bits. A zone, or no address, is false.
func Of(addr netip.Addr) (netip.Prefix, bool) {
	if !addr.IsValid() || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap()
	bits := LeaseIPv6
	if addr.Is4() {
		bits = LeaseIPv4
	}
	p, err := addr.Prefix(bits)
	return p, err == nil
}
