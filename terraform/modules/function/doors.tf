# The doors that let registered addresses in, where they are on Google Cloud: each only where it is named. Who keeps them holds
# what changes the addresses; Terraform makes the rules, the policy and the levels themselves.

locals {
  of_door = { for d in ["firewalls", "armor", "accesslevels"] : d => sort([for p in local.wanted : p.permission if p.resource == "door:${d}"]) }
  door_in = {
    for d, project in { firewalls = var.doors.firewalls, armor = var.doors.armor } : d => project
    if project != "" && length(local.of_door[d]) > 0
  }
  levels = var.doors.access_policy != "" && length(local.of_door.accesslevels) > 0
}

resource "google_project_iam_custom_role" "door" {
  for_each    = local.door_in
  project     = each.value
  role_id     = replace("ostiary.${local.name}.${each.key}", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on the ${each.key} it keeps"
  description = "Generated from the function's manifest."
  permissions = local.of_door[each.key]
}

resource "google_project_iam_member" "door" {
  for_each = local.door_in
  project  = each.value
  role     = google_project_iam_custom_role.door[each.key].name
  member   = google_service_account.runtime.member
}

resource "google_organization_iam_custom_role" "levels" {
  count       = local.levels ? 1 : 0
  org_id      = var.organization
  role_id     = replace("ostiary.${local.name}.accesslevels", "/[^a-zA-Z0-9_.]/", "_")
  title       = "${local.name} on the access levels it keeps"
  description = "Generated from the function's manifest."
  permissions = local.of_door.accesslevels

  lifecycle {
    precondition {
      condition     = var.organization != ""
      error_message = "Access levels belong to an organization: name it."
    }
  }
}

resource "google_access_context_manager_access_policy_iam_member" "levels" {
  count  = local.levels ? 1 : 0
  name   = "accessPolicies/${var.doors.access_policy}"
  role   = google_organization_iam_custom_role.levels[0].name
  member = google_service_account.runtime.member
}
