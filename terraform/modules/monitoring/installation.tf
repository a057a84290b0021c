# What concerns the installation and no single function: words of the functions that wake somebody, the edge, the way of the
# logs, backups, and hands that should not be there.

locals {
  # What functions write below the severity CRITICAL, because they go on by themselves, and somebody has to know all the same.
  sentences = [
    "the evidence inbox is behind",
    "an object of the evidence inbox was refused",
    "the allow-list is full",
    "telling that a door lets in too much",
  ]

  # A deploy account has no key. Used through the pipeline, each entry names the pool as the one on whose behalf it acts
  # (https://cloud.google.com/iam/docs/audit-logging/examples-workload-identity); used otherwise, it does not.
  outside = join(" AND ", [
    "(log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/data_access\"))",
    "protoPayload.authenticationInfo.principalEmail=(${join(" OR ", [for a in sort(tolist(var.pipeline.accounts)) : "\"${a}\""])})",
    "NOT protoPayload.authenticationInfo.serviceAccountDelegationInfo.principalSubject:\"principal://iam.googleapis.com/${var.pipeline.pool}/\"",
  ])

  answered = "sum(increase(loadbalancing_googleapis_com:https_request_count{monitored_resource=\"https_lb_rule\",project_id=\"${local.project}\"%s}[600s]))"
  broken   = format(local.answered, ",response_code_class=\"500\"")
  turned   = format(local.answered, "")
}

# Functions write at this level where a promise cannot be kept until a person acts, and never anything about a person.
resource "google_monitoring_alert_policy" "critical" {
  count                 = length(local.names) > 0 ? 1 : 0
  project               = local.project
  display_name          = "A function asks for a person"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "A function wrote what it writes only when a person has to act"
    condition_matched_log {
      filter = join(" AND ", [
        "resource.type=\"cloud_run_revision\"",
        "resource.labels.service_name=(${join(" OR ", [for name in local.names : "\"${name}\""])})",
        "(severity>=CRITICAL OR jsonPayload.message:(${join(" OR ", [for sentence in local.sentences : "\"${sentence}\""])}))",
      ])
      label_extractors = {
        function = "EXTRACT(resource.labels.service_name)"
        message  = "EXTRACT(jsonPayload.message)"
      }
    }
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      $${log.extracted_label.function} says: $${log.extracted_label.message}

      `gcloud logging read 'resource.labels.service_name="$${log.extracted_label.function}" AND severity>=ERROR' --project=${local.project} --freshness=1d --limit=10`

      Playbook: ${local.playbook["critical"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["critical"]
    }
  }
}

# The load balancer answers for functions that cannot be reached at all, which none of them counts. Whoever tries addresses gets
# 404 and 403, which are no errors here.
resource "google_monitoring_alert_policy" "edge" {
  count                 = length(local.names) > 0 ? 1 : 0
  project               = local.project
  display_name          = "The edge answers with errors"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "More than one answer in twenty is an error, ten at least"
    condition_prometheus_query_language {
      query                     = "${local.broken} > 9.5 and ${local.broken} / ${local.turned} > 0.05"
      duration                  = "300s"
      evaluation_interval       = local.every
      disable_metric_validation = true
    }
  }
  alert_strategy {
    auto_close           = "3600s"
    notification_prompts = ["OPENED", "CLOSED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      People and customers get errors from the load balancer. Where a function is failing too, begin with that alert.

      `gcloud logging read 'resource.type="http_load_balancer" AND httpRequest.status>=500' --project=${local.project} --freshness=30m --limit=20`

      Playbook: ${local.playbook["edge"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["edge"]
    }
  }
}

# Of sinks of this project: those of a folder or an organization count their errors there, where no project sees them. For
# those the marker that travels through them speaks, and watchaudit is missing when it does not come.
resource "google_monitoring_alert_policy" "sinks" {
  project               = local.project
  display_name          = "A log sink cannot deliver"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Log entries did not reach the destination of a sink"
    condition_threshold {
      filter          = "resource.type = \"logging_sink\" AND metric.type = \"logging.googleapis.com/exports/error_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.name"]
      }
      trigger {
        count = 1
      }
    }
  }
  alert_strategy {
    auto_close           = "3600s"
    notification_prompts = ["OPENED", "CLOSED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      The sink $${resource.label.name} loses log entries: what they tell of is judged by no rule.

      `gcloud logging sinks describe $${resource.label.name} --project=${local.project}`

      Playbook: ${local.playbook["sinks"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["sinks"]
    }
  }
}

# Firestore tells how many bytes of backups it holds for a database, and not how old the newest is: what is seen here is a
# database that has none. The ledger of who was erased is in no backup, so that none brings anybody back. Alerts look back a day for
# certain; further only in a preview of July 2026, so that how old a database is cannot be asked: of a new one this opens until its
# first backup is there, within a day. How often Firestore writes these figures its documentation does not say.
resource "google_monitoring_alert_policy" "backups" {
  project               = local.project
  display_name          = "A database has no backup"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "No backup of a database is stored"
    condition_prometheus_query_language {
      query = join(" unless ", [
        "group by (database_id) (max_over_time(firestore_googleapis_com:storage_data_and_index_storage_bytes{monitored_resource=\"firestore.googleapis.com/Database\",project_id=\"${local.project}\",database_id!=\"ledger\"}[23h]))",
        "max by (database_id) (max_over_time(firestore_googleapis_com:storage_backups_storage_bytes{monitored_resource=\"firestore.googleapis.com/Database\",project_id=\"${local.project}\"}[23h])) > 0",
      ])
      duration                  = "3600s"
      evaluation_interval       = "3600s"
      disable_metric_validation = true
    }
  }
  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED", "CLOSED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      A database of this project could not be restored today. The incident names it as database_id.

      `gcloud firestore backups list --project=${local.project} --format='table(database,state,snapshotTime,expireTime)'`

      Playbook: ${local.playbook["backups"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["backups"]
    }
  }
}

