locals {
  name    = var.manifest.name
  project = var.project.id

  topic_triggers    = { for t in var.manifest.triggers : t.topic => t if t.kind == "topic" }
  schedule_triggers = { for i, t in [for t in var.manifest.triggers : t if t.kind == "schedule"] : tostring(i) => t }

  machine = var.manifest.callers == "machine"
  ingress = local.machine ? "ALLOW_INTERNAL_ONLY" : "ALLOW_INTERNAL_AND_GCLB"

  # One custom role per resource, holding just what the manifest lists for it. Evidence and the keys that sign it are left out, as are
  # the directory, doors and the product: what lies outside of this project is given by its administrators.
  resources   = toset([for p in var.manifest.permissions : p.resource if !contains(["directory", "assets", "bucket:terraform-state"], p.resource) && length(regexall("^(data|door|signing-key|bucket:evidence)[:-]", p.resource)) == 0])
  permissions = { for r in local.resources : r => sort([for p in var.manifest.permissions : p.permission if p.resource == r]) }
  of_kind     = { for k in ["database", "topic", "key", "secret", "bucket"] : k => toset([for r in local.resources : split(":", r)[1] if startswith(r, "${k}:")]) }

  # Of what the data map names: the permissions on secrets by kind, and the secrets.
  data    = { for k in ["secrets-read", "secrets-erase", "secrets-parties"] : k => sort([for p in var.manifest.permissions : p.permission if p.resource == "data:${k}"]) }
  secrets = merge([for k, all in var.data.secrets : all if length(local.data["secrets-${k}"]) > 0]...)
  pins    = merge(local.secrets, { for s in var.manifest.secrets : s => lookup(var.secret_versions, s, "") })

  # Who may read secrets of the data map is told where they are, also while the map names none.
  reads_secrets = length(var.manifest.secrets) + length([for p in var.manifest.permissions : p if startswith(p.resource, "data:secrets-")]) > 0

  pubsub_agent = "serviceAccount:service-${var.project.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  invokers = {
    staff   = [var.iap_agent]
    public  = ["allUsers"]
    service = var.services
    machine = []
  }[var.manifest.callers]
}

resource "google_service_account" "runtime" {
  project      = local.project
  account_id   = "fn-${local.name}"
  display_name = "Runs ${local.name}"
  description  = var.manifest.summary
}

resource "google_service_account" "invoker" {
  count        = local.machine ? 1 : 0
  project      = local.project
  account_id   = "in-${local.name}"
  display_name = "Pushes to and schedules ${local.name}, and may invoke nothing else"
}

resource "google_cloudfunctions2_function" "this" {
  project     = local.project
  location    = var.region
  name        = local.name
  description = var.manifest.summary
  labels      = var.labels

  build_config {
    runtime           = "go126"
    entry_point       = var.manifest.entry_point
    service_account   = var.build_account
    docker_repository = var.repository
    source {
      storage_source {
        bucket = var.archive.bucket
        object = var.archive.object
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.runtime.email
    available_memory                 = "${var.manifest.memory_mib}Mi"
    available_cpu                    = "1"
    timeout_seconds                  = var.manifest.timeout_s
    max_instance_request_concurrency = var.manifest.concurrency
    min_instance_count               = 0
    max_instance_count               = var.manifest.max_instances
    ingress_settings                 = local.ingress
    all_traffic_on_latest_revision   = true
    environment_variables = merge(var.environment, {
      OSTIARY_CODE                         = "sha256:${regex("[0-9a-f]{64}", var.archive.object)}"
      OSTIARY_IAM                          = "front"
      OSTIARY_PROJECT                      = local.project
      }, local.machine ? { OSTIARY_INVOKER = google_service_account.invoker[0].email } : {}, local.reads_secrets ? {
      OSTIARY_SECRETS                      = length(local.pins) == 0 ? "secretmanager://${local.project}" : "secretmanager://${local.project}?pin=${join(",", [for s, version in local.pins : "${s}:${version}"])}"
    } : {})
  }

  depends_on = [google_service_account_iam_member.deploys]

  lifecycle {
    precondition {
      condition     = alltrue([for name in var.manifest.environment : contains(keys(var.environment), name)])
      error_message = "The manifest of ${local.name} reads a variable that is not given."
    }
    precondition {
      condition     = alltrue([for s in var.manifest.secrets : contains(keys(var.secret_versions), s)])
      error_message = "The manifest of ${local.name} reads a secret whose version is not pinned."
    }
  }
}

# Who deploys starts the function as this account, and may be it nowhere else.
resource "google_service_account_iam_member" "deploys" {
  for_each           = var.deployers
  service_account_id = google_service_account.runtime.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}

# Pushes and schedules carry tokens of the invoker: who makes them has to be let use it.
resource "google_service_account_iam_member" "schedules" {
  for_each           = local.machine ? var.deployers : []
  service_account_id = google_service_account.invoker[0].name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}

# What everybody may call is an exception to the organization's rule, made for this one service.
resource "google_tags_location_tag_binding" "public" {
  count     = var.manifest.callers == "public" && var.public_tag != "" ? 1 : 0
  parent    = "//run.googleapis.com/projects/${var.project.number}/locations/${var.region}/services/${google_cloudfunctions2_function.this.name}"
  tag_value = var.public_tag
  location  = var.region
}

resource "google_cloud_run_service_iam_member" "invoker" {
  for_each = toset(local.invokers)
  project  = local.project
  location = var.region
  service  = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value

  depends_on = [google_tags_location_tag_binding.public]

  lifecycle {
    # A replaced function comes up without its invokers.
    replace_triggered_by = [google_cloudfunctions2_function.this.id]
  }
}

resource "google_cloud_run_service_iam_member" "machine" {
  count    = local.machine ? 1 : 0
  project  = local.project
  location = var.region
  service  = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = google_service_account.invoker[0].member

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this.id]
  }
}
