# One alert per function and per way in which it can let people down: it answers with errors, it is not heard of, it gave a
# message up. Messages that wait, and instances that are all taken, are told of for all functions together: each incident
# names its own.

locals {
  # A window that holds several runs of the schedule, and never less than ten minutes.
  window = { for name in local.names : name => max(600, floor(lookup(local.freshness, name, 0) / 2)) }
  errors = { for name in local.names : name => "sum(increase(${format(local.requests, name, ",response_code_class=\"5xx\"", local.window[name])}))" }
  all    = { for name in local.names : name => "sum(increase(${format(local.requests, name, "", local.window[name])}))" }

  # Functions by how many instances they may have; one alone is taken whenever it works.
  roomy = { for m in values(local.functions) : tostring(m.max_instances) => m.name... if m.max_instances > 1 }
}

# A single error heals by itself: pushes and schedules are tried again. Three in the window that are more than one answer in
# ten do not.
resource "google_monitoring_alert_policy" "failing" {
  for_each              = local.functions
  project               = local.project
  display_name          = "${each.key} is failing"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(var.labels, { function = each.key, control = each.value.control })

  conditions {
    display_name = "More than one answer in ten is an error"
    condition_prometheus_query_language {
      query                     = "${local.errors[each.key]} > 2.5 and ${local.errors[each.key]} / ${local.all[each.key]} > 0.1"
      duration                  = "0s"
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
      ${each.key} (${each.value.control}, called by ${each.value.callers}) answers with errors. Read them:

      `gcloud logging read 'resource.labels.service_name="${each.key}" AND severity>=WARNING' --project=${local.project} --freshness=1h --limit=20`

      Playbook: ${local.playbook["failing"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["failing"]
    }
  }
}

# A condition on absence notices only what was there before: a function that never answered since its deployment, whose
# schedule was never made, would stay unseen. This expression is zero for it, and for one that was never called.
resource "google_monitoring_alert_policy" "missing" {
  for_each              = local.freshness
  project               = local.project
  display_name          = "${each.key} is missing"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(var.labels, { function = each.key, control = local.functions[each.key].control })

  conditions {
    display_name = "No good answer for ${local.functions[each.key].freshness}"
    condition_prometheus_query_language {
      query = "(sum(increase(${format(local.requests, each.key, ",response_code_class=\"2xx\"", each.value)})) or vector(0)) < 0.5"
      # As long again, within 5 and 15 minutes: figures come up to four minutes late, and after a first deployment there are none.
      duration                  = "${max(300, min(900, each.value))}s"
      evaluation_interval       = local.every
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
      ${each.key} (${local.functions[each.key].control}) gave no good answer for ${local.functions[each.key].freshness}. Is it called at all?

      `gcloud scheduler jobs list --project=${local.project} --location=${var.region}`

      Playbook: ${local.playbook["missing"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["missing"]
    }
  }
}

# A dead letter is work that nobody does any more: somebody has to read it within its 31 days, and send it again or let it be.
# The control of configuration looks for this alert by its name.
resource "google_monitoring_alert_policy" "dead" {
  for_each              = toset(local.topical)
  project               = local.project
  display_name          = "Dead letters of ${each.key}"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(var.labels, { function = each.key, control = local.functions[each.key].control })

  conditions {
    display_name = "A message could not be delivered"
    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"dead.${each.key}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
      trigger {
        count = 1
      }
    }
  }
  alert_strategy {
    notification_prompts = ["OPENED", "CLOSED"]
  }
  documentation {
    mime_type = "text/markdown"
    content   = <<-EOT
      ${each.key} refused a message ten times, and it was set aside for 31 days. Read what it is:

      `ostiary redeliver --project ${local.project} --function ${each.key}`

      Playbook: ${local.playbook["dead-letters"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["dead-letters"]
    }
  }
}

resource "google_monitoring_alert_policy" "waiting" {
  count                 = length(local.topical) > 0 ? 1 : 0
  project               = local.project
  display_name          = "Messages wait for more than ten minutes"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "The oldest message of a subscription is ten minutes old"
    condition_threshold {
      # What is set aside has no reader, and grows old by design: it is not among these.
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"(${join("|", local.topical)})--.+\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = 600
      duration        = "60s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.subscription_id"]
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
      Messages in $${resource.label.subscription_id} wait for more than ten minutes. The name before the two hyphens is the function that does not take them.

      `gcloud logging read 'resource.type="cloud_run_revision" AND severity>=WARNING' --project=${local.project} --freshness=30m --limit=30`

      Playbook: ${local.playbook["waiting"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["waiting"]
    }
  }
}

# Cloud Run answers 429 itself when every instance is taken, and counts no such request: only the instances tell of it.
resource "google_monitoring_alert_policy" "full" {
  count                 = length(local.roomy) > 0 ? 1 : 0
  project               = local.project
  display_name          = "All instances of a function are taken"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "As many instances are at work as there may be, for ten minutes"
    condition_prometheus_query_language {
      query = join(" or ", [for most, names in local.roomy :
        "sum by (service_name) (max_over_time(run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\",project_id=\"${local.project}\",state=\"active\",service_name=~\"${join("|", sort(names))}\"}[120s])) >= ${most}"
      ])
      duration                  = "600s"
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
      A function works with all the instances it may have, and refuses whoever comes on top. The incident names it as service_name.

      Playbook: ${local.playbook["full"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["full"]
    }
  }
}
