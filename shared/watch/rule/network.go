package rule

import (
	"net/netip"
	"slices"
	"strings"

	"ostiary.internal/shared/watch/auditlog"
)

// InRanges reports whether an address is in one of the ranges (CIDR, or single addresses). What is no address, such as
// "private" or "gce-internal-ip", is in none.
func InRanges(ip string, ranges []string) bool {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(ranges, func(r string) bool {
		p, ok := prefix(r)
		return ok && p.Contains(a)
	})
}

func prefix(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	if s == "*" {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), true // Cloud Armor and App Engine
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), true
}

// Internet reports whether some of the ranges is no private one: not of RFC 1918, RFC 4193, loopback or link-local, and
// not one from which Google checks the health of what is behind its load balancers.
func Internet(ranges []string) bool {
	return slices.ContainsFunc(ranges, func(r string) bool {
		p, ok := prefix(r)
		return ok && !slices.ContainsFunc(private, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
	})
}

var private = func() (all []netip.Prefix) {
	for _, s := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
		"35.191.0.0/16", "130.211.0.0/22", "2600:2d00:1:b029::/64", // Cloud Load Balancing, "Health checks overview", 2026
	} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}()

// Open reports whether ranges together hold every IPv4 or every IPv6 address: 0.0.0.0/0, but also its two halves.
func Open(ranges []string) bool {
	var v4, v6 []netip.Prefix
	for _, r := range ranges {
		if p, ok := prefix(r); ok && p.Addr().Is4() {
			v4 = append(v4, p)
		} else if ok {
			v6 = append(v6, p)
		}
	}
	return whole(v4, netip.IPv4Unspecified()) || whole(v6, netip.IPv6Unspecified())
}

// whole reports whether prefixes leave no gap from first on.
func whole(all []netip.Prefix, first netip.Addr) bool {
	slices.SortFunc(all, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	next := first
	for _, p := range all {
		if p.Addr().Compare(next) > 0 {
			return false
		}
		if end := lastOf(p); end.Compare(next) >= 0 {
			if next = end.Next(); !next.IsValid() {
				return true
			}
		}
	}
	return false
}

// lastOf returns the highest address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	end, _ := netip.AddrFromSlice(b)
	return end
}

// sourceRanges returns whom a change of a firewall, a security policy or a database lets in. A VPC rule made or
// replaced without ranges, tags or accounts lets everyone in; one that is for traffic outwards, that is off or that
// denies lets in nobody. A patch that does not name ranges changes none.
func sourceRanges(e *auditlog.Entry) []string {
	request, _ := tree(e.Request).Value().(map[string]any)
	if _, typed := request["@type"]; len(request) == 0 || len(request) == 1 && typed {
		return nil // the end of an operation: what was asked for stands in its first entry
	}
	switch {
	case e.Service == "cloudsql.googleapis.com" || e.Service == "sqladmin.googleapis.com":
		return databaseRanges(request)
	case e.Service == "appengine.googleapis.com":
		return allowing(Text(request, "rule.action"), []string{Text(request, "rule.sourceRange")})
	case strings.Contains(e.Method, "ecurityPolicies."):
		return allowing(Text(request, "action"), Strings(request, "match.config.srcIpRanges"))
	case strings.Contains(e.Method, "irewallPolicies."):
		if Text(request, "direction") == "EGRESS" || Text(request, "disabled") == "true" {
			return nil
		}
		return allowing(Text(request, "action"), Strings(request, "match.srcIpRanges"))
	case strings.Contains(e.Method, "firewalls."):
		return vpcRanges(e.Verb, request)
	}
	return nil
}

func vpcRanges(verb string, request map[string]any) []string {
	denies := len(Sub(request, "denieds"))+len(Sub(request, "denied")) > 0
	if Text(request, "direction") == "EGRESS" || Text(request, "disabled") == "true" || denies {
		return nil
	}
	ranges := Strings(request, "sourceRanges")
	from := len(Sub(request, "sourceTags")) + len(Sub(request, "sourceServiceAccounts"))
	if len(ranges) == 0 && from == 0 && (verb == "insert" || verb == "update") {
		return []string{"0.0.0.0/0"}
	}
	return ranges
}

// databaseRanges returns the networks that may reach a Cloud SQL instance over its public address.
func databaseRanges(request map[string]any) []string {
	var ranges []string
	for _, root := range []string{"", "body.", "resource.body."} {
		for _, n := range Sub(request, root+"settings.ipConfiguration.authorizedNetworks") {
			ranges = append(ranges, Text(n, "value"))
		}
	}
	return ranges
}

func allowing(action string, ranges []string) []string {
	if strings.HasPrefix(strings.ToLower(action), "deny") {
		return nil
	}
	return slices.DeleteFunc(ranges, func(r string) bool { return r == "" })
}
