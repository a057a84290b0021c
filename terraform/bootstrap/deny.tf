# Who sets up the controls' project could give himself, in the end, what he sets up: roles of functions are his to write. What is
# denied here stays denied whatever anybody gives (IAM documentation, "Deny policies"), and no account named here may change it.
#
# What somebody with a stolen token of the pipeline can do all the same, in the controls' project of that environment, and what
# tells of it: deploy other code as a function, and rewrite that function's own roles and the conditions they are given under, so that
# it reads every database of the project, opens every seal, and destroys keys (the drift control compares what runs, and every role,
# with what was released); send a topic's messages elsewhere by a subscription of his own, personal data in them being sealed; let
# documents, archives and policies go by age; take away alerts, those of the watchdog's project too. He cannot act unseen: what he
# sets up is in the Admin Activity log, which nobody can stop or empty, and his use outside of a run is an alarm. In the evidence
# project he reads how it is set up, and changes nothing. None of this has been tried against Google Cloud here:
# docs/deploying.md says how to.

locals {
  # Of a deny policy each permission has to be one that supports it ("Permissions supported in deny policies").
  nobody_reads = [
    "cloudkms.googleapis.com/cryptoKeyVersions.destroy",
    "cloudkms.googleapis.com/cryptoKeyVersions.useToDecrypt",
    "cloudkms.googleapis.com/cryptoKeyVersions.useToSign",
    "datastore.googleapis.com/entities.create",
    "datastore.googleapis.com/entities.delete",
    "datastore.googleapis.com/entities.get",
    "datastore.googleapis.com/entities.list",
    "datastore.googleapis.com/entities.update",
    "iam.googleapis.com/serviceAccountKeys.create",
    "iam.googleapis.com/serviceAccounts.getAccessToken",
    "iam.googleapis.com/serviceAccounts.getOpenIdToken",
    "iam.googleapis.com/serviceAccounts.implicitDelegation",
    "iam.googleapis.com/serviceAccounts.signBlob",
    "iam.googleapis.com/serviceAccounts.signJwt",
    "logging.googleapis.com/sinks.create",
    "logging.googleapis.com/sinks.delete",
    "logging.googleapis.com/sinks.update",
    "pubsub.googleapis.com/subscriptions.consume",
    "secretmanager.googleapis.com/versions.access",
    "secretmanager.googleapis.com/versions.add",
  ]

  # In the controls' project the pipeline adds archives. In that of evidence it touches no object, and nothing that objects lie in.
  nobody_touches = [
    "cloudresourcemanager.googleapis.com/projects.setIamPolicy",
    "iam.googleapis.com/roles.create",
    "iam.googleapis.com/roles.delete",
    "iam.googleapis.com/roles.undelete",
    "iam.googleapis.com/roles.update",
    "logging.googleapis.com/buckets.delete",
    "logging.googleapis.com/buckets.update",
    "storage.googleapis.com/buckets.delete",
    "storage.googleapis.com/buckets.setIamPolicy",
    "storage.googleapis.com/buckets.update",
    "storage.googleapis.com/objects.create",
    "storage.googleapis.com/objects.delete",
    "storage.googleapis.com/objects.get",
    "storage.googleapis.com/objects.list",
    "storage.googleapis.com/objects.update",
  ]

  # No function gives rights, makes roles, acts as another account or deploys. Whatever a role of a function is rewritten to, these
  # it does not give: who writes roles becomes no administrator through a function. What it holds he can read through it.
  no_function = [
    "cloudresourcemanager.googleapis.com/projects.setIamPolicy",
    "iam.googleapis.com/roles.create",
    "iam.googleapis.com/roles.delete",
    "iam.googleapis.com/roles.undelete",
    "iam.googleapis.com/roles.update",
    "iam.googleapis.com/serviceAccountKeys.create",
    "iam.googleapis.com/serviceAccounts.actAs",
    "iam.googleapis.com/serviceAccounts.create",
    "iam.googleapis.com/serviceAccounts.getAccessToken",
    "iam.googleapis.com/serviceAccounts.getOpenIdToken",
    "iam.googleapis.com/serviceAccounts.implicitDelegation",
    "iam.googleapis.com/serviceAccounts.setIamPolicy",
    "iam.googleapis.com/serviceAccounts.signBlob",
    "iam.googleapis.com/serviceAccounts.signJwt",
    "logging.googleapis.com/buckets.delete",
    "logging.googleapis.com/buckets.update",
    "logging.googleapis.com/sinks.create",
    "logging.googleapis.com/sinks.delete",
    "logging.googleapis.com/sinks.update",
    "pubsub.googleapis.com/subscriptions.consume",
    "run.googleapis.com/services.create",
    "run.googleapis.com/services.delete",
    "run.googleapis.com/services.setIamPolicy",
    "run.googleapis.com/services.update",
    "storage.googleapis.com/buckets.setIamPolicy",
  ]

  pipeline = { for environment in var.environments : environment => [
    for account in [google_service_account.deploy[environment], google_service_account.plan[environment]] : "principal://iam.googleapis.com/projects/-/serviceAccounts/${account.email}"
  ] }
}

