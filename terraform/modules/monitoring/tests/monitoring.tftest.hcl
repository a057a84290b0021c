mock_provider "google" {
  mock_resource "google_monitoring_uptime_check_config" {
    defaults = {
      uptime_check_id = "check-1"
    }
  }
  mock_resource "google_monitoring_notification_channel" {
    defaults = {
      name = "projects/p-staging/notificationChannels/99"
    }
  }
}

variables {
  project           = { id = "p-staging", number = "123456789012" }
  watchdog_project  = { id = "w-staging", number = "123456789013" }
  evidence_project  = { id = "e-staging", number = "123456789014" }
  region            = "europe-west1"
  channels          = ["projects/p-staging/notificationChannels/7"]
  watchdog_channels = ["projects/w-staging/notificationChannels/8"]
  site              = "https://ostiary.acme.example"
  playbooks         = "https://git.acme.example/ostiary/blob/main/docs/operations.md"
  deployed          = ["registerip", "syncallowlist", "purgeexpired", "tickwatch", "watchaudit", "trustpage", "sealevidence", "requesterasure"]
  manifests = {
    registerip     = { name = "registerip", control = "access", callers = "staff", freshness = "", triggers = [{ kind = "http" }], timeout_s = 30, max_instances = 3 }
    syncallowlist  = { name = "syncallowlist", control = "access", callers = "machine", freshness = "5m", triggers = [{ kind = "topic", topic = "lease.changed" }, { kind = "schedule", cron = "* * * * *" }], timeout_s = 120, max_instances = 1, permissions = [{ permission = "storage.objects.create", resource = "bucket:evidence-inbox" }] }
    purgeexpired   = { name = "purgeexpired", control = "erasure", callers = "machine", freshness = "1h", triggers = [{ kind = "schedule", cron = "*/10 * * * *" }], timeout_s = 300, max_instances = 1 }
    requesterasure = { name = "requesterasure", control = "erasure", callers = "public", freshness = "", triggers = [{ kind = "http" }], timeout_s = 30, max_instances = 5 }
    tickwatch      = { name = "tickwatch", control = "watch", callers = "machine", freshness = "5m", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 120, max_instances = 1 }
    watchaudit     = { name = "watchaudit", control = "watch", callers = "machine", freshness = "30m", triggers = [{ kind = "topic", topic = "audit.entries" }, { kind = "topic", topic = "lease.changed" }], timeout_s = 60, max_instances = 10 }
    trustpage      = { name = "trustpage", control = "trust", callers = "public", freshness = "", triggers = [{ kind = "http" }], timeout_s = 30, max_instances = 5 }
    sealevidence   = { name = "sealevidence", control = "trust", callers = "machine", freshness = "5m", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 300, max_instances = 1, permissions = [{ permission = "cloudkms.cryptoKeyVersions.useToSign", resource = "signing-key:evidence" }] }
    checkdrift     = { name = "checkdrift", control = "drift", callers = "machine", freshness = "30m", triggers = [{ kind = "topic", topic = "asset.feed" }], timeout_s = 540, max_instances = 2 }
  }
}

run "every_deployed_function_can_fail_aloud" {
  command = plan

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.failing)) == var.deployed
    error_message = "each deployed function, and none that is not deployed, has an alert on errors"
  }
  assert {
    condition     = google_monitoring_alert_policy.failing["registerip"].conditions[0].condition_prometheus_query_language[0].query == "sum(increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\",service_name=\"registerip\",response_code_class=\"5xx\"}[600s])) > 2.5 and sum(increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\",service_name=\"registerip\",response_code_class=\"5xx\"}[600s])) / sum(increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\",service_name=\"registerip\"}[600s])) > 0.1"
    error_message = "three errors in ten minutes that are more than one answer in ten, of this function alone"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.failing["purgeexpired"].conditions[0].condition_prometheus_query_language[0].query, "[1800s]")
    error_message = "a function that runs every ten minutes needs a window in which it fails three times"
  }
  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.failing : policy.notification_channels == tolist(["projects/p-staging/notificationChannels/7"]) && policy.project == "p-staging" && policy.severity == "ERROR"])
    error_message = "whoever looks after the functions hears of it"
  }
  assert {
    condition     = google_monitoring_alert_policy.failing["registerip"].user_labels == tomap({ function = "registerip", control = "access" })
    error_message = "alerts can be found by function and control"
  }
}

