package diff

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// field is one fact of a kind of resource that both sides tell.
type field struct {
	want, got string // paths: of Terraform's attributes, and of the API's answer
	is        canon
	fallback  string // what the service takes where nothing is said, as the rule writes it
	toward    toward // nil: other
	weigh     weigh  // instead of toward, where the rest of the resource counts
	severity  policy.Severity
	address   bool // an URL: what comes after its host may be a secret
}

// kind is what is known of a type of Terraform's.
type kind struct {
	asset  string // type of Cloud Asset Inventory
	name   string // template of the relative name, {attribute} by {attribute}; "" where self_link or id tells
	fields []field
	// guard reports whether one of it keeps something out or keeps it: without it more can be done; nil: none does.
	guard func(values map[string]any) bool
	// ignored are attributes that promise nothing, beside those every kind has; each stands in one of the lists of reasons.
	ignored []string
}

// gone says what it means that nothing is there of what somebody wants: as much as the weightiest of its fields.
func (k kind) gone(values map[string]any) (Direction, policy.Severity) {
	weight := medium
	for _, f := range k.fields {
		if slices.Index(weights, f.severity) > slices.Index(weights, weight) {
			weight = f.severity
		}
	}
	if k.guard != nil && k.guard(values) {
		return Loosened, weight
	}
	return Unclear, weight
}

// weights are how much something weighs, the least first.
var weights = []policy.Severity{low, medium, high, critical}

// guards is for kinds of which every one keeps something.
func guards(map[string]any) bool { return true }

// always are attributes of any kind that are compared under another name, or belong to Terraform alone.
var always = []string{
	"id", "self_link", "name", "project", "timeouts", "terraform_labels", "effective_labels", "effective_annotations", "etag", "fingerprint", "label_fingerprint",
	"creation_timestamp", "create_time", "update_time", "uid", "generation", "observed_generation", "reconciling", "conditions", "terminal_condition",
	"deletion_policy", "project_number", "number", "delete_time", "last_modifier", "creator", "time_created", "updated", "url",
}

const (
	critical = policy.Critical
	high     = policy.High
	medium   = policy.Medium
	low      = policy.Low
)

// labelled are the labels somebody wants, with those the provider lays on everything, where the state tells them.
func labelled(want, got string) field {
	return field{want: "effective_labels|" + want, got: got, is: labels, severity: low}
}

// Known returns the types whose fields are compared, sorted.
func Known() []string { return slices.Sorted(maps.Keys(kinds)) }

// kinds lists what of which type is compared. What is not listed and has a value is told as not compared.
var kinds = merged(stores, networks, platform, governance)

func merged(all ...map[string]kind) map[string]kind {
	out := map[string]kind{}
	for _, one := range all {
		maps.Copy(out, one)
	}
	return out
}

// key returns the name of what a resource of Terraform's stands for; "" where it cannot be told.
func (k kind) key(r Resource, names *asset.Names) string {
	if k.name != "" {
		if name, whole := filled(k.name, r.Values); whole {
			return names.Key(k.asset, name)
		}
	}
	for _, attribute := range []string{"self_link", "id"} {
		if s, _ := r.Values[attribute].(string); strings.Contains(s, "/") {
			return names.Key(k.asset, s)
		}
	}
	return ""
}

// filled fills a template with attributes; of a value that is a name with slashes the last part counts, unless the template
// begins with it.
func filled(template string, values map[string]any) (string, bool) {
	var out strings.Builder
	for rest := template; rest != ""; {
		before, after, more := strings.Cut(rest, "{")
		out.WriteString(before)
		if !more {
			return out.String(), true
		}
		name, tail, _ := strings.Cut(after, "}")
		v, _ := values[name].(string)
		if v == "" {
			return "", false
		}
		if out.Len() > 0 && name != "service" {
			v = asset.Base(v)
		}
		out.WriteString(v)
		rest = tail
	}
	return out.String(), true
}
