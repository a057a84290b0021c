package baseline

import (
	"slices"
	"strings"
)

// inForce reads the rules of a policy that come into effect. They are asked by priority, and the first that fits decides: behind
// one that fits everything of a direction and a version of addresses, as goto_next for all may, the others of the policy are never
// asked, and neither keep anything in nor let it out (https://cloud.google.com/firewall/docs/firewall-policies-rule-details).
func inForce(policy map[string]any, list []any) (all []any) {
	last := map[side]float64{}
	for _, one := range list {
		rule, is := one.(map[string]any)
		priority, known := rule["priority"].(float64)
		if !is || rule["disabled"] == true || !known {
			continue
		}
		for _, s := range fits(rule) {
			if before, there := last[s]; !there || priority < before {
				last[s] = priority
			}
		}
	}
	for _, one := range list {
		rule, is := one.(map[string]any)
		if !is || rule["disabled"] == true {
			continue
		}
		past := func(v6 bool) bool {
			priority, known := rule["priority"].(float64)
			at, there := last[side{rule["direction"] != "EGRESS", v6}]
			return known && there && priority > at
		}
		for _, r := range ofPolicy(policy, rule) {
			if past(false) && past(true) {
				continue
			}
			facts := r.(map[string]any)
			facts["everywhere"] = facts["everywhere"] == true && !past(false)
			facts["everywhere6"] = facts["everywhere6"] == true && !past(true)
			all = append(all, r)
		}
	}
	return all
}

// side is a direction of traffic, with one version of addresses.
type side struct{ ingress, v6 bool }

// fits are the sides of which a rule of a policy fits everything: whatever is asked of it beside one end's addresses makes it fit less.
func fits(rule map[string]any) (all []side) {
	match, is := rule["match"].(map[string]any)
	ingress := rule["direction"] != "EGRESS"
	end := "destIpRanges"
	if ingress {
		end = "srcIpRanges"
	}
	for field, v := range rule {
		if list, many := v.([]any); strings.HasPrefix(field, "target") && (!many || len(list) > 0) {
			return nil
		}
	}
	for field, v := range match {
		if list, many := v.([]any); field != end && field != "layer4Configs" && (!many || len(list) > 0) {
			return nil
		}
	}
	whole := slices.ContainsFunc(doors(match["layer4Configs"]), func(d any) bool {
		m, _ := d.(map[string]any)
		return m["protocol"] == "all" && m["from"] == 0.0 && m["to"] == 65535.0
	})
	if !is || !whole {
		return nil
	}
	ranges := texts(match[end])
	if len(ranges) == 0 || everywhere(ranges) {
		all = append(all, side{ingress, false})
	}
	if len(ranges) == 0 || everywhere6(ranges) {
		all = append(all, side{ingress, true})
	}
	return all
}