run "silence_is_noticed_also_of_what_was_never_heard" {
  command = plan

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.missing)) == toset(["syncallowlist", "purgeexpired", "tickwatch", "watchaudit", "sealevidence"])
    error_message = "those whose manifest has a freshness, and no others, are missed"
  }
  assert {
    condition     = google_monitoring_alert_policy.missing["syncallowlist"].conditions[0].condition_prometheus_query_language[0].query == "(sum(increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\",service_name=\"syncallowlist\",response_code_class=\"2xx\"}[300s])) or vector(0)) < 0.5"
    error_message = "no good answer counts as silence, and no figure at all does too"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.missing["purgeexpired"].conditions[0].condition_prometheus_query_language[0].query, "[3600s]") && google_monitoring_alert_policy.missing["purgeexpired"].conditions[0].condition_prometheus_query_language[0].duration == "900s"
    error_message = "an hour is an hour, and a quarter of one is waited beside: the first run after a deployment comes within ten minutes"
  }
  assert {
    condition     = google_monitoring_alert_policy.missing["syncallowlist"].conditions[0].condition_prometheus_query_language[0].duration == "300s"
    error_message = "who keeps the doors is missed after ten minutes altogether"
  }
  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.missing : policy.conditions[0].condition_prometheus_query_language[0].disable_metric_validation])
    error_message = "a project in which nothing was ever counted must not refuse the alert"
  }
}

run "what_waits_or_was_given_up_is_told" {
  command = plan

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.dead)) == toset(["syncallowlist", "watchaudit"]) && google_monitoring_alert_policy.dead["watchaudit"].display_name == "Dead letters of watchaudit"
    error_message = "each function with a topic has an alert on dead letters, by the name that the drift control looks for"
  }
  assert {
    condition     = google_monitoring_alert_policy.dead["watchaudit"].conditions[0].condition_threshold[0].filter == "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"dead.watchaudit\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\"" && google_monitoring_alert_policy.dead["watchaudit"].conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "one dead letter is one too many"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.waiting[0].conditions[0].condition_threshold[0].filter, "full_match(\"(syncallowlist|watchaudit)--.+\")") && google_monitoring_alert_policy.waiting[0].conditions[0].condition_threshold[0].threshold_value == 600 && google_monitoring_alert_policy.waiting[0].conditions[0].condition_threshold[0].aggregations[0].group_by_fields == tolist(["resource.label.subscription_id"])
    error_message = "ten minutes, by subscription, and not of those that nobody reads"
  }
  assert {
    condition     = google_monitoring_alert_policy.full[0].conditions[0].condition_prometheus_query_language[0].query == join(" or ", [for most, names in { "10" = "watchaudit", "3" = "registerip", "5" = "requesterasure|trustpage" } : "sum by (service_name) (max_over_time(run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\",state=\"active\",service_name=~\"${names}\"}[120s])) >= ${most}"])
    error_message = "each function by its own bound, and none that may have one instance only"
  }
}

