# Hands in the evidence project and in the watchdog's that should not be there. Metrics of the evidence project are counted there and
# judged in the watchdog's: an alert on entries reads its own project alone. None of this depends on what is deployed: the pipeline
# has no right to write in the evidence project, and a person applies what changes there.

locals {
  # The functions whose manifest lets them touch evidence, by name: another account that is called like one of them is none.
  keepers = "^fn-(${join("|", sort([for name, m in var.manifests : name if anytrue([for p in m.permissions : startswith(p.resource, "bucket:evidence-") || startswith(p.resource, "signing-key:")])]))})@${local.project}[.]iam[.]gserviceaccount[.]com$"

  # What audit entries are of, as far as there is such a thing in the project of evidence: a figure is asked for by the kind of
  # resource, and those of another kind would not be seen (https://cloud.google.com/logging/docs/api/v2/resource-list).
  kinds = {
    touched = ["gcs_bucket", "cloudkms_cryptokeyversion"]
    given   = ["project", "gcs_bucket", "cloudkms_keyring", "cloudkms_cryptokey", "service_account"]
    outside = ["project", "audited_resource", "gcs_bucket", "cloudkms_keyring", "cloudkms_cryptokey", "cloudkms_cryptokeyversion", "service_account", "iam_role", "logging_sink", "logging_exclusion", "metric"]
  }
  seen = { for name, kinds in local.kinds : name => join(" or ", [for kind in kinds :
    "sum(increase(logging_googleapis_com:user_ostiary_evidence_${name}{monitored_resource=\"${kind}\",project_id=\"${var.evidence_project.id}\"}[900s])) > 0"
  ]) }
}

# Only functions write, delete or sign there, each as itself: who else does is an intruder, or somebody in a hurry. The metric
# counts what the project's log receives, also what is kept in another bucket than Logging's own
# (https://cloud.google.com/logging/docs/logs-based-metrics).
resource "google_logging_metric" "evidence_touched" {
  project     = var.evidence_project.id
  name        = "ostiary_evidence_touched"
  description = "Objects written or deleted, and checkpoints signed, by anybody but the functions."
  filter = join(" AND ", [
    "log_id(\"cloudaudit.googleapis.com/data_access\")",
    "protoPayload.methodName=(\"storage.objects.create\" OR \"storage.objects.update\" OR \"storage.objects.patch\" OR \"storage.objects.delete\" OR \"AsymmetricSign\")",
    "NOT protoPayload.authenticationInfo.principalEmail=~\"${local.keepers}\"",
  ])

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_monitoring_alert_policy" "evidence_touched" {
  project               = var.watchdog_project.id
  display_name          = "Somebody touched the evidence"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "Evidence was written, deleted or signed by somebody who is no function"
    condition_prometheus_query_language {
      query                     = local.seen["touched"]
      duration                  = "0s"
      evaluation_interval       = local.every
      disable_metric_validation = true
    }
  }
  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      In ${var.evidence_project.id} an object was written or deleted, or a checkpoint signed, by somebody who is none of the functions.

      `gcloud logging read 'log_id("cloudaudit.googleapis.com/data_access") AND protoPayload.methodName=("storage.objects.create" OR "storage.objects.update" OR "storage.objects.patch" OR "storage.objects.delete" OR "AsymmetricSign") AND NOT protoPayload.authenticationInfo.principalEmail=~"${local.keepers}"' --bucket=evidence-access --location=${var.region} --view=_AllLogs --project=${var.evidence_project.id} --freshness=1d --limit=20`

      Playbook: ${local.playbook["evidence-touched"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["evidence-touched"]
    }
  }

  depends_on = [google_monitoring_monitored_project.watched, google_logging_metric.evidence_touched]
}

