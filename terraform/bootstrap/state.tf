# Where Terraform keeps what it made: a bucket for each environment and one for this root, in a project that no environment's account
# administers. Whoever writes a state decides what the next apply does.

locals {
  states = setunion(var.environments, ["bootstrap"])
}

resource "google_kms_key_ring" "state" {
  project    = google_project.bootstrap.project_id
  name       = "state"
  location   = var.region
  depends_on = [google_project_service.bootstrap]
}

resource "google_kms_crypto_key" "state" {
  name            = "state"
  key_ring        = google_kms_key_ring.state.id
  purpose         = "ENCRYPT_DECRYPT"
  rotation_period = "7776000s" # 90 days
  labels          = local.labels

  lifecycle {
    prevent_destroy = true
  }
}

# Cloud Storage seals with the key as an agent of its own, which a new project has only after somebody asked for it (Cloud Storage
# documentation, "Service agents"). The first apply ends here with "does not exist": ask once, as docs/deploying.md says, and apply again.
resource "google_kms_crypto_key_iam_member" "state" {
  crypto_key_id = google_kms_crypto_key.state.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${google_project.bootstrap.number}@gs-project-accounts.iam.gserviceaccount.com"
}

resource "google_storage_bucket" "state" {
  for_each                    = local.states
  project                     = google_project.bootstrap.project_id
  name                        = "${local.bootstrap}-state-${each.key}"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = merge(local.labels, { environment = each.key })

  versioning {
    enabled = true
  }
  encryption {
    default_kms_key_name = google_kms_crypto_key.state.id
  }

  # A replaced state goes when it is both old and far behind: a state holds no secret, but names of everything there was.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      num_newer_versions         = var.state_versions
      days_since_noncurrent_time = 30
    }
  }
  soft_delete_policy {
    retention_duration_seconds = 2592000 # 30 days: a deleted state comes back
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_kms_crypto_key_iam_member.state]
}

# Of the bucket of an environment, only what its own root keeps there, below "environment/": below "org/" lies the state of the root
# that an administrator applies, and whoever wrote that would decide what she does next. Terraform lists the bucket to find its states.
locals {
  own = { for environment in var.environments : environment => join(" || ", [
    "resource.name == \"projects/_/buckets/${google_storage_bucket.state[environment].name}\"",
    "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.state[environment].name}/objects/environment/\")",
  ]) }
}

# Reading, writing and locking: the environment's deploying account.
resource "google_storage_bucket_iam_member" "deploy" {
  for_each = var.environments
  bucket   = google_storage_bucket.state[each.key].name
  role     = "roles/storage.objectUser"
  member   = google_service_account.deploy[each.key].member

  condition {
    title      = "only the environment's state"
    expression = local.own[each.key]
  }
}

# A plan reads, and cannot lock: it runs with -lock=false.
resource "google_storage_bucket_iam_member" "plan" {
  for_each = var.environments
  bucket   = google_storage_bucket.state[each.key].name
  role     = "roles/storage.objectViewer"
  member   = google_service_account.plan[each.key].member

  condition {
    title      = "only the environment's state"
    expression = local.own[each.key]
  }
}
