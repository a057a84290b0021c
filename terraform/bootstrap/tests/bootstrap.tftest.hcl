mock_provider "google" {
  override_during = plan

  mock_resource "google_folder" {
    defaults = { name = "folders/900000000001", folder_id = "900000000001" }
  }
  mock_resource "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/ostiary-bootstrap/serviceAccounts/account@ostiary-bootstrap.iam.gserviceaccount.com"
      email  = "account@ostiary-bootstrap.iam.gserviceaccount.com"
      member = "serviceAccount:account@ostiary-bootstrap.iam.gserviceaccount.com"
    }
  }
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/123456789012/locations/global/workloadIdentityPools/ostiary-forge" }
  }
  mock_resource "google_organization_iam_custom_role" {
    defaults = { name = "organizations/111111111111/roles/ostiary.pipeline.one" }
  }
  mock_resource "google_tags_tag_key" {
    defaults = { id = "tagKeys/281474976710001" }
  }
  mock_resource "google_tags_tag_value" {
    defaults = { id = "tagValues/281474976710002" }
  }
  mock_resource "google_kms_key_ring" {
    defaults = { id = "projects/ostiary-bootstrap/locations/europe-west1/keyRings/state" }
  }
  mock_resource "google_kms_crypto_key" {
    defaults = { id = "projects/ostiary-bootstrap/locations/europe-west1/keyRings/state/cryptoKeys/state" }
  }
}

# So that it can be told which of the two a project has.
override_resource {
  target          = google_organization_iam_custom_role.pipeline["deploy"]
  override_during = plan
  values          = { name = "organizations/111111111111/roles/ostiary.pipeline.deploy" }
}
override_resource {
  target          = google_organization_iam_custom_role.pipeline["plan"]
  override_during = plan
  values          = { name = "organizations/111111111111/roles/ostiary.pipeline.plan" }
}

variables {
  organization    = "111111111111"
  billing_account = "01AB23-45CD67-89EF01"
  github          = { repository_id = "123456789", owner_id = "987654" }
}

