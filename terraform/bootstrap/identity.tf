# Whom the forge may act as: no key file, but a token that GitHub signs for one run of one workflow, exchanged for one of an account.

resource "google_iam_workload_identity_pool" "forge" {
  project                   = google_project.bootstrap.project_id
  workload_identity_pool_id = "ostiary-forge${var.suffix}"
  display_name              = "Ostiary's forge"
  description               = "Runs of the workflows that plan and deploy Ostiary."
  depends_on                = [google_project_service.bootstrap]

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  main = "refs/heads/${var.github.branch}"

  # A run deploys where GitHub let it into an environment, on the released branch, by the one workflow, because somebody pushed or
  # asked for it. Everything is looked at, though the protection rules of a GitHub environment say some of it too: who administers the
  # repository can change those. A run without an environment has no such claim.
  released = "has(assertion.environment) && assertion.ref == '${local.main}' && assertion.workflow_ref.endsWith('/${var.github.workflow}@${local.main}') && assertion.event_name in ['push', 'workflow_dispatch'] ? assertion.environment : 'nothing'"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  project                            = google_project.bootstrap.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.forge.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"
  description                        = "Tokens of one repository, known by its number and its owner's."

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }

  # The subject is what audit logs show: the run. A name of a branch could make it longer than the 127 bytes it may have.
  attribute_mapping = {
    "google.subject"    = "assertion.repository_id + '/' + assertion.run_id + '/' + assertion.run_attempt"
    "attribute.plans"   = "assertion.repository_id"
    "attribute.deploys" = local.released
  }

  # GitHub signs for every repository of the world with the same key: without this, all of them could come in.
  attribute_condition = "assertion.repository_id == '${var.github.repository_id}' && assertion.repository_owner_id == '${var.github.owner_id}'"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_service_account" "plan" {
  for_each     = var.environments
  project      = google_project.bootstrap.project_id
  account_id   = "plan-${each.key}"
  display_name = "Plans ${each.key}"
  description  = "Reads how ${each.key} is set up, from any branch. Changes nothing and reads no data."
  depends_on   = [google_project_service.bootstrap]
}

resource "google_service_account" "deploy" {
  for_each     = var.environments
  project      = google_project.bootstrap.project_id
  account_id   = "deploy-${each.key}"
  display_name = "Deploys ${each.key}"
  description  = "Sets up ${each.key}, from the released branch and GitHub's environment ${each.key} alone. Whoever else acts as it is an alarm."
  depends_on   = [google_project_service.bootstrap]
}

resource "google_service_account_iam_member" "plan" {
  for_each           = var.environments
  service_account_id = google_service_account.plan[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.forge.name}/attribute.plans/${var.github.repository_id}"
}

resource "google_service_account_iam_member" "deploy" {
  for_each           = var.environments
  service_account_id = google_service_account.deploy[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.forge.name}/attribute.deploys/${each.key}"
}
