package vpcfirewall

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/allowlist/googledoor"
)

// nobody is held by a rule that lets nobody in: addresses for documentation (RFC 5737, RFC 3849), which no route leads to.
var nobody = map[bool]netip.Prefix{true: netip.MustParsePrefix("192.0.2.1/32"), false: netip.MustParsePrefix("2001:db8::/128")}

// everyone is what a rule lets in that names no source.
var everyone = googledoor.Everyone()

// shell is one of our rules.
type shell struct {
	rule  *compute.Firewall
	v4    bool
	holds []netip.Prefix // what its list of sources means, sorted
	odd   string         // what about the list we would not have written; "" when nothing
	wrong string         // what about the rest Terraform would not have made; "" when nothing
}

// shut reports whether the rule is as we leave one that holds nobody.
func (s shell) shut() bool {
	return s.rule.Disabled && s.odd == "" && slices.Equal(s.holds, []netip.Prefix{nobody[s.v4]})
}

// admits is what the rule lets in.
func (s shell) admits() []netip.Prefix {
	if s.rule.Disabled || s.rule.Direction != "INGRESS" || len(s.rule.Allowed) == 0 {
		return nil
	}
	return s.holds
}

func (s shell) torn() string {
	switch {
	case s.wrong != "":
		return s.wrong
	case s.rule.Disabled && !s.shut():
		return "is disabled and holds addresses"
	}
	return s.odd
}

// judge reads one of our rules.
func judge(rule *compute.Firewall, v4 bool) shell {
	s := shell{rule: rule, v4: v4}
	s.holds, s.odd = parse(rule, v4)
	switch {
	case rule.Direction != "INGRESS":
		s.wrong = "is not for ingress"
	case len(rule.Allowed) == 0 || len(rule.Denied) > 0:
		s.wrong = "does not allow"
	case len(rule.SourceTags)+len(rule.SourceServiceAccounts) > 0:
		s.wrong = "lets in machines by tag or account"
	case rule.Priority == 0:
		s.wrong = "has no priority"
	}
	return s
}

// differs says in what a rule is not made as the first of the door and the first of its family.
func differs(rule, first, sibling *compute.Firewall) string {
	switch {
	case rule.Network != first.Network:
		return "differs from " + first.Name + " in its network"
	case rule.Priority != first.Priority:
		return "differs from " + first.Name + " in its priority"
	case !slices.Equal(rule.TargetTags, first.TargetTags) || !slices.Equal(rule.TargetServiceAccounts, first.TargetServiceAccounts):
		return "differs from " + first.Name + " in its targets"
	case !reflect.DeepEqual(rule.Allowed, sibling.Allowed) || !slices.Equal(rule.DestinationRanges, sibling.DestinationRanges):
		return "differs from " + sibling.Name + " in what it allows"
	}
	return ""
}

// parse reads what a rule's list of sources lets in, and says what about it we would not have written.
func parse(rule *compute.Firewall, v4 bool) (holds []netip.Prefix, odd string) {
	if len(rule.SourceRanges)+len(rule.SourceTags)+len(rule.SourceServiceAccounts) == 0 {
		return slices.Clone(everyone), "names no source, which lets everybody in"
	}
	for _, text := range rule.SourceRanges {
		p, err := googledoor.Prefix(text)
		switch {
		case err != nil:
			odd = "holds a source that cannot be read"
			continue
		case p != p.Masked():
			odd = "holds a source with host bits"
		case !fits(p, v4):
			odd = "holds a source that is too wide or of the other family"
		}
		holds = append(holds, p.Masked())
	}
	return sorted(holds), odd
}

// fits reports whether we would write the prefix into a rule of the family.
func fits(p netip.Prefix, v4 bool) bool { return address.CheckWidth(p) == nil && p.Addr().Is4() == v4 }

// made is what Terraform says of a rule, lists in one order. Its name, and what it lets in, are no part of it.
func made(r *compute.Firewall) compute.Firewall {
	in := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	return compute.Firewall{Network: r.Network, Direction: r.Direction, Priority: r.Priority, Allowed: r.Allowed, Denied: r.Denied, SourceTags: in(r.SourceTags),
		SourceServiceAccounts: in(r.SourceServiceAccounts), TargetTags: in(r.TargetTags), TargetServiceAccounts: in(r.TargetServiceAccounts), DestinationRanges: in(r.DestinationRanges)}
}

// digest names the state of a rule, as far as it matters to us.
func digest(r *compute.Firewall) string {
	state := made(r)
	state.Name, state.Id, state.Disabled, state.SourceRanges = r.Name, r.Id, r.Disabled, slices.Sorted(slices.Values(r.SourceRanges))
	return spelled(state)
}

func spelled(r compute.Firewall) string {
	text, err := json.Marshal(r)
	if err != nil {
		return err.Error() // strings and numbers alone always encode
	}
	return string(text)
}

// landscape is one reading of the rules of the project: ours, IPv4 first and by name, and all others.
type landscape struct {
	shells []shell
	others []*compute.Firewall
}

// entries is all that the rules let in, IPv4 first.
func (l landscape) entries() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range l.shells {
		all = append(all, s.admits()...)
	}
	return sorted(all)
}

// etag changes with every change of one of our rules that matters to us.
func (l landscape) etag() string {
	var all []string
	for _, s := range l.shells {
		all = append(all, digest(s.rule))
	}
	return googledoor.Digest(all...)
}

// frame changes when the rules are made otherwise, and not when there are more of the same or fewer.
func (l landscape) frame() string {
	var kinds []string
	for _, s := range l.shells {
		kinds = append(kinds, family(s.v4)+" "+spelled(made(s.rule)))
	}
	return googledoor.Digest(slices.Compact(kinds)...)
}

// torn names the first rule that is not as it must be, and how many more there are.
func (l landscape) torn() string {
	var all []string
	for _, s := range l.shells {
		if why := s.torn(); why != "" {
			all = append(all, "rule "+s.rule.Name+" "+why)
		}
	}
	if len(all) > 1 {
		return fmt.Sprintf("%s, and %d more", all[0], len(all)-1)
	}
	return strings.Join(all, "")
}
