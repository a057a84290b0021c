package rules

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
