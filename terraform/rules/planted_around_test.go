package rules

// person is somebody who is no program.
const person = "user:a@company.example"

// plantedMembers gives rights around an installation to those who are to have none.
var plantedMembers = []planting{
	{"listed-around", "a person administers all buckets of the organization", func(e *edit) {
		e.grant(customOrg, "google_organization_iam_member", values{"org_id": "1", "role": "roles/storage.admin", "member": person})
	}},
	{"listed-around", "a group writes all objects of a folder", func(e *edit) {
		e.grant(customOrg, "google_folder_iam_member", values{"folder": "folders/1", "role": "roles/storage.objectAdmin", "member": "group:a@company.example"})
	}},
	{"listed-around", "a person owns the databases of the controls", func(e *edit) {
		e.grant(customOrg, "google_project_iam_member", values{"project": "ostiary-live", "role": "roles/datastore.owner", "member": person})
	}},
	{"listed-around", "a person makes tokens of the sequencer", func(e *edit) {
		e.grant(customOrg, "google_service_account_iam_member", values{"service_account_id": "projects/p/serviceAccounts/fn-sealevidence@p.iam.gserviceaccount.com", "role": "roles/iam.serviceAccountTokenCreator", "member": person})
	}},
	{"listed-around", "an account publishes what the audit log says", func(e *edit) {
		e.grant(customOrg, "google_pubsub_topic_iam_member", values{"topic": "audit.entries", "role": "roles/pubsub.publisher", "member": "serviceAccount:a@elsewhere.iam.gserviceaccount.com"})
	}},
	{"listed-around", "a person holds a role of a function", func(e *edit) { e.set("google_organization_iam_member", "assets", person, "member") }},
	{"evidence-written", "somebody builds in the project of evidence", func(e *edit) {
		e.grant(customOrg, "google_project_iam_member", values{"project": e.apart(), "role": "roles/cloudbuild.builds.builder", "member": "serviceAccount:a@elsewhere.iam.gserviceaccount.com"})
	}},
	{"listed-bootstrap", "a group administers the organization", func(e *edit) {
		e.grant(customOrg, "google_organization_iam_member", values{"org_id": "1", "role": "roles/resourcemanager.organizationAdmin", "member": "group:a@company.example"})
	}},
	{"listed-bootstrap", "a group makes tokens of an account", func(e *edit) {
		e.grant(customOrg, "google_service_account_iam_member", values{"role": "roles/iam.serviceAccountTokenCreator", "member": "group:a@company.example"})
	}},
	{"listed-bootstrap", "a group looks at what who deploys looks at", func(e *edit) {
		e.grant(customOrg, "google_project_iam_member", values{"project": "ostiary-live", "role": "roles/monitoring.admin", "member": "group:a@company.example"})
	}},
	{"listed-bootstrap", "who deploys writes every state", func(e *edit) {
		e.grant(customOrg, onBucket, values{"bucket": "ostiary-bootstrap-state-live", "role": "roles/storage.objectUser", "member": "serviceAccount:deploy-live@ostiary-bootstrap.iam.gserviceaccount.com"})
	}},
	{"pipeline", "who deploys gives any role, whatever is listed", func(e *edit) {
		for _, holds := range []string{"gives", "limited"} {
			e.untouched = false
			e.condition(onProject, holds, "", " || true")
			if !e.untouched {
				return
			}
		}
	}},
	{"pipeline", "who deploys gives a role that is no function's", func(e *edit) {
		for _, holds := range []string{"gives", "limited"} {
			e.untouched = false
			e.set(onProject, holds, "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/owner'])", "condition", "expression")
			if !e.untouched {
				return
			}
		}
	}},
	{"pipeline", "who deploys administers accounts", func(e *edit) {
		e.set("google_project_iam_member", "predefined", "roles/iam.serviceAccountAdmin", "role")
	}},
	{"pipeline", "who deploys lifts what is denied", func(e *edit) { e.set("google_project_iam_member", "predefined", "roles/iam.denyAdmin", "role") }},
	{"pipeline", "who deploys administers machines", func(e *edit) { e.set("google_project_iam_member", "predefined", "roles/compute.admin", "role") }},
}

