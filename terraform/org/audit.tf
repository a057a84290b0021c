# Data Access logs, where somebody switches them on. A configuration holds for one service of one place and is written whole:
# what was set for that service there is replaced, exemptions too. Nobody is exempt: what the watch itself reads is left out of its
# sink, and stays in the logs.

locals {
  # Of these two services in the evidence project all reads are logged already, by the environment's platform, which needs it so.
  platforms = [for service in ["cloudkms.googleapis.com", "storage.googleapis.com"] : "projects/${var.evidence_project.id}/${service}"]

  audited = { for pair in setproduct(local.places, var.data_access) : "${pair[0]}/${pair[1]}" => { place = pair[0], service = pair[1] }
  if var.keeps_audit_configuration && !contains(local.platforms, "${pair[0]}/${pair[1]}") }
}

resource "google_organization_iam_audit_config" "read" {
  for_each = { for name, one in local.audited : name => one if startswith(one.place, "organizations/") }
  org_id   = trimprefix(each.value.place, "organizations/")
  service  = each.value.service

  audit_log_config { log_type = "ADMIN_READ" }
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }
}

resource "google_folder_iam_audit_config" "read" {
  for_each = { for name, one in local.audited : name => one if startswith(one.place, "folders/") }
  folder   = each.value.place
  service  = each.value.service

  audit_log_config { log_type = "ADMIN_READ" }
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }
}

resource "google_project_iam_audit_config" "read" {
  for_each = { for name, one in local.audited : name => one if startswith(one.place, "projects/") }
  project  = trimprefix(each.value.place, "projects/")
  service  = each.value.service

  audit_log_config { log_type = "ADMIN_READ" }
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }
}
