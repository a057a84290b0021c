package checkup

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// last is the priority of the rule for whoever no other names.
const last = 1<<31 - 1

// everybody reports whether a range of addresses is all there are, of one family or both.
func everybody(one any) bool {
	return slices.Contains([]any{"*", "0.0.0.0/0", "::/0"}, one)
}

// armorRule is a rule of Cloud Armor (Compute Engine API, securityPolicies.rules).
type armorRule struct {
	Priority int64  `json:"priority"`
	Action   string `json:"action"`
	Preview  bool   `json:"preview"` // it is written down what it would do, and not done
	Match    struct {
		Config struct {
			Ranges []any `json:"srcIpRanges"`
		} `json:"config"`
		Expr struct {
			Expression string `json:"expression"`
		} `json:"expr"`
	} `json:"match"`
}

// admits reports whether whom the rule names comes in, at once or up to a rate.
func (r armorRule) admits() bool {
	return slices.Contains([]string{"allow", "throttle", "rate_based_ban"}, r.Action)
}

func (v *visit) armor(ctx context.Context, door string, at []string) {
	place := "global"
	if q, err := url.ParseQuery(at[3]); err == nil && q.Get("region") != "" {
		place = "regions/" + q.Get("region")
	}
	var policy struct {
		Rules []armorRule `json:"rules"`
	}
	err := v.wire.get(ctx, "https://compute.googleapis.com/compute/v1/projects/"+at[1]+"/"+place+"/securityPolicies/"+url.PathEscape(at[2]), &policy)
	switch {
	case fault.Is(err, fault.NotFound):
		v.wrong("doors", door, "the Cloud Armor policy "+at[2]+" is not there", reshell)
	case err != nil:
		v.unsure("doors", door, err)
	default:
		v.rules(door, at[2], slices.DeleteFunc(policy.Rules, func(r armorRule) bool { return r.Preview }))
	}
}

// rules looks at the rules of a policy that are in force.
func (v *visit) rules(door, policy string, all []armorRule) {
	bad, shut := 0, false
	for _, r := range all {
		switch {
		case r.Priority == last:
			shut = shut || strings.HasPrefix(r.Action, "deny")
		case r.admits() && slices.ContainsFunc(r.Match.Config.Ranges, everybody):
			bad++
			v.wrong("doors", door, fmt.Sprintf("the rule %d of the Cloud Armor policy %s lets everybody in", r.Priority, policy), "Take the rule out at once; then look in the audit log at who wrote it.")
		case r.admits() && r.Match.Expr.Expression != "":
			v.told("doors", door, fmt.Sprintf("its rule %d lets in by an expression, which was not read: %s", r.Priority, r.Match.Expr.Expression))
		}
	}
	if !shut {
		bad++
		v.wrong("doors", door, "the Cloud Armor policy "+policy+" lets in whoever no rule names", "Set its default rule to deny(403), not in preview, at once; then look in the audit log at who changed it.")
	}
	if bad == 0 {
		v.ok("doors", door, fmt.Sprintf("the Cloud Armor policy %s is there, with %d rules in force: none is for all addresses, and whom none names is refused", policy, len(all)))
	}
}

func (v *visit) levels(ctx context.Context, door string, at []string) {
	all, err := listed[asset.Object](ctx, v.wire, "https://accesscontextmanager.googleapis.com/v1/"+at[1]+"/accessLevels?pageSize=100", "accessLevels")
	if err != nil {
		v.unsure("doors", door, err)
		return
	}
	shards, good := 0, 0
	for _, level := range all {
		name := asset.Base(text(level, "name"))
		if rest, ours := strings.CutPrefix(name, at[2]+"_"); !ours || len(rest) != 2 {
			continue
		}
		shards++
		conditions, _ := inside(level, "basic")["conditions"].([]any)
		switch {
		case len(conditions) == 0:
			v.unsure("doors", door, fault.New(fault.Misconfigured, "the access level %s has no list of conditions: whom it lets in was not read", name))
		case slices.ContainsFunc(conditions, unbounded):
			v.wrong("doors", door, "the access level "+name+" lets in from addresses that nobody registered", "Take the condition out at once; then look in the audit log at who wrote it.")
		default:
			good++
		}
	}
	switch {
	case shards == 0:
		v.wrong("doors", door, "the access levels "+at[2]+"_00 and on are not there", reshell)
	case good == shards:
		v.ok("doors", door, fmt.Sprintf("%d access levels of %s are there, and each condition of them names its addresses", shards, at[1]))
	}
}

// unbounded reports whether a condition of an access level holds for more than the addresses it lists: without any it holds from
// everywhere (Access Context Manager API, Condition, ipSubnetworks).
func unbounded(one any) bool {
	c, _ := one.(asset.Object)
	ranges, _ := c["ipSubnetworks"].([]any)
	return len(ranges) == 0 || c["negate"] == true || slices.ContainsFunc(ranges, everybody)
}
