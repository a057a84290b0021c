output "projects" {
  description = "Projects of each environment: id and number of controls, evidence and watchdog, as the environment's root takes them."
  value = { for environment in var.environments : environment => { for purpose in keys(local.purposes) : purpose => {
    id     = google_project.environment["${environment} ${purpose}"].project_id
    number = google_project.environment["${environment} ${purpose}"].number
  } } }
}

output "folders" {
  description = "Folder of each environment, as the org root takes a scope; installation is the one all of them lie in."
  value       = merge({ for environment, folder in google_folder.environment : environment => folder.name }, { installation = google_folder.installation.name })
}

output "bootstrap_project" {
  description = "Project of the states and of the forge's identities: name it as quota_project from the second run on."
  value       = { id = google_project.bootstrap.project_id, number = google_project.bootstrap.number }
}

output "state_buckets" {
  description = "Buckets of Terraform's states, by environment; bootstrap is this root's own. The prefix of an environment's own state is environment, that of the org root is org."
  value       = { for name, bucket in google_storage_bucket.state : name => bucket.name }
}

output "workload_identity_provider" {
  description = "Provider that GitHub's tokens are exchanged at, as a workflow names it: projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/github."
  value       = google_iam_workload_identity_pool_provider.github.name
}

output "pool" {
  description = "Pool of the forge's identities: a token of the deploying account that did not come through it is an alarm."
  value       = google_iam_workload_identity_pool.forge.name
}

output "plan_accounts" {
  description = "Address of the account that plans, by environment."
  value       = { for environment, account in google_service_account.plan : environment => account.email }
}

output "deploy_accounts" {
  description = "Address of the account that deploys, by environment: archive_writers and deployers of its root, and whom the alert on its use watches."
  value       = { for environment, account in google_service_account.deploy : environment => account.email }
}

output "public_tag" {
  description = "Tag value, tagValues/NUMBER, that a function for everybody carries before everybody may call it."
  value       = google_tags_tag_value.public.id
}