# On the whole folder: an account of staging is denied live's data too, should somebody ever give it.
resource "google_iam_deny_policy" "content" {
  parent       = urlencode("cloudresourcemanager.googleapis.com/${google_folder.installation.name}")
  name         = "ostiary-pipeline-content"
  display_name = "The pipeline reads no data and acts as no function"

  rules {
    description = "Accounts that plan and deploy"
    deny_rule {
      denied_principals  = flatten(values(local.pipeline))
      denied_permissions = local.nobody_reads
    }
  }
}

resource "google_iam_deny_policy" "evidence" {
  for_each     = var.environments
  parent       = urlencode("cloudresourcemanager.googleapis.com/projects/${google_project.environment["${each.key} evidence"].project_id}")
  name         = "ostiary-pipeline-evidence"
  display_name = "The pipeline changes nothing of the evidence"

  rules {
    description = "Accounts that plan and deploy"
    deny_rule {
      denied_principals  = flatten(values(local.pipeline))
      denied_permissions = local.nobody_touches
    }
  }
}

# Accounts of the controls' projects, also those that somebody adds; agents of Google's services are others. On the installation's
# folder: what a function is denied holds in every project of every environment.
resource "google_iam_deny_policy" "functions" {
  parent       = urlencode("cloudresourcemanager.googleapis.com/${google_folder.installation.name}")
  name         = "ostiary-functions"
  display_name = "No function gives rights, makes roles or deploys"

  rules {
    description = "Accounts of the controls' projects"
    deny_rule {
      denied_principals  = [for key, project in local.controls : "principalSet://cloudresourcemanager.googleapis.com/projects/${google_project.environment[key].number}/type/ServiceAccount"]
      denied_permissions = local.no_function
    }
  }
}

# To whom roles may be given. A condition on a grant limits which roles change hands and not whose hands: this limits the hands.
# Only what is added to a policy is looked at (IAM documentation, "Use custom organization policies for allow policies").
locals {
  hands = {
    # A role that a project has of its own is a function's. The pipeline writes such roles, and so may not have one, nor lend one
    # to a person.
    ostiaryOwnRoles = {
      action    = "ALLOW"
      title     = "Roles of Ostiary's projects are given to functions alone"
      condition = "resource.bindings.all(binding, RoleNameStartsWith(binding.role, ['roles/', 'organizations/']) || binding.members.all(member, MemberSubjectStartsWith(member, ['serviceAccount:fn-']) && MemberSubjectEndsWith(member, [${join(", ", [for project in local.controls : "'@${project.id}.iam.gserviceaccount.com'"])}])))"
    }
    # A function reads the secrets of its manifest by a role of its own; nobody else reads any by a role on a single secret.
    ostiarySecrets = {
      action    = "DENY"
      title     = "Nobody is given the values of Ostiary's secrets by a predefined role"
      condition = "resource.bindings.exists(binding, RoleNameMatches(binding.role, ['roles/secretmanager.secretAccessor', 'roles/secretmanager.admin']) && binding.members.exists(member, MemberTypeMatches(member, [${join(", ", [for kind in ["ConsumerGroup", "ConsumerPrincipal", "Domain", "PublicPrincipals", "ServiceAccount", "WorkforcePoolPrincipal", "WorkforcePoolPrincipalSet", "WorkloadPoolPrincipal", "WorkloadPoolPrincipalSet", "WorkspaceGroup", "WorkspacePrincipal"] : "'iam.googleapis.com/${kind}'"])}])))"
    }
  }
}

resource "google_org_policy_custom_constraint" "hands" {
  for_each       = local.hands
  parent         = "organizations/${var.organization}"
  name           = "custom.${each.key}${title(trimprefix(var.suffix, "-"))}"
  display_name   = each.value.title
  description    = "Holds in the folder of Ostiary. Who has to go past it asks an administrator of organization policies."
  action_type    = each.value.action
  condition      = each.value.condition
  method_types   = ["CREATE", "UPDATE"]
  resource_types = ["iam.googleapis.com/AllowPolicy"]
}

resource "google_org_policy_policy" "hands" {
  for_each = google_org_policy_custom_constraint.hands
  name     = "${local.parent}/policies/${each.value.name}"
  parent   = local.parent

  spec {
    rules {
      enforce = "TRUE"
    }
  }
}
