package diff

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// prefixes are ranges of addresses: what matters is which addresses they cover together.
func prefixes(v any) (string, error) {
	list, err := listed(v, text)
	if err != nil {
		return "", err
	}
	var all []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return "", fmt.Errorf("%w: no range of addresses", errShape)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	var out []string
	for _, p := range minimal(all) {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n"), nil
}

// minimal returns the fewest prefixes that cover the same addresses, sorted.
func minimal(all []netip.Prefix) []netip.Prefix {
	for {
		slices.SortFunc(all, func(a, b netip.Prefix) int {
			if c := a.Addr().Compare(b.Addr()); c != 0 {
				return c
			}
			return a.Bits() - b.Bits()
		})
		var out []netip.Prefix
		joined := false
		for _, p := range all {
			if n := len(out); n > 0 {
				last := out[n-1]
				if last.Bits() <= p.Bits() && last.Contains(p.Addr()) {
					continue
				}
				if p.Bits() > 0 && last.Bits() == p.Bits() {
					if up := netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked(); up.Contains(last.Addr()) {
						out[n-1], joined = up, true
						continue
					}
				}
			}
			out = append(out, p)
		}
		if all = out; !joined {
			return all
		}
	}
}

// ports are numbers and ranges of ports: "80", "443-445"; what matters is which they cover together.
func ports(v any) (string, error) {
	list, err := listed(v, text)
	if err != nil {
		return "", err
	}
	type span struct{ from, to int }
	var all []span
	for _, s := range list {
		from, to, ranged := strings.Cut(s, "-")
		if !ranged {
			to = from
		}
		a, err1 := strconv.Atoi(strings.TrimSpace(from))
		b, err2 := strconv.Atoi(strings.TrimSpace(to))
		if err1 != nil || err2 != nil || a < 0 || b > 65535 || a > b {
			return "", fmt.Errorf("%w: no port", errShape)
		}
		all = append(all, span{a, b})
	}
	slices.SortFunc(all, func(a, b span) int { return a.from - b.from })
	var out []span
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].to+1 {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	if len(out) == 1 && out[0].from <= 1 && out[0].to == 65535 {
		return "", nil // all of them, as if none was named
	}
	var parts []string
	for _, s := range out {
		parts = append(parts, fmt.Sprintf("%d-%d", s.from, s.to))
	}
	return strings.Join(parts, ","), nil
}

// protocols are what a rule of a firewall lets through or keeps out: a line a protocol, with its ports.
func protocols(v any) (string, error) {
	if none(v) {
		return "", nil
	}
	items, is := v.([]any)
	if !is {
		return "", errShape
	}
	byName := map[string][]any{}
	open := map[string]bool{} // without a list of ports: every port
	for _, item := range items {
		name, err := at(item, "protocol|IPProtocol|ipProtocol")
		if err != nil {
			return "", err
		}
		s, err := text(name)
		if err != nil || s == "" {
			return "", errShape
		}
		if s = strings.ToLower(s); numbered[s] != "" {
			s = numbered[s]
		}
		p, err := at(item, "ports|port")
		if err != nil {
			return "", err
		}
		list, _ := p.([]any)
		if open[s] = open[s] || len(list) == 0; s == "all" {
			return "all", nil
		}
		byName[s] = append(byName[s], list...)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		which := ""
		if !open[name] {
			var err error
			if which, err = ports(byName[name]); err != nil {
				return "", err
			}
		}
		lines = append(lines, strings.TrimSuffix(name+":"+which, ":"))
	}
	return strings.Join(lines, "\n"), nil
}

// numbered are protocols that are also written as their numbers (IANA).
var numbered = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "50": "esp", "51": "ah", "132": "sctp"}
