# The evidence log, in a project of its own. Who may do what on each bucket stands with the functions: every control adds to
# the inbox below its own name; one function, the sequencer, takes from there, adds to the log and moves its head.
#
# All are sealed at rest with Google's keys and not with one of ours: what must not be read is sealed before it comes here, and
# a key over the log would be a second way to lose it. To destroy the key would undo what a locked retention holds.
#
# With a bucket Google grants whoever has a basic role on its project something on the bucket (Cloud Storage documentation, "Basic
# roles": projectOwner, projectEditor, projectViewer), on objects too where access is uniform. The provider's resources that would
# take this away replace all other grants with it, those of the functions among them, so it is not done here: nobody has a basic role
# in this project, terraform/org denies to all but functions what changes evidence, and who is given such a role is told of
# (evidence-given in modules/monitoring). A person may take the grants away once, for each bucket and role:
# gcloud storage buckets remove-iam-policy-binding gs://BUCKET --member=projectViewer:PROJECT --role=roles/storage.legacyObjectReader

# A record lies here for about a minute. Who may only create cannot replace: Cloud Storage asks for the right to delete as
# well when an object is there (Objects: insert, required permissions). What a hijacked control can do is add, under its own
# name: its name says who did, the sequencer refuses what is no record, and the age of the oldest record is watched. No version
# is kept of what is taken out, as it is in the log then; should records be deleted before, they can be had back for a week.
# Nothing is deleted by age: a record that waits is a fault to mend, not rubbish. No default key and no default event-based hold: the
# sequencer takes an object under either for one whose writer wants nobody to read or to delete it.
resource "google_storage_bucket" "inbox" {
  project                     = var.evidence_project.id
  name                        = "${var.evidence_project.id}-inbox"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  versioning {
    enabled = false
  }
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.evidence]
}

# Tiles and bundles of entries: made once, under names of their own, and never replaced. To shorten a locked retention Terraform
# would have to replace the bucket, and is stopped here.
resource "google_storage_bucket" "tiles" {
  project                     = var.evidence_project.id
  name                        = "${var.evidence_project.id}-log"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  retention_policy {
    retention_period = var.retention_days * 86400
    is_locked        = var.locked
  }
  versioning {
    enabled = false
  }
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.evidence]
}

# How far the log goes, and what is on its way into it: replaced every minute, so no retention can hold it. Older versions stay
# for 30 days, to see what a wrong head said; what deletes even those leaves them for another week.
resource "google_storage_bucket" "head" {
  project                     = var.evidence_project.id
  name                        = "${var.evidence_project.id}-head"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  versioning {
    enabled = true
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.evidence]
}

# Who reads, adds or deletes here, and who signs, is logged, by everybody: nobody is exempt. No other root may set these
# services' logs in this project, as the last to apply would win.
resource "google_project_iam_audit_config" "evidence" {
  for_each = toset(["cloudkms.googleapis.com", "storage.googleapis.com"])
  project  = var.evidence_project.id
  service  = each.key

  audit_log_config { log_type = "ADMIN_READ" }
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }
  depends_on = [google_project_service.evidence]
}

# Kept in the region and as long as said here: Logging's own bucket may lie anywhere, and keeps 30 days.
resource "google_logging_project_bucket_config" "access" {
  project        = var.evidence_project.id
  location       = var.region
  bucket_id      = "evidence-access"
  description    = "Who read, added or deleted evidence, and who signed with its keys."
  retention_days = var.access_log_days
  locked         = var.locked
  depends_on     = [google_project_service.evidence]

  lifecycle {
    prevent_destroy = true
  }
}

# A bucket of the same project needs no grant for the sink.
resource "google_logging_project_sink" "access" {
  project                = var.evidence_project.id
  name                   = "evidence-access"
  description            = "Keeps who touched evidence, in the region."
  destination            = "logging.googleapis.com/projects/${var.evidence_project.id}/locations/${var.region}/buckets/${google_logging_project_bucket_config.access.bucket_id}"
  filter                 = "log_id(\"cloudaudit.googleapis.com/data_access\")"
  unique_writer_identity = true
}

# Not a second time in Logging's own bucket.
resource "google_logging_project_exclusion" "access" {
  project     = var.evidence_project.id
  name        = "evidence-access"
  description = "Kept in bucket evidence-access of the region instead."
  filter      = google_logging_project_sink.access.filter
}

# The published policy. Each lies under its digest, which every record names, and cannot be replaced or deleted while somebody
# may ask what was promised on a day. The retention is not locked, as a policy names people; and none is deleted by age, as the
# one in force may be older than any limit.
resource "google_storage_bucket" "policy" {
  project                     = var.project.id
  name                        = "${var.project.id}-policy"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  retention_policy {
    retention_period = var.policy_retention_days * 86400
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

resource "google_storage_bucket_iam_member" "policy_add" {
  for_each = var.policy_publishers
  bucket   = google_storage_bucket.policy.name
  role     = "roles/storage.objectCreator"
  member   = each.key
}

resource "google_storage_bucket_iam_member" "policy_see" {
  for_each = var.policy_publishers
  bucket   = google_storage_bucket.policy.name
  role     = "roles/storage.objectViewer"
  member   = each.key
}

# While the log of the live environment can still be deleted, every plan says so.
check "live_evidence_is_locked" {
  assert {
    condition     = var.environment != "live" || var.locked
    error_message = "The evidence log of the live environment is not locked: who administers the evidence project can delete it. Set locked to true when the trial is over; it can never be undone."
  }
}
