output "alerts" {
  description = "Id of each alert policy, by its playbook and, where there is one each, the function or page: failing/registerip, sinks."
  value = merge(
    { for name, policy in google_monitoring_alert_policy.failing : "failing/${name}" => policy.name },
    { for name, policy in google_monitoring_alert_policy.missing : "missing/${name}" => policy.name },
    { for name, policy in google_monitoring_alert_policy.dead : "dead-letters/${name}" => policy.name },
    { for name, policy in google_monitoring_alert_policy.site : "site/${name}" => policy.name },
    { for name, policies in {
      "waiting"                 = google_monitoring_alert_policy.waiting[*].name
      "full"                    = google_monitoring_alert_policy.full[*].name
      "critical"                = google_monitoring_alert_policy.critical[*].name
      "edge"                    = google_monitoring_alert_policy.edge[*].name
      "sinks"                   = [google_monitoring_alert_policy.sinks.name]
      "backups"                 = [google_monitoring_alert_policy.backups.name]
      "denied"                  = [google_monitoring_alert_policy.denied.name]
      "deploy-account"          = google_monitoring_alert_policy.deploy_account[*].name
      "log-volume"              = [google_monitoring_alert_policy.log_volume.name]
      "evidence"                = google_monitoring_alert_policy.evidence[*].name
      "silence"                 = google_monitoring_alert_policy.silence[*].name
      "heartbeat"               = google_monitoring_alert_policy.heartbeat[*].name
      "evidence-given"          = [google_monitoring_alert_policy.evidence_given.name]
      "deploy-account/evidence" = google_monitoring_alert_policy.deploy_account_evidence[*].name
      "deploy-account/watchdog" = google_monitoring_alert_policy.deploy_account_watchdog[*].name
      "evidence-touched"        = [google_monitoring_alert_policy.evidence_touched.name]
      "certificate"             = google_monitoring_alert_policy.certificate[*].name
    } : name => policies[0] if length(policies) > 0 },
  )
}

output "dashboard" {
  description = "Id of the dashboard, projects/NUMBER/dashboards/ID."
  value       = google_monitoring_dashboard.installation.id
}