run "the_installation_is_watched" {
  command = plan
  variables {
    pipeline = { accounts = ["deploy@p-staging.iam.gserviceaccount.com"], pool = "projects/99/locations/global/workloadIdentityPools/forge" }
  }

  assert {
    condition     = google_monitoring_alert_policy.deploy_account[0].conditions[0].condition_matched_log[0].filter == "(log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/data_access\")) AND protoPayload.authenticationInfo.principalEmail=(\"deploy@p-staging.iam.gserviceaccount.com\") AND NOT protoPayload.authenticationInfo.serviceAccountDelegationInfo.principalSubject:\"principal://iam.googleapis.com/projects/99/locations/global/workloadIdentityPools/forge/\""
    error_message = "every use of the deploy account that the pool does not stand behind is told"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.critical[0].conditions[0].condition_matched_log[0].filter, "(severity>=CRITICAL OR jsonPayload.message:(\"the evidence inbox is behind\" OR ") && strcontains(google_monitoring_alert_policy.critical[0].conditions[0].condition_matched_log[0].filter, "\"registerip\" OR \"requesterasure\"")
    error_message = "what functions write to wake somebody does, and only functions that are deployed are listened to"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.backups.conditions[0].condition_prometheus_query_language[0].query, "database_id!=\"ledger\"") && strcontains(google_monitoring_alert_policy.backups.conditions[0].condition_prometheus_query_language[0].query, " unless ")
    error_message = "every database but the ledger of who was erased has to have a backup"
  }
  assert {
    condition     = google_monitoring_alert_policy.log_volume.conditions[0].condition_threshold[0].threshold_value == 42949672960
    error_message = "40 GiB are 40 times 2^30 bytes"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.sinks.conditions[0].condition_threshold[0].filter, "logging.googleapis.com/exports/error_count") && strcontains(google_monitoring_alert_policy.denied.conditions[0].condition_matched_log[0].filter, "constraints/") && strcontains(google_monitoring_alert_policy.edge[0].conditions[0].condition_prometheus_query_language[0].query, "https_lb_rule")
    error_message = "sinks, denials and the edge are watched"
  }
  # Google refuses a rate limit on figures, and an alert on logs without one.
  assert {
    condition = alltrue([for policy in concat(
      [google_monitoring_alert_policy.critical[0], google_monitoring_alert_policy.denied, google_monitoring_alert_policy.deploy_account[0]],
      ) : length(policy.conditions) == 1 && length(policy.alert_strategy[0].notification_rate_limit) == 1]) && alltrue([for policy in concat(
      values(google_monitoring_alert_policy.failing), values(google_monitoring_alert_policy.missing), values(google_monitoring_alert_policy.dead),
      [google_monitoring_alert_policy.edge[0], google_monitoring_alert_policy.sinks, google_monitoring_alert_policy.backups, google_monitoring_alert_policy.log_volume],
    ) : length(policy.alert_strategy[0].notification_rate_limit) == 0])
    error_message = "a rate limit where an alert reads logs, and nowhere else"
  }
}