# With the first right on a bucket Google gives whoever has a basic role on its project one on the bucket beside: viewers read every
# object (roles/storage.legacyObjectReader for projectViewer), editors and owners add and delete. No resource of the provider takes
# such a grant away without replacing all others. So nobody is to have a basic role there, and whoever is given one, or one of Google's
# on storage, keys, accounts or the project, is told of. What is given on a folder or the organization above does not stand in this log.
resource "google_logging_metric" "evidence_given" {
  project     = var.evidence_project.id
  name        = "ostiary_evidence_given"
  description = "Basic roles, and Google's own on storage, keys, accounts and the project, that somebody was given."
  filter = join(" AND ", [
    "log_id(\"cloudaudit.googleapis.com/activity\")",
    "protoPayload.methodName=~\"[sS]et(Iam|IAM)(Policy|Permissions)$\"",
    "protoPayload.serviceData.policyDelta.bindingDeltas.action=\"ADD\"",
    "protoPayload.serviceData.policyDelta.bindingDeltas.role=~\"^roles/(owner|editor|viewer|(storage|cloudkms|iam|resourcemanager)[.].+)$\"",
    "NOT protoPayload.authenticationInfo.principalEmail=\"service-agent-manager@system.gserviceaccount.com\"",
  ])

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_monitoring_alert_policy" "evidence_given" {
  project               = var.watchdog_project.id
  display_name          = "Somebody was given a right on the evidence"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "A role that reads or changes evidence was given to somebody"
    condition_prometheus_query_language {
      query                     = local.seen["given"]
      duration                  = "0s"
      evaluation_interval       = local.every
      disable_metric_validation = true
    }
  }
  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      In ${var.evidence_project.id} somebody was given a role of Google's that reads or changes evidence. Functions have roles of their own there, and nobody else needs any.

      `gcloud logging read 'log_id("cloudaudit.googleapis.com/activity") AND protoPayload.serviceData.policyDelta.bindingDeltas.action="ADD"' --project=${var.evidence_project.id} --freshness=1d --limit=10`

      Playbook: ${local.playbook["evidence-given"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["evidence-given"]
    }
  }

  depends_on = [google_monitoring_monitored_project.watched, google_logging_metric.evidence_given]
}

# What a deploy account does in the evidence project without the pipeline. There it may read how things are set up, and nothing else:
# what it tries beside is refused, and stands in the log too.
resource "google_logging_metric" "evidence_outside" {
  count       = length(var.pipeline.accounts) > 0 ? 1 : 0
  project     = var.evidence_project.id
  name        = "ostiary_evidence_outside"
  description = "Calls by a deploy account, and not through the pipeline's identity."
  filter      = local.outside

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_monitoring_alert_policy" "deploy_account_evidence" {
  count                 = length(google_logging_metric.evidence_outside)
  project               = var.watchdog_project.id
  display_name          = "The deploy account is used outside of the pipeline, on the evidence"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "A deploy account acted in the evidence project, and not through the pipeline's identity"
    condition_prometheus_query_language {
      query                     = local.seen["outside"]
      duration                  = "0s"
      evaluation_interval       = local.every
      disable_metric_validation = true
    }
  }
  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      A deploy account called Google in ${var.evidence_project.id}, and no run of the pipeline stands behind it. Treat it as stolen until somebody says otherwise.

      `gcloud logging read 'protoPayload.authenticationInfo.principalEmail="${sort(tolist(var.pipeline.accounts))[0]}"' --project=${var.evidence_project.id} --freshness=1d --limit=20`

      Playbook: ${local.playbook["deploy-account"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["deploy-account"]
    }
  }

  depends_on = [google_monitoring_monitored_project.watched]
}

# Whoever would silence the watchdog first acts here.
resource "google_monitoring_alert_policy" "deploy_account_watchdog" {
  count                 = length(var.pipeline.accounts) > 0 ? 1 : 0
  project               = var.watchdog_project.id
  display_name          = "The deploy account is used outside of the pipeline, on the watchdog"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "A deploy account acted in the watchdog's project, and not through the pipeline's identity"
    condition_matched_log {
      filter = local.outside
      label_extractors = {
        service = "EXTRACT(protoPayload.serviceName)"
        method  = "EXTRACT(protoPayload.methodName)"
      }
    }
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "300s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      A deploy account called $${log.extracted_label.method} of $${log.extracted_label.service} in ${var.watchdog_project.id}, and no run of the pipeline stands behind it. It may switch these alerts off: look whether they are all there.

      `gcloud logging read 'protoPayload.authenticationInfo.principalEmail="${sort(tolist(var.pipeline.accounts))[0]}"' --project=${var.watchdog_project.id} --freshness=1d --limit=20`

      Playbook: ${local.playbook["deploy-account"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["deploy-account"]
    }
  }
}