run "an_installation_of_both_environments" {
  command = plan

  # Three projects for each environment.
  assert {
    condition     = join(" ", sort([for p in google_project.environment : p.project_id])) == "ostiary-live ostiary-live-ev ostiary-live-wd ostiary-staging ostiary-staging-ev ostiary-staging-wd" && google_project.bootstrap.project_id == "ostiary-bootstrap"
    error_message = "controls, evidence and watchdog are apart, in each environment"
  }
  assert {
    condition     = alltrue([for p in concat(values(google_project.environment), [google_project.bootstrap]) : p.auto_create_network == null && p.deletion_policy == "PREVENT" && p.billing_account == "01AB23-45CD67-89EF01"])
    error_message = "no project is deleted by an apply, and none has Compute Engine switched on to look for a network that the organization policy does not let be made"
  }
  assert {
    condition     = length(google_resource_manager_lien.kept) == 7 && alltrue([for l in google_resource_manager_lien.kept : contains(l.restrictions, "resourcemanager.projects.delete")])
    error_message = "no project is deleted past Terraform either"
  }
  assert {
    condition     = google_folder.installation.parent == "organizations/111111111111" && google_folder.installation.deletion_protection && alltrue([for f in google_folder.environment : f.parent == "folders/900000000001" && f.deletion_protection])
    error_message = "all of it lies in one folder, and each environment in one of its own"
  }
  assert {
    condition     = google_logging_folder_settings.region.storage_location == "europe-west1"
    error_message = "logs of new projects lie in the region, not anywhere"
  }
  assert {
    condition     = alltrue([for s in concat(values(google_project_service.first), values(google_project_service.bootstrap)) : !s.disable_on_destroy]) && length([for s in google_project_service.first : s if s.service == "billingbudgets.googleapis.com"]) == 2 && contains(keys(google_project_service.bootstrap), "accesscontextmanager.googleapis.com")
    error_message = "a service that goes away here must not be switched off for everybody, and budgets need theirs"
  }
  assert {
    condition     = output.projects["live"].evidence.id == "ostiary-live-ev" && output.projects["staging"].controls.number == "123456789012" && output.folders["installation"] == "folders/900000000001" && output.pool == "projects/123456789012/locations/global/workloadIdentityPools/ostiary-forge"
    error_message = "the environments' roots are told which projects are theirs"
  }

  # States are kept sealed and apart.
  assert {
    condition     = join(" ", keys(google_storage_bucket.state)) == "bootstrap live staging" && output.state_buckets["live"] == "ostiary-bootstrap-state-live"
    error_message = "each environment has a state of its own, and so has this root"
  }
  assert {
    condition     = alltrue([for b in google_storage_bucket.state : b.public_access_prevention == "enforced" && b.uniform_bucket_level_access && !b.force_destroy && b.versioning[0].enabled && b.encryption[0].default_kms_key_name == google_kms_crypto_key.state.id && lower(b.location) == "europe-west1" && b.project == "ostiary-bootstrap"])
    error_message = "a state is versioned, sealed with our own key, in the Union, and nobody else's"
  }
  assert {
    condition     = alltrue([for b in google_storage_bucket.state : one(one(b.lifecycle_rule).condition).num_newer_versions == 100 && one(one(b.lifecycle_rule).condition).days_since_noncurrent_time == 30 && one(one(b.lifecycle_rule).condition).with_state == "ARCHIVED"])
    error_message = "of replaced states the old ones go, and the state itself never"
  }
  assert {
    condition     = google_kms_crypto_key.state.rotation_period == "7776000s" && google_kms_crypto_key_iam_member.state.member == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "the key rotates, and the agent of Cloud Storage alone uses it"
  }
  assert {
    condition     = join(" ", [for e, m in google_storage_bucket_iam_member.deploy : "${e} ${m.bucket} ${m.role}"]) == "live ostiary-bootstrap-state-live roles/storage.objectUser staging ostiary-bootstrap-state-staging roles/storage.objectUser" && alltrue([for m in google_storage_bucket_iam_member.plan : m.role == "roles/storage.objectViewer"])
    error_message = "an environment's account writes its own state, and a plan reads it"
  }
  assert {
    condition     = length(google_storage_bucket_iam_member.deploy) + length(google_storage_bucket_iam_member.plan) == 4
    error_message = "no account of an environment reaches the state of this root"
  }
  assert {
    condition     = alltrue([for m in concat(values(google_storage_bucket_iam_member.deploy), values(google_storage_bucket_iam_member.plan)) : one(m.condition).expression == "resource.name == \"projects/_/buckets/${m.bucket}\" || resource.name.startsWith(\"projects/_/buckets/${m.bucket}/objects/environment/\")"])
    error_message = "nor that of the root an administrator applies, which lies in the same bucket"
  }

  # The forge is one repository, by its number.
  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository_id == '123456789' && assertion.repository_owner_id == '987654'" && google_iam_workload_identity_pool_provider.github.oidc[0].issuer_uri == "https://token.actions.githubusercontent.com"
    error_message = "a name of a repository can be taken by somebody else: its number and its owner's decide"
  }
  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_mapping["attribute.deploys"] == "has(assertion.environment) && assertion.ref == 'refs/heads/main' && assertion.workflow_ref.endsWith('/.github/workflows/deploy.yml@refs/heads/main') && assertion.event_name in ['push', 'workflow_dispatch'] ? assertion.environment : 'nothing'"
    error_message = "a run deploys from the released branch, by the one workflow, in a GitHub environment; a pull request never"
  }
  assert {
    condition     = google_service_account_iam_member.deploy["live"].member == "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ostiary-forge/attribute.deploys/live" && google_service_account_iam_member.deploy["staging"].member != google_service_account_iam_member.deploy["live"].member
    error_message = "GitHub's environment live deploys live, and staging's staging"
  }
  assert {
    condition     = alltrue([for m in google_service_account_iam_member.plan : m.member == "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ostiary-forge/attribute.plans/123456789"]) && alltrue([for m in concat(values(google_service_account_iam_member.plan), values(google_service_account_iam_member.deploy)) : m.role == "roles/iam.workloadIdentityUser"])
    error_message = "any branch of the repository plans, and nothing else may be done with the accounts from outside"
  }

  # A plan reads no content.
  assert {
    condition     = alltrue([for p in google_organization_iam_custom_role.pipeline["plan"].permissions : can(regex("[.](get|getIamPolicy|getMetadata|getSettings|list|listEffectiveTags|listTagBindings|use|viewPublicKey)$", p))]) && [for p in google_organization_iam_custom_role.pipeline["plan"].permissions : p if endswith(p, ".use")] == ["serviceusage.services.use"]
    error_message = "a plan changes nothing"
  }
  assert {
    condition = alltrue(flatten([for id in ["plan", "deploy"] : [for p in google_organization_iam_custom_role.pipeline[id].permissions :
      !startswith(p, "storage.objects.") && !startswith(p, "datastore.entities.") && !startswith(p, "logging.logEntries.") && !startswith(p, "logging.privateLogEntries.") && !can(regex("[.](access|consume|publish|actAs|getAccessToken|useToDecrypt|useToEncrypt|useToSign|destroy|invoke|signBlob|signJwt|setIamPolicy)$", p))
    ]]))
    error_message = "neither plan nor deploy reads data, opens a seal, acts as somebody, or gives rights by its main role"
  }
  assert {
    condition     = length(distinct(google_organization_iam_custom_role.pipeline["deploy"].permissions)) == length(google_organization_iam_custom_role.pipeline["deploy"].permissions)
    error_message = "a permission is listed twice"
  }
  assert {
    condition     = alltrue([for p in google_organization_iam_custom_role.pipeline["deploy"].permissions : !can(regex("^(datastore[.]databases|storage[.]buckets|cloudkms[.].*|secretmanager[.].*)[.](delete|destroy)$", p))])
    error_message = "the pipeline deletes nothing that holds data"
  }
  assert {
    condition     = length(google_project_iam_member.plan) == 6 && length(google_project_iam_member.deploy) + length(google_project_iam_member.looks) == 6
    error_message = "both accounts reach the three projects of their environment"
  }
  assert {
    condition     = join(", ", keys(google_project_iam_member.deploy)) == "live controls, staging controls" && alltrue([for m in google_project_iam_member.deploy : endswith(m.role, ".deploy")]) && alltrue([for m in concat(values(google_project_iam_member.plan), values(google_project_iam_member.looks)) : endswith(m.role, ".plan")])
    error_message = "in the projects of evidence and watchdog the pipeline reads: no bucket, key or role there is its to change"
  }

  # The pipeline has no basic role, and gives roles of functions alone.
  assert {
    condition     = alltrue([for m in google_project_iam_member.predefined : !contains(["roles/owner", "roles/editor", "roles/viewer", "roles/resourcemanager.projectIamAdmin", "roles/iam.securityAdmin", "roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator", "roles/storage.admin", "roles/secretmanager.admin", "roles/pubsub.admin", "roles/pubsub.editor", "roles/datastore.owner", "roles/run.admin"], m.role)])
    error_message = "no role of the pipeline brings data, accounts or everything along"
  }
  assert {
    condition     = join(", ", distinct([for key in keys(google_project_iam_member.limited) : replace(key, "/ [0-9]+$/", "")])) == "live controls giveProject, live controls giveStores, staging controls giveProject, staging controls giveStores"
    error_message = "rights are given in the controls' project, and in those of evidence and watchdog none"
  }
  assert {
    condition     = join(", ", sort([for key, m in google_project_iam_member.predefined : key if !strcontains(key, " controls ")])) == "live watchdog roles/monitoring.admin, staging watchdog roles/monitoring.admin"
    error_message = "in the evidence project the pipeline sets up nothing, and in the watchdog's alerts alone"
  }
  assert {
    condition     = !anytrue([for m in google_project_iam_member.predefined : startswith(m.role, "roles/logging.")]) && !anytrue([for p in google_organization_iam_custom_role.pipeline["deploy"].permissions : startswith(p, "logging.sinks.") && !contains(["logging.sinks.get", "logging.sinks.list"], p)])
    error_message = "the pipeline sends no log anywhere"
  }
  assert {
    condition     = alltrue([for p in ["certificatemanager.certmapentries.delete", "certificatemanager.certmaps.delete", "certificatemanager.certs.delete", "certificatemanager.dnsauthorizations.delete"] : contains(google_organization_iam_custom_role.pipeline["deploy"].permissions, p)])
    error_message = "a host that changed its name leaves its certificate behind, and the next apply fails"
  }
  assert {
    condition     = alltrue([for m in google_project_iam_member.limited : startswith(one(m.condition).expression, "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['") && length(split("||", one(m.condition).expression)) <= 3])
    error_message = "rights on projects, keys, buckets and accounts are given under a condition, which is short"
  }
  assert {
    condition     = alltrue(flatten([for m in google_project_iam_member.limited : [for list in split("||", one(m.condition).expression) : length(split("', '", list)) <= 10 && !strcontains(list, "roles/owner") && !strcontains(list, "roles/editor") && !strcontains(list, "TokenCreator")]]))
    error_message = "ten roles are compared at a time, and none of them is a way to everything"
  }
  assert {
    condition     = length([for m in google_project_iam_member.limited : m if m.project == "ostiary-staging" && strcontains(one(m.condition).expression, "'projects/ostiary-staging/roles/ostiary.watchaudit.database_watch'")]) == 1 && !anytrue([for m in google_project_iam_member.limited : strcontains(one(m.condition).expression, "ostiary-live") if startswith(m.project, "ostiary-staging")])
    error_message = "the roles are those of the environment's functions"
  }
  assert {
    condition     = !anytrue([for m in google_project_iam_member.limited : strcontains(one(m.condition).expression, "evidence_") || strcontains(one(m.condition).expression, "signing_key") || strcontains(one(m.condition).expression, "-ev/") || strcontains(one(m.condition).expression, ".firestore'") || strcontains(one(m.condition).expression, ".firewalls'")])
    error_message = "no role on evidence, on the product's data or on doors is the pipeline's to give"
  }
  assert {
    condition     = length(google_project_iam_member.services) == 2 && length(google_billing_account_iam_member.budgets) == 2 && alltrue([for m in google_billing_account_iam_member.budgets : m.role == "roles/billing.costsManager"])
    error_message = "budgets, topics and functions are set up by the pipeline"
  }

  # What a plan has to see beside the projects.
  assert {
    condition     = length(google_billing_account_iam_member.plan) == 2 && toset(google_organization_iam_custom_role.pipeline["budgets"].permissions) == toset(["billing.budgets.get", "billing.budgets.list"])
    error_message = "a plan sees the budgets it compares, and no bill"
  }
  assert {
    condition     = length(google_organization_iam_member.above) == 2 && alltrue([for p in google_organization_iam_custom_role.pipeline["above"].permissions : can(regex("^resourcemanager[.](folders|organizations)[.](get|getIamPolicy)$", p))]) && length(google_organization_iam_custom_role.pipeline["above"].permissions) == 4
    error_message = "who has rights above the projects can be told, and nothing else is read there"
  }

  # What is denied stays denied.
  assert {
    condition     = google_iam_deny_policy.content.parent == "cloudresourcemanager.googleapis.com%2Ffolders%2F900000000001" && alltrue([for p in ["secretmanager.googleapis.com/versions.access", "cloudkms.googleapis.com/cryptoKeyVersions.useToDecrypt", "datastore.googleapis.com/entities.get", "iam.googleapis.com/serviceAccounts.getAccessToken", "pubsub.googleapis.com/subscriptions.consume"] : contains(google_iam_deny_policy.content.rules[0].deny_rule[0].denied_permissions, p)])
    error_message = "whatever it gives itself, the pipeline reads no secret, document or message, opens no seal and acts as no function"
  }
  assert {
    condition     = length(google_iam_deny_policy.content.rules[0].deny_rule[0].denied_principals) == 4 && alltrue([for p in google_iam_deny_policy.content.rules[0].deny_rule[0].denied_principals : startswith(p, "principal://iam.googleapis.com/projects/-/serviceAccounts/")])
    error_message = "both accounts of both environments are denied"
  }
  assert {
    condition     = alltrue([for p in ["iam.googleapis.com/roles.update", "cloudresourcemanager.googleapis.com/projects.setIamPolicy", "storage.googleapis.com/buckets.update", "logging.googleapis.com/buckets.update"] : contains(google_iam_deny_policy.evidence["live"].rules[0].deny_rule[0].denied_permissions, p)]) && length(google_iam_deny_policy.evidence) == 2 && google_iam_deny_policy.evidence["live"].parent == "cloudresourcemanager.googleapis.com%2Fprojects%2Fostiary-live-ev" && contains(google_iam_deny_policy.evidence["live"].rules[0].deny_rule[0].denied_permissions, "storage.googleapis.com/objects.create")
    error_message = "no account of the pipeline adds to evidence, reads it, takes of it, lets it go by age or gives somebody else the right to"
  }
  assert {
    condition     = contains(google_iam_deny_policy.content.rules[0].deny_rule[0].denied_permissions, "logging.googleapis.com/sinks.create")
    error_message = "no account of the pipeline sends logs elsewhere, whatever it gives itself"
  }
  assert {
    condition     = google_iam_deny_policy.functions.parent == "cloudresourcemanager.googleapis.com%2Ffolders%2F900000000001" && length(google_iam_deny_policy.functions.rules[0].deny_rule[0].denied_principals) == 2 && alltrue([for p in google_iam_deny_policy.functions.rules[0].deny_rule[0].denied_principals : p == "principalSet://cloudresourcemanager.googleapis.com/projects/123456789012/type/ServiceAccount"])
    error_message = "the accounts of the controls' projects, those too that somebody adds, are denied in the whole folder"
  }
  assert {
    condition     = alltrue([for p in ["cloudresourcemanager.googleapis.com/projects.setIamPolicy", "iam.googleapis.com/roles.update", "iam.googleapis.com/serviceAccounts.actAs", "iam.googleapis.com/serviceAccounts.setIamPolicy", "run.googleapis.com/services.setIamPolicy", "storage.googleapis.com/buckets.setIamPolicy"] : contains(google_iam_deny_policy.functions.rules[0].deny_rule[0].denied_permissions, p)])
    error_message = "a role that was widened makes no function an administrator"
  }
  assert {
    condition     = length(setintersection(toset([for p in local.no_function : replace(replace(p, "cloudresourcemanager", "resourcemanager"), ".googleapis.com/", ".")]), toset(flatten([for m in local.manifests : m.permissions[*].permission])))) == 0
    error_message = "what is denied to functions is asked for by none"
  }
  assert {
    condition     = alltrue([for p in flatten([google_iam_deny_policy.content.display_name, google_iam_deny_policy.functions.display_name, values(google_iam_deny_policy.evidence)[*].display_name]) : length(p) <= 63])
    error_message = "the name of a deny policy has at most 63 characters"
  }

  # Roles are given to those they are meant for.
  assert {
    condition     = google_org_policy_custom_constraint.hands["ostiaryOwnRoles"].action_type == "ALLOW" && google_org_policy_custom_constraint.hands["ostiaryOwnRoles"].condition == "resource.bindings.all(binding, RoleNameStartsWith(binding.role, ['roles/', 'organizations/']) || binding.members.all(member, MemberSubjectStartsWith(member, ['serviceAccount:fn-']) && MemberSubjectEndsWith(member, ['@ostiary-live.iam.gserviceaccount.com', '@ostiary-staging.iam.gserviceaccount.com'])))"
    error_message = "a role that the pipeline writes is no role of the pipeline's, nor of a person"
  }
  assert {
    condition     = google_org_policy_custom_constraint.hands["ostiarySecrets"].action_type == "DENY" && strcontains(google_org_policy_custom_constraint.hands["ostiarySecrets"].condition, "'roles/secretmanager.secretAccessor'") && !strcontains(google_org_policy_custom_constraint.hands["ostiarySecrets"].condition, "ServiceAgent")
    error_message = "nobody is given a secret's value by a predefined role"
  }
  assert {
    condition     = alltrue([for c in google_org_policy_custom_constraint.hands : length(c.condition) <= 1000 && toset(c.method_types) == toset(["CREATE", "UPDATE"]) && toset(c.resource_types) == toset(["iam.googleapis.com/AllowPolicy"])])
    error_message = "a constraint looks at what is given, in at most 1000 characters"
  }
  assert {
    condition     = alltrue([for p in google_org_policy_policy.hands : p.parent == "folders/900000000001" && one(p.spec[0].rules).enforce == "TRUE"]) && length(google_org_policy_policy.hands) == 2
    error_message = "constraints that nobody enforces hold nothing"
  }

  # Rules hold for every project.
  assert {
    condition     = alltrue([for name in ["iam.disableServiceAccountKeyCreation", "iam.disableServiceAccountKeyUpload", "iam.automaticIamGrantsForDefaultServiceAccounts", "storage.publicAccessPrevention", "storage.uniformBucketLevelAccess", "compute.skipDefaultNetworkCreation", "compute.requireOsLogin"] : one(google_org_policy_policy.enforced[name].spec[0].rules).enforce == "TRUE"]) && alltrue([for p in google_org_policy_policy.enforced : p.parent == "folders/900000000001" && startswith(p.name, "folders/900000000001/policies/")])
    error_message = "no keys, no public buckets, no default network, no default editors"
  }
  assert {
    condition     = one(google_org_policy_policy.values["gcp.resourceLocations"].spec[0].rules).values[0].allowed_values == tolist(["in:eu-locations"])
    error_message = "everything that has a place is in the Union"
  }
  assert {
    condition     = !contains(one(google_org_policy_policy.values["run.allowedIngress"].spec[0].rules).values[0].allowed_values, "is:all") && one(google_org_policy_policy.values["cloudfunctions.allowedIngressSettings"].spec[0].rules).values[0].allowed_values == tolist(["ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"])
    error_message = "no function is reached past the load balancer"
  }
  assert {
    condition     = one(google_org_policy_policy.values["iam.workloadIdentityPoolProviders"].spec[0].rules).values[0].allowed_values == tolist(["https://token.actions.githubusercontent.com"]) && one(google_org_policy_policy.denied["compute.vmExternalIpAccess"].spec[0].rules).deny_all == "TRUE"
    error_message = "no other forge, and no machine on the internet"
  }
  assert {
    condition     = google_org_policy_policy.members.spec[0].rules[0].allow_all == "TRUE" && google_org_policy_policy.members.spec[0].rules[0].condition[0].expression == "resource.matchTagId('tagKeys/281474976710001', 'tagValues/281474976710002')"
    error_message = "everybody may call only what carries the tag"
  }
  assert {
    condition     = google_org_policy_policy.members.spec[0].rules[1].values[0].allowed_values == tolist(["is:principalSet://iam.googleapis.com/organizations/111111111111"]) && length(google_org_policy_policy.members.spec[0].rules[1].condition) == 0
    error_message = "everything else is given to the company's own people and programs"
  }
  assert {
    condition     = length(google_tags_tag_value_iam_member.public) == 2 && output.public_tag == "tagValues/281474976710002" && alltrue([for m in google_tags_tag_value_iam_member.public : m.role == "roles/resourcemanager.tagUser"])
    error_message = "the accounts that deploy may put the tag on, and not change what it means"
  }
}

