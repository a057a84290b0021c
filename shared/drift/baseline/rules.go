package baseline

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// proxies are ranges that no company has addresses of, though they are of the internet: those from which Google's load balancers ask whether something
// is well, and those from which its proxy comes that asks who somebody is before she reaches a machine. See
// https://cloud.google.com/load-balancing/docs/health-check-concepts and https://cloud.google.com/iap/docs/using-tcp-forwarding.
var proxies = []netip.Prefix{netip.MustParsePrefix("35.191.0.0/16"), netip.MustParsePrefix("130.211.0.0/22"), netip.MustParsePrefix("35.235.240.0/20"), netip.MustParsePrefix("2600:2d00:1:b029::/64")}

// rules reads the rules of a firewall or of a firewall policy, those that are in force, one as the other: ingress, allow,
// priority, open (somebody on the internet is let or denied; left out where nobody can tell), everywhere (all addresses of version
// 4 are) and everywhere6 (of version 6), inside (given to machines of the company alone, by tag or account), targeted (some machines of the network alone), logged, networks (and
// folders and organizations it holds for), and doors: a list of protocol, from and to.
func rules(v ref.Val) ref.Val {
	data, is := v.Value().(map[string]any)
	if !is {
		return types.NewErr("a firewall was not read")
	}
	var all []any
	switch list, policy := data["rules"].([]any); {
	case policy:
		all = inForce(data, list)
	case data["allowed"] == nil && data["denied"] == nil:
		return types.NewErr("what a firewall lets through was not read")
	case data["disabled"] != true:
		all = append(all, ofFirewall(data))
	}
	return types.DefaultTypeAdapter.NativeToValue(all)
}

func ofFirewall(data map[string]any) map[string]any {
	ingress := data["direction"] != "EGRESS"
	log, _ := data["logConfig"].(map[string]any)
	r := map[string]any{
		"ingress": ingress, "allow": data["allowed"] != nil, "priority": 1000.0, "logged": log["enable"] == true,
		"inside":   ingress && data["sourceRanges"] == nil && (some(data, "sourceTags") || some(data, "sourceServiceAccounts")),
		"targeted": some(data, "targetTags") || some(data, "targetServiceAccounts"), "networks": []any{data["network"]}, "doors": doors(data["allowed"], data["denied"]),
	}
	if n, is := data["priority"].(float64); is {
		r["priority"] = n
	}
	ranges := texts(data["destinationRanges"])
	if ingress {
		ranges = texts(data["sourceRanges"])
	}
	none := len(ranges) == 0 && r["inside"] == false
	// Where nobody says which, a rule means all of version 4.
	r["open"], r["everywhere"], r["everywhere6"] = none || slices.ContainsFunc(ranges, stranger), none || everywhere(ranges), everywhere6(ranges)
	return r
}

// ofPolicy reads a rule of a policy; none where it neither allows nor denies.
func ofPolicy(policy, rule map[string]any) []any {
	match, _ := rule["match"].(map[string]any)
	action, _ := rule["action"].(string)
	if action != "allow" && action != "apply_security_profile_group" && !strings.HasPrefix(action, "deny") {
		return nil
	}
	ingress := rule["direction"] != "EGRESS"
	r := map[string]any{
		"ingress": ingress, "allow": !strings.HasPrefix(action, "deny"), "priority": rule["priority"], "logged": rule["enableLogging"] == true,
		"inside": false, "targeted": some(rule, "targetSecureTags") || some(rule, "targetServiceAccounts"), "networks": attached(policy, rule), "doors": doors(match["layer4Configs"]),
	}
	side := "dest"
	if ingress {
		side = "src"
	}
	ranges := texts(match[side+"IpRanges"])
	strange := some(match, side+"Fqdns") || some(match, side+"RegionCodes") || some(match, side+"ThreatIntelligences")
	groups := some(match, side+"AddressGroups")
	within := slices.Contains([]any{"NON_INTERNET", "VPC_NETWORKS", "INTRA_VPC"}, match[side+"NetworkScope"]) || slices.Contains([]any{"NON_INTERNET", "VPC_NETWORKS", "INTRA_VPC"}, match[side+"NetworkContext"])
	narrow := strange || groups || within || some(match, side+"SecureTags") || some(match, side+"Networks")
	r["inside"] = len(ranges) == 0 && !strange && !groups && narrow
	r["everywhere"] = !narrow && (len(ranges) == 0 || everywhere(ranges))
	r["everywhere6"] = !narrow && (len(ranges) == 0 || everywhere6(ranges))
	switch open := !within && (strange || len(ranges) == 0 && !narrow || slices.ContainsFunc(ranges, stranger)); {
	case open || !groups || within:
		r["open"] = open
	}
	return []any{r}
}

// attached is what a rule of a policy holds for.
func attached(policy, rule map[string]any) (all []any) {
	if some(rule, "targetResources") {
		return rule["targetResources"].([]any)
	}
	list, _ := policy["associations"].([]any)
	for _, one := range list {
		if a, is := one.(map[string]any); is {
			all = append(all, a["attachmentTarget"])
		}
	}
	return all
}

// protocols are those that have ports, by number too (https://www.iana.org/assignments/protocol-numbers).
var protocols = map[string]string{"6": "tcp", "17": "udp", "132": "sctp", "1": "icmp", "58": "icmp"}

// doors are what a rule lets through or denies.
func doors(lists ...any) (all []any) {
	for _, list := range lists {
		configs, _ := list.([]any)
		for _, one := range configs {
			c, _ := one.(map[string]any)
			protocol, _ := c["IPProtocol"].(string)
			if other, is := c["ipProtocol"].(string); is {
				protocol = other
			}
			protocol = strings.ToLower(protocol)
			if name, known := protocols[protocol]; known {
				protocol = name
			}
			ports := append(texts(c["ports"]), texts(c["port"])...)
			if len(ports) == 0 {
				ports = []string{"0-65535"}
			}
			for _, p := range ports {
				all = append(all, door(protocol, p))
			}
		}
	}
	return all
}

// door is a range of ports; without its ends where they cannot be read.
func door(protocol, ports string) map[string]any {
	d := map[string]any{"protocol": protocol}
	first, last, is := strings.Cut(ports, "-")
	if !is {
		last = first
	}
	from, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if err1 == nil && err2 == nil {
		d["from"], d["to"] = float64(from), float64(to)
	}
	return d
}

// stranger reports whether somebody who is neither the company nor a proxy of Google's may be in a range; where it cannot be
// read she may.
func stranger(r string) bool {
	open, known := internet(r)
	p, err := netip.ParsePrefix(r)
	if err == nil && slices.ContainsFunc(proxies, func(own netip.Prefix) bool { return own.Bits() <= p.Bits() && own.Contains(p.Addr()) }) {
		return false
	}
	return open || !known
}

// everywhere reports whether ranges hold every address of version 4.
func everywhere(ranges []string) bool {
	return slices.Contains(ranges, "0.0.0.0/0") || slices.Contains(ranges, "0.0.0.0/1") && slices.Contains(ranges, "128.0.0.0/1")
}

// everywhere6 reports whether ranges hold every address of version 6.
func everywhere6(ranges []string) bool {
	return slices.Contains(ranges, "::/0") || slices.Contains(ranges, "::/1") && slices.Contains(ranges, "8000::/1")
}

func some(m map[string]any, field string) bool {
	list, _ := m[field].([]any)
	return len(list) > 0
}

func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, one := range list {
		if s, is := one.(string); is {
			all = append(all, s)
		}
	}
	return all
}
