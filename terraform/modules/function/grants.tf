# What the runtime account may do: a custom role per resource with the permissions of the manifest, and no other. What it may do on
# evidence, and with the keys that sign it, is given by terraform/org: who deploys functions gives nothing there.

resource "google_project_iam_custom_role" "grant" {
  for_each    = local.permissions
  project     = local.project
  role_id     = replace("ostiary.${local.name}.${each.key}", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on ${each.key}"
  description = "Generated from the function's manifest."
  permissions = each.value
}

resource "google_project_iam_member" "database" {
  for_each = local.of_kind.database
  project  = local.project
  role     = google_project_iam_custom_role.grant["database:${each.key}"].name
  member   = google_service_account.runtime.member

  condition {
    title      = "only database ${each.key}"
    expression = "resource.name == \"projects/${local.project}/databases/${each.key}\" || resource.name.startsWith(\"projects/${local.project}/databases/${each.key}/\")"
  }
}

resource "google_pubsub_topic_iam_member" "publish" {
  for_each = local.of_kind.topic
  project  = local.project
  topic    = var.topics[each.key]
  role     = google_project_iam_custom_role.grant["topic:${each.key}"].name
  member   = google_service_account.runtime.member
}

resource "google_kms_crypto_key_iam_member" "use" {
  for_each      = local.of_kind.key
  crypto_key_id = var.keys[each.key]
  role          = google_project_iam_custom_role.grant["key:${each.key}"].name
  member        = google_service_account.runtime.member
}

resource "google_secret_manager_secret_iam_member" "read" {
  for_each  = local.of_kind.secret
  project   = local.project
  secret_id = each.key
  role      = google_project_iam_custom_role.grant["secret:${each.key}"].name
  member    = google_service_account.runtime.member
}

resource "google_storage_bucket_iam_member" "use" {
  for_each = local.of_kind.bucket
  bucket   = var.buckets[each.key]
  role     = google_project_iam_custom_role.grant["bucket:${each.key}"].name
  member   = google_service_account.runtime.member
}

# Of what the data map names the secrets alone are ours: passwords of the product's stores, pinned by number. What functions may do in
# the product's own databases and buckets is given there, by terraform/org: who deploys functions has no rights in the product.
resource "google_project_iam_custom_role" "secrets" {
  for_each    = { for k, permissions in local.data : k => permissions if length(permissions) > 0 && startswith(k, "secrets-") }
  project     = local.project
  role_id     = replace("ostiary.${local.name}.${each.key}", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on ${each.key}"
  description = "Generated from the function's manifest."
  permissions = each.value
}

resource "google_secret_manager_secret_iam_member" "data" {
  for_each  = merge([for k, all in var.data.secrets : { for s in keys(all) : s => "secrets-${k}" } if length(local.data["secrets-${k}"]) > 0]...)
  project   = local.project
  secret_id = each.key
  role      = google_project_iam_custom_role.secrets[each.value].name
  member    = google_service_account.runtime.member
}

# Of what is looked at, the controls' own project is given here. Other projects, folders and the organization are given by
# terraform/org, whose administrator alone can.
locals {
  assets      = sort([for p in var.manifest.permissions : p.permission if p.resource == "assets"])
  on_projects = toset(length(local.assets) > 0 && contains(var.looked_at, "projects/${local.project}") ? [local.project] : [])
}

resource "google_project_iam_custom_role" "assets" {
  for_each    = local.on_projects
  project     = each.key
  role_id     = replace("ostiary.${local.name}.assets", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on what there is"
  description = "Generated from the function's manifest."
  permissions = [for p in local.assets : p if !startswith(p, "resourcemanager.folders.") && !startswith(p, "resourcemanager.organizations.")]
}

resource "google_project_iam_member" "assets" {
  for_each = local.on_projects
  project  = each.key
  role     = google_project_iam_custom_role.assets[each.key].name
  member   = google_service_account.runtime.member
}
