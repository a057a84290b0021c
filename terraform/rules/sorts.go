package rules

import (
	"regexp"
	"slices"
	"strings"
)

var typeRules = []Rule{
	{"listed-type", "A root plans resources of the types that are listed for it: rules look at those, and of others nobody would know.", "", listedType},
	{"sink", "Log entries and news of changes are sent to the environment's own projects, and to nobody else.", "", sinks},
	{"subscription", "Messages go to functions; what is not pushed to one is a dead letter, or an entry that could not be read.", "environments/", subscriptions},
}

// sorts are the types of resources that a root and its modules plan.
var sorts = map[string][]string{
	"environments": {
		"google_artifact_registry_repository", "google_artifact_registry_repository_iam_member", "google_billing_budget", "google_certificate_manager_certificate",
		"google_certificate_manager_certificate_map", "google_certificate_manager_certificate_map_entry", "google_certificate_manager_dns_authorization",
		invokes, job, function, backend, "google_compute_global_address", "google_compute_global_forwarding_rule", "google_compute_region_network_endpoint_group",
		"google_compute_security_policy", "google_compute_ssl_policy", "google_compute_target_http_proxy", "google_compute_target_https_proxy", "google_compute_url_map",
		"google_firestore_backup_schedule", database, "google_firestore_field", "google_firestore_index", "google_iap_settings", "google_iap_web_backend_service_iam_member",
		key, "google_kms_crypto_key_iam_member", "google_kms_key_ring", "google_logging_metric", "google_logging_project_bucket_config", "google_logging_project_exclusion",
		"google_logging_project_sink", alert, "google_monitoring_dashboard", "google_monitoring_monitored_project", "google_monitoring_notification_channel",
		"google_monitoring_uptime_check_config", "google_project_iam_audit_config", customOwn, "google_project_iam_member", "google_project_service",
		push, "google_pubsub_subscription_iam_member", topic, "google_pubsub_topic_iam_member", secret, "google_secret_manager_secret_iam_member",
		account, "google_service_account_iam_member", bucket, "google_storage_bucket_iam_member", "google_tags_location_tag_binding",
	},
	"org": {
		"google_access_context_manager_access_level", "google_access_context_manager_access_policy_iam_member", "google_cloud_asset_folder_feed",
		"google_cloud_asset_organization_feed", "google_cloud_asset_project_feed", "google_compute_firewall", "google_compute_security_policy", "google_compute_security_policy_rule",
		"google_folder_iam_audit_config", "google_folder_iam_member", "google_iam_deny_policy", "google_kms_crypto_key_iam_member", "google_logging_folder_sink",
		"google_logging_organization_sink", "google_logging_project_sink", "google_organization_iam_audit_config", customOrg, "google_organization_iam_member",
		"google_project_iam_audit_config", customOwn, "google_project_iam_member", "google_pubsub_topic_iam_member", "google_storage_bucket_iam_member",
	},
	"bootstrap": {
		"google_billing_account_iam_member", "google_folder", "google_iam_deny_policy", "google_iam_workload_identity_pool", "google_iam_workload_identity_pool_provider",
		key, "google_kms_crypto_key_iam_member", "google_kms_key_ring", "google_logging_folder_settings", "google_org_policy_custom_constraint", "google_org_policy_policy",
		customOrg, "google_organization_iam_member", "google_project", "google_project_iam_member", "google_project_service", "google_resource_manager_lien",
		account, "google_service_account_iam_member", bucket, "google_storage_bucket_iam_member", "google_tags_tag_key", "google_tags_tag_value", "google_tags_tag_value_iam_member",
	},
}

func listedType(l *look) {
	root, _, _ := strings.Cut(l.Folder, "/")
	for _, r := range l.Plan.Resources {
		if l.seen++; !slices.Contains(sorts[root], r.Type) {
			l.wrong(r, "is of a type that no rule knows here: list it, and write what it is held to")
		}
	}
}

// ownLog and ownTopic are where entries go: a bucket of Logging in a project, or the topic that wakes the watch.
var (
	ownLog   = regexp.MustCompile(`^logging\.googleapis\.com/projects/([a-z0-9-]+)/locations/[a-z0-9-]+/buckets/[A-Za-z0-9_.-]+$`)
	ownTopic = regexp.MustCompile(`^pubsub\.googleapis\.com/projects/([a-z0-9-]+)/topics/audit\.entries$`)
)

func sinks(l *look) {
	id := l.given().Text("project", "id")
	for _, r := range l.Plan.Resources {
		if strings.HasPrefix(r.Type, "google_cloud_asset_") {
			l.seen++
			if to := r.Text("feed_output_config", "pubsub_destination", "topic"); id == "" || to != "projects/"+id+"/topics/asset.feed" {
				l.wrong(r, "tells of what there is on %q, which is not the environment's", to)
			}
			continue
		}
		if !strings.HasPrefix(r.Type, "google_logging_") || !strings.HasSuffix(r.Type, "_sink") {
			continue
		}
		l.seen++
		form, own := ownTopic, []string{id}
		if l.environment() {
			form, own = ownLog, []string{id, l.evidence()}
		}
		to := r.Text("destination")
		if found := form.FindStringSubmatch(to); found == nil || !slices.Contains(own, found[1]) {
			l.wrong(r, "sends entries to %q, which is not the environment's", to)
		}
	}
}

// unreadable is the subscription that keeps entries of the audit log that are too odd to be delivered, for a person to read.
const unreadable = "watchaudit-unreadable"

func subscriptions(l *look) {
	for _, s := range l.of(push) {
		for _, writes := range []string{"bigquery_config", "cloud_storage_config", "message_transforms"} {
			if len(s.List(writes)) > 0 || s.Later(writes) {
				l.wrong(s, "%s: messages go to functions as they are, and are written nowhere", writes)
			}
		}
		if len(s.List("push_config")) > 0 {
			if l.the(function, s, "push_config", "push_endpoint") == nil {
				l.wrong(s, "pushes to no function of this plan")
			}
			continue
		}
		name, dead := strings.CutPrefix(s.Text("name"), "dead.")
		from := l.the(topic, s, "topic")
		letters := dead && l.deployed(name) != nil && from != nil && from.Text("name") == s.Text("name") && from.Module == s.Module
		entries := s.Text("name") == unreadable && from != nil && from.Text("name") == "audit.unreadable"
		if !letters && !entries {
			l.wrong(s, "keeps messages for whoever asks: only dead letters and %s wait for a person", unreadable)
		}
	}
}