// plantedAround breaks the rules on what is set up around an installation.
var plantedAround = []planting{
	{"organization-grants", "a function may do more in the organization than its manifest lists", func(e *edit) {
		e.set(customOrg, "accesslevels", []any{"accesscontextmanager.accessLevels.get", "accesscontextmanager.policies.setIamPolicy"}, "permissions")
	}},
	{"organization-grants", "a function holds a role of Google's in the organization", func(e *edit) {
		e.set("google_access_context_manager_access_policy_iam_member", "levels", "roles/accesscontextmanager.policyAdmin", "role")
	}},
	{"organization-grants", "a function that nobody wrote holds a role", func(e *edit) {
		e.set("google_access_context_manager_access_policy_iam_member", "levels", "serviceAccount:fn-stranger@p.iam.gserviceaccount.com", "member")
	}},
	{"organization-grants", "a function may do less in the organization than its manifest lists", func(e *edit) {
		e.set(customOrg, "syncallowlist.accesslevels", []any{"accesscontextmanager.accessLevels.get"}, "permissions")
	}},

	{"organization-grants", "a function may write Terraform's state", func(e *edit) {
		e.set(customOwn, "state", []any{"storage.objects.get", "storage.objects.create"}, "permissions")
	}},

	{"forge", "runs of every repository come in", func(e *edit) {
		e.set("google_iam_workload_identity_pool_provider", "", nil, "attribute_condition")
	}},
	{"forge", "runs of a repository with the name come in", func(e *edit) {
		e.set("google_iam_workload_identity_pool_provider", "", "assertion.repository == 'company/ostiary' && assertion.repository_owner == 'company'", "attribute_condition")
	}},
	{"forge", "runs of any repository of the owner come in", func(e *edit) {
		e.set("google_iam_workload_identity_pool_provider", "", "assertion.repository_owner_id == '987654321'", "attribute_condition")
	}},
	{"forge", "any run may deploy", func(e *edit) {
		e.write("terraform/bootstrap/main.tf", "/attribute.deploys/live", "/*")
	}},

	{"forge", "every run may deploy, as every run plans", func(e *edit) {
		e.write("terraform/bootstrap/main.tf", "/attribute.deploys/live", "/attribute.plans/123456789")
	}},
	{"forge", "who deploys to staging deploys to live", func(e *edit) {
		e.write("terraform/bootstrap/main.tf", "/attribute.deploys/live", "/attribute.deploys/staging")
	}},
	{"forge", "every run says of itself that it deploys", func(e *edit) {
		e.set("google_iam_workload_identity_pool_provider", "", "'live'", "attribute_mapping", "attribute.deploys")
	}},
	{"forge", "a condition compares, and lets everybody in", func(e *edit) {
		e.set("google_iam_workload_identity_pool_provider", "", "assertion.repository_id == '123456789' && assertion.repository_owner_id == '987654321' ? true : true", "attribute_condition")
	}},
	{"forge", "tokens of somebody else come in", func(e *edit) {
		e.set("google_iam_workload_identity_pool_provider", "", "https://company.example", "oidc", "issuer_uri")
	}},
	{"pipeline", "who plans changes something", func(e *edit) {
		e.set(customOrg, `pipeline["plan"]`, []any{"storage.buckets.get", "storage.buckets.update"}, "permissions")
	}},
	{"pipeline", "who deploys reads documents", func(e *edit) {
		e.set(customOrg, `pipeline["deploy"]`, []any{"datastore.entities.get"}, "permissions")
	}},
	{"pipeline", "who deploys reads secrets", func(e *edit) {
		e.set("google_project_iam_member", "predefined", "roles/secretmanager.secretAccessor", "role")
	}},
	{"pipeline", "who deploys acts as any account", func(e *edit) {
		e.set("google_project_iam_member", "predefined", "roles/iam.serviceAccountUser", "role")
	}},
	{"pipeline", "who deploys gives any role", func(e *edit) {
		for _, holds := range []string{"gives", "limited"} {
			e.untouched = false
			e.set("google_project_iam_member", holds, []any{}, "condition")
			if !e.untouched {
				return
			}
		}
	}},
}