run "one_environment_in_a_folder_begun_again" {
  command = plan
  variables {
    environments       = ["staging"]
    parent_folder      = "222222222222"
    prefix             = "sc-ostiary"
    suffix             = "-b"
    further_identities = ["C03abc12d"]
    pipeline_budgets   = false
  }

  assert {
    condition     = join(" ", sort([for p in google_project.environment : p.project_id])) == "sc-ostiary-staging-b sc-ostiary-staging-ev-b sc-ostiary-staging-wd-b" && google_folder.installation.parent == "folders/222222222222"
    error_message = "ids that are blocked for 30 days are not taken again"
  }
  assert {
    condition     = google_iam_workload_identity_pool.forge.workload_identity_pool_id == "ostiary-forge-b" && google_organization_iam_custom_role.pipeline["plan"].role_id == "ostiary.pipeline.plan_b" && google_tags_tag_key.public.short_name == "ostiary-callers-b"
    error_message = "nor are names of pools, roles and tags"
  }
  assert {
    condition     = contains(google_org_policy_policy.members.spec[0].rules[1].values[0].allowed_values, "is:C03abc12d") && length(google_billing_account_iam_member.budgets) == 0 && length([for s in google_project_service.first : s if s.service == "billingbudgets.googleapis.com"]) == 0
    error_message = "who else may be given rights is named, and budgets are a person's where nobody gave them to the pipeline"
  }
  assert {
    condition     = google_org_policy_custom_constraint.hands["ostiaryOwnRoles"].name == "custom.ostiaryOwnRolesB" && length(google_billing_account_iam_member.plan) == 0 && length(google_resource_manager_lien.kept) == 4
    error_message = "nothing is made of an environment that is not set up"
  }
}

run "refuses_what_is_no_value" {
  command = plan
  variables {
    organization       = "company.example"
    parent_folder      = "folders/222222222222"
    billing_account    = "billingAccounts/01AB23-45CD67-89EF01"
    quota_project      = "123456789012"
    prefix             = "sharedcontacts"
    suffix             = "b"
    environments       = ["staging", "production"]
    region             = "europe-west6"
    github             = { repository_id = "company/ostiary", owner_id = "987654" }
    further_identities = ["company.example"]
    state_versions     = 1
  }
  expect_failures = [
    var.organization, var.parent_folder, var.billing_account, var.quota_project, var.prefix, var.suffix, var.environments, var.region,
    var.github, var.further_identities, var.state_versions,
  ]
}

run "refuses_a_branch_that_would_end_the_condition" {
  command = plan
  variables {
    github = { repository_id = "123456789", owner_id = "987654", branch = "main' || true || '" }
  }
  expect_failures = [var.github]
}
