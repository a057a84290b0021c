variables {
  rules = {
    audit = "log_id(\"cloudaudit.googleapis.com/activity\")"
    data_access = {
      "iam.googleapis.com" = "(log_id(\"cloudaudit.googleapis.com/data_access\") AND (protoPayload.serviceName=\"iam.googleapis.com\" OR protoPayload.serviceName=\"iamcredentials.googleapis.com\"))"
    }
    logs = ["act-as"]
  }
  data_access = ["iam.googleapis.com", "secretmanager.googleapis.com"]
}

run "lets_through_rules_services_logs_and_heartbeat" {
  command = plan

  assert {
    condition     = startswith(output.filter, "log_id(\"cloudaudit.googleapis.com/activity\") OR ")
    error_message = "what the rules match of the logs that are always written comes first"
  }
  assert {
    condition     = strcontains(output.filter, " OR ${var.rules.data_access["iam.googleapis.com"]} OR ")
    error_message = "of a service that rules read, what they match is let through"
  }
  assert {
    condition     = strcontains(output.filter, " OR (log_id(\"cloudaudit.googleapis.com/data_access\") AND protoPayload.serviceName=\"secretmanager.googleapis.com\") OR ")
    error_message = "of a service that no rule names, all that is switched on is let through"
  }
  assert {
    condition     = strcontains(output.filter, " OR log_id(\"act-as\") OR ") && endswith(output.filter, " OR labels.\"ostiary-heartbeat\":*")
    error_message = "the company's own logs and the heartbeat are let through"
  }
  assert {
    condition     = strcontains(output.filter, "((log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/system_event\")))")
    error_message = "without a list, changes of every service are told"
  }
  assert {
    condition     = !strcontains(output.filter, " NOT ")
    error_message = "nothing is left out where nothing loops"
  }
}

run "tells_of_the_changes_of_named_services" {
  command = plan
  variables {
    asset_services = ["compute.googleapis.com", "run.googleapis.com"]
  }

  assert {
    condition     = strcontains(output.filter, "log_id(\"cloudaudit.googleapis.com/system_event\")) AND protoPayload.serviceName=(\"compute.googleapis.com\" OR \"run.googleapis.com\"))")
    error_message = "changes of the named services alone are told"
  }
}

run "all_among_the_services_is_every_one" {
  command = plan
  variables {
    asset_services = ["compute.googleapis.com", "all"]
  }

  assert {
    condition     = strcontains(output.filter, "log_id(\"cloudaudit.googleapis.com/system_event\")))")
    error_message = "all among the services must not be narrowed to the others"
  }
}

run "names_a_log_once" {
  command = plan
  variables {
    application_logs = ["act-as", "run.googleapis.com/varlog/system"]
  }

  assert {
    condition     = length(split("log_id(\"act-as\")", output.filter)) == 2 && strcontains(output.filter, "log_id(\"run.googleapis.com/varlog/system\")")
    error_message = "a log that is mapped and named is named once, and the other is not forgotten"
  }
}

run "does_not_read_its_own_reading" {
  command = plan
  variables {
    data_access = ["datastore.googleapis.com", "secretmanager.googleapis.com", "storage.googleapis.com"]
    watch       = { account = "fn-watchaudit@p-staging.iam.gserviceaccount.com", projects = ["p-staging", "p-staging-ev"] }
  }

  assert {
    condition     = endswith(output.filter, ") AND NOT (logName=(\"projects/p-staging/logs/cloudaudit.googleapis.com%2Fdata_access\" OR \"projects/p-staging-ev/logs/cloudaudit.googleapis.com%2Fdata_access\") AND protoPayload.serviceName=(\"datastore.googleapis.com\" OR \"firestore.googleapis.com\" OR \"storage.googleapis.com\") AND protoPayload.authenticationInfo.principalEmail=\"fn-watchaudit@p-staging.iam.gserviceaccount.com\")")
    error_message = "left out is the watch's account, in the controls' projects, on what it uses with each entry, and nothing else"
  }
  assert {
    condition     = startswith(output.filter, "(log_id(") && !strcontains(split(" AND NOT ", output.filter)[1], "secretmanager")
    error_message = "the whole is in brackets, and the watch's reading of secrets is watched"
  }
}

run "leaves_out_nothing_that_does_not_loop" {
  command = plan
  variables {
    watch = { account = "fn-watchaudit@p-staging.iam.gserviceaccount.com", projects = ["p-staging"] }
  }

  assert {
    condition     = !strcontains(output.filter, "fn-watchaudit")
    error_message = "where none of its services is read, the watch is watched like everybody"
  }
}

run "takes_rules_without_logs" {
  command = plan
  variables {
    rules = { audit = "log_id(\"cloudaudit.googleapis.com/activity\")", data_access = {}, logs = null }
  }

  assert {
    condition     = endswith(output.filter, ") OR labels.\"ostiary-heartbeat\":*")
    error_message = "a policy may map no log of the company's"
  }
}

run "refuses_a_filter_no_sink_takes" {
  command = plan
  variables {
    application_logs = [for n in range(600) : format("company-application-log-number-%03d", n)]
  }
  expect_failures = [output.filter]
}

run "refuses_what_is_no_filter" {
  command = plan
  variables {
    rules = { audit = "", data_access = {} }
  }
  expect_failures = [var.rules]
}

run "refuses_all_services" {
  command = plan
  variables {
    data_access = ["allServices"]
  }
  expect_failures = [var.data_access]
}

run "refuses_a_service_without_a_switch" {
  command = plan
  variables {
    data_access = ["iamcredentials.googleapis.com"]
  }
  expect_failures = [var.data_access]
}

run "refuses_a_service_named_twice" {
  command = plan
  variables {
    data_access = ["iam.googleapis.com", "iam.googleapis.com"]
  }
  expect_failures = [var.data_access]
}

run "refuses_an_asset_where_a_service_belongs" {
  command = plan
  variables {
    asset_services = ["compute.googleapis.com/Firewall"]
  }
  expect_failures = [var.asset_services]
}

run "refuses_a_log_that_would_end_the_filter" {
  command = plan
  variables {
    application_logs = ["x\") OR log_id(\"y"]
  }
  expect_failures = [var.application_logs]
}

run "refuses_a_person_as_the_watch" {
  command = plan
  variables {
    watch = { account = "eve@company.example", projects = ["p-staging"] }
  }
  expect_failures = [var.watch]
}

run "refuses_an_account_without_projects" {
  command = plan
  variables {
    watch = { account = "fn-watchaudit@p-staging.iam.gserviceaccount.com", projects = [] }
  }
  expect_failures = [var.watch]
}
