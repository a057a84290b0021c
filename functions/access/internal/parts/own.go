package parts

import (
	"net/netip"
	"strings"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/platform/fault"
)

// EnvOwn lists the addresses of our own entrance, such as the load balancer's: addresses, and prefixes no wider than /24 or /48,
// separated by commas. Nobody comes from there: a request that seems to was not told right.
const EnvOwn = "OSTIARY_OWN_ADDRESSES"

// ownAddresses reads EnvOwn, where the function declares it. Misconfigured: something in it is neither an address nor a prefix.
func ownAddresses(d *wiring.Deps) (address.Screen, error) {
	if !d.Manifest.Reads(EnvOwn) {
		return address.Screen{}, nil
	}
	value, _ := d.Env(EnvOwn)
	if value == "" {
		return address.Screen{}, nil
	}
	var own []netip.Prefix
	for text := range strings.SplitSeq(value, ",") {
		prefix, err := ownPrefix(text)
		if err != nil {
			return address.Screen{}, fault.New(fault.Misconfigured, "reading %s: %q: %w; list addresses and prefixes, separated by commas", EnvOwn, text, err)
		}
		own = append(own, prefix)
	}
	return address.NewScreen(own...), nil
}

func ownPrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" && !addr.Is4In6() {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := address.Parse(text)
	if err != nil {
		return prefix, err
	}
	return prefix, address.CheckWidth(prefix)
}
