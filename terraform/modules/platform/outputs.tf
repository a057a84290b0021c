output "topics" {
  description = "Topics by name: projects/P/topics/NAME."
  value       = { for name, topic in google_pubsub_topic.event : name => topic.id }
}

output "keys" {
  description = "Keys that seal, by the name manifests use: projects/P/locations/L/keyRings/ostiary/cryptoKeys/NAME."
  value       = { for name, key in google_kms_crypto_key.seal : name => key.id }
}

output "signing_keys" {
  description = "Keys that sign, by the name manifests use: evidence is the one of checkpoints. They lie in the evidence project."
  value       = { for name, key in google_kms_crypto_key.sign : name => key.id }
}

output "buckets" {
  description = "Buckets by the name manifests use. The one of Terraform's state is made with the projects, and is not among them."
  value = {
    "evidence-inbox" = google_storage_bucket.inbox.name
    "evidence-log"   = google_storage_bucket.tiles.name
    "evidence-head"  = google_storage_bucket.head.name
    policy           = google_storage_bucket.policy.name
  }
}

output "locked_buckets" {
  description = "Buckets whose retention is locked, and has to stay so."
  value       = var.locked ? [google_storage_bucket.tiles.name] : []
}

output "archives_bucket" {
  description = "Bucket of the functions' source archives."
  value       = google_storage_bucket.archives.name
}

output "build_account" {
  description = "Resource name of the account that builds functions: projects/P/serviceAccounts/ADDRESS."
  value       = google_service_account.build.name
}

output "build_account_email" {
  description = "Address of the account that builds functions."
  value       = google_service_account.build.email
}

output "repository" {
  description = "Repository of images in the functions' region: projects/P/locations/L/repositories/ostiary."
  value       = google_artifact_registry_repository.functions[var.region].id
}

output "repositories" {
  description = "Repositories of images by region. A function can use none but its own region's."
  value       = { for region, r in google_artifact_registry_repository.functions : region => r.id }
}

output "databases" {
  description = "Databases by the name manifests use."
  value       = local.kept
}

output "secrets" {
  description = "Secrets by name, those of manifests and of the data map: projects/P/secrets/NAME. What they hold is no concern of Terraform's."
  value       = { for name, s in merge(google_secret_manager_secret.function, google_secret_manager_secret.store) : name => s.id }
}

output "agents" {
  description = "Members of the accounts that Google keeps for its services in the functions' project, by service."
  value       = local.agents
}

output "ready" {
  description = "What has to be there before a function can be deployed; to be depended on."
  value = concat(
    [for s in google_project_service.controls : s.id],
    [for m in google_artifact_registry_repository_iam_member.build : m.id],
    [google_project_iam_member.build_logs.id, google_project_iam_member.build_copies.id, google_storage_bucket_iam_member.build_archives.id],
    [for m in google_service_account_iam_member.build_with : m.id],
    values(local.kept),
    [for i in google_firestore_index.query : i.id],
  )
}
