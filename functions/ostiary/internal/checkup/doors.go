package checkup

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// addresses looks whether it stands proven that nobody can register an address that is not her own. Where it was not proven, a
// deployed function takes no address.
func addresses(ctx context.Context, v *visit) {
	places := []string{"registerip-ipv4", "registerip-ipv6"}
	for _, pair := range divided(v.value("registerip", "OSTIARY_PAIR_HOSTS")) {
		family, _, _ := strings.Cut(pair, "=")
		places = append(places, "pairaddress-"+family)
	}
	proven := 0
	var not []string
	for _, place := range places {
		function, _, _ := strings.Cut(place, "-")
		if _, is := v.there[function]; !is {
			continue
		}
		layout, err := web.ParseLayout(v.value(function, "OSTIARY_CLIENT_ADDRESS"))
		if err != nil {
			v.wrong("address", place, err.Error(), "Set OSTIARY_CLIENT_ADDRESS to what the proxies in front write, and apply.")
			continue
		}
		document := url.PathEscape("=" + place + "-" + hex.EncodeToString([]byte(layout.String())))
		var d struct {
			Fields struct {
				Passed struct {
					Is bool `json:"booleanValue"`
				} `json:"passed"`
				Expires struct {
					At time.Time `json:"timestampValue"`
				} `json:"expires"`
			} `json:"fields"`
		}
		err = v.wire.get(ctx, v.firestoreURL("access", "/documents/proofs/"+document+"?mask.fieldPaths=passed&mask.fieldPaths=expires"), &d)
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			v.unsure("address", place, err)
		case d.Fields.Passed.Is && v.Clock.Now().Before(d.Fields.Expires.At):
			proven++
			v.ok("address", place, "it stands proven until "+d.Fields.Expires.At.UTC().Format(time.DateOnly))
		default:
			not = append(not, place)
		}
	}
	for _, place := range not {
		const next = "Prove it from a machine whose public addresses you know: ostiary doctor --probe URL --from ADDRESS."
		if proven == 0 || !strings.HasSuffix(place, "-ipv6") {
			v.wrong("address", place, "nobody proved that the client's address cannot be forged: no address is taken there", next)
		} else {
			v.told("address", place, "it is not proven, so that no address is taken there; where nobody has IPv6, that is as it should be")
		}
	}
}

// Forms of addresses of doors, as the drivers of package allowlist take them.
var (
	firewallForm = regexp.MustCompile(`^vpcfirewall:([^/]+)/([^?]+)`)
	armorForm    = regexp.MustCompile(`^cloudarmor:([^/]+)/([^?]+)(?:\?(.*))?$`)
	levelForm    = regexp.MustCompile(`^accesslevel:(accessPolicies/[0-9]+)/([^?]+)`)
)

// doors looks whether what the allow-list is written into is there, and is shut to those it does not name.
func doors(ctx context.Context, v *visit) {
	all := map[string]bool{}
	for value := range v.values("OSTIARY_TARGETS") {
		for _, one := range divided(value) {
			all[one] = true
		}
	}
	for _, one := range slices.Sorted(maps.Keys(all)) {
		name, at, is := strings.Cut(one, "=")
		if !is {
			continue
		}
		switch {
		case firewallForm.MatchString(at):
			v.firewall(ctx, name, firewallForm.FindStringSubmatch(at))
		case armorForm.MatchString(at):
			v.armor(ctx, name, armorForm.FindStringSubmatch(at))
		case levelForm.MatchString(at):
			v.levels(ctx, name, levelForm.FindStringSubmatch(at))
		default:
			v.told("doors", name, "it is no door of Google Cloud, and was not looked at")
		}
	}
}

const reshell = "Apply terraform/org again: it makes the shell, and syncallowlist fills it within a minute."

func (v *visit) firewall(ctx context.Context, door string, at []string) {
	project, rules := at[1], at[2]
	all, err := listed[asset.Object](ctx, v.wire, "https://compute.googleapis.com/compute/v1/projects/"+project+"/global/firewalls?maxResults=500&fields=nextPageToken,items(name,direction,disabled,sourceRanges,allowed,denied)", "items")
	if err != nil {
		v.unsure("doors", door, err)
		return
	}
	families, open := map[string]int{}, 0
	var beside []string
	for _, rule := range all {
		name := text(rule, "name")
		sources, _ := rule["sourceRanges"].([]any)
		allowed, _ := rule["allowed"].([]any)
		rest, ours := strings.CutPrefix(name, rules+"-v")
		if !ours || len(rest) < 2 {
			if len(allowed) > 0 && rule["disabled"] != true && text(rule, "direction") != "EGRESS" && slices.ContainsFunc(sources, everybody) {
				beside = append(beside, name)
			}
			continue
		}
		families[rest[:1]]++
		if slices.ContainsFunc(sources, everybody) {
			open++
			v.wrong("doors", door, "the rule "+name+" lets everybody in", "Take the range out at once, or switch the rule off; then look in the audit log at who wrote it.")
		}
	}
	if families["4"] == 0 || families["6"] == 0 {
		v.wrong("doors", door, "it lacks the rules "+rules+"-v4-00 and "+rules+"-v6-00, into which addresses are written", reshell)
		return
	}
	if len(beside) > 0 {
		slices.Sort(beside)
		v.told("doors", door, "beside it these rules of the same project let everybody in: "+strings.Join(beside, ", ")+"; to which machines was not read")
	}
	if open == 0 {
		v.ok("doors", door, fmt.Sprintf("the firewall of %s has %d and %d rules for registered addresses, none for everybody; firewall policies above were not read", project, families["4"], families["6"]))
	}
}
