package rules

const onProject = "google_project_iam_member"

// condition writes something before and after the expression of a condition.
func (e *edit) condition(kind, holds, before, after string) {
	expression := ""
	if conditions, _ := e.find(kind, holds).Change.After["condition"].([]any); len(conditions) > 0 {
		first, _ := conditions[0].(map[string]any)
		expression, _ = first["expression"].(string)
	}
	e.untouched = e.untouched || expression == ""
	e.set(kind, holds, before+expression+after, "condition", "expression")
}

// plantedConditions gives rights on more than they are for.
var plantedConditions = []planting{
	{"manifest-grants", "a function reads every database but its own", func(e *edit) { e.condition(onProject, "database", "!", "") }},
	{"manifest-grants", "a function reads every database", func(e *edit) { e.condition(onProject, "database", "", " || true") }},
	{"manifest-grants", "a function reads a database of another project", func(e *edit) { e.set(onProject, "database", "elsewhere", "project") }},
	{"manifest-grants", "a function reads a secret of another project", func(e *edit) {
		e.set("google_secret_manager_secret_iam_member", "form-key", "elsewhere", "project")
	}},
	{"tiles", "the log is kept for a second", func(e *edit) {
		e.set(bucket, "google_storage_bucket.tiles", float64(1), "retention_policy", "retention_period")
	}},
	{"database", "a backup is kept for a second", func(e *edit) { e.set("google_firestore_backup_schedule", "daily", "1s", "retention") }},
	{"dead-letter", "not all dead letters are kept", func(e *edit) {
		e.set(push, `syncallowlist"].google_pubsub_subscription.dead`, `attributes.kind = "none"`, "filter")
	}},
	{"edge", "a backend leads wherever its caller likes", func(e *edit) {
		e.set("google_compute_region_network_endpoint_group", `"trustpage"`, "<service>", "cloud_run", "url_mask")
	}},
	{"edge", "a backend leads to what is not released", func(e *edit) {
		e.set("google_compute_region_network_endpoint_group", `"trustpage"`, "next", "cloud_run", "tag")
	}},
	{"listed-role", "somebody else's account publishes what the audit log says", func(e *edit) {
		e.add(account, "build", "google_pubsub_topic_iam_member", values{"topic": "audit.entries", "role": "roles/pubsub.publisher", "member": "serviceAccount:a@elsewhere.iam.gserviceaccount.com"})
	}},
	{"listed-role", "an account publishes for the product that is not the product's", func(e *edit) {
		e.add(account, "build", "google_pubsub_topic_iam_member", values{"topic": "data.written", "role": "roles/pubsub.publisher", "member": "serviceAccount:a@elsewhere.iam.gserviceaccount.com"})
	}},
	{"listed-role", "who builds reads every bucket", func(e *edit) {
		e.add(account, "build", onProject, values{"role": "roles/storage.objectViewer", "member": "serviceAccount:builds@" + e.text("builds", "project") + ".iam.gserviceaccount.com", "condition": []any{values{"expression": `!resource.name.startsWith("projects/_/buckets/gcf-v2-sources-1-europe-west1/objects/")`}}})
	}},
	{"evidence-written", "what is denied is not", func(e *edit) {
		e.set(denial, "evidence", []any{"storage.googleapis.com/objects.create"}, "rules", "deny_rule", "exception_permissions")
	}},
	{"organization-grants", "a function adds evidence everywhere but below its name", func(e *edit) { e.condition(onBucket, registers, "!", "") }},
	{"organization-grants", "a function adds evidence everywhere", func(e *edit) { e.condition(onBucket, registers, "", " || true") }},
	{"organization-grants", "a function reads another state", func(e *edit) { e.set(onBucket, "iam_member.state", "elsewhere", "bucket") }},
	{"organization-grants", "a function reads what administrators keep beside the state", func(e *edit) { e.set(onBucket, "iam_member.state", nil, "condition") }},
	{"organization-grants", "a function keeps the door of another project", func(e *edit) { e.set(onProject, "firewalls", "elsewhere", "project") }},
	{"organization-grants", "a function changes other rules", func(e *edit) { e.condition(onProject, "firewalls", "", " || true") }},
	{"organization-grants", "a function keeps levels of another policy", func(e *edit) {
		e.set("google_access_context_manager_access_policy_iam_member", "levels", "accessPolicies/1", "name")
	}},
	{"organization-grants", "a function signs with a key of another ring", func(e *edit) {
		e.set(onKey, sealsKey, "projects/"+e.apart()+"/locations/l/keyRings/other/cryptoKeys/checkpoints", "crypto_key_id")
	}},
}
