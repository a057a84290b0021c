package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// one compares one resource with one asset, and returns the only difference there is.
func one(t *testing.T, kind, state, at, live_ string) Finding {
	t.Helper()
	r := Compare(desired(t, resource(kind, "x", state)), live(t, [3]string{kinds[kind].asset, at, data(live_)}), options)
	if len(r.Findings) != 1 {
		t.Fatalf("%s: %v", live_, r.Findings)
	}
	return r.Findings[0]
}

// Which way a rule of a firewall went depends on all of it: whether it keeps out, and that naming nobody means everybody.
func TestDirectionOfFirewalls(t *testing.T) {
	t.Parallel()
	const (
		in  = `"name":"f","project":"acme-live","network":"projects/acme-live/global/networks/core","direction":"INGRESS","priority":1000`
		out = `"name":"f","network":"projects/acme-live/global/networks/core","direction":"INGRESS","priority":1000`
	)
	allow, deny := [2]string{`"allow":[{"protocol":"tcp"}]`, `"allowed":[{"IPProtocol":"tcp"}]`}, [2]string{`"deny":[{"protocol":"all"}]`, `"denied":[{"IPProtocol":"all"}]`}
	for _, c := range []struct {
		does      [2]string
		want, got string
		to        Direction
	}{
		{deny, `"destination_ranges":["0.0.0.0/0"]`, `"destinationRanges":["198.51.100.0/24"]`, Loosened},
		{deny, `"destination_ranges":["198.51.100.0/24"]`, `"destinationRanges":["0.0.0.0/0"]`, Tightened},
		{deny, `"destination_ranges":["198.51.100.0/24"]`, `"x":1`, Tightened},
		{allow, `"destination_ranges":["198.51.100.0/24"]`, `"x":1`, Loosened},
		{deny, `"source_ranges":["0.0.0.0/0"]`, `"sourceRanges":["10.0.0.0/8"]`, Loosened},
		{allow, `"source_ranges":["0.0.0.0/0"]`, `"sourceRanges":["10.0.0.0/8"]`, Tightened},
		{allow, `"source_ranges":["10.0.0.0/8"]`, `"sourceRanges":["10.0.0.0/8","192.168.0.0/16"]`, Loosened},
		{allow, `"source_tags":["a"]`, `"x":1`, Loosened},
		{allow, `"source_tags":["a"]`, `"sourceTags":["a","b"]`, Loosened},
		{allow, `"source_tags":["a","b"]`, `"sourceTags":["a"]`, Tightened},
		{deny, `"source_tags":["a","b"]`, `"sourceTags":["a"]`, Loosened},
		{allow, `"source_service_accounts":["a@p.iam.gserviceaccount.com"]`, `"x":1`, Loosened},
		{allow, `"source_ranges":["10.0.0.0/8"],"source_tags":["a"]`, `"sourceRanges":["10.0.0.0/8"]`, Tightened},
		{allow, `"source_ranges":["10.0.0.0/8"],"target_tags":["a"]`, `"sourceRanges":["10.0.0.0/8"]`, Loosened},
		{allow, `"source_ranges":["10.0.0.0/8"],"target_tags":["a","b"]`, `"sourceRanges":["10.0.0.0/8"],"targetTags":["a"]`, Tightened},
		{deny, `"source_ranges":["10.0.0.0/8"],"target_tags":["a","b"]`, `"sourceRanges":["10.0.0.0/8"],"targetTags":["a"]`, Loosened},
		{deny, `"source_ranges":["10.0.0.0/8"],"target_tags":["a"]`, `"sourceRanges":["10.0.0.0/8"]`, Tightened},
		{deny, `"source_ranges":["10.0.0.0/8"],"disabled":false`, `"sourceRanges":["10.0.0.0/8"],"disabled":true`, Loosened},
		{deny, `"source_ranges":["10.0.0.0/8"],"disabled":true`, `"sourceRanges":["10.0.0.0/8"]`, Tightened},
		{allow, `"source_ranges":["10.0.0.0/8"],"disabled":true`, `"sourceRanges":["10.0.0.0/8"]`, Loosened},
	} {
		f := one(t, "google_compute_firewall", "{"+in+","+c.does[0]+","+c.want+"}", "//compute.googleapis.com/projects/acme-live/global/firewalls/f", "{"+out+","+c.does[1]+","+c.got+"}")
		if f.Direction != c.to || (f.Severity == critical) != (c.to == Loosened) {
			t.Errorf("%s %s -> %s: %v %s", c.does[1], c.want, c.got, f, f.Severity)
		}
	}
}

