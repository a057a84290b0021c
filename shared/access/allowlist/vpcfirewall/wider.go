package vpcfirewall

import (
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist/googledoor"
)

// span is ports from the first to the last.
type span struct{ first, last int }

// traffic is one protocol and some of its ports.
type traffic struct {
	protocol string // its number, or "all"
	ports    span
}

var anyPort = span{0, 65535}

// numbers are the protocols that have a name in a firewall rule (IANA protocol numbers).
var numbers = map[string]string{"icmp": "1", "tcp": "6", "udp": "17", "esp": "50", "ah": "51", "sctp": "132"}

// reads returns the traffic of one line of a rule; ok is false when a port cannot be read, and the line then stands for all.
func reads(protocol string, ports []string) (all []traffic, ok bool) {
	protocol = strings.ToLower(protocol)
	if number, named := numbers[protocol]; named {
		protocol = number
	}
	if len(ports) == 0 {
		return []traffic{{protocol, anyPort}}, true
	}
	for _, text := range ports {
		from, to, ranged := strings.Cut(text, "-")
		if !ranged {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil {
			return []traffic{{protocol, anyPort}}, false
		}
		all = append(all, traffic{protocol, span{first, last}})
	}
	return all, true
}

func allowed(r *compute.Firewall) (all []traffic) {
	for _, line := range r.Allowed {
		read, _ := reads(line.IPProtocol, line.Ports)
		all = append(all, read...)
	}
	return all
}

// denied leaves out what cannot be read: what is denied for certain counts.
func denied(r *compute.Firewall) (all []traffic) {
	for _, line := range r.Denied {
		if read, ok := reads(line.IPProtocol, line.Ports); ok {
			all = append(all, read...)
		}
	}
	return all
}

func meet(a, b []traffic) bool {
	return slices.ContainsFunc(a, func(x traffic) bool {
		return slices.ContainsFunc(b, func(y traffic) bool {
			same := x.protocol == y.protocol || x.protocol == "all" || y.protocol == "all"
			return same && x.ports.first <= y.ports.last && y.ports.first <= x.ports.last
		})
	})
}

// covers reports whether every part of b lies in one part of a.
func covers(a, b []traffic) bool {
	return !slices.ContainsFunc(b, func(y traffic) bool {
		return !slices.ContainsFunc(a, func(x traffic) bool {
			same := x.protocol == y.protocol || x.protocol == "all"
			return same && x.ports.first <= y.ports.first && y.ports.last <= x.ports.last
		})
	})
}

// ranges is whom a rule speaks of by address; ok is false when one of them cannot be read.
func ranges(r *compute.Firewall) (all []netip.Prefix, ok bool) {
	if len(r.SourceRanges)+len(r.SourceTags)+len(r.SourceServiceAccounts) == 0 {
		return everyone, true
	}
	ok = true
	for _, text := range r.SourceRanges {
		p, err := googledoor.Prefix(text)
		if err != nil {
			ok = false
			continue
		}
		all = append(all, p.Masked())
	}
	return all, ok
}

// lets is whom a rule that allows lets in at most: machines named by tag or account may have any address.
func lets(r *compute.Firewall) []netip.Prefix {
	all, ok := ranges(r)
	if !ok || len(r.SourceTags)+len(r.SourceServiceAccounts) > 0 {
		return everyone
	}
	return all
}

// reach reports whether a rule may apply to a machine that ours apply to, and whether it applies to all of those. A machine
// can have tags and an account.
func reach(r, ours *compute.Firewall) (some, all bool) {
	if len(r.TargetTags)+len(r.TargetServiceAccounts) == 0 {
		return true, true
	}
	within := func(theirs, own []string) (some, all bool) {
		in := func(s string) bool { return slices.Contains(theirs, s) }
		return slices.ContainsFunc(own, in), len(own) > 0 && !slices.ContainsFunc(own, func(s string) bool { return !in(s) })
	}
	byTag, allTags := within(r.TargetTags, ours.TargetTags)
	byAccount, allAccounts := within(r.TargetServiceAccounts, ours.TargetServiceAccounts)
	// One kind here and the other there: nothing tells that no machine has both.
	apart := len(r.TargetTags) > 0 && len(ours.TargetTags) > 0 || len(r.TargetServiceAccounts) > 0 && len(ours.TargetServiceAccounts) > 0
	return byTag || byAccount || !apart, allTags || allAccounts
}

// neighbour is a rule of others that may speak of the traffic that ours let in.
type neighbour struct {
	rule    *compute.Firewall
	sources []netip.Prefix
	whole   bool // it speaks of all machines that ours speak of
}

// wider names the rules of others that let in more than entries, and those that deny some of entries. The rule of lowest
// number decides; of equal ones, the one that denies. So a rule after ours lets in who is not in ours, unless one that denies
// stands between.
func (l landscape) wider(entries []netip.Prefix) []string {
	ours := l.shells[0].rule
	var ports []traffic
	for _, s := range l.shells {
		ports = append(ports, allowed(s.rule)...)
	}
	allow, deny := l.neighbours(ours, ports)
	within := lookup(entries)
	var names []string
	for _, n := range allow {
		if slices.ContainsFunc(n.sources, func(p netip.Prefix) bool { return !held(within, p) && !shut(deny, p, n.rule.Priority, ports) }) {
			names = append(names, n.rule.Name)
		}
	}
	for _, n := range deny {
		shadows := func(p netip.Prefix) bool { return held(within, p) || holds(p, entries) }
		if n.rule.Priority <= ours.Priority && slices.ContainsFunc(n.sources, shadows) {
			names = append(names, "deny "+n.rule.Name)
		}
	}
	slices.Sort(names)
	return names
}

// neighbours are the rules of others in force on our network that meet ours in machines and ports.
func (l landscape) neighbours(ours *compute.Firewall, ports []traffic) (allow, deny []neighbour) {
	for _, r := range l.others {
		some, whole := reach(r, ours)
		if r.Disabled || r.Direction == "EGRESS" || r.Network != ours.Network || !some {
			continue
		}
		if meet(allowed(r), ports) {
			allow = append(allow, neighbour{r, lets(r), whole})
		}
		if meet(denied(r), ports) {
			sources, _ := ranges(r)
			deny = append(deny, neighbour{r, sources, whole})
		}
	}
	return allow, deny
}

// shut reports whether one rule that denies stands before the given priority and takes all of the source, at all ports and
// machines of ours.
func shut(deny []neighbour, p netip.Prefix, priority int64, ports []traffic) bool {
	return slices.ContainsFunc(deny, func(d neighbour) bool {
		certain := d.whole && len(d.rule.DestinationRanges) == 0 && d.rule.Priority <= priority && covers(denied(d.rule), ports)
		return certain && slices.ContainsFunc(d.sources, func(s netip.Prefix) bool { return s.Bits() <= p.Bits() && s.Contains(p.Addr()) })
	})
}

// held reports whether p lies in one of the entries.
func held(entries map[netip.Prefix]bool, p netip.Prefix) bool {
	for bits := p.Bits(); bits >= 0; bits-- {
		if wider, err := p.Addr().Prefix(bits); err == nil && entries[wider] {
			return true
		}
	}
	return false
}

// holds reports whether one of the entries, which are sorted, lies in p: the first at or after p does if any does.
func holds(p netip.Prefix, entries []netip.Prefix) bool {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].Compare(p) >= 0 })
	return i < len(entries) && p.Overlaps(entries[i])
}
