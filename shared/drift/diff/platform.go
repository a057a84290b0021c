package diff

import (
	"maps"
	"strings"
)

// exclusions are what a sink leaves out.
var exclusions = set(object(map[string]canon{"name": text, "filter": spaced, "disabled": yes}, "description", "create_time", "update_time"))

// sink is what is compared of a sink of logs, wherever it is.
func sink(name string) kind {
	return kind{asset: "logging.googleapis.com/LogSink", name: name, fields: []field{
		{want: "destination", got: "destination", is: text, severity: critical},
		{want: "filter", got: "filter", is: spaced, toward: filtered, severity: critical},
		{want: "disabled", got: "disabled", is: flag, toward: switched("false"), severity: critical},
		{want: "include_children", got: "includeChildren", is: flag, toward: switched("true"), severity: critical},
		{want: "exclusions", got: "exclusions", is: exclusions, toward: wider, severity: critical},
		{want: "writer_identity", got: "writerIdentity", is: mail, severity: high},
		{want: "intercept_children", got: "interceptChildren", is: flag, severity: high},
	}, guard: guards, ignored: []string{"unique_writer_identity", "description", "org_id", "folder", "custom_writer_identity"}}
}

// container is where a service's only container lies; of several the rules say that they cannot tell.
const container = "template.containers."

