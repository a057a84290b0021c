# Keys and secrets. Controls seal what they keep with the first, each with its own; the log and receipts are signed with the
# second, which lie where the controls' administrators have no rights. No material leaves Cloud KMS, and no value of a secret
# is known to Terraform: a person adds it as a version.

locals {
  # What manifests call the key of the evidence log signs its checkpoints, and is called so there.
  signing = { for name in local.of_kind["signing-key"] : name => name == "evidence" ? "checkpoints" : name }

  secrets = toset(flatten(values(var.manifests)[*].secrets))
}

resource "google_kms_key_ring" "controls" {
  project    = var.project.id
  name       = "ostiary"
  location   = var.region
  depends_on = [google_project_service.controls]

  lifecycle {
    prevent_destroy = true
  }
}

# A new version every 90 days; the older ones stay, to open what they sealed. Destroying one waits 90 days, in which it can be
# taken back.
resource "google_kms_crypto_key" "seal" {
  for_each                   = local.of_kind.key
  key_ring                   = google_kms_key_ring.controls.id
  name                       = each.key
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "7776000s"
  labels                     = local.labels

  version_template {
    algorithm        = "GOOGLE_SYMMETRIC_ENCRYPTION"
    protection_level = var.protection
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_key_ring" "evidence" {
  project    = var.evidence_project.id
  name       = "ostiary"
  location   = var.region
  depends_on = [google_project_service.evidence]

  lifecycle {
    prevent_destroy = true
  }
}

# Cloud KMS rotates no key that signs: whoever trusts the log is told of a new one first, and both sign for a month.
resource "google_kms_crypto_key" "sign" {
  for_each                   = local.signing
  key_ring                   = google_kms_key_ring.evidence.id
  name                       = each.value
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = "7776000s"
  labels                     = local.labels

  version_template {
    algorithm        = "EC_SIGN_ED25519"
    protection_level = var.signing_protection
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Made without a value. A version that somebody destroys by mistake can be had back for a week.
resource "google_secret_manager_secret" "function" {
  for_each            = local.secrets
  project             = var.project.id
  secret_id           = each.key
  version_destroy_ttl = "604800s"
  labels              = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
  depends_on = [google_project_service.controls]
}

# Those of stores that the data map names come and go with it.
resource "google_secret_manager_secret" "store" {
  for_each            = setsubtract(var.extra_secrets, local.secrets)
  project             = var.project.id
  secret_id           = each.key
  version_destroy_ttl = "604800s"
  labels              = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
  depends_on = [google_project_service.controls]
}
