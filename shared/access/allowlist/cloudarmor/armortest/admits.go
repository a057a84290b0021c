package armortest

import (
	"net/netip"
	"slices"
	"strings"

	"google.golang.org/api/compute/v1"
)

// Admits decides about a request as a load balancer does: the first rule that matches and is enforced. What we cannot
// evaluate matches.
func Admits(p *compute.SecurityPolicy, addr netip.Addr) bool {
	rules := slices.Clone(p.Rules)
	slices.SortFunc(rules, func(a, b *compute.SecurityPolicyRule) int { return int(a.Priority - b.Priority) })
	for _, r := range rules {
		if r.Preview || !matches(r, addr) {
			continue
		}
		return !strings.HasPrefix(r.Action, "deny(")
	}
	return true
}

func matches(r *compute.SecurityPolicyRule, addr netip.Addr) bool {
	if r.Match == nil || r.Match.Expr != nil || r.Match.Config == nil || len(r.Match.Config.SrcIpRanges) == 0 {
		return true
	}
	return slices.ContainsFunc(r.Match.Config.SrcIpRanges, func(text string) bool {
		if single, err := netip.ParseAddr(text); err == nil {
			return single == addr
		}
		p, err := netip.ParsePrefix(text)
		return err != nil || p.Masked().Contains(addr)
	})
}
