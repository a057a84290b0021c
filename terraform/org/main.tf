# What an environment's controls need outside of their own projects: the logs and changes that wake them, and the right to read
# what they look at. An administrator of the organization applies it, once per environment, after the functions are deployed.

locals {
  root      = "${path.module}/../../functions"
  manifests = { for m in [for file in fileset(local.root, "*/*/function.json") : jsondecode(file("${local.root}/${file}"))] : m.name => m }
  functions = { for name, m in local.manifests : name => m if var.deployed == null ? true : contains(var.deployed, name) }

  # Nothing that lies above a project is watched where scope is one: the controls' own has to be named beside it.
  places    = distinct(concat([var.scope], var.watched, startswith(var.scope, "projects/") ? ["projects/${var.project.id}"] : []))
  looked_at = var.looked_at != null ? distinct(var.looked_at) : local.places

  organizations = toset([for place in local.places : trimprefix(place, "organizations/") if startswith(place, "organizations/")])
  folders       = toset([for place in local.places : place if startswith(place, "folders/")])
  projects      = toset([for place in local.places : trimprefix(place, "projects/") if startswith(place, "projects/")])

  needs_organization = var.doors.access_levels.policy != "" || length(var.folders) > 0 || anytrue([for place in local.looked_at : !startswith(place, "projects/")])

  # Both files are generated from the policy that the environment runs.
  rules = jsondecode(file("${path.module}/policies/${var.environment}/watched.json"))
  types = jsondecode(file("${path.module}/policies/${var.environment}/assets.json"))

  # The topics are the environment's, made by its platform.
  entries = "audit.entries"
  feed    = "asset.feed"
}

module "streams" {
  source = "../modules/streams"

  rules            = local.rules
  data_access      = var.data_access
  asset_services   = var.asset_services
  application_logs = var.application_logs
  watch            = { account = "fn-watchaudit@${var.project.id}.iam.gserviceaccount.com", projects = [var.project.id, var.evidence_project.id] }
}
