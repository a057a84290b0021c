package checkup

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/coverage"
	"ostiary.internal/shared/platform/fault"
)

const takeAway = "Take it away; if a former release gave it, apply the environment and terraform/org again."

// beside tells what others have on those resources than the functions whose manifests list it, and how many of them may reach what
// is kept, or may for all that is known. Google's own agents are left out: they act for whoever has rights.
func (v *visit) beside(right map[string]map[string]bool, kinds map[string]string) (extra int) {
	seen := map[string]bool{}
	for _, kind := range slices.Sorted(maps.Values(kinds)) {
		for _, a := range v.of(kind) {
			if a.IAM == nil || a.Deleted || seen[a.Key] {
				continue
			}
			seen[a.Key] = true
			for _, b := range a.IAM.Bindings {
				_, id, _ := strings.Cut(b.Role, "/roles/")
				for _, m := range b.Members {
					whole := b.Condition == "" && (strings.Contains(id, ".place_") || trimmed(id) != id) // beyond its own place
					if (whole || !right[a.Key][trimmed(id)+" "+m]) && !baseline.Agent(m) && !v.harmless(a, b, m) {
						extra++
					}
				}
			}
		}
	}
	return extra
}

// harmless tells what somebody has on a resource, and reports whether it is known to reach nothing that is kept, or to be given by
// Terraform to whom the environment names.
func (v *visit) harmless(a *asset.Asset, b asset.Binding, member string) bool {
	found := member + " has " + b.Role + " there"
	public := member == "allUsers" || member == "allAuthenticatedUsers"
	ours := strings.HasPrefix(member, "serviceAccount:fn-") && strings.HasSuffix(member, "@"+v.Project+".iam.gserviceaccount.com")
	if _, id, _ := strings.Cut(b.Role, "/roles/"); public || ours || strings.HasPrefix(id, "ostiary.") {
		v.wrong("grants", short(a.Key), found+", which no manifest lists", takeAway)
		return false
	}
	if why := v.granted(a, b, member); why != "" {
		v.told("grants", short(a.Key), found+": "+why)
		return true
	}
	is, err := v.reaches(b.Role)
	switch {
	case err != nil:
		v.unsure("grants", short(a.Key), fault.New(fault.Misconfigured, "%s, and whether that reaches what is kept cannot be told: %w", found, err))
	case is:
		v.wrong("grants", short(a.Key), found+", which no manifest lists", takeAway)
	default:
		v.told("grants", short(a.Key), found+", which reaches nothing that is kept")
		return true
	}
	return false
}

// granted says why somebody who is no function has a role on a resource as Terraform gives it, or Google with each bucket; "" where
// neither does.
func (v *visit) granted(a *asset.Asset, b asset.Binding, member string) string {
	kind, of, _ := strings.Cut(member, ":")
	switch {
	case slices.ContainsFunc(v.Deploys, func(mail string) bool { return asset.Member("serviceAccount:"+mail) == asset.Member(member) }):
		return "it deploys"
	case a.Type == topicType && b.Role == "roles/pubsub.publisher":
		return v.publishes(asset.Base(a.Key), member)
	case a.Type == bucketType && strings.HasPrefix(kind, "project") && strings.HasPrefix(b.Role, "roles/storage.legacy") &&
		(of == v.Project || of == v.Evidence || a.Key == located(v.first("OSTIARY_STATES"))): // whose project no variable names
		return "Google gives it with every bucket; who has that in the project can do so"
	case a.Key == located(v.first("OSTIARY_POLICY")) && (b.Role == "roles/storage.objectCreator" || b.Role == "roles/storage.objectViewer"):
		return "who publishes the policy adds and reads, and replaces nothing"
	case a.Key == located(v.first("OSTIARY_STATES")) && b.Role == "roles/storage.objectViewer" && strings.Contains(b.Condition, "/objects/environment/"):
		return "who plans reads the environment's states"
	}
	return ""
}

// publishes says why somebody may write to a topic: the product tells two things, and the sinks bring the logs.
func (v *visit) publishes(topic, member string) string {
	switch {
	case slices.Contains([]string{"data.written", "account.changed"}, topic):
		return "so the product tells what it wrote and which accounts changed (product_publishers)"
	case topic == "audit.entries" && slices.ContainsFunc(v.of(coverage.Type), func(sink *asset.Asset) bool {
		return asset.Member(text(sink.Data, "writerIdentity")) == asset.Member(member)
	}):
		return "it writes for a log sink"
	case topic == "audit.entries" && v.failed[coverage.Type]:
		return "whether it writes for a log sink was not read"
	}
	return ""
}

// reaches reports whether a role reads or changes what is kept, or writes what the functions believe: who publishes wakes them, and
// who signs is believed. An error: nobody here knows.
func (v *visit) reaches(role string) (bool, error) {
	if slices.Contains([]string{"roles/pubsub.publisher", "roles/cloudkms.signer", "roles/cloudkms.signerVerifier"}, role) {
		return true, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	is, own, err := baseline.Reaches(v.live, role)
	if is || err != nil || own == nil {
		return is, err
	}
	return slices.ContainsFunc([]string{"pubsub.topics.publish", "cloudkms.cryptoKeyVersions.useToSign"}, func(permission string) bool {
		all, _ := own.Data["includedPermissions"].([]any)
		return slices.Contains(all, any(permission))
	}), nil
}
