package checkup

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/drift/asset"
)

// variables say where a resource of the manifests is, by the variable of the functions that use it. OSTIARY_SEAL is each control's own.
var variables = map[string]string{
	"OSTIARY_SEAL_MESSAGE": "key:message", "OSTIARY_SEAL_REQUEST": "key:request", "OSTIARY_SEAL_BREACH": "key:breach", "OSTIARY_SIGNING_KEY": "signing-key:evidence", "OSTIARY_RECEIPT_KEY": "signing-key:receipts",
	"OSTIARY_EVIDENCE": "bucket:evidence-inbox", "OSTIARY_LOG_INBOX": "bucket:evidence-inbox", "OSTIARY_LOG_TILES": "bucket:evidence-log", "OSTIARY_LOG_HEAD": "bucket:evidence-head", "OSTIARY_POLICY": "bucket:policy", "OSTIARY_STATES": "bucket:terraform-state",
}

// kept are the buckets, keys and secrets that the deployed functions use, by key, with their types: what is read beside what
// package self looks at.
func (v *visit) kept() map[string]string {
	all := map[string]string{}
	for _, name := range v.expected.Locked {
		all["//storage.googleapis.com/"+name] = bucketType
	}
	for _, f := range v.functions {
		for resource, keys := range v.uses(f) {
			for _, key := range keys {
				switch kind, _, _ := strings.Cut(resource, ":"); kind {
				case "key", "signing-key":
					all[key] = keyType
				case "secret":
					all[key] = secretType
				case "bucket", "place":
					all[key] = bucketType
				}
			}
		}
	}
	return all
}

// uses are the resources a function has rights to, as its role names them, with where each is: topics, keys, secrets and buckets.
// What the function is not told of is left out.
func (v *visit) uses(f manifest.Function) map[string][]string {
	if _, is := v.there[f.Name]; !is {
		return nil
	}
	named, all := v.named(f), map[string][]string{}
	for _, p := range f.Permissions {
		kind, name, _ := strings.Cut(p.Resource, ":")
		switch kind {
		case "topic":
			all[p.Resource] = []string{"//pubsub.googleapis.com/projects/" + v.Project + "/topics/" + name}
		case "secret":
			all[p.Resource] = []string{"//secretmanager.googleapis.com/projects/" + v.Project + "/secrets/" + name}
		case "bucket", "key", "signing-key":
			resource := p.Resource
			if resource == "bucket:evidence-inbox" && p.Permission == "storage.objects.create" {
				resource = "place:evidence-inbox"
			}
			if at := named[p.Resource]; len(at) > 0 {
				all[resource] = at
			}
		}
	}
	return all
}

// named are the buckets and keys a function is told of, by what manifests call them.
func (v *visit) named(f manifest.Function) map[string][]string {
	all := map[string][]string{}
	add := func(resource, url string) {
		if key := located(url); key != "" && !slices.Contains(all[resource], key) {
			all[resource] = append(all[resource], key)
		}
	}
	for variable, resource := range variables {
		for _, url := range strings.Fields(v.value(f.Name, variable)) {
			add(resource, url)
		}
	}
	for _, p := range f.Permissions {
		if name, is := strings.CutPrefix(p.Resource, "key:"); is && !slices.Contains([]string{"message", "request", "breach"}, name) {
			add(p.Resource, v.value(f.Name, "OSTIARY_SEAL"))
		}
	}
	return all
}

var keyForm = regexp.MustCompile(`projects/[^/?]+/locations/[^/?]+/keyRings/[^/?]+/cryptoKeys/[^/?]+`)

// located is the key of the bucket or the crypto key that an address names; "" where it names none.
func located(url string) string {
	if key := keyForm.FindString(url); key != "" {
		return "//cloudkms.googleapis.com/" + key
	}
	if rest, is := strings.CutPrefix(url, "gs://"); is {
		bucket, _, _ := strings.Cut(rest, "/")
		return "//storage.googleapis.com/" + bucket
	}
	return ""
}

var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.]`)

// roleID is how Terraform calls the role of a function on a resource.
func roleID(function, resource string) string {
	return unfit.ReplaceAllString("ostiary."+function+"."+resource, "_")
}

// grants looks whether each function has its role on each resource of its manifest, and who else has one there. What it has in the
// whole project, and what its roles hold, package self compares.
func grants(_ context.Context, v *visit) {
	good, kinds := 0, map[string]string{"topic": topicType, "key": keyType, "signing-key": keyType, "secret": secretType, "bucket": bucketType, "place": bucketType}
	right := map[string]map[string]bool{} // role and member, by resource
	for _, f := range v.functions {
		used := v.uses(f)
		for _, resource := range slices.Sorted(maps.Keys(used)) {
			kind, _, _ := strings.Cut(resource, ":")
			for _, key := range used[resource] {
				if right[key] == nil {
					right[key] = map[string]bool{}
				}
				right[key][roleID(f.Name, resource)+" "+v.runtime(f.Name)] = true
				a, is := v.asset(kinds[kind], key)
				if !is || a.IAM == nil { // that it is gone or unread is told already
					continue
				}
				if v.holds(a.IAM, f, resource) {
					good++
					continue
				}
				v.wrong("grants", f.Name+" on "+short(key), "it lacks the role "+roleID(f.Name, resource)+" there: what needs "+resource+" fails", "Apply the environment again, and terraform/org where it is evidence, a key that signs or the product's: Terraform gives each function its roles.")
			}
		}
	}
	extra := v.beside(right, kinds)
	if good > 0 && extra == 0 {
		v.ok("grants", "resources", fmt.Sprintf("%d roles on topics, keys, secrets and buckets are given as the manifests list them, and nobody else is given one there that reaches what is kept", good))
	}
}

func (v *visit) runtime(function string) string {
	return "serviceAccount:fn-" + function + "@" + v.Project + ".iam.gserviceaccount.com"
}

// stateBucket is what manifests call the bucket of Terraform's state. Its roles lie where all environments have theirs, and end with
// the environment's name.
const stateBucket = "bucket:terraform-state"

// trimmed is the id of a role without the name of an environment.
func trimmed(id string) string {
	before, _, is := strings.Cut(id, ".bucket_terraform_state_")
	if !is {
		return id
	}
	return before + ".bucket_terraform_state"
}

// holds reports whether a policy gives a function its role. A place is given below the function's own name alone, and of the bucket of
// states the environment's.
func (v *visit) holds(p *asset.Policy, f manifest.Function, resource string) bool {
	return slices.ContainsFunc(p.Bindings, func(b asset.Binding) bool {
		_, id, _ := strings.Cut(b.Role, "/roles/")
		if trimmed(id) != roleID(f.Name, resource) || !slices.Contains(b.Members, v.runtime(f.Name)) {
			return false
		}
		switch {
		case strings.HasPrefix(resource, "place:"):
			return strings.Contains(b.Condition, "/objects/"+f.Name+"/")
		case resource == stateBucket:
			return strings.Contains(b.Condition, "/objects/")
		}
		return b.Condition == ""
	})
}
