# Where functions are built: their source archives, the images made of them, and the account that makes one of the other.

# An archive is named by its digest, and whoever adds one cannot take another's place. None is deleted by age: a function that
# has not changed for years is built again from its archive when only its settings change.
resource "google_storage_bucket" "archives" {
  project                     = var.project.id
  name                        = "${var.project.id}-archives"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  # 90 days: a release that is rolled back to lies there even if somebody clears up.
  retention_policy {
    retention_period = 90 * 86400
    is_locked        = false
  }
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.controls]
}

resource "google_storage_bucket_iam_member" "archives_add" {
  for_each = var.archive_writers
  bucket   = google_storage_bucket.archives.name
  role     = "roles/storage.objectCreator"
  member   = each.key
}

# Who adds an archive sees whether it lies there already: who may only add cannot tell that from being refused.
resource "google_storage_bucket_iam_member" "archives_see" {
  for_each = var.archive_writers
  bucket   = google_storage_bucket.archives.name
  role     = "roles/storage.objectViewer"
  member   = each.key
}

# One in each region where functions run: a build stores its image nowhere else (Cloud Functions API v2, dockerRepository).
resource "google_artifact_registry_repository" "functions" {
  for_each      = toset([var.region, var.watchdog_region])
  project       = var.project.id
  location      = each.key
  repository_id = "ostiary"
  description   = "Images of Ostiary's functions, built from their archives. The two newest of each are kept: Cloud Run holds its own copy of what runs, and rolling back builds again."
  format        = "DOCKER"
  labels        = local.labels

  cleanup_policy_dry_run = false

  # A policy that keeps deletes nothing by itself.
  cleanup_policies {
    id     = "keep-two"
    action = "KEEP"
    most_recent_versions {
      keep_count = 2
    }
  }
  cleanup_policies {
    id     = "delete-older"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "604800s"
    }
  }
  depends_on = [google_project_service.controls]
}

# Organizations take the rights of the accounts that would build by default, and they had too many.
resource "google_service_account" "build" {
  project      = var.project.id
  account_id   = "builds"
  display_name = "Builds Ostiary's functions from their archives, and runs none"
  depends_on   = [google_project_service.controls]
}

resource "google_project_iam_member" "build_logs" {
  project = var.project.id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

resource "google_artifact_registry_repository_iam_member" "build" {
  for_each   = google_artifact_registry_repository.functions
  project    = var.project.id
  location   = each.value.location
  repository = each.value.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build_archives" {
  bucket = google_storage_bucket.archives.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

# Cloud Functions copies an archive into a bucket of its own, one a region, before it is built. Google makes that bucket with
# the first function, so the right is given on the project, for these names alone.
locals {
  copies = [for region in sort([var.region, var.watchdog_region]) : "projects/_/buckets/gcf-v2-sources-${var.project.number}-${region}"]
}

resource "google_project_iam_member" "build_copies" {
  project = var.project.id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "only copies of archives"
    description = "The buckets Cloud Functions keeps its copies of source archives in."
    expression  = join(" || ", [for bucket in local.copies : "resource.name == \"${bucket}\" || resource.name.startsWith(\"${bucket}/objects/\")"])
  }
}

resource "google_service_account_iam_member" "build_with" {
  for_each           = var.deployers
  service_account_id = google_service_account.build.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.key
}
