package cloudarmor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/googledoor"
)

const (
	lastPriority = 1<<31 - 1 // of the default rule, which every policy has
	perRule      = 10        // ranges in a rule; documented at SecurityPolicyRuleMatcherConfig
	byAddress    = "SRC_IPS_V1"
	allow        = "allow"
)

// everyone is what a door without a lock lets in.
var everyone = googledoor.Everyone()

// snapshot is a policy as read once.
type snapshot struct {
	etag   string
	frame  string // changes with what decides about everybody: see frame
	span   span
	views  map[int64]string         // each rule in a form that changes where its effect does, by priority
	ours   map[int64][]netip.Prefix // rules set aside that are as we write them: what each lets in, sorted
	alien  map[int64]stray          // rules set aside that are not
	open   string                   // why the default rule does not shut the door, or ""
	others []*compute.SecurityPolicyRule
}

// stray is a rule that we did not write so: what it lets in, sorted, and what is wrong with it.
type stray struct {
	in    []netip.Prefix
	wrong string
}

// read makes a snapshot of a policy, of which the rules of s are ours. It is pure.
func read(p *compute.SecurityPolicy, s span) snapshot {
	seen := snapshot{span: s, views: map[int64]string{}, ours: map[int64][]netip.Prefix{}, alien: map[int64]stray{}, open: "the policy has no default rule"}
	for _, r := range p.Rules {
		seen.views[r.Priority] = view(r)
		switch {
		case r.Priority == lastPriority:
			seen.open = ""
			if !denies(r) || r.Preview {
				seen.open = "the default rule does not deny"
			}
		case !s.has(r.Priority):
			seen.others = append(seen.others, r)
		default:
			in, wrong := lets(r)
			if wrong != "" {
				seen.alien[r.Priority] = stray{in, wrong}
				continue
			}
			seen.ours[r.Priority] = in
			seen.views[r.Priority] = ourView(in)
		}
	}
	slices.SortFunc(seen.others, func(a, b *compute.SecurityPolicyRule) int { return cmp.Compare(a.Priority, b.Priority) })
	texts := []string{p.Fingerprint}
	for _, priority := range slices.Sorted(maps.Keys(seen.views)) {
		texts = append(texts, strconv.FormatInt(priority, 10), seen.views[priority])
	}
	seen.etag, seen.frame = googledoor.Digest(texts...), frame(p)
	return seen
}

// frame is a digest of what Terraform says of a policy beside its rules: what the default rule does, where the address of the
// client is taken from, and what adapts itself.
func frame(p *compute.SecurityPolicy) string {
	made := compute.SecurityPolicy{Type: p.Type, AdaptiveProtectionConfig: p.AdaptiveProtectionConfig, AdvancedOptionsConfig: p.AdvancedOptionsConfig,
		DdosProtectionConfig: p.DdosProtectionConfig, RecaptchaOptionsConfig: p.RecaptchaOptionsConfig, UserDefinedFields: p.UserDefinedFields}
	for _, r := range p.Rules {
		if r.Priority == lastPriority {
			rest := *r
			rest.Description = ""
			made.Rules = []*compute.SecurityPolicyRule{&rest}
		}
	}
	return googledoor.Digest(spelled(made))
}

// denies reports whether a rule answers a request with a refusal.
func denies(r *compute.SecurityPolicyRule) bool { return strings.HasPrefix(r.Action, "deny(") }

// lets is what a rule lets in, sorted, and what keeps it from being one we could have written: "" where nothing does.
func lets(r *compute.SecurityPolicyRule) (in []netip.Prefix, wrong string) {
	in, families := sources(r)
	switch {
	case r.Preview:
		return nil, "is a preview and not enforced"
	case denies(r):
		return nil, "denies"
	case r.Action != allow:
		return in, "does not simply allow"
	case families == 0:
		return in, "lets in by more than addresses"
	case families > 1:
		return in, "mixes the families"
	case len(in) > perRule:
		return in, "holds too many addresses"
	case r.HeaderAction != nil && len(r.HeaderAction.RequestHeadersToAdds) > 0:
		return in, "adds headers"
	}
	return in, ""
}

// sources are the addresses a rule is about, sorted, and of how many families. Where that is not for us to tell it is
// everyone, of no family.
func sources(r *compute.SecurityPolicyRule) (list []netip.Prefix, families int) {
	m := r.Match
	if m == nil || m.VersionedExpr != byAddress || m.Expr != nil || m.Config == nil || len(m.Config.SrcIpRanges) == 0 || r.NetworkMatch != nil {
		return everyone, 0
	}
	var v4, v6 int
	for _, text := range m.Config.SrcIpRanges {
		p, err := googledoor.Prefix(text)
		if err != nil { // "*" too
			return everyone, 0
		}
		if p.Addr().Is4() {
			v4 = 1
		} else {
			v6 = 1
		}
		list = append(list, p.Masked())
	}
	slices.SortFunc(list, netip.Prefix.Compare)
	return list, v4 + v6
}

// ourView is the view of a rule of ours.
func ourView(in []netip.Prefix) string { return fmt.Sprint(allow, " ", in) }

// view is the view of any other rule.
func view(r *compute.SecurityPolicyRule) string {
	return spelled(r)
}

func spelled(read any) string {
	text, err := json.Marshal(read)
	if err != nil {
		return err.Error() // what was just decoded always encodes
	}
	return string(text)
}

// observed is what a snapshot says to whoever asks the target.
func (s snapshot) observed() allowlist.Observed {
	o := allowlist.Observed{Etag: s.etag, Frame: s.frame, Torn: s.open, Prefixes: s.prefixes()}
	if s.open != "" {
		o.Prefixes = slices.Clone(everyone)
	} else if priorities := slices.Sorted(maps.Keys(s.alien)); len(priorities) > 0 {
		o.Torn = fmt.Sprintf("rule %d %s", priorities[0], s.alien[priorities[0]].wrong)
	}
	o.Wider = s.wider()
	return o
}

// prefixes is all that the rules set aside let in, sorted.
func (s snapshot) prefixes() []netip.Prefix {
	var all []netip.Prefix
	for _, r := range s.alien {
		all = append(all, r.in...)
	}
	for _, in := range s.ours {
		all = append(all, in...)
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	return slices.Compact(all)
}

// wider names, by action and priority, the rules of others that let anybody in past ours, and those before ours that shut out
// an address of ours, or may because they go by more than addresses. What comes after a rule that shuts out everybody has no
// effect. Who comes and goes during the day changes nothing in it but for a denial that meets an address of ours.
func (s snapshot) wider() []string {
	ours := s.prefixes()
	var named []string
	for _, r := range s.others {
		if r.Preview {
			continue
		}
		about, families := sources(r)
		if !denies(r) || r.Priority < s.span.from && (families == 0 || overlap(about, ours)) {
			action, _, _ := strings.Cut(r.Action, "(")
			named = append(named, fmt.Sprintf("%s %d", action, r.Priority))
		}
		if denies(r) && isEverybody(r.Match) {
			break
		}
	}
	slices.Sort(named)
	return named
}

func isEverybody(m *compute.SecurityPolicyRuleMatcher) bool {
	return m != nil && m.VersionedExpr == byAddress && m.Config != nil && slices.Contains(m.Config.SrcIpRanges, "*")
}

func overlap(some, others []netip.Prefix) bool {
	return slices.ContainsFunc(some, func(p netip.Prefix) bool { return slices.ContainsFunc(others, p.Overlaps) })
}
