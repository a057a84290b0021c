# Who is told, of what, and where it is written what to do. Alerts are of two projects: those of the functions' own project say
# which function is in trouble; those of the watchdog's go on when nothing in the functions' project does.

locals {
  project = var.project.id

  functions = { for name in var.deployed : name => var.manifests[name] }
  names     = sort(keys(local.functions))
  topical   = sort([for name, m in local.functions : name if anytrue([for t in m.triggers : t.kind == "topic"])])

  # Seconds of silence after which a function is missed.
  freshness = {
    for name, m in local.functions : name => sum([
      for part in regexall("([0-9]+)([hms])", m.freshness) : tonumber(part[0]) * { h = 3600, m = 60, s = 1 }[part[1]]
    ]) if m.freshness != ""
  }

  # Every alert links its section of the operations page: the heading has the alert's name.
  playbook = { for name in [
    "failing", "missing", "dead-letters", "waiting", "full", "critical", "edge", "sinks", "backups", "denied", "deploy-account", "log-volume",
    "site", "evidence", "silence", "heartbeat", "evidence-touched", "evidence-given", "certificate",
  ] : name => "${var.playbooks}#${name}" }

  channels          = concat(var.channels, [for a in sort(tolist(var.addresses)) : google_monitoring_notification_channel.mail[a].name])
  watchdog_channels = concat(var.watchdog_channels, [for a in sort(tolist(var.addresses)) : google_monitoring_notification_channel.watchdog_mail[a].name])

  # How often an expression is evaluated: what is stored each minute needs no more, and each evaluation is paid for.
  every = "60s"

  # What Cloud Run counts: requests that reached an instance. Those it refuses itself, for want of a right or of room, are not
  # in it (https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run).
  requests = "run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"${local.project}\",service_name=\"%s\"%s}[%ds]"
}

resource "google_monitoring_notification_channel" "mail" {
  for_each     = var.addresses
  project      = local.project
  type         = "email"
  display_name = "Ostiary: ${each.key}"
  description  = "Hears of every alert about the functions."
  labels       = { email_address = each.key }

  lifecycle {
    create_before_destroy = true # one that an alert still names cannot be deleted: the alerts are changed first
  }
}

resource "google_monitoring_notification_channel" "watchdog_mail" {
  for_each     = var.addresses
  project      = var.watchdog_project.id
  type         = "email"
  display_name = "Ostiary's watchdog: ${each.key}"
  description  = "Hears when nothing in the functions' project can tell of trouble any more."
  labels       = { email_address = each.key }

  lifecycle {
    create_before_destroy = true
  }
}
