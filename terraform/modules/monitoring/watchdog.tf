# What goes on when everything in the functions' project is switched off, by mistake or on purpose: a project of its own that
# asks the public pages from outside, and reads the other projects' figures.

locals {
  host   = trimprefix(var.site, "https://")
  pulsed = sort(keys(local.freshness))

  # The public pages, as somebody outside sees them; and whether the evidence behind them is fresh, by the answer's status.
  pages = {
    for name, path in { trustpage = "/trustpage/", requesterasure = "/requesterasure/", evidence = "/trustpage/v1/freshness" } : name => path
    if contains(var.deployed, name == "evidence" ? "trustpage" : name)
  }

  # A marker every ten minutes; three of them missed.
  marker = "(sum(increase(logging_googleapis_com:user_ostiary_heartbeat{monitored_resource=\"cloud_run_revision\",project_id=\"${local.project}\"}[1800s])) or vector(0)) < 0.5"

  # Longer than any of them may be silent, and never less than an hour: who is missing hears of it in the other project first.
  patience = max(concat([3600], values(local.freshness))...)
  heard    = "count(sum by (service_name) (increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"${local.project}\",response_code_class=\"2xx\",service_name=~\"${join("|", local.pulsed)}\"}[${local.patience}s])) >= 0.5)"
}

# Figures of these projects are read in the watchdog's; nothing of the watchdog's is seen in theirs. By id: numbers are changed
# into ids by Google, and would be replaced at every plan.
resource "google_monitoring_monitored_project" "watched" {
  for_each      = toset([local.project, var.evidence_project.id])
  metrics_scope = var.watchdog_project.id
  name          = each.key
}

# Google asks for three places at least and has one in Europe: the two nearest others go with it. What they ask for is public,
# and they send nothing.
resource "google_monitoring_uptime_check_config" "page" {
  for_each           = local.pages
  project            = var.watchdog_project.id
  display_name       = "Ostiary ${each.key}"
  period             = "60s"
  timeout            = "30s" # a first request may wake a function
  selected_regions   = ["EUROPE", "USA_VIRGINIA", "USA_IOWA"]
  log_check_failures = true

  http_check {
    path           = each.value
    port           = 443
    use_ssl        = true
    validate_ssl   = true
    request_method = "GET"
    accepted_response_status_codes {
      status_value = 200
    }
  }
  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.watchdog_project.id
      host       = local.host
    }
  }

  lifecycle {
    create_before_destroy = true # another host is another check, and one that an alert still names cannot be deleted
  }
}

resource "google_monitoring_alert_policy" "site" {
  for_each              = { for name, path in local.pages : name => path if name != "evidence" }
  project               = var.watchdog_project.id
  display_name          = "The public page ${each.value} does not answer"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "Two places of three got no answer for five minutes"
    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.page[each.key].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "300s"
      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
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
      ${var.site}${each.value} cannot be read from outside.

      `curl -sS -o /dev/null -w '%%{http_code} %%{time_total}\n' ${var.site}${each.value}`

      Playbook: ${local.playbook["site"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["site"]
    }
  }
}

# The page answers 503 where its newest checkpoint or its newest states are older than they may be, or where it cannot say.
resource "google_monitoring_alert_policy" "evidence" {
  count                 = contains(keys(local.pages), "evidence") ? 1 : 0
  project               = var.watchdog_project.id
  display_name          = "Evidence is old"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "The trust page says that its evidence is stale, or does not say"
    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.page["evidence"].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "300s"
      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
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
      The newest signed checkpoint, or the newest page, is older than it may be: nothing new can be proven meanwhile.

      `curl -sS ${var.site}/trustpage/v1/freshness`

      Playbook: ${local.playbook["evidence"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["evidence"]
    }
  }
}

resource "google_monitoring_alert_policy" "silence" {
  count                 = length(local.pulsed) > 0 ? 1 : 0
  project               = var.watchdog_project.id
  display_name          = "Functions are silent"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "Fewer than all ${length(local.pulsed)} functions with a schedule answered"
    condition_prometheus_query_language {
      query                     = "(${local.heard} or vector(0)) < ${length(local.pulsed)}"
      duration                  = "900s"
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
      Of ${length(local.pulsed)} functions of ${local.project} that run by a clock, fewer answered within ${local.patience / 60} minutes. An alert of that project names each one that is missing; where there is none, its alerts are off, and that is the worse news.

      `gcloud run services list --project=${local.project}`

      Playbook: ${local.playbook["silence"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["silence"]
    }
  }

  depends_on = [google_monitoring_monitored_project.watched]
}

# tickwatch writes a marker into the log every ten minutes, and the sink carries it to watchaudit as it carries every entry.
resource "google_logging_metric" "heartbeat" {
  project     = local.project
  name        = "ostiary_heartbeat"
  description = "Markers by which the log watch shows that it is awake."
  filter      = "resource.type=\"cloud_run_revision\" AND labels.\"ostiary-heartbeat\":*"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_monitoring_alert_policy" "heartbeat" {
  count                 = contains(var.deployed, "tickwatch") ? 1 : 0
  project               = var.watchdog_project.id
  display_name          = "The log watch has no heartbeat"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "No marker for half an hour"
    condition_prometheus_query_language {
      query                     = local.marker
      duration                  = "900s"
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
      The log of ${local.project} holds no marker of the last half hour: nobody judges what happens in the company's projects, or the log itself is off.

      `gcloud logging read 'labels."ostiary-heartbeat":*' --project=${local.project} --freshness=2h --limit=5`

      Playbook: ${local.playbook["heartbeat"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["heartbeat"]
    }
  }

  depends_on = [google_monitoring_monitored_project.watched, google_logging_metric.heartbeat]
}

# Google renews what it manages thirty days before it ends, as long as the record in DNS that allows it stands. With half of
# that left it has tried for a fortnight, in vain.
resource "google_monitoring_alert_policy" "certificate" {
  count                 = contains(keys(local.pages), "trustpage") ? 1 : 0
  project               = var.watchdog_project.id
  display_name          = "The certificate of ${local.host} ends soon"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.watchdog_channels
  user_labels           = var.labels

  conditions {
    display_name = "Fewer than fifteen days are left"
    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/time_until_ssl_cert_expires\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.page["trustpage"].uptime_check_id}\""
      comparison      = "COMPARISON_LT"
      threshold_value = 15
      duration        = "600s"
      aggregations {
        alignment_period     = "1200s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_MIN"
        group_by_fields      = ["resource.label.host"]
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
      The certificate of ${local.host} was not renewed. When it ends, nobody reaches any page.

      `dig +short CNAME _acme-challenge.${local.host}; dig +short CAA ${local.host}`

      Playbook: ${local.playbook["certificate"]}
    EOT
    links {
      display_name = "Playbook"
      url          = local.playbook["certificate"]
    }
  }
}
