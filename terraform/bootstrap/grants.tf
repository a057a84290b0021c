# Who has which role where. Of an environment's account nothing reaches into another environment.

locals {
  # Predefined roles of the deploying account: configuration of things that hold no data. No basic role, no owner.
  predefined = {
    controls = [
      "roles/certificatemanager.editor",
      "roles/cloudfunctions.developer",
      "roles/cloudscheduler.admin",
      "roles/compute.loadBalancerAdmin",
      "roles/compute.securityAdmin",
      "roles/iap.settingsAdmin",
      "roles/monitoring.admin",
      "roles/serviceusage.serviceUsageAdmin",
    ]
    # What stands in the evidence project a person made and a person changes: there the pipeline reads, and nothing else.
    evidence = []
    # Alerts and uptime checks. What has to be switched on there is switched on by this root.
    watchdog = ["roles/monitoring.admin"]
  }

  deploys = { for one in flatten([for key, project in local.projects : [for role in local.predefined[project.purpose] : { key = key, environment = project.environment, role = role }]]) : "${one.key} ${one.role}" => one }

  # The roles that functions have in the controls' project, as module "function" makes them from their manifests:
  # ostiary.NAME.RESOURCE. What they have elsewhere is given by the root "org".
  root      = "${path.module}/../../functions"
  manifests = { for m in [for file in fileset(local.root, "*/*/function.json") : jsondecode(file("${local.root}/${file}"))] : m.name => m }
  held = distinct(flatten([for name, m in local.manifests : [for p in m.permissions : {
    role     = replace("ostiary.${name}.${trimprefix(p.resource, "data:")}", "/[^a-zA-Z0-9_.]/", "_")
    resource = p.resource
  }]]))

  # By what is asked: rights on the project as a whole, or on a key, bucket or account in it.
  controls = { for key, project in local.projects : key => project if project.purpose == "controls" }
  grantable = { for key, project in local.controls : key => {
    project = concat(
      ["roles/logging.logWriter", "roles/storage.objectViewer"],
      [for h in local.held : "projects/${project.id}/roles/${h.role}" if startswith(h.resource, "database:") || h.resource == "assets"],
    )
    stores = concat(
      ["roles/iam.serviceAccountUser", "roles/storage.objectCreator", "roles/storage.objectViewer"],
      [for h in local.held : "projects/${project.id}/roles/${h.role}" if startswith(h.resource, "key:") || h.resource == "bucket:policy"],
    )
  } }

  # An expression compares with ten roles at a time (IAM documentation, "Set limits on granting roles"). Three such lists make one
  # binding, well below the operators and the length that a condition may have; of a role and a member 20 bindings may differ so.
  limited = { for one in flatten([for key, project in local.controls : [for of, role in { project = "giveProject", stores = "giveStores" } : [
    for number, lists in chunklist(chunklist(sort(distinct(local.grantable[key][of])), 10), 3) : { key = key, environment = project.environment, role = role, number = number, lists = lists }
  ]]]) : "${one.key} ${one.role} ${one.number}" => one }
}

resource "google_project_iam_member" "plan" {
  for_each = local.projects
  project  = google_project.environment[each.key].project_id
  role     = google_organization_iam_custom_role.pipeline["plan"].name
  member   = google_service_account.plan[each.value.environment].member
}

# In the controls' project the pipeline sets up; in the others it reads what a person set up, as a plan does.
resource "google_project_iam_member" "looks" {
  for_each = { for key, project in local.projects : key => project if project.purpose != "controls" }
  project  = google_project.environment[each.key].project_id
  role     = google_organization_iam_custom_role.pipeline["plan"].name
  member   = google_service_account.deploy[each.value.environment].member
}

resource "google_project_iam_member" "deploy" {
  for_each = local.controls
  project  = google_project.environment[each.key].project_id
  role     = google_organization_iam_custom_role.pipeline["deploy"].name
  member   = google_service_account.deploy[each.value.environment].member
}

resource "google_project_iam_member" "predefined" {
  for_each = local.deploys
  project  = google_project.environment[each.value.key].project_id
  role     = each.value.role
  member   = google_service_account.deploy[each.value.environment].member
}

# What may be given is named role by role. It holds for projects, and for keys, buckets and accounts; other services do not tell a
# condition which roles change, which is why theirs is a role of its own, below.
resource "google_project_iam_member" "limited" {
  for_each = local.limited
  project  = google_project.environment[each.value.key].project_id
  role     = google_organization_iam_custom_role.pipeline[each.value.role].name
  member   = google_service_account.deploy[each.value.environment].member

  condition {
    title       = "only roles of functions"
    description = "Gives and takes the roles that functions have by their manifests, and no other."
    expression  = join(" || ", [for list in each.value.lists : "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['${join("', '", list)}'])"])
  }
}

resource "google_project_iam_member" "services" {
  for_each = local.controls
  project  = google_project.environment[each.key].project_id
  role     = google_organization_iam_custom_role.pipeline["giveServices"].name
  member   = google_service_account.deploy[each.value.environment].member
}

resource "google_billing_account_iam_member" "budgets" {
  for_each           = var.pipeline_budgets ? var.environments : []
  billing_account_id = var.billing_account
  role               = "roles/billing.costsManager"
  member             = google_service_account.deploy[each.key].member
}

# A plan compares the budget with what is there.
resource "google_billing_account_iam_member" "plan" {
  for_each           = var.pipeline_budgets ? var.environments : []
  billing_account_id = var.billing_account
  role               = google_organization_iam_custom_role.pipeline["budgets"].name
  member             = google_service_account.plan[each.key].member
}

# In the organization, for rights above the projects are given anywhere up to there. No project below is read by it: it names
# folders and the organization alone.
resource "google_organization_iam_member" "above" {
  for_each = var.environments
  org_id   = var.organization
  role     = google_organization_iam_custom_role.pipeline["above"].name
  member   = google_service_account.plan[each.key].member
}
