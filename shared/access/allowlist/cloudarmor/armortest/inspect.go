package armortest

import (
	"encoding/json"
	"net/netip"

	"google.golang.org/api/compute/v1"
)

// inspect fails the test for a payload that could open the door.
func (f *Armor) inspect(body map[string]any) {
	text, err := json.Marshal(body)
	r := &compute.SecurityPolicyRule{}
	if err != nil || json.Unmarshal(text, r) != nil {
		f.t.Errorf("a payload that is none: %s", text)
		return
	}
	_, preview := body["preview"]
	if r.Action != "allow" || !preview || r.Preview || r.Match == nil || r.Match.VersionedExpr != "SRC_IPS_V1" || r.Match.Config == nil {
		f.t.Errorf("a payload that is no enforced allow rule by addresses: %s", text)
		return
	}
	var before netip.Prefix
	ranges := r.Match.Config.SrcIpRanges
	for i, text := range ranges {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.String() != text || p != p.Masked() || p.Bits() < 20 || p.Addr().Is4In6() {
			f.t.Errorf("a payload with %q", text)
		}
		if i > 0 && (before.Compare(p) >= 0 || before.Addr().Is4() != p.Addr().Is4()) {
			f.t.Errorf("a payload that is unsorted or of two families: %v", ranges)
		}
		before = p
	}
	if len(ranges) == 0 || len(ranges) > 10 {
		f.t.Errorf("a payload with %d addresses", len(ranges))
	}
}

// merge changes what a patch sends and nothing else; lists are replaced.
func merge(into, from map[string]any) {
	for key, value := range from {
		inner, isMap := value.(map[string]any)
		if have, ok := into[key].(map[string]any); ok && isMap {
			merge(have, inner)
			continue
		}
		into[key] = value
	}
}
