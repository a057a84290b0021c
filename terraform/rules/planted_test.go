package rules

import "slices"

// planting is one thing that a rule has to find.
type planting struct {
	rule, what string
	plant      func(*edit)
}

const (
	functionText = "terraform/modules/function/main.tf"
	platformText = "terraform/modules/platform/main.tf"
	edgeText     = "terraform/modules/edge/main.tf"
	rootText     = "terraform/environments/staging/main.tf"
)

type values = map[string]any

// plantings are what breaks the rules.
var plantings = slices.Concat(plantedRights, plantedDeliveries, plantedAround, plantedMembers, plantedEvidence, plantedTypes, plantedConditions, plantedNames)

// plantedRights breaks the rules on who may do what, and on functions.
var plantedRights = []planting{
	{"own-account", "a function runs as the account of whoever wrote the variable", func(e *edit) {
		e.write(functionText, "service_account_email            = google_service_account.runtime.email", "service_account_email = var.build_account")
	}},
	{"own-account", "a function runs as no account that is said", func(e *edit) {
		e.write(functionText, "    service_account_email            = google_service_account.runtime.email\n", "")
	}},
	{"own-account", "the account is called after another function", func(e *edit) { e.set(account, "registerip", "fn-admit", "account_id") }},
	{"own-account", "a function is built by the project's default account", func(e *edit) {
		e.write(functionText, "    service_account = var.build_account\n", "")
	}},
	{"own-account", "a function is built by the account it runs as", func(e *edit) {
		e.write(functionText, "service_account = var.build_account", "service_account = google_service_account.runtime.name")
	}},

	{"basic-role", "somebody is editor", func(e *edit) { e.set("google_project_iam_member", "registerip", "roles/editor", "role") }},
	{"basic-role", "a custom role holds all of a service", func(e *edit) {
		e.set(customOwn, "registerip", []any{"datastore.entities.*"}, "permissions")
	}},

	{"public-member", "everybody may invoke a function for staff", func(e *edit) { e.set(invokes, "registerip", "allUsers", "member") }},
	{"public-member", "everybody may invoke a function for machines", func(e *edit) { e.set(invokes, "syncallowlist", "allUsers", "member") }},
	{"public-member", "whoever has an account may invoke a public function, and nobody else", func(e *edit) {
		e.set(invokes, "trustpage", "allAuthenticatedUsers", "member")
	}},
	{"public-member", "everybody reads a bucket", func(e *edit) {
		e.add(bucket, "archives", "google_storage_bucket_iam_member", values{"bucket": "b", "role": "roles/storage.objectViewer", "member": "allUsers"})
	}},
	{"public-member", "nobody may invoke a public function", func(e *edit) { e.drop(invokes, "trustpage") }},
	{"public-member", "everybody may administer a public function", func(e *edit) { e.set(invokes, "trustpage", "roles/run.admin", "role") }},

	{"members-only", "a role's members are replaced", func(e *edit) {
		e.add(database, "ledger", "google_project_iam_binding", values{"role": "roles/run.invoker", "members": []any{"user:a@company.example"}})
	}},
	{"members-only", "a bucket's whole policy is replaced", func(e *edit) {
		e.add(database, "ledger", "google_storage_bucket_iam_policy", values{"bucket": "b", "policy_data": "{}"})
	}},

	{"no-long-lived-key", "an account has a key", func(e *edit) { e.add(account, "build", "google_service_account_key", values{}) }},
	{"no-long-lived-key", "an account has a key for HMAC", func(e *edit) { e.add(account, "build", "google_storage_hmac_key", values{}) }},

	{"runtime-grants", "a runtime account holds a role of Google's", func(e *edit) {
		e.set("google_project_iam_member", "registerip", "roles/datastore.user", "role")
		e.write(functionText, `role     = google_project_iam_custom_role.grant["database:${each.key}"].name`, `role = "roles/datastore.user"`)
	}},
	{"runtime-grants", "an invoker account invokes another's function", func(e *edit) { e.set(invokes, "syncallowlist", "registerip", "service") }},
	{"runtime-grants", "an invoker account may do more than invoke", func(e *edit) { e.set(invokes, "syncallowlist", "roles/run.developer", "role") }},
	{"runtime-grants", "an invoker account may invoke nothing", func(e *edit) { e.drop(invokes, "syncallowlist") }},

	{"runtime-grants", "a role of Google's is granted to the address of a runtime account", func(e *edit) {
		e.add(bucket, "inbox", "google_storage_bucket_iam_member", values{"bucket": "b", "role": "roles/storage.objectAdmin", "member": "serviceAccount:fn-admit@" + e.text("fn-admit", "project") + ".iam.gserviceaccount.com"})
	}},
	{"acts-as", "somebody makes tokens of an account", func(e *edit) {
		e.add(account, "build", "google_service_account_iam_member", values{"role": "roles/iam.serviceAccountTokenCreator", "member": "serviceAccount:deploy@p.iam.gserviceaccount.com"})
	}},
	{"acts-as", "a person acts as an account", func(e *edit) {
		e.add(account, "build", "google_service_account_iam_member", values{"role": "roles/iam.serviceAccountUser", "member": "user:a@company.example"})
	}},
	{"listed-role", "an account reads every object of a project", func(e *edit) {
		e.add(account, "build", "google_project_iam_member", values{"project": "p", "role": "roles/storage.objectViewer", "member": "serviceAccount:build@p.iam.gserviceaccount.com"})
	}},
	{"listed-role", "a group administers a project's databases", func(e *edit) {
		e.add(account, "build", "google_project_iam_member", values{"project": "p", "role": "roles/datastore.owner", "member": "group:a@company.example"})
	}},

	{"listed-role", "a person takes messages out of a queue", func(e *edit) {
		e.add(account, "build", "google_pubsub_subscription_iam_member", values{"role": "roles/pubsub.subscriber", "member": "user:a@company.example"})
	}},
	{"listed-role", "a group reads a secret", func(e *edit) {
		e.add(account, "build", "google_secret_manager_secret_iam_member", values{"role": "roles/secretmanager.secretAccessor", "member": "group:a@company.example"})
	}},
	{"listed-role", "an environment grants something in a folder", func(e *edit) {
		e.add(account, "build", "google_folder_iam_member", values{"role": "roles/logging.logWriter", "member": "group:a@company.example"})
	}},

	{"invoker", "a person invokes a function for staff past the sign-in", func(e *edit) { e.set(invokes, `"registerip"`, "user:a@company.example", "member") }},
	{"invoker", "the agent of another project's IAP invokes a function", func(e *edit) {
		e.set(invokes, `"registerip"`, "serviceAccount:service-999@gcp-sa-iap.iam.gserviceaccount.com", "member")
	}},
	{"invoker", "a function for machines is invoked by another's account", func(e *edit) { e.set(invokes, `"syncallowlist"`, "sealevidence", "service") }},
	{"invoker", "a group invokes a function for services", func(e *edit) { e.set(invokes, `"admit"`, "group:a@company.example", "member") }},
	{"invoker", "a function is invoked by way of Cloud Functions", func(e *edit) {
		e.add(function, `"registerip"`, "google_cloudfunctions2_function_iam_member", values{"cloud_function": "registerip", "role": "roles/cloudfunctions.invoker", "member": "user:a@company.example"})
	}},

	{"manifest-grants", "a role holds more than the manifest lists", func(e *edit) {
		e.set(customOwn, `"admit"].google_project_iam_custom_role.grant["database:access"]`, []any{"datastore.entities.delete", "datastore.entities.get"}, "permissions")
	}},
	{"manifest-grants", "a role holds less than the manifest lists", func(e *edit) {
		e.set(customOwn, `"registerip"].google_project_iam_custom_role.grant["database:access"]`, []any{"datastore.entities.get"}, "permissions")
	}},
	{"manifest-grants", "what the manifest lists is not granted", func(e *edit) { e.drop("google_project_iam_member", `"admit"]`) }},
	{"manifest-grants", "a function may read every database", func(e *edit) { e.set("google_project_iam_member", `"admit"]`, nil, "condition") }},
	{"manifest-grants", "a function may read another's database", func(e *edit) {
		e.set("google_project_iam_member", `"admit"]`, `resource.name == "projects/p/databases/ledger" || resource.name.startsWith("projects/p/databases/ledger/")`, "condition", "expression")
	}},
	{"manifest-grants", "a function may publish on a topic that is not its own", func(e *edit) {
		e.write(functionText, "topic    = var.topics[each.key]\n  role ", "topic    = google_pubsub_topic.dead[0].id\n  role ")
	}},
	{"manifest-grants", "a function reads a secret of another", func(e *edit) {
		e.set("google_secret_manager_secret_iam_member", "registerip", "ledger-key", "secret_id")
	}},
	{"manifest-grants", "a function opens what another key sealed", func(e *edit) { e.set(key, `seal["otp"]`, "request", "name") }},
	{"manifest-grants", "a function has a role that no manifest lists", func(e *edit) {
		e.set(customOwn, `"admit"].google_project_iam_custom_role.grant["database:access"]`, "ostiary.admit.database_trust", "role_id")
	}},

	{"custom-role", "a role of another project is granted on a database", func(e *edit) {
		e.set(customOwn, `"admit"].google_project_iam_custom_role.grant["database:access"]`, "elsewhere", "project")
	}},
	{"custom-role", "a role of another project is granted on a key", func(e *edit) {
		e.set(customOwn, `"registerip"].google_project_iam_custom_role.grant["key:otp"]`, "elsewhere", "project")
	}},
	{"custom-role", "a role of ours is granted on somebody else's bucket", func(e *edit) {
		e.add(account, "runtime", "google_storage_bucket_iam_member", values{"bucket": "somebody-elses", "role": "projects/ostiary-staging/roles/ostiary.admit.database_access", "member": "serviceAccount:fn-admit@ostiary-staging.iam.gserviceaccount.com"})
	}},
	{"custom-role", "the id of a role is too long", func(e *edit) {
		e.set(customOwn, `"admit"]`, "ostiary.admit.a_name_that_is_longer_than_the_sixty_four_characters_of_a_role", "role_id")
	}},

	{"deployed", "a manifest is not deployed", func(e *edit) { e.drop(function, "registerip") }},
	{"deployed", "something is deployed that has no manifest", func(e *edit) { e.set(function, "registerip", "stranger", "name") }},
	{"deployed", "a function begins somewhere else", func(e *edit) { e.set(function, "registerip", "other", "build_config", "entry_point") }},
	{"deployed", "a function is not told what it reads", func(e *edit) {
		e.set(function, "registerip", nil, "service_config", "environment_variables", "OSTIARY_CLIENT_ADDRESS")
	}},

	{"deployed", "a function is there twice", func(e *edit) { e.set(function, "registerip", "admit", "name") }},

	{"ingress", "a function for machines is reached from outside", func(e *edit) {
		e.set(function, "syncallowlist", "ALLOW_INTERNAL_AND_GCLB", "service_config", "ingress_settings")
	}},
	{"ingress", "a function is reached past the load balancer", func(e *edit) { e.set(function, "registerip", "ALLOW_ALL", "service_config", "ingress_settings") }},
	{"ingress", "it is not said how a function is reached", func(e *edit) { e.set(function, "registerip", nil, "service_config", "ingress_settings") }},

	{"bounded", "a function has any number of instances", func(e *edit) { e.set(function, "registerip", nil, "service_config", "max_instance_count") }},
	{"bounded", "a function has more instances than its manifest says", func(e *edit) {
		e.set(function, "syncallowlist", float64(100), "service_config", "max_instance_count")
	}},
	{"bounded", "a function takes requests side by side that takes one", func(e *edit) {
		e.set(function, "syncallowlist", float64(80), "service_config", "max_instance_request_concurrency")
	}},
	{"bounded", "a function works for an hour", func(e *edit) { e.set(function, "syncallowlist", float64(3600), "service_config", "timeout_seconds") }},

	{"pinned-secret", "the newest version of a secret is read", func(e *edit) {
		e.set(function, "registerip", "secretmanager://ostiary-staging?pin=form-key:latest", "service_config", "environment_variables", "OSTIARY_SECRETS")
	}},
	{"pinned-secret", "a secret is not pinned", func(e *edit) {
		e.set(function, "registerip", "secretmanager://ostiary-staging", "service_config", "environment_variables", "OSTIARY_SECRETS")
	}},
	{"pinned-secret", "another secret is pinned", func(e *edit) {
		e.set(function, "registerip", "secretmanager://ostiary-staging?pin=other:1", "service_config", "environment_variables", "OSTIARY_SECRETS")
	}},
	{"pinned-secret", "a secret is a variable of the environment", func(e *edit) {
		e.set(function, "registerip", []any{values{"key": "FORM_KEY", "secret": "form-key", "version": "1"}}, "service_config", "secret_environment_variables")
	}},

	{"source", "an archive has no digest in its name", func(e *edit) {
		e.set(function, "registerip", "registerip-latest.zip", "build_config", "source", "storage_source", "object")
	}},
	{"source", "a function is built of another's archive", func(e *edit) {
		e.set(function, "registerip", "admit-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip", "build_config", "source", "storage_source", "object")
	}},
	{"source", "an archive lies in a bucket of somebody else", func(e *edit) {
		e.write(functionText, "        bucket = var.archive.bucket\n", "        bucket = \"somebody-elses\"\n")
		e.set(function, "registerip", "somebody-elses", "build_config", "source", "storage_source", "bucket")
	}},
	{"source", "a function says of itself that it is another", func(e *edit) {
		e.set(function, "registerip", "sha256:0000", "service_config", "environment_variables", "OSTIARY_CODE")
	}},
}
