package diff

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

const policyAt, keyAt = "//orgpolicy.googleapis.com/projects/acme-live/policies/iam.disableServiceAccountKeyCreation", "//iam.googleapis.com/projects/acme-live/serviceAccounts/a@acme-live.iam.gserviceaccount.com/keys/k1"

// TestGovernance: what an organization forbids, and where it keeps its logs, is the same however it is written, and told with its way
// when it is not.
func TestGovernance(t *testing.T) {
	t.Parallel()
	const (
		policy = `"name":"projects/4711/policies/iam.disableServiceAccountKeyCreation","parent":"projects/4711","dry_run_spec":[]`
		rule   = `{"enforce":"TRUE","allow_all":"","deny_all":"","values":[],"condition":[],"parameters":""}`
		places = `{"enforce":"","allow_all":"","deny_all":"","values":[{"allowed_values":["in:eu-locations","in:europe-locations"],"denied_values":[]}],"condition":[]}`
		bucket = `"location":"eu","bucket_id":"b","retention_days":400,"locked":true,"name":"x"`
	)
	for name, c := range map[string]struct{ kind, at, state, live, want string }{
		"enforced":           {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"etag":"x","update_time":"y","inherit_from_parent":false,"reset":false,"rules":[` + rule + `]}]}`, `{"spec":{"rules":[{"enforce":true}],"etag":"z"}}`, ""},
		"no longer":          {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"inherit_from_parent":false,"reset":false,"rules":[` + rule + `]}]}`, `{"spec":{"rules":[{"enforce":false}]}}`, "spec.rules loosened critical"},
		"under a condition":  {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"rules":[` + rule + `]}]}`, `{"spec":{"rules":[{"enforce":true,"condition":{"expression":"x"}}]}}`, "spec.rules unclear high"},
		"for the first time": {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"rules":[]}]}`, `{"spec":{"rules":[{"enforce":true}]}}`, "spec.rules tightened low"},
		"places":             {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"rules":[` + places + `]}]}`, `{"spec":{"rules":[{"values":{"allowedValues":["in:europe-locations","in:eu-locations"]}}]}}`, ""},
		"any place":          {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"rules":[` + places + `]}]}`, `{"spec":{"rules":[{"allowAll":true}]}}`, "spec.rules loosened critical"},
		"another place":      {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"rules":[` + places + `]}]}`, `{"spec":{"rules":[{"values":{"allowedValues":["in:us-locations"]}}]}}`, "spec.rules unclear high"},
		"as above":           {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"inherit_from_parent":false,"rules":[` + rule + `]}]}`, `{"spec":{"inheritFromParent":true,"rules":[{"enforce":true}]}}`, "spec.inherit_from_parent unclear high"},
		"reset":              {"google_org_policy_policy", policyAt, `{` + policy + `,"spec":[{"reset":false,"rules":[` + rule + `]}]}`, `{"spec":{"reset":true,"rules":[{"enforce":true}]}}`, "spec.reset loosened critical"},

		"a folder's logs":                {"google_logging_folder_bucket_config", "//logging.googleapis.com/folders/7/locations/eu/buckets/b", `{"folder":"folders/7",` + bucket + `}`, `{"retentionDays":400,"locked":true}`, ""},
		"a folder's logs, shorter":       {"google_logging_folder_bucket_config", "//logging.googleapis.com/folders/7/locations/eu/buckets/b", `{"folder":"7",` + bucket + `}`, `{"retentionDays":30,"locked":true}`, "retention_days loosened critical"},
		"an organization's logs":         {"google_logging_organization_bucket_config", "//logging.googleapis.com/organizations/1/locations/eu/buckets/b", `{"organization":"1",` + bucket + `}`, `{"retentionDays":400,"locked":true}`, ""},
		"an organization's logs, opened": {"google_logging_organization_bucket_config", "//logging.googleapis.com/organizations/1/locations/eu/buckets/b", `{"organization":"organizations/1",` + bucket + `}`, `{"retentionDays":400}`, "locked loosened critical"},

		"a key":        {"google_service_account_key", keyAt, `{"name":"` + strings.TrimPrefix(keyAt, "//iam.googleapis.com/") + `","service_account_id":"a","key_algorithm":"KEY_ALG_RSA_2048","valid_after":"2026-01-01T00:00:00Z","valid_before":"2026-04-01T00:00:00Z","private_key":"hunter2"}`, `{"keyAlgorithm":"KEY_ALG_RSA_2048","validBeforeTime":"2026-04-01T00:00:00Z","keyType":"USER_MANAGED"}`, ""},
		"a longer key": {"google_service_account_key", keyAt, `{"name":"` + strings.TrimPrefix(keyAt, "//iam.googleapis.com/") + `","valid_before":"2026-04-01T00:00:00Z","private_key":"hunter2"}`, `{"keyAlgorithm":"KEY_ALG_RSA_2048","validBeforeTime":"9999-12-31T23:59:59Z"}`, "valid_before unclear high"},
	} {
		r := Compare(desired(t, resource(c.kind, "x", c.state)), live(t, [3]string{kinds[c.kind].asset, c.at, data(c.live)}), options)
		var got []string
		for _, f := range r.Findings {
			got = append(got, strings.Join([]string{f.Field, string(f.Direction), string(f.Severity)}, " "))
		}
		all, err := json.Marshal(r)
		if strings.Join(got, "; ") != c.want || len(r.Gaps) > 0 || err != nil || strings.Contains(string(all), "hunter") {
			t.Errorf("%s: %q %+v %+v", name, got, r.Findings, r.Gaps)
		}
	}
}