func TestDirectionOfArmor(t *testing.T) {
	t.Parallel()
	rule := func(priority int, action, ranges, more string) string {
		return fmt.Sprintf(`{"priority":%d,"action":%q,"match":{"versionedExpr":"SRC_IPS_V1","config":{"srcIpRanges":[%q]}}%s}`, priority, action, ranges, more)
	}
	last, own := rule(2147483647, "deny(403)", "*", ""), rule(10, "allow", "10.0.0.0/8", "")
	const limit = `,"rateLimitOptions":{"conformAction":"allow","exceedAction":"deny(429)","enforceOnKey":"IP","rateLimitThreshold":{"count":%d,"intervalSec":60}}`
	limited := func(n int) string { return rule(20, "throttle", "*", fmt.Sprintf(limit, n)) }
	waf := rule(30, "deny(403)", "*", `,"preconfiguredWafConfig":{"exclusions":[{"targetRuleSet":"sqli-v33-stable","requestUrisToExclude":[{"op":"EQUALS","val":"/"}]}]}`)
	for name, c := range map[string]struct {
		want, got []string
		to        Direction
	}{
		"everybody in":             {[]string{last}, []string{last, rule(0, "allow", "*", "")}, Loosened},
		"one more kept out":        {[]string{last, own}, []string{last, own, rule(5, "deny(403)", "10.1.0.0/16", "")}, Tightened},
		"nobody kept out":          {[]string{last, own}, []string{own}, Loosened},
		"fewer in":                 {[]string{last, own}, []string{last}, Tightened},
		"looked at, not kept out":  {[]string{last}, []string{rule(2147483647, "deny(403)", "*", `,"preview":true`)}, Loosened},
		"another limit":            {[]string{last, limited(100)}, []string{last, limited(1000000)}, Unclear},
		"no limit":                 {[]string{last, limited(100)}, []string{last}, Loosened},
		"left out of the rules":    {[]string{last, rule(30, "deny(403)", "*", "")}, []string{last, waf}, Unclear},
		"allowed, and not refused": {[]string{last}, []string{rule(2147483647, "allow", "*", "")}, Loosened},
	} {
		f := one(t, "google_compute_security_policy", `{"name":"p","project":"acme-live","rule":`+list(blocks(t, c.want))+`}`, "//compute.googleapis.com/projects/acme-live/global/securityPolicies/p", `{"name":"p","rules":`+list(c.got)+`}`)
		if f.Direction != c.to {
			t.Errorf("%s: %v", name, f)
		}
	}
	same := []string{last, own, limited(100), waf}
	r := Compare(desired(t, resource("google_compute_security_policy", "x", `{"name":"p","project":"acme-live","rule":`+list(blocks(t, same))+`}`)),
		live(t, [3]string{"compute.googleapis.com/SecurityPolicy", "//compute.googleapis.com/projects/acme-live/global/securityPolicies/p", data(`{"name":"p","rules":` + list(same) + `}`)}), options)
	if len(r.Findings)+len(r.Gaps) != 0 {
		t.Errorf("what is the same: %v %v", r.Findings, r.Gaps)
	}
}

func list(of []string) string { return "[" + strings.Join(of, ",") + "]" }

// blocks writes rules of the API's as Terraform's state does: names with underscores, blocks as lists.
func blocks(t *testing.T, rules []string) []string {
	t.Helper()
	names := map[string]string{"exclusions": "exclusion", "request_uris_to_exclude": "request_uri", "op": "operator", "val": "value"}
	var write func(v any) any
	write = func(v any) any {
		switch x := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for name, inner := range x {
				if name = snake(name); names[name] != "" {
					name = names[name]
				}
				out[name] = write(inner)
			}
			return []any{out}
		case []any:
			var out []any
			for _, inner := range x {
				if m, is := write(inner).([]any); is {
					out = append(out, m...)
					continue
				}
				out = append(out, inner)
			}
			return out
		}
		return v
	}
	var out []string
	for _, rule := range rules {
		var v any
		if err := json.Unmarshal([]byte(rule), &v); err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		written, err := json.Marshal(write(v).([]any)[0])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(written))
	}
	return out
}

func TestDirections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		of        toward
		want, got string
		to        Direction
	}{
		{"regions", only, "EUROPE-WEST1", "", Loosened}, {"regions", only, "", "EUROPE-WEST1", Tightened}, {"regions", only, "A\nB", "A", Tightened}, {"regions", only, "A", "A\nB", Loosened},
		{"a key", guarded, "k", "", Loosened}, {"a key", guarded, "", "k", Tightened}, {"a key", guarded, "k", "l", Unclear},
		{"a filter", filtered, `severity>=NOTICE`, `severity>=ERROR`, Loosened}, {"a filter", filtered, `severity>=ERROR`, `severity>=NOTICE`, Tightened},
		{"a filter", filtered, `severity>=ERROR`, ``, Tightened}, {"a filter", filtered, ``, `severity>=ERROR`, Loosened}, {"a filter", filtered, `severity>=ERROR`, `((`, Unclear},
		{"a place", located, "EU", "EUR5", Loosened}, {"a place", located, "US", "EU", Tightened}, {"a place", located, "EU", "EUR4", Unclear},
	} {
		if to := c.of(c.want, c.got); to != c.to {
			t.Errorf("%s: %q -> %q: %s, not %s", c.name, c.want, c.got, to, c.to)
		}
	}
}