// platform are kinds that run code, move messages and keep logs.
var platform = map[string]kind{
	"google_logging_project_sink":      sink("projects/{project}/sinks/{name}"),
	"google_logging_folder_sink":       sink("{folder}/sinks/{name}"),
	"google_logging_organization_sink": sink("organizations/{org_id}/sinks/{name}"),
	"google_logging_project_bucket_config": {asset: "logging.googleapis.com/LogBucket", name: "projects/{project}/locations/{location}/buckets/{bucket_id}", fields: []field{
		{want: "retention_days", got: "retentionDays", is: number, fallback: "30", toward: atLeast, severity: critical},
		{want: "locked", got: "locked", is: flag, toward: switched("true"), severity: critical},
		{want: "enable_analytics", got: "analyticsEnabled", is: flag, severity: low},
		{want: "cmek_settings.kms_key_name", got: "cmekSettings.kmsKeyName", is: link, severity: high},
	}, guard: guards, ignored: []string{"location", "bucket_id", "lifecycle_state", "description", "index_configs", "cmek_settings.service_account_id", "cmek_settings.name", "cmek_settings.kms_key_version_name", "cmek_settings.id"}},
	"google_cloud_run_v2_service": {asset: "run.googleapis.com/Service", name: "projects/{project}/locations/{location}/services/{name}", fields: []field{
		{want: "ingress", got: "ingress", is: fold, fallback: "INGRESS_TRAFFIC_ALL", toward: ranked("INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", "INGRESS_TRAFFIC_INTERNAL_ONLY"), severity: critical},
		{want: "invoker_iam_disabled", got: "invokerIamDisabled", is: flag, toward: switched("false"), severity: critical},
		{want: "iap_enabled", got: "iapEnabled", is: flag, toward: switched("true"), severity: critical},
		{want: "default_uri_disabled", got: "defaultUriDisabled", is: flag, toward: switched("true"), severity: high},
		{want: "custom_audiences", got: "customAudiences", is: set(text), toward: wider, severity: high},
		{want: "traffic", got: "traffic", is: traffic, severity: high},
		{want: "template.volumes", got: "template.volumes", is: volumes, severity: high},
		{want: "template.service_account", got: "template.serviceAccount", is: mail, severity: critical},
		{want: "template.encryption_key", got: "template.encryptionKey", is: link, severity: high},
		{want: "template.timeout", got: "template.timeout", is: seconds, fallback: "300", severity: low},
		{want: "template.max_instance_request_concurrency", got: "template.maxInstanceRequestConcurrency", is: number, severity: low},
		{want: "template.scaling.max_instance_count", got: "template.scaling.maxInstanceCount", is: number, severity: low},
		{want: "template.vpc_access.connector", got: "template.vpcAccess.connector", is: link, severity: high},
		{want: "template.vpc_access.egress", got: "template.vpcAccess.egress", is: fold, toward: ranked("PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"), severity: high},
		{want: container + "image", got: container + "image", is: text, severity: critical},
		{want: container + "env", got: container + "env", is: envs, severity: high},
		{want: container + "command", got: container + "command", is: sequence(text), severity: critical},
		{want: container + "args", got: container + "args", is: sequence(text), severity: critical},
		{want: container + "volume_mounts", got: container + "volumeMounts", is: set(object(nil)), severity: high},
		{want: "binary_authorization.use_default", got: "binaryAuthorization.useDefault", is: flag, toward: switched("true"), severity: high},
		labelled("labels", "labels"),
	}, ignored: []string{"location", "client", "client_version", "latest_created_revision", "latest_ready_revision", "launch_stage", "traffic_statuses", "uri", "urls", "deletion_protection", "expire_time",
		"annotations", "description", "scaling", "template.labels", "template.annotations", "template.revision", "template.execution_environment",
		"template.session_affinity", "template.scaling.min_instance_count", container + "name", container + "resources", container + "ports", container + "startup_probe", container + "liveness_probe",
		"build_config"}},
	"google_cloudfunctions2_function": {asset: "cloudfunctions.googleapis.com/Function", name: "projects/{project}/locations/{location}/functions/{name}", fields: []field{
		{want: "kms_key_name", got: "kmsKeyName", is: link, severity: high},
		{want: "build_config.entry_point", got: "buildConfig.entryPoint", is: text, severity: high},
		{want: "build_config.runtime", got: "buildConfig.runtime", is: text, severity: medium},
		{want: "build_config.source.storage_source.bucket", got: "buildConfig.source.storageSource.bucket", is: text, severity: high},
		{want: "build_config.source.storage_source.object", got: "buildConfig.source.storageSource.object", is: text, severity: high},
		{want: "build_config.service_account", got: "buildConfig.serviceAccount", is: link, severity: high},
		{want: "build_config.environment_variables", got: "buildConfig.environmentVariables", is: labels, severity: high},
		{want: "event_trigger", got: "eventTrigger", is: trigger, severity: high},
		{want: "service_config.secret_environment_variables", got: "serviceConfig.secretEnvironmentVariables", is: set(object(nil)), severity: high},
		{want: "service_config.secret_volumes", got: "serviceConfig.secretVolumes", is: set(object(map[string]canon{"versions": set(object(nil))})), severity: high},
		{want: "service_config.service_account_email", got: "serviceConfig.serviceAccountEmail", is: mail, severity: critical},
		{want: "service_config.all_traffic_on_latest_revision", got: "serviceConfig.allTrafficOnLatestRevision", is: flag, toward: switched("true"), severity: high},
		{want: "service_config.ingress_settings", got: "serviceConfig.ingressSettings", is: fold, fallback: "ALLOW_ALL", toward: ranked("ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_INTERNAL_ONLY"), severity: critical},
		{want: "service_config.environment_variables", got: "serviceConfig.environmentVariables", is: labels, severity: high},
		{want: "service_config.timeout_seconds", got: "serviceConfig.timeoutSeconds", is: number, fallback: "60", severity: low},
		{want: "service_config.max_instance_count", got: "serviceConfig.maxInstanceCount", is: number, severity: low},
		labelled("labels", "labels"),
	}, ignored: []string{"location", "description", "environment", "state", "build_config.source.storage_source.generation", "build_config.build", "build_config.docker_repository",
		"build_config.automatic_update_policy", "service_config.service", "service_config.uri", "service_config.gcf_uri", "service_config.available_memory", "service_config.available_cpu",
		"service_config.min_instance_count", "service_config.max_instance_request_concurrency"}},
	"google_cloud_scheduler_job": {asset: "cloudscheduler.googleapis.com/Job", name: "projects/{project}/locations/{region}/jobs/{name}", fields: []field{
		{want: "schedule", got: "schedule", is: spaced, severity: high},
		{want: "time_zone", got: "timeZone", is: text, fallback: "Etc/UTC", severity: medium},
		{want: "paused", got: "state", is: paused, toward: switched("false"), severity: critical},
		{want: "http_target.uri", got: "httpTarget.uri", is: text, severity: high, address: true},
		{want: "http_target.http_method", got: "httpTarget.httpMethod", is: fold, fallback: "POST", severity: medium},
		{want: "http_target.body", got: "httpTarget.body", is: text, severity: medium},
		{want: "http_target.headers", got: "httpTarget.headers", is: headers, severity: medium},
		{want: "http_target.oidc_token.audience", got: "httpTarget.oidcToken.audience", is: text, severity: high, address: true},
		{want: "http_target.oidc_token.service_account_email", got: "httpTarget.oidcToken.serviceAccountEmail", is: mail, severity: high},
	}, ignored: []string{"region", "state", "description", "attempt_deadline", "retry_config"}},
	"google_pubsub_topic": {asset: "pubsub.googleapis.com/Topic", name: "projects/{project}/topics/{name}", fields: []field{
		{want: "kms_key_name", got: "kmsKeyName", is: link, severity: high},
		{want: "message_retention_duration", got: "messageRetentionDuration", is: seconds, toward: atLeast, severity: medium},
		{want: "message_storage_policy.allowed_persistence_regions", got: "messageStoragePolicy.allowedPersistenceRegions", is: set(fold), toward: only, severity: high},
		{want: "message_storage_policy.enforce_in_transit", got: "messageStoragePolicy.enforceInTransit", is: flag, toward: switched("true"), severity: high},
		{want: "schema_settings", got: "schemaSettings", is: object(map[string]canon{"schema": link}), severity: medium},
		labelled("labels", "labels"),
	}},
	"google_pubsub_subscription": {asset: "pubsub.googleapis.com/Subscription", name: "projects/{project}/subscriptions/{name}", fields: []field{
		{want: "topic", got: "topic", is: link, severity: critical},
		{want: "filter", got: "filter", is: spaced, severity: critical},
		{want: "push_config.push_endpoint", got: "pushConfig.pushEndpoint", is: text, severity: critical, address: true},
		{want: "push_config.oidc_token.audience", got: "pushConfig.oidcToken.audience", is: text, severity: high, address: true},
		{want: "bigquery_config.table", got: "bigqueryConfig.table", is: text, severity: critical},
		{want: "cloud_storage_config.bucket", got: "cloudStorageConfig.bucket", is: text, severity: critical},
		{want: "push_config.oidc_token.service_account_email", got: "pushConfig.oidcToken.serviceAccountEmail", is: mail, severity: critical},
		{want: "ack_deadline_seconds", got: "ackDeadlineSeconds", is: number, fallback: "10", severity: low},
		{want: "message_retention_duration", got: "messageRetentionDuration", is: seconds, fallback: "604800", toward: atLeast, severity: high},
		{want: "dead_letter_policy.dead_letter_topic", got: "deadLetterPolicy.deadLetterTopic", is: link, severity: critical},
		{want: "dead_letter_policy.max_delivery_attempts", got: "deadLetterPolicy.maxDeliveryAttempts", is: number, fallback: "5", severity: medium},
		{want: "expiration_policy.ttl", got: "expirationPolicy.ttl", is: seconds, fallback: "2678400", toward: expires, severity: high},
		labelled("labels", "labels"),
	}, ignored: []string{"retain_acked_messages", "enable_message_ordering", "enable_exactly_once_delivery", "retry_policy", "push_config.attributes"}},
	"google_service_account": {asset: "iam.googleapis.com/ServiceAccount", name: "projects/{project}/serviceAccounts/{email}", fields: []field{
		{want: "disabled", got: "disabled", is: flag, toward: switched("true"), severity: high},
		{want: "display_name", got: "displayName", is: text, severity: low},
		{want: "description", got: "description", is: text, severity: low},
	}, ignored: []string{"account_id", "email", "member", "unique_id", "create_ignore_already_exists"}},
	"google_project_service": {asset: "serviceusage.googleapis.com/Service", name: "projects/{project}/services/{service}", fields: nil,
		ignored: []string{"service", "disable_on_destroy", "disable_dependent_services", "check_if_service_has_usage_on_destroy"}},
	"google_project": {asset: "cloudresourcemanager.googleapis.com/Project", name: "projects/{project_id}", fields: []field{
		{want: "folder_id", got: "parent", is: parent("folder"), severity: high},
		{want: "org_id", got: "parent", is: parent("organization"), severity: high},
		labelled("labels", "labels"),
	}, ignored: []string{"project_id", "auto_create_network"}},
}

