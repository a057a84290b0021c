package diff

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/veil"
)

// What may be secret is in no finding, whatever the place, and that it is another is.
func TestShown(t *testing.T) {
	t.Parallel()
	const (
		job   = "//cloudscheduler.googleapis.com/projects/acme-live/locations/europe-west1/jobs/x"
		run   = "//run.googleapis.com/projects/acme-live/locations/europe-west1/services/x"
		topic = "//pubsub.googleapis.com/projects/acme-live/topics/x"
		sub   = "//pubsub.googleapis.com/projects/acme-live/subscriptions/x"
		fn    = "//cloudfunctions.googleapis.com/projects/acme-live/locations/europe-west1/functions/x"
		back  = "//compute.googleapis.com/projects/acme-live/global/backendServices/x"
	)
	for name, c := range map[string]struct{ kind, asset, at, field, state, live, shows, secret string }{
		"a header":           {"google_cloud_scheduler_job", "cloudscheduler.googleapis.com/Job", job, "http_target.headers", `"http_target":[{"headers":{"Authorization":"PLANTED-1"}}]`, `{"httpTarget":{"headers":{"Authorization":"PLANTED-2"}}}`, "Authorization hmac:", ""},
		"a header called so": {"google_cloud_scheduler_job", "cloudscheduler.googleapis.com/Job", job, "http_target.headers", `"http_target":[{"headers":{"name":"PLANTED-1 x"}}]`, `{"httpTarget":{"headers":{"name":"PLANTED-2 x"}}}`, "name hmac:", ""},
		"a padded body":      {"google_cloud_scheduler_job", "cloudscheduler.googleapis.com/Job", job, "http_target.body", `"http_target":[{"body":"PLANTED1=="}]`, `{"httpTarget":{"body":"PLANTED2=="}}`, "hmac:", ""},
		"a hook":             {"google_cloud_scheduler_job", "cloudscheduler.googleapis.com/Job", job, "http_target.uri", `"http_target":[{"uri":"https://hooks.slack.com/services/T0/PLANTED-1"}]`, `{"httpTarget":{"uri":"https://hooks.slack.com/services/T0/PLANTED-2"}}`, "https://hooks.slack.com/?hmac:", ""},
		"an audience":        {"google_pubsub_subscription", "pubsub.googleapis.com/Subscription", sub, "push_config.oidc_token.audience", `"push_config":[{"oidc_token":[{"audience":"PLANTED-1"}]}]`, `{"pushConfig":{"oidcToken":{"audience":"PLANTED-2"}}}`, "hmac:", ""},
		"custom headers":     {"google_compute_backend_service", "compute.googleapis.com/BackendService", back, "custom_request_headers", `"custom_request_headers":["X-Key:PLANTED-1"]`, `{"customRequestHeaders":["X-Key:PLANTED-2"]}`, "X-Key hmac:", ""},
		"a padded argument":  {"google_cloud_run_v2_service", "run.googleapis.com/Service", run, container + "args", `"template":[{"containers":[{"args":["PLANTED1=="]}]}]`, `{"template":{"containers":[{"args":["PLANTED2=="]}]}}`, "hmac:", ""},
		"a variable":         {"google_cloud_run_v2_service", "run.googleapis.com/Service", run, container + "env", `"template":[{"containers":[{"env":[{"name":"DB","value":"PLANTED-1"}]}]}]`, `{"template":{"containers":[{"env":[{"name":"DB","value":"PLANTED-2"}]}]}}`, "DB hmac:", ""},
		"a key of lines":     {"google_cloudfunctions2_function", "cloudfunctions.googleapis.com/Function", fn, "service_config.environment_variables", `"service_config":[{"environment_variables":{"KEY":"begin\\nPLANTED1==\\nend"}}]`, `{"serviceConfig":{"environmentVariables":{"KEY":"begin\\nPLANTED2==\\nend"}}}`, "KEY hmac:", ""},
		"a sensitive label":  {"google_pubsub_topic", "pubsub.googleapis.com/Topic", topic, "labels", `"labels":{"a":"PLANTED-1"},"effective_labels":{"a":"PLANTED-1"}`, `{"labels":{"a":"PLANTED-2"}}`, "hmac:", "labels"},
		"an effective label": {"google_pubsub_topic", "pubsub.googleapis.com/Topic", topic, "labels", `"labels":{"a":"PLANTED-1"},"effective_labels":{"a":"PLANTED-1"}`, `{"labels":{"a":"PLANTED-2"}}`, "hmac:", "effective_labels"},
	} {
		state := resource(c.kind, "x", `{"name":"x","project":"acme-live","location":"europe-west1","region":"europe-west1",`+strings.ReplaceAll(c.state, `\\n`, `\n`)+`}`)
		if c.secret != "" {
			state = strings.Replace(state, `"attributes"`, `"sensitive_attributes":[[{"type":"get_attr","value":"`+c.secret+`"}]],"attributes"`, 1)
		}
		r := Compare(desired(t, state), live(t, [3]string{c.asset, c.at, data(strings.ReplaceAll(c.live, `\\n`, `\n`))}), options)
		all, err := json.Marshal(r)
		at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Field == c.field })
		if err != nil || strings.Contains(string(all), "PLANTED") || at < 0 || r.Findings[at].Want == r.Findings[at].Got || !strings.Contains(r.Findings[at].Got, c.shows) {
			t.Errorf("%s: %s, %v", name, all, err)
		}
	}
	r := Compare(desired(t, resource("google_pubsub_topic", "x", `{"name":"x","project":"acme-live","labels":{"a":"b"}}`)), live(t, [3]string{"pubsub.googleapis.com/Topic", topic, data(`{"labels":{"a":"c"}}`)}), options)
	if len(r.Findings) != 1 || r.Findings[0].Want != "a=b" || r.Findings[0].Secret {
		t.Errorf("a label that nobody calls secret: %+v", r.Findings)
	}
}

