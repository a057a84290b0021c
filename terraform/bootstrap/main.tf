# What a person sets up once for all environments, before a pipeline can do anything: a folder with rules of its own, three projects
# for each environment, where Terraform keeps its states, and whom the forge may act as. Needs the rights of an administrator of the
# organization; nothing later does but the root "org".

locals {
  labels    = merge(var.labels, { application = "ostiary" })
  bootstrap = "${var.prefix}-bootstrap${var.suffix}"

  # The purpose of each project of an environment, the end of its id, and what has to be switched on before the environment's own
  # root can switch on the rest.
  purposes = {
    controls = { ending = "", title = "Ostiary %s", services = var.pipeline_budgets ? ["billingbudgets.googleapis.com"] : [] }
    evidence = { ending = "-ev", title = "Ostiary %s evidence", services = [] }
    watchdog = { ending = "-wd", title = "Ostiary %s watchdog", services = ["logging.googleapis.com", "monitoring.googleapis.com"] }
  }
  first = ["cloudresourcemanager.googleapis.com", "iam.googleapis.com", "serviceusage.googleapis.com"]

  projects = { for pair in setproduct(var.environments, keys(local.purposes)) : "${pair[0]} ${pair[1]}" => {
    environment = pair[0]
    purpose     = pair[1]
    id          = "${var.prefix}-${pair[0]}${local.purposes[pair[1]].ending}${var.suffix}"
    title       = format(local.purposes[pair[1]].title, pair[0])
    services    = concat(local.first, local.purposes[pair[1]].services)
  } }

  # Resource Manager and Organization Policy are here for the person that applies this root again, and the org root.
  bootstrap_services = [
    "accesscontextmanager.googleapis.com",
    "cloudasset.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "orgpolicy.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
  ]
}

resource "google_folder" "installation" {
  display_name        = "ostiary${var.suffix}"
  parent              = var.parent_folder == "" ? "organizations/${var.organization}" : "folders/${var.parent_folder}"
  deletion_protection = true
}

resource "google_folder" "environment" {
  for_each            = var.environments
  display_name        = "ostiary-${each.key}${var.suffix}"
  parent              = google_folder.installation.name
  deletion_protection = true
}

# Where the logs of projects that are made in the folder lie: without this they would be kept "global", anywhere. It holds for
# buckets that are made afterwards, so the projects wait for it.
resource "google_logging_folder_settings" "region" {
  folder           = google_folder.installation.folder_id
  storage_location = var.region
}

# A network of its own a project has not, as an organization policy says. To ask the provider for none as well would have it switch
# Compute Engine on in every project, to look for one.
resource "google_project" "bootstrap" {
  project_id      = local.bootstrap
  name            = "Ostiary bootstrap"
  folder_id       = google_folder.installation.folder_id
  billing_account = var.billing_account
  deletion_policy = "PREVENT"
  labels          = local.labels

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_org_policy_policy.enforced, google_org_policy_policy.values, google_org_policy_policy.denied, google_logging_folder_settings.region]
}

resource "google_project" "environment" {
  for_each        = local.projects
  project_id      = each.value.id
  name            = each.value.title
  folder_id       = google_folder.environment[each.value.environment].folder_id
  billing_account = var.billing_account
  deletion_policy = "PREVENT"
  labels          = merge(local.labels, { environment = each.value.environment, purpose = each.value.purpose })

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_org_policy_policy.enforced, google_org_policy_policy.values, google_org_policy_policy.denied, google_logging_folder_settings.region]
}

# Whoever owns a project could still delete it past Terraform, and its id and every bucket's name with it.
resource "google_resource_manager_lien" "kept" {
  for_each     = merge({ for key, project in google_project.environment : key => project.number }, { bootstrap = google_project.bootstrap.number })
  parent       = "projects/${each.value}"
  restrictions = ["resourcemanager.projects.delete"]
  origin       = "ostiary-bootstrap"
  reason       = "Evidence, or what it takes to make more, lies here. Take the lien away first, on purpose."
}

resource "google_project_service" "bootstrap" {
  for_each                   = toset(local.bootstrap_services)
  project                    = google_project.bootstrap.project_id
  service                    = each.key
  disable_on_destroy         = false
  disable_dependent_services = false
}

resource "google_project_service" "first" {
  for_each                   = { for pair in flatten([for key, project in local.projects : [for service in project.services : { key = key, service = service }]]) : "${pair.key} ${pair.service}" => pair }
  project                    = google_project.environment[each.value.key].project_id
  service                    = each.value.service
  disable_on_destroy         = false
  disable_dependent_services = false
}
