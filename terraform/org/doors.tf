# The doors that let registered addresses in, where they are on Google Cloud: their shells, and the right to keep what they let in.
# Each only where it is named.

module "doors" {
  source = "../modules/doors"

  project          = var.project
  evidence_project = var.evidence_project
  doors            = var.doors
}

locals {
  # Access levels belong to the organization: the roles on them are made with its others.
  levels = var.doors.access_levels.policy == "" ? {} : { for name, permissions in {
    for name, m in local.functions : name => sort([for p in m.permissions : p.permission if p.resource == "door:accesslevels"])
  } : name => permissions if length(permissions) > 0 }

  # By function and door that stands in a project.
  keeps = { for one in flatten([for name, m in local.functions : [for door, project in { firewalls = var.doors.firewalls.project, armor = var.doors.armor.project } :
    { name = name, door = door, project = project, permissions = sort([for p in m.permissions : p.permission if p.resource == "door:${door}"]) } if project != ""
  ]]) : "${one.name} ${one.door}" => one if length(one.permissions) > 0 }

  # Of firewall rules the door's own alone may be changed. Of such a rule IAM knows type and name (IAM documentation, "Resource
  # attributes for IAM Conditions"); listing rules, the network whose rules change and the operation are no rules, and not held to
  # a name. Nobody has tried it against Google Cloud here: were the name written otherwise there, the control would be refused, and
  # would say so. Of Cloud Armor policies IAM knows neither type nor name: who keeps that door may write every policy of its project.
  only = { firewalls = "resource.type != \"compute.googleapis.com/Firewall\" || ${join(" || ", [for family in ["v4", "v6"] : "resource.name.startsWith(\"projects/${var.doors.firewalls.project}/global/firewalls/${var.doors.firewalls.name}-${family}-\")"])}" }
}

resource "google_project_iam_custom_role" "door" {
  for_each    = local.keeps
  project     = each.value.project
  role_id     = "ostiary.${each.value.name}.${each.value.door}"
  title       = "${each.value.name} on the ${each.value.door} it keeps"
  description = "Generated from the function's manifest."
  permissions = each.value.permissions
}

resource "google_project_iam_member" "door" {
  for_each = local.keeps
  project  = each.value.project
  role     = google_project_iam_custom_role.door[each.key].name
  member   = local.member[each.value.name]

  dynamic "condition" {
    for_each = [for door, expression in local.only : expression if door == each.value.door]
    content {
      title       = "only rules of the door"
      description = "Of the project's firewall rules those that are made as shells of the door."
      expression  = condition.value
    }
  }
}

resource "google_access_context_manager_access_policy_iam_member" "levels" {
  for_each   = toset(keys(local.levels))
  name       = "accessPolicies/${var.doors.access_levels.policy}"
  role       = local.role["${each.key}.accesslevels"]
  member     = local.member[each.key]
  depends_on = [google_organization_iam_custom_role.function]
}