run "the_watchdog_stands_elsewhere" {
  command = apply

  assert {
    condition     = toset([for watched in google_monitoring_monitored_project.watched : watched.name]) == toset(["p-staging", "e-staging"]) && alltrue([for watched in google_monitoring_monitored_project.watched : watched.metrics_scope == "w-staging"])
    error_message = "the watchdog reads the figures of both projects, and they none of its"
  }
  assert {
    condition = alltrue([for policy in concat(
      values(google_monitoring_alert_policy.site),
      [google_monitoring_alert_policy.evidence[0], google_monitoring_alert_policy.silence[0], google_monitoring_alert_policy.heartbeat[0], google_monitoring_alert_policy.evidence_touched, google_monitoring_alert_policy.certificate[0]],
    ) : policy.project == "w-staging" && policy.notification_channels == tolist(["projects/w-staging/notificationChannels/8"])])
    error_message = "what watches from outside lies in the watchdog's project, with channels of its own"
  }
  assert {
    condition     = { for name, check in google_monitoring_uptime_check_config.page : name => check.http_check[0].path } == { evidence = "/trustpage/v1/freshness", requesterasure = "/requesterasure/", trustpage = "/trustpage/" }
    error_message = "the public pages, and how fresh the evidence is, are asked for"
  }
  assert {
    condition     = alltrue([for check in google_monitoring_uptime_check_config.page : check.project == "w-staging" && contains(check.selected_regions, "EUROPE") && length(check.selected_regions) == 3 && check.http_check[0].use_ssl && check.http_check[0].validate_ssl && check.monitored_resource[0].labels == tomap({ project_id = "w-staging", host = "ostiary.acme.example" })])
    error_message = "from Europe and the two places that Google asks for beside, over TLS that is verified"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.evidence[0].conditions[0].condition_threshold[0].filter, "metric.labels.check_id = \"check-1\"") && toset(keys(google_monitoring_alert_policy.site)) == toset(["trustpage", "requesterasure"])
    error_message = "old evidence has an alert of its own"
  }
  assert {
    condition     = google_monitoring_alert_policy.silence[0].conditions[0].condition_prometheus_query_language[0].query == "(count(sum by (service_name) (increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\",response_code_class=\"2xx\",service_name=~\"purgeexpired|sealevidence|syncallowlist|tickwatch|watchaudit\"}[3600s])) >= 0.5) or vector(0)) < 5"
    error_message = "all five that run by a clock answered, or the watchdog says so; also when none did"
  }
  assert {
    condition     = google_monitoring_alert_policy.heartbeat[0].conditions[0].condition_prometheus_query_language[0].query == "(sum(increase(logging_googleapis_com:user_ostiary_heartbeat{monitored_resource=\"cloud_run_revision\",project_id=\"p-staging\"}[1800s])) or vector(0)) < 0.5" && google_logging_metric.heartbeat.name == "ostiary_heartbeat" && google_logging_metric.heartbeat.project == "p-staging"
    error_message = "three markers missed in a row"
  }
  assert {
    condition     = strcontains(google_logging_metric.evidence_touched.filter, "NOT protoPayload.authenticationInfo.principalEmail=~\"^fn-(sealevidence|syncallowlist)@p-staging[.]iam[.]gserviceaccount[.]com$\"") && google_logging_metric.evidence_touched.project == "e-staging" && strcontains(google_monitoring_alert_policy.evidence_touched.conditions[0].condition_prometheus_query_language[0].query, "user_ostiary_evidence_touched{monitored_resource=\"gcs_bucket\",project_id=\"e-staging\"}[900s])) > 0 or ")
    error_message = "hands on the evidence that are no function's are told of, on objects and on keys"
  }
  assert {
    condition     = google_monitoring_alert_policy.certificate[0].conditions[0].condition_threshold[0].threshold_value == 15 && google_monitoring_alert_policy.certificate[0].conditions[0].condition_threshold[0].comparison == "COMPARISON_LT"
    error_message = "a fortnight is left to mend what hinders a renewal"
  }
}

run "every_alert_says_what_to_do" {
  command = apply
  variables {
    pipeline = { accounts = ["deploy@p-staging.iam.gserviceaccount.com"], pool = "projects/99/locations/global/workloadIdentityPools/forge" }
  }

  assert {
    condition = alltrue([for policy in concat(
      values(google_monitoring_alert_policy.failing), values(google_monitoring_alert_policy.missing), values(google_monitoring_alert_policy.dead), values(google_monitoring_alert_policy.site),
      google_monitoring_alert_policy.waiting, google_monitoring_alert_policy.full, google_monitoring_alert_policy.critical, google_monitoring_alert_policy.edge, google_monitoring_alert_policy.deploy_account, google_monitoring_alert_policy.deploy_account_evidence, google_monitoring_alert_policy.deploy_account_watchdog,
      google_monitoring_alert_policy.evidence, google_monitoring_alert_policy.silence, google_monitoring_alert_policy.heartbeat, google_monitoring_alert_policy.certificate,
      [google_monitoring_alert_policy.sinks, google_monitoring_alert_policy.backups, google_monitoring_alert_policy.denied, google_monitoring_alert_policy.log_volume, google_monitoring_alert_policy.evidence_touched, google_monitoring_alert_policy.evidence_given],
      ) : startswith(policy.documentation[0].links[0].url, "https://git.acme.example/ostiary/blob/main/docs/operations.md#") && strcontains(policy.documentation[0].content, policy.documentation[0].links[0].url)
      && length(policy.documentation[0].content) < 8192 && length(policy.notification_channels) > 0 && length(policy.conditions) == 1
    ])
    error_message = "each alert links its playbook, in its link and in its words, within what Google stores, and somebody hears of it"
  }
  assert {
    condition = toset([for name in keys(output.alerts) : split("/", name)[0]]) == toset(keys(local.playbook)) && length(output.alerts) == sum([
      length(google_monitoring_alert_policy.failing), length(google_monitoring_alert_policy.missing), length(google_monitoring_alert_policy.dead), length(google_monitoring_alert_policy.site), 17,
    ])
    error_message = "every alert is in the output, by its playbook"
  }
}

