package rules

import "ostiary.internal/terraform/plan"

// plantedDeliveries breaks the rules on deliveries, places, data, the edge and alerts.
var plantedDeliveries = []planting{
	{"dead-letter", "a push has no dead letter topic", func(e *edit) {
		e.write(functionText, "    dead_letter_topic     = google_pubsub_topic.dead[0].id\n", "")
	}},
	{"dead-letter", "the agent may not publish dead letters", func(e *edit) {
		e.drop("google_pubsub_topic_iam_member", "syncallowlist\"].google_pubsub_topic_iam_member.dead")
	}},
	{"dead-letter", "the agent may not acknowledge what became a dead letter", func(e *edit) {
		e.drop("google_pubsub_subscription_iam_member", "syncallowlist")
	}},
	{"dead-letter", "another account holds the grant", func(e *edit) {
		e.set("google_pubsub_subscription_iam_member", "syncallowlist", "serviceAccount:service-1@gcp-sa-iap.iam.gserviceaccount.com", "member")
	}},
	{"dead-letter", "the agent of another project holds the grant", func(e *edit) {
		e.set("google_pubsub_subscription_iam_member", "syncallowlist", "serviceAccount:service-999@gcp-sa-pubsub.iam.gserviceaccount.com", "member")
	}},
	{"dead-letter", "the agent holds a grant on another topic", func(e *edit) {
		e.write(functionText, "topic   = google_pubsub_topic.dead[0].id\n  role    = \"roles/pubsub.publisher\"", "topic   = var.topics[\"lease.changed\"]\n  role    = \"roles/pubsub.publisher\"")
	}},
	{"dead-letter", "nothing keeps dead letters", func(e *edit) { e.drop(push, `google_pubsub_subscription.dead`) }},
	{"dead-letter", "dead letters are kept for a day", func(e *edit) {
		for _, name := range []string{"syncallowlist"} {
			e.set(push, name+`"].google_pubsub_subscription.dead`, "86400s", "message_retention_duration")
		}
	}},

	{"dead-letter", "a message is tried without end", func(e *edit) {
		e.set(push, `push["lease.changed"]`, float64(1000), "dead_letter_policy", "max_delivery_attempts")
	}},

	{"push", "a push carries the token of the account the function runs as", func(e *edit) {
		e.write(functionText, "service_account_email = google_service_account.invoker[0].email\n      audience              = local.base_url\n    }\n  }\n}\n\nresource \"google_pubsub_topic_iam_member\" \"dead_publish\"",
			"service_account_email = google_service_account.runtime.email\n      audience              = local.base_url\n    }\n  }\n}\n\nresource \"google_pubsub_topic_iam_member\" \"dead_publish\"")
	}},
	{"push", "a push carries no token", func(e *edit) {
		e.write(functionText, "oidc_token {\n      service_account_email = google_service_account.invoker[0].email\n      audience              = local.base_url\n    }", "")
	}},
	{"push", "a token is for anybody", func(e *edit) {
		e.write(functionText, "      audience              = local.base_url\n", "")
	}},
	{"push", "the invoker may not invoke", func(e *edit) { e.drop(invokes, `syncallowlist`) }},
	{"push", "a push goes to where the function takes none", func(e *edit) { e.write(functionText, "${local.name}/events", "${local.name}/") }},
	{"push", "a push goes somewhere else", func(e *edit) {
		e.write(functionText, `"${local.base_url}/${local.name}/events"`, `"https://elsewhere.example/${local.name}/events"`)
	}},
	{"push", "a subscription ends when it is quiet", func(e *edit) {
		e.set(push, `push["lease.changed"]`, []any{}, "expiration_policy")
	}},
	{"push", "a push is tried again at once", func(e *edit) { e.set(push, `push["lease.changed"]`, []any{}, "retry_policy") }},
	{"push", "a message is sent again while the function works on it", func(e *edit) {
		e.set(push, `push["lease.changed"]`, float64(10), "ack_deadline_seconds")
	}},

	{"schedule", "a schedule carries no token", func(e *edit) {
		e.write(functionText, "uri         = \"${local.base_url}/${local.name}/tick\"\n    oidc_token {\n      service_account_email = google_service_account.invoker[0].email\n", "uri         = \"${local.base_url}/${local.name}/tick\"\n    oidc_token {\n")
	}},
	{"schedule", "a schedule goes to where the function takes none", func(e *edit) { e.write(functionText, "${local.name}/tick", "${local.name}/") }},
	{"schedule", "the invoker may not invoke", func(e *edit) { e.drop(invokes, `sealevidence`) }},

	{"triggers", "a topic of the manifest wakes nobody", func(e *edit) { e.drop(push, `push["lease.changed"]`) }},
	{"triggers", "a push brings messages of a topic that is somebody else's", func(e *edit) {
		e.write(functionText, "topic                = var.topics[each.key]", "topic                = \"projects/p/topics/elsewhere\"")
	}},
	{"triggers", "a schedule of the manifest wakes nobody", func(e *edit) { e.drop(job, "sealevidence") }},
	{"triggers", "a schedule is another than the manifest's", func(e *edit) { e.set(job, "sealevidence", "0 0 1 1 *", "schedule") }},
	{"triggers", "a schedule goes by the time of a place", func(e *edit) { e.set(job, "sealevidence", "Europe/Brussels", "time_zone") }},
	{"triggers", "a schedule is paused", func(e *edit) { e.set(job, "sealevidence", true, "paused") }},
	{"triggers", "a push is filtered, and the manifest says nothing of it", func(e *edit) {
		e.set(push, `push["lease.changed"]`, `attributes.kind = "a"`, "filter")
	}},

	{"in-the-union", "a database is in America", func(e *edit) { e.set(database, "access", "nam5", "location_id") }},
	{"in-the-union", "a function is in London", func(e *edit) { e.set(function, "registerip", "europe-west2", "location") }},
	{"in-the-union", "a bucket is in Zurich", func(e *edit) { e.set(bucket, "inbox", "EUROPE-WEST6", "location") }},
	{"in-the-union", "a topic keeps messages in America as well", func(e *edit) {
		e.set(topic, "lease.changed", []any{"europe-west1", "us-central1"}, "message_storage_policy", "allowed_persistence_regions")
	}},
	{"in-the-union", "a topic keeps messages anywhere", func(e *edit) { e.set(topic, "lease.changed", []any{}, "message_storage_policy") }},
	{"in-the-union", "a secret has a copy in America", func(e *edit) {
		e.set(secret, "form-key", []any{values{"location": "europe-west1"}, values{"location": "us-east1"}}, "replication", "user_managed", "replicas")
	}},
	{"in-the-union", "a secret is kept anywhere", func(e *edit) {
		e.set(secret, "form-key", []any{values{"auto": []any{values{}}, "user_managed": []any{}}}, "replication")
	}},
	{"in-the-union", "a ring of keys is global", func(e *edit) { e.set("google_kms_key_ring", "controls", "global", "location") }},

	{"in-the-union", "nobody knows yet where a function is", func(e *edit) {
		e.set(function, "registerip", nil, "location")
		e.find(function, "registerip").Change.Unknown = values{"location": true}
	}},

	{"database", "a database can be deleted", func(e *edit) { e.set(database, "access", "DELETE_PROTECTION_DISABLED", "delete_protection_state") }},
	{"database", "a database cannot be brought back", func(e *edit) {
		e.set(database, "access", "POINT_IN_TIME_RECOVERY_DISABLED", "point_in_time_recovery_enablement")
	}},
	{"database", "who was erased can be brought back", func(e *edit) {
		e.set(database, "ledger", "POINT_IN_TIME_RECOVERY_ENABLED", "point_in_time_recovery_enablement")
	}},
	{"database", "the ledger is in a backup", func(e *edit) { e.set("google_firestore_backup_schedule", "daily", "ledger", "database") }},
	{"database", "a database is in no weekly backup", func(e *edit) { e.drop("google_firestore_backup_schedule", `weekly["access"]`) }},
	{"database", "a backup is kept longer than Firestore does", func(e *edit) {
		e.set("google_firestore_backup_schedule", "weekly", "99999999s", "retention")
	}},
	{"database", "it is not said what becomes of a database", func(e *edit) { e.set(database, "access", nil, "deletion_policy") }},
	{"database", "an apply can destroy a database", func(e *edit) {
		e.write(platformText, "  deletion_policy                   = \"DELETE\"\n\n  lifecycle {\n    prevent_destroy = true\n  }\n", "  deletion_policy                   = \"DELETE\"\n")
	}},
	{"database", "a database that a function uses is not there", func(e *edit) { e.drop(database, "access") }},

	{"bucket", "a bucket can be opened to everybody", func(e *edit) { e.set(bucket, "inbox", "inherited", "public_access_prevention") }},
	{"bucket", "a bucket says nothing of everybody", func(e *edit) { e.set(bucket, "inbox", nil, "public_access_prevention") }},
	{"bucket", "a bucket is opened object by object", func(e *edit) { e.set(bucket, "inbox", false, "uniform_bucket_level_access") }},
	{"bucket", "a bucket is emptied when it goes", func(e *edit) { e.set(bucket, "inbox", true, "force_destroy") }},
	{"bucket", "an object has a list of its own", func(e *edit) { e.add(bucket, "inbox", "google_storage_object_acl", values{}) }},

	{"key", "a key is never changed", func(e *edit) { e.set(key, `seal["otp"]`, nil, "rotation_period") }},
	{"key", "a key is changed once a year", func(e *edit) { e.set(key, `seal["otp"]`, "31536000s", "rotation_period") }},
	{"key", "an apply can destroy a key", func(e *edit) {
		e.write(platformText, "  rotation_period = \"7776000s\"\n\n  lifecycle {\n    prevent_destroy = true\n  }\n", "  rotation_period = \"7776000s\"\n")
	}},
	{"key", "evidence is signed with what nobody verifies", func(e *edit) { e.set(key, "sign", "RSA_SIGN_PSS_2048_SHA256", "version_template", "algorithm") }},
	{"key", "a key does what nothing here does", func(e *edit) { e.set(key, "sign", "MAC", "purpose") }},

	{"tiles", "the sequencer is told of no bucket of this plan", func(e *edit) {
		e.set(function, "sealevidence", "gs://elsewhere", "service_config", "environment_variables", "OSTIARY_LOG_INBOX")
	}},
	{"tiles", "the log lies in the project of the functions", func(e *edit) {
		e.set(bucket, "google_storage_bucket.tiles", e.text("fn-admit", "project"), "project")
	}},
	{"tiles", "the log is kept for no time", func(e *edit) { e.set(bucket, "google_storage_bucket.tiles", []any{}, "retention_policy") }},
	{"tiles", "the log goes by age", func(e *edit) {
		e.set(bucket, "google_storage_bucket.tiles", []any{values{"action": []any{values{"type": "Delete"}}}}, "lifecycle_rule")
	}},
	{"tiles", "the log is a bucket of somebody else", func(e *edit) {
		e.set(function, "sealevidence", "gs://elsewhere", "service_config", "environment_variables", "OSTIARY_LOG_TILES")
	}},

	{"no-secret-value", "a version of a secret is made here", func(e *edit) { e.add(secret, "form-key", "google_secret_manager_secret_version", values{}) }},
	{"no-secret-value", "a private key stands among the variables of a function", func(e *edit) {
		e.set(function, "registerip", "-----BEGIN "+"PRIVATE KEY-----", "service_config", "environment_variables", "OSTIARY_CLIENT_ADDRESS")
	}},
	{"no-secret-value", "a password is given to a channel", func(e *edit) {
		e.add(alert, "failing", "google_monitoring_notification_channel", values{"sensitive_labels": []any{values{"auth_token": "x"}}})
	}},
	{"no-secret-value", "a token is a variable", func(e *edit) {
		e.shown.Variables["hook"] = plan.Variable{Value: values{"url": "https://chat.example/" + "xoxb-" + "123456789012"}}
	}},

	{"kept", "a database would be destroyed", func(e *edit) { e.act(database, "access", "delete") }},
	{"kept", "dead letters would go unread", func(e *edit) { e.act(push, "syncallowlist\"].google_pubsub_subscription.dead", "delete") }},
	{"kept", "a key would be made anew", func(e *edit) { e.act(key, "seal", "delete", "create") }},

	{"staff-behind-iap", "a function for staff stands open", func(e *edit) { e.set(backend, `"registerip"`, false, "iap", "enabled") }},
	{"staff-behind-iap", "a function for staff has no proxy in front", func(e *edit) { e.set(backend, `"registerip"`, []any{}, "iap") }},
	{"staff-behind-iap", "the public has to sign in", func(e *edit) { e.set(backend, `"trustpage"`, true, "iap", "enabled") }},
	{"staff-behind-iap", "nobody is let through", func(e *edit) {
		for range 4 {
			e.drop("google_iap_web_backend_service_iam_member", `registerip `)
			if e.untouched {
				e.untouched = false
				return
			}
		}
	}},
	{"staff-behind-iap", "somebody is let through everywhere", func(e *edit) {
		e.add(backend, `"registerip"`, "google_iap_web_iam_member", values{"role": "roles/iap.httpsResourceAccessor", "member": "group:all@company.example"})
	}},

	{"staff-behind-iap", "staff are let through to what is for the public", func(e *edit) {
		e.add(backend, `"trustpage"`, "google_iap_web_backend_service_iam_member", values{"role": "roles/iap.httpsResourceAccessor", "member": "group:all@company.example"})
		e.write(edgeText, "locals {", "resource \"google_iap_web_backend_service_iam_member\" \"planted\" {\n  web_backend_service = google_compute_backend_service.function[\"trustpage\"].name\n}\n\nlocals {")
	}},
	{"staff-behind-iap", "the secret of an OAuth client stands in the plan", func(e *edit) {
		e.set(backend, `"registerip"`, "x", "iap", "oauth2_client_secret")
	}},

	{"edge", "a backend has no Cloud Armor", func(e *edit) {
		e.write(edgeText, "  security_policy        = google_compute_security_policy.edge.id\n", "")
	}},
	{"edge", "a backend leads to another function", func(e *edit) {
		e.set("google_compute_region_network_endpoint_group", `"trustpage"`, "registerip", "cloud_run", "service")
	}},
	{"edge", "a function has no backend", func(e *edit) { e.drop(backend, `"trustpage"`) }},
	{"edge", "the load balancer is of the old kind", func(e *edit) { e.set(backend, `"trustpage"`, "EXTERNAL", "load_balancing_scheme") }},
	{"edge", "a backend does not say whether it logs", func(e *edit) { e.set(backend, `"trustpage"`, []any{}, "log_config") }},

	{"edge", "a backend leads to a function for machines", func(e *edit) {
		e.find(backend, `"trustpage"`).Index = "syncallowlist"
	}},
	{"edge", "a backend leads somewhere else", func(e *edit) {
		e.write(edgeText, "    group = google_compute_region_network_endpoint_group.function[each.key].id\n", "    group = \"projects/p/regions/europe-west1/networkEndpointGroups/other\"\n")
	}},

	{"paths", "no path leads to a function", func(e *edit) {
		for _, c := range e.shown.Changes {
			if c.Type == "google_compute_url_map" {
				e.set(c.Type, c.Address, []any{}, "path_matcher")
			}
		}
	}},
	{"paths", "a path leads nowhere", func(e *edit) {
		e.set("google_compute_url_map", "", []any{values{"name": "site", "path_rule": []any{values{"paths": []any{"/nobody/*"}}}}}, "path_matcher")
	}},
	{"paths", "a path leads to a function for machines", func(e *edit) {
		e.set("google_compute_url_map", "", []any{values{"name": "site", "path_rule": []any{values{"paths": []any{"/syncallowlist/*"}}}}}, "path_matcher")
	}},

	{"encrypted", "TLS 1.0 is taken", func(e *edit) { e.set("google_compute_ssl_policy", "", "TLS_1_0", "min_tls_version") }},
	{"encrypted", "any cipher is taken", func(e *edit) { e.set("google_compute_ssl_policy", "", "COMPATIBLE", "profile") }},
	{"encrypted", "the default of TLS is taken", func(e *edit) { e.write(edgeText, "  ssl_policy = google_compute_ssl_policy.edge.id\n", "") }},
	{"encrypted", "what is not encrypted is answered", func(e *edit) {
		e.write(edgeText, "url_map = google_compute_url_map.plain.id", "url_map = google_compute_url_map.site.id")
	}},
	{"encrypted", "another port is open", func(e *edit) { e.set("google_compute_global_forwarding_rule", "", "8080", "port_range") }},

	{"encrypted", "the load balancer is of the old kind", func(e *edit) {
		e.set("google_compute_global_forwarding_rule", "", "EXTERNAL", "load_balancing_scheme")
	}},

	{"client-address", "the caller says itself where it is", func(e *edit) { e.set(backend, `"registerip"`, []any{}, "custom_request_headers") }},
	{"client-address", "a function reads another header", func(e *edit) {
		e.set(function, "registerip", "header:X-Forwarded-For", "service_config", "environment_variables", "OSTIARY_CLIENT_ADDRESS")
	}},

	{"alerts", "nobody is told of errors", func(e *edit) { e.drop(alert, `failing["registerip"]`) }},
	{"alerts", "nobody is told of silence", func(e *edit) { e.drop(alert, `missing["sealevidence"]`) }},
	{"alerts", "nobody is told of dead letters", func(e *edit) { e.drop(alert, `dead["syncallowlist"]`) }},
	{"alarm", "an alert reaches nobody", func(e *edit) { e.set(alert, `failing["registerip"]`, []any{}, "notification_channels") }},
	{"alarm", "an alert is switched off", func(e *edit) { e.set(alert, `failing["registerip"]`, false, "enabled") }},

	{"alarm", "an alert does not say what to do", func(e *edit) {
		e.set(alert, `failing["registerip"]`, []any{}, "documentation")
		e.write("terraform/modules/monitoring/main.tf", "  documentation {\n    content = \"${each.key} answers with errors.\"\n    links {\n      display_name = \"Playbook\"\n      url          = \"https://company.example/operations#failing\"\n    }\n  }\n", "")
	}},

	{"nothing-else", "something is asked while planning", func(e *edit) { e.find(database, "access").Mode = "data" }},
	{"nothing-else", "another provider makes something", func(e *edit) { e.find(database, "access").Type = "random_id" }},
	{"nothing-else", "a program runs where it is applied", func(e *edit) {
		e.write(platformText, "  account_id = \"builds\"\n", "  account_id = \"builds\"\n\n  provisioner \"local-exec\" {\n    command = \"true\"\n  }\n")
	}},
	{"ours", "an environment makes something of its own", func(e *edit) {
		e.add(database, "access", "google_pubsub_topic", values{})
		last := &e.shown.Changes[len(e.shown.Changes)-1]
		last.Address, last.Module = "google_pubsub_topic.planted", ""
		e.write(rootText, "module \"monitoring\"", "resource \"google_pubsub_topic\" \"planted\" {\n}\n\nmodule \"monitoring\"")
	}},
}