// What nobody has heard of is no reason to call two things equal.
func TestWhatNobodyKnowsIsNotEqual(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is   canon
		a, b string
		same bool
	}{
		"a suffix less":         {lifecycles, `[{"action":[{"type":"Delete"}],"condition":[{"age":90,"matches_suffix":[".log"]}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":90}}]`, false},
		"the suffix":            {lifecycles, `[{"action":[{"type":"Delete"}],"condition":[{"age":90,"matches_suffix":[".log",".tmp"]}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":90,"matchesSuffix":[".tmp",".log"]}}]`, true},
		"a word of next year":   {lifecycles, `[{"action":[{"type":"Delete"}],"condition":[{"age":90}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":90,"onFullMoon":true}}]`, false},
		"that says nothing":     {lifecycles, `[{"action":[{"type":"Delete"}],"condition":[{"age":90,"on_full_moon":false}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":90,"orNot":{}}}]`, true},
		"Terraform's own":       {lifecycles, `[{"action":[{"type":"Delete"}],"condition":[{"age":90,"send_age_if_zero":true}]}]`, `[{"action":{"type":"Delete"},"condition":{"age":90}}]`, true},
		"a limit":               {rulesOfArmor, `[{"rate_limit_options":[{"rate_limit_threshold":[{"count":100,"interval_sec":60}]}]}]`, `[{"rateLimitOptions":{"rateLimitThreshold":{"count":100,"intervalSec":"60"}}}]`, true},
		"another limit":         {rulesOfArmor, `[{"rate_limit_options":[{"rate_limit_threshold":[{"count":100,"interval_sec":60}]}]}]`, `[{"rateLimitOptions":{"rateLimitThreshold":{"count":101,"intervalSec":60}}}]`, false},
		"traffic to an old one": {traffic, `[]`, `[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"s-00001","percent":100}]`, false},
		"traffic as it is":      {traffic, `[]`, `[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","percent":100}]`, true},
		"another secret":        {volumes, `[{"name":"v","secret":[{"secret":"a","items":[]}]}]`, `[{"name":"v","secret":{"secret":"b"}}]`, false},
		"a folder":              {parent("folder"), `"folders/12"`, `{"type":"folder","id":"12"}`, true},
		"another folder":        {parent("folder"), `"12"`, `"folders/13"`, false},
		"an organization":       {parent("folder"), `""`, `"organizations/13"`, true},
	} {
		if a, b := written(t, c.is, c.a), written(t, c.is, c.b); (a == b) != c.same {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
}

func written(t *testing.T, is canon, s string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	out, err := is(v)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return out
}

// What is not compared is not compared for a reason.
func TestIgnoredForAReason(t *testing.T) {
	t.Parallel()
	reasons := map[string][]string{
		"it is in the name": {"account_id", "bucket_id", "email", "parent", "folder", "key_ring", "location", "org_id", "organization", "project_id", "region", "secret_id", "service", "service_account_id"},
		"the service computes it": {"available_maintenance_versions", "build_config.build", "build_config.source.storage_source.generation", "client", "client_version", "cmek_settings.id",
			"cmek_settings.kms_key_version_name", "cmek_settings.name", "cmek_settings.service_account_id", "connection_name", "dns_name", "enabled_features", "environment", "expire_time", "first_ip_address",
			"gateway_address", "gateway_ipv4", "generated_id", "instance_type", "internal_ipv6_range", "ip_address", "latest_created_revision", "latest_ready_revision", "lifecycle_state", "maintenance_version",
			"member", "network_id", "numeric_id", "primary", "private_ip_address", "proxy_id", "psc_service_attachment_link", "public_ip_address", "rotation.next_rotation_time", "server_ca_cert",
			"service_account_email_address", "spec.etag", "spec.update_time", "valid_after", "public_key", "service_config.gcf_uri", "service_config.service", "service_config.uri", "settings.effective_availability_type", "settings.version", "state", "subnetwork_id",
			"template.revision", "traffic_statuses", "unique_id", "uri", "urls", "build_config"},
		"Terraform's own": {"auto_create_network", "check_if_service_has_usage_on_destroy", "create_ignore_already_exists", "custom_writer_identity", "delete_default_routes_on_create", "deletion_protection",
			"disable_dependent_services", "disable_on_destroy", "enable_logging", "force_destroy", "keepers", "private_key", "private_key_type", "public_key_type", "iap.oauth2_client_secret_sha256", "params", "skip_initial_version_creation", "ttl", "unique_writer_identity"},
		"the service does not tell": {"iap.oauth2_client_secret"},
		"how fast, how large, how patient": {"affinity_cookie_ttl_sec", "attempt_deadline", "bgp_best_path_selection_mode", "connection_draining_timeout_sec", "enable_exactly_once_delivery", "enable_message_ordering",
			"health_checks", "http_keep_alive_timeout_sec", "index_configs", "locality_lb_policy", "mtu", "port_name", "private_ipv6_google_access", "proxy_bind", "retain_acked_messages", "retry_config", "retry_policy",
			"role", "rpo", "scaling", "service_config.available_cpu", "service_config.available_memory", "service_config.max_instance_request_concurrency", "service_config.min_instance_count", "session_affinity",
			"settings.disk_autoresize_limit", "settings.disk_size", "settings.disk_type", "settings.location_preference", "settings.pricing_plan", "template.containers.liveness_probe", "template.containers.ports",
			"template.containers.resources", "template.containers.startup_probe", "template.execution_environment", "template.scaling.min_instance_count", "template.session_affinity", "timeout_sec"},
		"it forbids nothing yet": {"dry_run_spec"},
		"words for people and tools": {"advanced_options_config.log_level", "annotations", "build_config.automatic_update_policy", "build_config.docker_repository", "description", "launch_stage", "push_config.attributes",
			"template.annotations", "template.containers.name", "template.labels"},
	}
	used := map[string]bool{}
	for kind, k := range kinds {
		for _, name := range k.ignored {
			used[name] = true
			reason := false
			for _, names := range reasons {
				reason = reason || slices.Contains(names, name)
			}
			if !reason {
				t.Errorf("%s: nobody said why %s is not compared", kind, name)
			}
		}
	}
	for reason, names := range reasons {
		for _, name := range names {
			if !used[name] {
				t.Errorf("%s: %s is compared, or gone", reason, name)
			}
		}
	}
}

// What is gone weighs as much as what it kept.
func TestGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, state, other string
		to                 Direction
		severity           severity
	}{
		"a sink":                   {"google_logging_project_sink", `{"name":"s","project":"acme-live"}`, "//logging.googleapis.com/projects/acme-live/sinks/other", Loosened, critical},
		"a rule that keeps out":    {"google_compute_firewall", `{"name":"s","project":"acme-live","deny":[{"protocol":"all"}]}`, "//compute.googleapis.com/projects/acme-live/global/firewalls/other", Loosened, critical},
		"a rule that lets in":      {"google_compute_firewall", `{"name":"s","project":"acme-live","allow":[{"protocol":"tcp"}]}`, "//compute.googleapis.com/projects/acme-live/global/firewalls/other", Unclear, high},
		"a service of the project": {"google_project_service", `{"service":"run.googleapis.com","project":"acme-live"}`, "//serviceusage.googleapis.com/projects/acme-live/services/other", Unclear, medium},
	} {
		r := Compare(desired(t, resource(c.kind, "x", c.state)), live(t, [3]string{kinds[c.kind].asset, c.other, data(`{}`)}), options)
		if len(r.Findings) != 1 || r.Findings[0].Class != Missing || r.Findings[0].Direction != c.to || r.Findings[0].Severity != c.severity {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}

// Nothing that stands in an address or a command is told but that it is another.
func TestAddressesAreVeiled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, at, state, live string }{
		"a push": {"google_pubsub_subscription", "//pubsub.googleapis.com/projects/acme-live/subscriptions/s", `{"name":"s","project":"acme-live","push_config":[{"push_endpoint":"https://a.example/in?token=hunter2"}]}`,
			`{"pushConfig":{"pushEndpoint":"https://me:hunter3@b.example/in?token=hunter3"}}`},
		"an argument": {"google_cloud_run_v2_service", "//run.googleapis.com/projects/acme-live/locations/europe-west1/services/s", `{"name":"s","project":"acme-live","location":"europe-west1","template":[{"containers":[{"args":["--key","hunter2"]}]}]}`,
			`{"template":{"containers":[{"args":["--key","hunter3"]}]}}`},
		"a header": {"google_compute_backend_service", "//compute.googleapis.com/projects/acme-live/global/backendServices/s", `{"name":"s","project":"acme-live","custom_request_headers":["X-Key: hunter2"]}`,
			`{"customRequestHeaders":["X-Key: hunter3"]}`},
	} {
		r := Compare(desired(t, resource(c.kind, "x", c.state)), live(t, [3]string{kinds[c.kind].asset, c.at, data(c.live)}), options)
		all, err := json.Marshal(r)
		if err != nil || len(r.Findings) == 0 || strings.Contains(string(all), "hunter") || r.Findings[0].Want == r.Findings[0].Got {
			t.Errorf("%s: %s, %v", name, all, err)
		}
	}
}