run "groups_hear_of_everything" {
  command = plan
  variables {
    channels          = []
    watchdog_channels = []
    addresses         = ["oncall@acme.example", "security@acme.example"]
  }

  assert {
    condition     = toset([for channel in google_monitoring_notification_channel.mail : channel.labels.email_address]) == var.addresses && toset([for channel in google_monitoring_notification_channel.watchdog_mail : channel.project]) == toset(["w-staging"])
    error_message = "each address has a channel in either project"
  }
}

run "a_stolen_pipeline_is_seen_everywhere" {
  command = plan
  variables {
    pipeline = { accounts = ["deploy@b-staging.iam.gserviceaccount.com"], pool = "projects/99/locations/global/workloadIdentityPools/forge" }
  }

  assert {
    condition = (google_logging_metric.evidence_outside[0].project == "e-staging" && google_logging_metric.evidence_outside[0].filter == google_monitoring_alert_policy.deploy_account[0].conditions[0].condition_matched_log[0].filter &&
    google_monitoring_alert_policy.deploy_account_watchdog[0].conditions[0].condition_matched_log[0].filter == google_monitoring_alert_policy.deploy_account[0].conditions[0].condition_matched_log[0].filter)
    error_message = "the same use is looked for in all three projects"
  }
  assert {
    condition     = alltrue([for policy in [google_monitoring_alert_policy.deploy_account_evidence[0], google_monitoring_alert_policy.deploy_account_watchdog[0], google_monitoring_alert_policy.evidence_given] : policy.project == "w-staging" && policy.notification_channels == tolist(["projects/w-staging/notificationChannels/8"])])
    error_message = "what happens to the evidence and to the watchdog is told by the watchdog"
  }
  assert {
    condition = (length(regexall("user_ostiary_evidence_outside[{]monitored_resource=\"[a-z_]+\",project_id=\"e-staging\"[}]", google_monitoring_alert_policy.deploy_account_evidence[0].conditions[0].condition_prometheus_query_language[0].query)) == 11 &&
    strcontains(google_monitoring_alert_policy.evidence_given.conditions[0].condition_prometheus_query_language[0].query, "user_ostiary_evidence_given{monitored_resource=\"project\",project_id=\"e-staging\"}[900s])) > 0 or "))
    error_message = "figures of the evidence project, of every kind of resource there is in it"
  }
  assert {
    condition     = strcontains(google_logging_metric.evidence_given.filter, "owner|editor|viewer") && google_logging_metric.evidence_given.project == "e-staging"
    error_message = "a basic role reads every object of a bucket"
  }
}

run "no_pipeline_is_told_of_nowhere" {
  command = plan

  assert {
    condition     = length(google_logging_metric.evidence_outside) + length(google_monitoring_alert_policy.deploy_account) + length(google_monitoring_alert_policy.deploy_account_evidence) + length(google_monitoring_alert_policy.deploy_account_watchdog) == 0
    error_message = "a filter on no account would match every entry"
  }
}

