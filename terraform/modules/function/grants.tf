# What the runtime account may do: a custom role per resource with the permissions of the manifest, and no other.

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

resource "google_kms_crypto_key_iam_member" "sign" {
  for_each      = local.of_kind["signing-key"]
  crypto_key_id = var.signing_keys[each.key]
  role          = google_project_iam_custom_role.grant["signing-key:${each.key}"].name
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

# Whose a piece of evidence is can be told from where it lies: a function writes below its own name, and below the names
# of those whose leftovers it sweeps. The bucket has uniform access: conditions need it.
resource "google_storage_bucket_iam_member" "place" {
  for_each = local.of_kind.place
  bucket   = var.buckets[each.key]
  role     = google_project_iam_custom_role.grant["place:${each.key}"].name
  member   = google_service_account.runtime.member

  condition {
    title      = "only below ${local.name}/${length(var.manifest.sweeps) == 0 ? "" : " and those it sweeps for"}"
    expression = join(" || ", [for name in concat([local.name], var.manifest.sweeps) : "resource.name.startsWith(\"projects/_/buckets/${var.buckets[each.key]}/objects/${name}/\")"])
  }
}

# What the data map names is the product's: its databases and buckets lie in the product's own project, where the roles are
# made too. Each binding names one database, one bucket or one secret.
resource "google_project_iam_custom_role" "data" {
  for_each    = { for k, permissions in local.data : k => permissions if length(permissions) > 0 && contains(["firestore", "gcs", "project"], k) }
  project     = var.data.project
  role_id     = replace("ostiary.${local.name}.${each.key}", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on the product's ${each.key}"
  description = "Generated from the function's manifest."
  permissions = each.value
}

resource "google_project_iam_member" "data" {
  for_each = length(local.data["firestore"]) > 0 ? toset(var.data.databases) : []
  project  = var.data.project
  role     = google_project_iam_custom_role.data["firestore"].name
  member   = google_service_account.runtime.member

  condition {
    title      = "only database ${each.key}"
    expression = "resource.name == \"projects/${var.data.project}/databases/${each.key}\" || resource.name.startsWith(\"projects/${var.data.project}/databases/${each.key}/\")"
  }
}

# Which databases and buckets there are is told of the project as a whole, and nothing of what is in them.
resource "google_project_iam_member" "stores" {
  count   = length(local.data["project"]) > 0 ? 1 : 0
  project = var.data.project
  role    = google_project_iam_custom_role.data["project"].name
  member  = google_service_account.runtime.member
}

resource "google_storage_bucket_iam_member" "data" {
  for_each = length(local.data["gcs"]) > 0 ? toset(var.data.buckets) : []
  bucket   = each.key
  role     = google_project_iam_custom_role.data["gcs"].name
  member   = google_service_account.runtime.member
}

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

resource "google_project_iam_member" "connections" {
  for_each = length(local.data["secrets-grants"]) > 0 ? toset(var.data.grants) : []
  project  = split("/", each.key)[1]
  role     = google_project_iam_custom_role.secrets["secrets-grants"].name
  member   = google_service_account.runtime.member

  condition {
    title      = "only secrets of connections"
    expression = "resource.name.startsWith(\"${each.key}\")"
  }
}

# What is looked at lies in other places: the roles are made there, in projects without what only folders and organizations
# have. A folder has no custom roles: it takes its organization's.
locals {
  assets      = sort([for p in local.wanted : p.permission if p.resource == "assets"])
  places      = length(local.assets) > 0 ? var.looked_at : []
  on_projects = toset([for place in local.places : trimprefix(place, "projects/") if startswith(place, "projects/")])
  on_folders  = toset([for place in local.places : place if startswith(place, "folders/")])
  on_all      = toset([for place in local.places : trimprefix(place, "organizations/") if startswith(place, "organizations/")])

  # What places lie in, and the firewall policies that hold in them from there, are read by those permissions alone, and only
  # where the organization is named. It is looked at whole: nothing lies above it.
  of_above = [for p in local.assets : p if startswith(p, "resourcemanager.folders.") || startswith(p, "resourcemanager.organizations.") || startswith(p, "compute.firewallPolicies.")]
  climbs   = var.organization != "" && length(local.of_above) > 0 && length(local.places) > 0 && length(local.on_all) == 0
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

resource "google_organization_iam_custom_role" "assets" {
  count       = length(local.on_folders) + length(local.on_all) > 0 ? 1 : 0
  org_id      = var.organization
  role_id     = replace("ostiary.${local.name}.assets", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on what there is"
  description = "Generated from the function's manifest."
  permissions = local.assets

  lifecycle {
    precondition {
      condition     = can(regex("^[0-9]+$", var.organization)) && alltrue([for number in local.on_all : number == var.organization])
      error_message = "A folder or the organization is looked at: the number of the organization must be given."
    }
  }
}

resource "google_folder_iam_member" "assets" {
  for_each = local.on_folders
  folder   = each.key
  role     = google_organization_iam_custom_role.assets[0].name
  member   = google_service_account.runtime.member
}

resource "google_organization_iam_member" "assets" {
  for_each = local.on_all
  org_id   = each.key
  role     = google_organization_iam_custom_role.assets[0].name
  member   = google_service_account.runtime.member
}

resource "google_organization_iam_custom_role" "above" {
  count       = local.climbs ? 1 : 0
  org_id      = var.organization
  role_id     = replace("ostiary.${local.name}.above", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on what its places lie in"
  description = "Generated from the function's manifest."
  permissions = local.of_above
}

resource "google_organization_iam_member" "above" {
  count  = local.climbs && length(var.folders) == 0 ? 1 : 0
  org_id = var.organization
  role   = google_organization_iam_custom_role.above[0].name
  member = google_service_account.runtime.member
}

resource "google_folder_iam_member" "above" {
  for_each = local.climbs ? toset(var.folders) : []
  folder   = "folders/${each.key}"
  role     = google_organization_iam_custom_role.above[0].name
  member   = google_service_account.runtime.member
}
