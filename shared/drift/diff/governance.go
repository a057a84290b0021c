package diff

import (
	"slices"
	"strings"
)

// logBucket is what is compared of where logs are kept, wherever it is.
func logBucket(name, parent string) kind {
	k := platform["google_logging_project_bucket_config"]
	k.name, k.ignored = name, slices.Concat(k.ignored, []string{parent})
	return k
}

// governance are kinds by which an organization says what nobody below it may do, where the logs of what lies in it are kept, and what
// keys there are to accounts.
var governance = map[string]kind{
	"google_org_policy_policy": {asset: "orgpolicy.googleapis.com/Policy", name: "{name}", fields: []field{
		{want: "spec.rules", got: "spec.rules", is: constraints, toward: forbidden, severity: critical},
		{want: "spec.inherit_from_parent", got: "spec.inheritFromParent", is: flag, severity: high},
		{want: "spec.reset", got: "spec.reset", is: flag, toward: switched("false"), severity: critical},
	}, guard: guards, ignored: []string{"parent", "dry_run_spec", "spec.etag", "spec.update_time"}},
	"google_logging_folder_bucket_config":       logBucket("folders/{folder}/locations/{location}/buckets/{bucket_id}", "folder"),
	"google_logging_organization_bucket_config": logBucket("organizations/{organization}/locations/{location}/buckets/{bucket_id}", "organization"),
	// What Google keeps itself, Agents tells apart; who made another by hand has a key nobody turns.
	"google_service_account_key": {asset: "iam.googleapis.com/ServiceAccountKey", name: "{name}", fields: []field{
		{want: "key_algorithm", got: "keyAlgorithm", is: fold, fallback: "KEY_ALG_RSA_2048", severity: high},
		{want: "valid_before", got: "validBeforeTime", is: text, severity: high},
	}, ignored: []string{"service_account_id", "public_key", "public_key_type", "private_key", "private_key_type", "valid_after", "keepers"}},
}

// constraints are the rules of a policy of the organization. One that enforces nothing says nothing.
var constraints = set(object(map[string]canon{
	"enforce": yes, "allow_all|allowAll": yes, "deny_all|denyAll": yes, "condition.expression": spaced,
	"values.allowed_values|values.allowedValues": set(text), "values.denied_values|values.deniedValues": set(text),
}, "condition.title", "condition.description", "condition.location"))

// forbidden is for rules of a policy of the organization: what forbids less, or allows everything, is looser.
func forbidden(want, got string) Direction {
	strict := func(s string) bool {
		return strings.Contains(s, "enforce=true") || strings.Contains(s, "deny_all=true")
	}
	open := func(s string) bool { return s == "" || strings.Contains(s, "allow_all=true") }
	switch {
	case strict(want) && !strict(got), !open(want) && open(got):
		return Loosened
	case strict(got) && !strict(want), open(want) && !open(got):
		return Tightened
	}
	return Unclear
}