run "money_is_counted_for_all_three_projects" {
  command = plan
  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 120, currency = "EUR", channels = ["projects/p-staging/notificationChannels/7"] }
  }

  assert {
    condition     = google_billing_budget.month[0].budget_filter[0].projects == toset(["projects/123456789012", "projects/123456789013", "projects/123456789014"])
    error_message = "the budget is of the three projects and nothing else of the billing account"
  }
  assert {
    condition     = [for rule in google_billing_budget.month[0].threshold_rules : rule.threshold_percent] == [0.5, 0.9, 1, 1] && google_billing_budget.month[0].threshold_rules[3].spend_basis == "FORECASTED_SPEND" && google_billing_budget.month[0].amount[0].specified_amount[0].units == "120"
    error_message = "half, nine tenths, all, and all by the forecast"
  }
  assert {
    condition     = google_billing_budget.month[0].all_updates_rule[0].monitoring_notification_channels == tolist(["projects/p-staging/notificationChannels/7"]) && length(google_billing_budget.month[0].display_name) <= 60
    error_message = "the channels hear of it, and Google takes the name"
  }
}

run "nothing_deployed_yet" {
  command = plan
  variables {
    deployed          = []
    channels          = []
    watchdog_channels = []
  }

  assert {
    condition     = length(google_monitoring_alert_policy.failing) + length(google_monitoring_alert_policy.missing) + length(google_monitoring_alert_policy.dead) + length(google_monitoring_alert_policy.waiting) + length(google_monitoring_alert_policy.silence) + length(google_monitoring_uptime_check_config.page) == 0
    error_message = "the first apply has no functions, and no alert may wait for them"
  }
  assert {
    condition     = length(google_billing_budget.month) == 0 && length(jsondecode(google_monitoring_dashboard.installation.dashboard_json).mosaicLayout.tiles) == 3
    error_message = "no budget was asked for, and the page shows the edge, the sinks and what is open"
  }
}

run "the_dashboard_has_a_row_per_control" {
  command = plan

  assert {
    condition     = [for tile in jsondecode(google_monitoring_dashboard.installation.dashboard_json).mosaicLayout.tiles : regex("^### ([a-z]+)", tile.widget.text.content)[0] if can(tile.widget.text)] == ["access", "erasure", "watch", "trust"]
    error_message = "the controls that have a deployed function, in the order of the house"
  }
  assert {
    condition     = length([for tile in jsondecode(google_monitoring_dashboard.installation.dashboard_json).mosaicLayout.tiles : tile if can(tile.widget.xyChart)]) == 2 + 4 + 2 + 4 + 2
    error_message = "four charts for a control with messages, two for one without, two for the edge and the sinks"
  }
  # On a grid of 48 columns: none may lie on another, or Google refuses all of it.
  assert {
    condition = alltrue(flatten([for i, a in jsondecode(google_monitoring_dashboard.installation.dashboard_json).mosaicLayout.tiles : [for j, b in jsondecode(google_monitoring_dashboard.installation.dashboard_json).mosaicLayout.tiles :
      i == j || try(a.xPos, 0) + a.width <= try(b.xPos, 0) || try(b.xPos, 0) + b.width <= try(a.xPos, 0) || try(a.yPos, 0) + a.height <= try(b.yPos, 0) || try(b.yPos, 0) + b.height <= try(a.yPos, 0)
    ]])) && alltrue([for tile in jsondecode(google_monitoring_dashboard.installation.dashboard_json).mosaicLayout.tiles : try(tile.xPos, 0) + tile.width <= 48])
    error_message = "tiles lie side by side"
  }
  assert {
    condition     = strcontains(google_monitoring_dashboard.installation.dashboard_json, "| syncallowlist | machine | lease.changed, `* * * * *` | 5m | 120 s | 1 |")
    error_message = "each function stands there with what its manifest says"
  }
}

run "takes_hours_and_minutes_together" {
  command = plan
  variables {
    deployed = ["one"]
    manifests = {
      one = { name = "one", control = "access", callers = "machine", freshness = "1h30m", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 30, max_instances = 1 }
    }
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.missing["one"].conditions[0].condition_prometheus_query_language[0].query, "[5400s]") && strcontains(google_monitoring_alert_policy.silence[0].conditions[0].condition_prometheus_query_language[0].query, "[5400s]")
    error_message = "an hour and a half, and the watchdog waits as long"
  }
}