// TestGoneGovernance: without a policy of the organization, or a place for its logs, more can be done.
func TestGoneGovernance(t *testing.T) {
	t.Parallel()
	r := Compare(desired(t, resource("google_org_policy_policy", "x", `{"name":"projects/acme-live/policies/iam.disableServiceAccountKeyCreation","spec":[{"rules":[]}]}`)),
		live(t, [3]string{"orgpolicy.googleapis.com/Policy", "//orgpolicy.googleapis.com/projects/acme-live/policies/other", data(`{}`)}), options)
	if len(r.Findings) != 1 || r.Findings[0].Class != Missing || r.Findings[0].Direction != Loosened || r.Findings[0].Severity != critical {
		t.Errorf("%+v", r.Findings)
	}
}

// TestContainers: containers beside each other are compared by their names, in whatever order, and nothing secret of them is told.
func TestContainers(t *testing.T) {
	t.Parallel()
	const (
		web   = `{"name":"web","image":"i:1","args":["a","b"],"env":[{"name":"TOKEN","value":"hunter1"}]}`
		proxy = `{"name":"proxy","image":"p:1"}`
		at    = "//run.googleapis.com/projects/acme-live/locations/europe-west1/services/s"
	)
	for name, c := range map[string]struct {
		state, live string
		want        []string
	}{
		"in another order":     {web + "," + proxy, proxy + "," + web, nil},
		"another image":        {web + "," + proxy, strings.Replace(proxy, "p:1", "p:2", 1) + "," + web, []string{"changed template.containers.image"}},
		"another secret":       {web + "," + proxy, strings.Replace(web, "hunter1", "hunter2", 1) + "," + proxy, []string{"changed template.containers.env"}},
		"the other order":      {web + "," + proxy, strings.Replace(web, `"a","b"`, `"b","a"`, 1) + "," + proxy, []string{"changed template.containers.args"}},
		"swapped":              {web + "," + proxy, strings.Replace(strings.Replace(web+","+proxy, `"web"`, `"x"`, 1), `"proxy"`, `"web"`, 1), []string{"changed template.containers.args", "changed template.containers.env", "changed template.containers.image"}},
		"one that nobody said": {web, web + "," + proxy, []string{"changed template.containers.args", "changed template.containers.env", "changed template.containers.image"}},
		"without a name":       {web + "," + proxy, web + `,{"image":"p:1"}`, nil},
		"with one name":        {web + "," + proxy, web + "," + strings.Replace(proxy, "proxy", "web", 1), nil},
	} {
		r := Compare(desired(t, resource("google_cloud_run_v2_service", "x", `{"name":"s","project":"acme-live","location":"europe-west1","template":[{"containers":[`+c.state+`]}]}`)),
			live(t, [3]string{"run.googleapis.com/Service", at, data(`{"template":{"containers":[` + c.live + `]}}`)}), options)
		var got []string
		for _, f := range r.Findings {
			got = append(got, string(f.Class)+" "+f.Field)
		}
		all, err := json.Marshal(r)
		if err != nil || strings.Contains(string(all), "hunter") {
			t.Errorf("%s: %s %v", name, all, err)
		}
		if strings.HasPrefix(name, "with") {
			if len(got) == 0 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, string(Undetermined)) }) {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
