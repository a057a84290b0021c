locals {
  name    = var.manifest.name
  project = var.project.id

  topic_triggers    = { for t in var.manifest.triggers : t.topic => t if t.kind == "topic" }
  schedule_triggers = { for i, t in [for t in var.manifest.triggers : t if t.kind == "schedule"] : tostring(i) => t }

  machine = var.manifest.callers == "machine"
  ingress = local.machine ? "ALLOW_INTERNAL_ONLY" : "ALLOW_INTERNAL_AND_GCLB"

  # What a function adds to the evidence inbox lies below its own name, or that of one it sweeps for: a place, not the whole
  # bucket.
  wanted = [for p in var.manifest.permissions : {
    permission = p.permission
    resource   = p.permission == "storage.objects.create" && p.resource == "bucket:evidence-inbox" ? "place:evidence-inbox" : p.resource
  }]

  # One custom role per resource, holding just what the manifest lists for it.
  resources   = toset([for p in local.wanted : p.resource if p.resource != "directory" && p.resource != "assets" && !startswith(p.resource, "data:") && !startswith(p.resource, "door:")])
  permissions = { for r in local.resources : r => sort([for p in local.wanted : p.permission if p.resource == r]) }
  of_kind     = { for k in ["database", "topic", "key", "signing-key", "secret", "bucket", "place"] : k => toset([for r in local.resources : split(":", r)[1] if startswith(r, "${k}:")]) }

  # Of what the data map names: the permissions by kind, and the secrets.
  data    = { for k in ["firestore", "gcs", "project", "secrets-read", "secrets-erase", "secrets-parties", "secrets-grants"] : k => sort([for p in local.wanted : p.permission if p.resource == "data:${k}"]) }
  secrets = merge([for k, all in var.data.secrets : all if length(local.data["secrets-${k}"]) > 0]...)
  pins    = merge(local.secrets, { for s in var.manifest.secrets : s => lookup(var.secret_versions, s, "") })

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
    runtime         = "go126"
    entry_point     = var.manifest.entry_point
    service_account = var.build_account
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
      }, local.machine ? { OSTIARY_INVOKER = google_service_account.invoker[0].email } : {}, length(local.pins) == 0 ? {} : {
      OSTIARY_SECRETS                      = "secretmanager://${local.project}?pin=${join(",", [for s, version in local.pins : "${s}:${version}"])}"
    })
  }

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

resource "google_cloud_run_service_iam_member" "invoker" {
  for_each = toset(local.invokers)
  project  = local.project
  location = var.region
  service  = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value

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