// paused is a switch of Terraform's and a state of the API's.
func paused(v any) (string, error) {
	switch v {
	case "ENABLED":
		return "false", nil
	case "PAUSED", "DISABLED":
		return "true", nil
	}
	return flag(v)
}

// expires is for how long something unused is kept: never at all, which is no length, is safest.
func expires(want, got string) Direction {
	switch {
	case got == "":
		return Tightened
	case want == "":
		return Loosened
	}
	return atLeast(want, got)
}

// traffic is which revisions of a service answer: where nobody says, the latest.
func traffic(v any) (string, error) {
	if none(v) {
		v = []any{map[string]any{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100.0}}
	}
	return set(object(map[string]canon{"percent": count}, "uri"))(v)
}

// volumes are what a container may read, secrets above all.
var volumes = set(object(map[string]canon{
	"name": text, "secret.secret": link, "secret.items": set(object(nil)), "cloud_sql_instance.instances|cloudSqlInstance.instances": set(text),
}))

// trigger is what wakes a function.
var trigger = object(map[string]canon{
	"event_filters|eventFilters": set(object(nil)), "pubsub_topic|pubsubTopic": link, "service_account_email|serviceAccountEmail": mail,
}, "trigger")

// headers are those somebody wants; what the service sends where nobody says anything is not among them.
func headers(v any) (string, error) {
	m, is := v.(map[string]any)
	if !is {
		return labels(v)
	}
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(name string, value any) bool {
		return name == "User-Agent" && value == "Google-Cloud-Scheduler" || name == "Content-Type" && value == "application/octet-stream"
	})
	return labels(m)
}

// parent is what a project belongs to, where that is of a sort: a number of Terraform's, an object or a name of the API's.
func parent(sort string) canon {
	return func(v any) (string, error) {
		if m, is := v.(map[string]any); is {
			if m["type"] != sort {
				return "", nil
			}
			v = m["id"]
		}
		s, err := text(v)
		kind, id, named := strings.Cut(s, "/")
		switch {
		case err != nil || !named:
			return s, err
		case kind != sort+"s":
			return "", nil
		}
		return id, nil
	}
}