// Every field of which the values are never shown: one more, or less, is a decision.
func TestVeiledFields(t *testing.T) {
	t.Parallel()
	var got []string
	for name, k := range kinds {
		for _, f := range k.fields {
			for _, path := range f.paths() {
				if veil.Sensitive(path) != veil.Sensitive(f.paths()[0]) {
					t.Errorf("%s: %s is secret by one of its names", name, f.got)
				}
			}
			if veil.Sensitive(f.paths()[0]) {
				got = append(got, strings.TrimPrefix(name, "google_")+" "+f.name())
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"cloud_run_v2_service template.containers.args", "cloud_run_v2_service template.containers.command", "cloud_run_v2_service template.containers.env",
		"cloud_scheduler_job http_target.body", "cloud_scheduler_job http_target.headers",
		"cloudfunctions2_function build_config.environment_variables", "cloudfunctions2_function service_config.environment_variables",
		"compute_backend_service custom_request_headers", "compute_backend_service custom_response_headers",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// What Terraform calls sensitive is told as the service calls it too.
func TestSecretPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind      string
		sensitive []string
		want      string
	}{
		{"google_sql_database_instance", []string{"root_password", "settings.ip_configuration.authorized_networks"}, "root_password settings.ipConfiguration.authorizedNetworks settings.ip_configuration.authorized_networks"},
		{"google_compute_firewall", []string{"allow"}, "allow allowed alloweds"},
		{"google_pubsub_topic", []string{"labels"}, "labels"},
		{"google_nobody_knows", []string{"x"}, "x"},
		{"google_pubsub_topic", nil, ""},
	} {
		if got := strings.Join(Resource{Type: c.kind, Sensitive: c.sensitive}.Secrets(), " "); got != c.want {
			t.Errorf("%s: %s", c.kind, got)
		}
	}
	d := desired(t, strings.Replace(resource("google_cloud_run_v2_service", "x", `{"name":"x"}`), `"attributes"`, `"sensitive_attributes":[[{"type":"get_attr","value":"template"},{"type":"index","value":0},{"type":"get_attr","value":"containers"},{"type":"index","value":{"value":1,"type":"number"}},{"type":"get_attr","value":"image"}],
		[{"type":"get_attr","value":"labels"},{"type":"index","value":"a"}]],"attributes"`, 1))
	if got := d.Resources[0].Sensitive; !slices.Equal(got, []string{"template.containers", "labels"}) {
		t.Errorf("%q", got)
	}
}
