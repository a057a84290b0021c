# What all functions of an environment stand on, before the first of them is deployed: services, the account and places that
# build them, databases, topics, keys, secrets, and the buckets of evidence and policy. Nothing here is deployed code, and
# nothing holds a secret's value.
#
# On a new project the first apply may end in "has not been used" or "does not exist": services and the accounts Google
# keeps for them take minutes to appear. Applying again goes on where it stopped.

locals {
  resources = toset(flatten([for m in values(var.manifests) : m.permissions[*].resource]))
  of_kind   = { for k in ["database", "key", "signing-key"] : k => toset([for r in local.resources : trimprefix(r, "${k}:") if startswith(r, "${k}:")]) }
  topics    = toset(flatten([for m in values(var.manifests) : concat(m.publishes, [for t in m.triggers : t.topic if t.kind == "topic"])]))
  labels    = merge(var.labels, { application = "ostiary", environment = var.environment })

  services = setunion(var.more_services, [
    "accesscontextmanager.googleapis.com", # doors that are access levels
    "admin.googleapis.com",                # the directory of people
    "artifactregistry.googleapis.com",
    "certificatemanager.googleapis.com",
    "cloudasset.googleapis.com", # lists and feeds of what there is
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com", # load balancer, Cloud Armor, doors that are firewall rules
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "iap.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "recommender.googleapis.com", # rights that nobody uses
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
  ])

  # Accounts that Google keeps for its services in the project, as members. Each appears with its service, or when it is first
  # used.
  agents = { for name, account in {
    pubsub     = "service-${var.project.number}@gcp-sa-pubsub"
    iap        = "service-${var.project.number}@gcp-sa-iap"
    cloudasset = "service-${var.project.number}@gcp-sa-cloudasset"
    cloudbuild = "service-${var.project.number}@gcp-sa-cloudbuild"
    functions  = "service-${var.project.number}@gcf-admin-robot"
    run        = "service-${var.project.number}@serverless-robot-prod"
    scheduler  = "service-${var.project.number}@gcp-sa-cloudscheduler"
    storage    = "service-${var.project.number}@gs-project-accounts"
  } : name => "serviceAccount:${account}.iam.gserviceaccount.com" }
}

# Switched off with the resource, a service would take what other roots made with it along.
resource "google_project_service" "controls" {
  for_each                   = local.services
  project                    = var.project.id
  service                    = each.key
  disable_on_destroy         = false
  disable_dependent_services = false
}

resource "google_project_service" "evidence" {
  for_each                   = toset(["cloudkms.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com", "storage.googleapis.com"])
  project                    = var.evidence_project.id
  service                    = each.key
  disable_on_destroy         = false
  disable_dependent_services = false
}

# Pushes carry a token that the agent makes. Its own role lets it do so in every project where it appeared later than that;
# given by hand the right reaches every account of the project, so it is given only where it is needed.
resource "google_project_iam_member" "pubsub_tokens" {
  count      = var.old_pubsub_agent ? 1 : 0
  project    = var.project.id
  role       = "roles/iam.serviceAccountTokenCreator"
  member     = local.agents.pubsub
  depends_on = [google_project_service.controls]
}