# Denials by an organization policy stand among the administrative entries, with the constraint in their message; those by a
# perimeter have a log of their own.
resource "google_monitoring_alert_policy" "denied" {
  project               = local.project
  display_name          = "Somebody tried what a policy forbids"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "An organization policy or a perimeter denied a call"
    condition_matched_log {
      filter = "log_id(\"cloudaudit.googleapis.com/policy\") OR (log_id(\"cloudaudit.googleapis.com/activity\") AND severity>=ERROR AND protoPayload.status.message:\"constraints/\")"
      label_extractors = {
        service = "EXTRACT(protoPayload.serviceName)"
        method  = "EXTRACT(protoPayload.methodName)"
      }
    }
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      A policy denied $${log.extracted_label.method} of $${log.extracted_label.service} in ${local.project}. It did not happen: who tried it, and why?

      `gcloud logging read 'log_id("cloudaudit.googleapis.com/policy") OR (log_id("cloudaudit.googleapis.com/activity") AND protoPayload.status.message:"constraints/")' --project=${local.project} --freshness=1d --limit=5`

      Playbook: ${local.playbook["denied"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["denied"]
    }
  }
}

# An alert on entries reads those of its own project alone (Monitoring API, LogMatch): the watchdog's project and that of evidence
# have alerts of their own, in hands.tf.
resource "google_monitoring_alert_policy" "deploy_account" {
  count                 = length(var.pipeline.accounts) > 0 ? 1 : 0
  project               = local.project
  display_name          = "The deploy account is used outside of the pipeline"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "A deploy account acted, and not through the pipeline's identity"
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
      A deploy account called $${log.extracted_label.method} of $${log.extracted_label.service} in ${local.project}, and no run of the pipeline stands behind it. It may change every function: treat it as stolen until somebody says otherwise.

      `gcloud logging read 'protoPayload.authenticationInfo.principalEmail="${sort(tolist(var.pipeline.accounts))[0]}"' --project=${local.project} --freshness=1d --limit=20`

      Playbook: ${local.playbook["deploy-account"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["deploy-account"]
    }
  }
}

resource "google_monitoring_alert_policy" "log_volume" {
  project               = local.project
  display_name          = "More logs than expected"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "More than ${var.log_volume_gib} GiB of logs were stored this month"
    condition_threshold {
      filter          = "resource.type = \"global\" AND metric.type = \"logging.googleapis.com/billing/monthly_bytes_ingested\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.log_volume_gib * 1024 * 1024 * 1024
      duration        = "1800s" # the least that this figure, which comes every half hour, is good for
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
      }
      trigger {
        count = 1
      }
    }
  }
  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED", "CLOSED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      ${local.project} stored more than ${var.log_volume_gib} GiB of logs this month. Which of them?

      `gcloud logging read '' --project=${local.project} --freshness=5m --limit=1000 --format='value(logName,resource.labels.service_name)' | sort | uniq -c | sort -rn | head`

      Playbook: ${local.playbook["log-volume"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["log-volume"]
    }
  }
}

# Google tells of a budget by mail alone, and says nothing but how much was spent: its name leads to the playbook.
resource "google_billing_budget" "month" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = "Ostiary ${local.project}, playbook budget"

  budget_filter {
    projects        = [for number in compact([var.project.number, var.evidence_project.number, var.watchdog_project.number]) : "projects/${number}"]
    calendar_period = "MONTH"
  }
  amount {
    specified_amount {
      units         = tostring(var.budget.amount)
      currency_code = var.budget.currency
    }
  }
  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 0.9
  }
  threshold_rules {
    threshold_percent = 1.0
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  # Without a channel Google writes to the billing account's administrators, as it does beside.
  dynamic "all_updates_rule" {
    for_each = length(var.budget.channels) + length(var.addresses) > 0 ? [1] : []
    content {
      monitoring_notification_channels = concat(var.budget.channels, [for a in sort(tolist(var.addresses)) : google_monitoring_notification_channel.mail[a].name])
      disable_default_iam_recipients   = false
    }
  }
}
