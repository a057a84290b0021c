# What functions may do in folders and in the organization. A folder has no custom roles: it takes its organization's. What they may
# do in single projects is given by the environment, with the function.

locals {
  assets = { for name, permissions in {
    for name, m in local.functions : name => sort([for p in m.permissions : p.permission if p.resource == "assets"])
  } : name => permissions if length(permissions) > 0 }

  on_folders = toset([for place in local.looked_at : place if startswith(place, "folders/")])
  on_all     = toset([for place in local.looked_at : trimprefix(place, "organizations/") if startswith(place, "organizations/")])
  looks      = length(local.on_folders) + length(local.on_all) > 0 ? local.assets : {}

  # What places lie in, and the firewall policies that hold in them from there, are read by those permissions alone, and only
  # where the organization is named. It is looked at whole: nothing lies above it.
  above = var.organization == "" || length(local.looked_at) == 0 || length(local.on_all) > 0 ? {} : { for name, permissions in {
    for name, all in local.assets : name => [for p in all : p if startswith(p, "resourcemanager.folders.") || startswith(p, "resourcemanager.organizations.") || startswith(p, "compute.firewallPolicies.")]
  } : name => permissions if length(permissions) > 0 }

  custom = merge(
    { for name, permissions in local.looks : "${name}.assets" => { title = "${name} on what there is", permissions = permissions } },
    { for name, permissions in local.above : "${name}.above" => { title = "${name} on what its places lie in", permissions = permissions } },
    { for name, permissions in local.levels : "${name}.accesslevels" => { title = "${name} on the access levels it keeps", permissions = permissions } },
  )

  role   = { for id in keys(local.custom) : id => "organizations/${var.organization}/roles/ostiary.${id}" }
  member = { for name in keys(local.functions) : name => "serviceAccount:fn-${name}@${var.project.id}.iam.gserviceaccount.com" }
}

resource "google_organization_iam_custom_role" "function" {
  for_each    = var.keeps_roles ? local.custom : {}
  org_id      = var.organization
  role_id     = "ostiary.${each.key}"
  title       = each.value.title
  description = "Generated from the function's manifest."
  permissions = each.value.permissions
}

resource "google_folder_iam_member" "assets" {
  for_each   = { for pair in setproduct(keys(local.looks), local.on_folders) : "${pair[0]} ${pair[1]}" => { name = pair[0], folder = pair[1] } }
  folder     = each.value.folder
  role       = local.role["${each.value.name}.assets"]
  member     = local.member[each.value.name]
  depends_on = [google_organization_iam_custom_role.function]
}

resource "google_organization_iam_member" "assets" {
  for_each   = { for pair in setproduct(keys(local.looks), local.on_all) : "${pair[0]} organizations/${pair[1]}" => { name = pair[0], organization = pair[1] } }
  org_id     = each.value.organization
  role       = local.role["${each.value.name}.assets"]
  member     = local.member[each.value.name]
  depends_on = [google_organization_iam_custom_role.function]
}

resource "google_organization_iam_member" "above" {
  for_each   = length(var.folders) == 0 ? toset(keys(local.above)) : toset([])
  org_id     = var.organization
  role       = local.role["${each.key}.above"]
  member     = local.member[each.key]
  depends_on = [google_organization_iam_custom_role.function]
}

resource "google_folder_iam_member" "above" {
  for_each   = { for pair in setproduct(keys(local.above), var.folders) : "${pair[0]} folders/${pair[1]}" => { name = pair[0], folder = "folders/${pair[1]}" } }
  folder     = each.value.folder
  role       = local.role["${each.value.name}.above"]
  member     = local.member[each.value.name]
  depends_on = [google_organization_iam_custom_role.function]
}

# The state lies with the forge's identities, in a project of no environment: the role is made there, and says for which one it is.
locals {
  states = var.state.bucket == "" ? {} : { for name, permissions in {
    for name, m in local.functions : name => sort([for p in m.permissions : p.permission if p.resource == "bucket:terraform-state"])
  } : name => permissions if length(permissions) > 0 }
}

resource "google_project_iam_custom_role" "state" {
  for_each    = local.states
  project     = var.state.project
  role_id     = "ostiary.${each.key}.bucket_terraform_state_${var.environment}"
  title       = "${each.key} on the state of ${var.environment}"
  description = "Generated from the function's manifest."
  permissions = each.value
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = local.states
  bucket   = var.state.bucket
  role     = google_project_iam_custom_role.state[each.key].name
  member   = local.member[each.key]

  condition {
    title       = "only the environment's state"
    description = "This root's own lies in the same bucket."
    expression  = "resource.name == \"projects/_/buckets/${var.state.bucket}\" || resource.name.startsWith(\"projects/_/buckets/${var.state.bucket}/objects/environment/\")"
  }
}
