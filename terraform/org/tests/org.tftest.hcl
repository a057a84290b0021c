mock_provider "google" {
  override_during = plan

  mock_resource "google_logging_organization_sink" {
    defaults = { writer_identity = "serviceAccount:service-org-111111111111@gcp-sa-logging.iam.gserviceaccount.com" }
  }
  mock_resource "google_logging_folder_sink" {
    defaults = { writer_identity = "serviceAccount:service-folder-222222222222@gcp-sa-logging.iam.gserviceaccount.com" }
  }
  mock_resource "google_logging_project_sink" {
    defaults = { writer_identity = "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com" }
  }
}

variables {
  environment      = "staging"
  project          = { id = "ostiary-staging", number = "123456789012" }
  evidence_project = { id = "ostiary-staging-ev", number = "223456789012" }
  scope            = "organizations/111111111111"
  organization     = "111111111111"
  data_access      = ["iam.googleapis.com", "secretmanager.googleapis.com"]
}

run "an_organization_is_watched_by_one_sink" {
  command = plan

  assert {
    condition     = join(" ", keys(google_logging_organization_sink.watched)) == "111111111111" && length(google_logging_folder_sink.watched) == 0 && length(google_logging_project_sink.watched) == 0
    error_message = "of an organization one sink takes everything: a second would send it twice"
  }
  assert {
    condition     = google_logging_organization_sink.watched["111111111111"].include_children && !google_logging_organization_sink.watched["111111111111"].intercept_children
    error_message = "the sink takes what lies below along, and takes nothing away from the company's own"
  }
  assert {
    condition     = google_logging_organization_sink.watched["111111111111"].destination == "pubsub.googleapis.com/projects/ostiary-staging/topics/audit.entries" && google_logging_organization_sink.watched["111111111111"].name == "ostiary-watch"
    error_message = "the sink leads to the environment's own topic, under the name that is compared later"
  }
  assert {
    condition     = google_logging_organization_sink.watched["111111111111"].filter == output.filter && strcontains(output.filter, "labels.\"ostiary-heartbeat\":*") && strcontains(output.filter, "protoPayload.serviceName=\"secretmanager.googleapis.com\"")
    error_message = "the sink lets through what rules match, what is switched on, and the heartbeat"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.sink["organizations/111111111111"].member == "serviceAccount:service-org-111111111111@gcp-sa-logging.iam.gserviceaccount.com" && google_pubsub_topic_iam_member.sink["organizations/111111111111"].role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.sink["organizations/111111111111"].topic == "audit.entries"
    error_message = "a sink that may not publish loses everything it takes"
  }
  assert {
    condition     = join(" ", keys(google_organization_iam_audit_config.read)) == "organizations/111111111111/iam.googleapis.com organizations/111111111111/secretmanager.googleapis.com" && length(google_project_iam_audit_config.read) == 0
    error_message = "Data Access logs are switched on service by service, where the whole is watched"
  }
  assert {
    condition     = alltrue([for c in google_organization_iam_audit_config.read["organizations/111111111111/iam.googleapis.com"].audit_log_config : length(coalesce(c.exempted_members, [])) == 0]) && length(google_organization_iam_audit_config.read["organizations/111111111111/iam.googleapis.com"].audit_log_config) == 3
    error_message = "all three kinds are written, and nobody is exempt"
  }
  assert {
    condition     = length(google_cloud_asset_organization_feed.changed) == 2 && google_cloud_asset_organization_feed.changed["organizations/111111111111 IAM_POLICY"].feed_id == "ostiary-iam-policy" && google_cloud_asset_organization_feed.changed["organizations/111111111111 RESOURCE"].content_type == "RESOURCE"
    error_message = "changes of resources and of who has rights are both told"
  }
  assert {
    condition     = contains(google_cloud_asset_organization_feed.changed["organizations/111111111111 RESOURCE"].asset_types, "run.googleapis.com/Service") && one(one(google_cloud_asset_organization_feed.changed["organizations/111111111111 RESOURCE"].feed_output_config).pubsub_destination).topic == "projects/ostiary-staging/topics/asset.feed"
    error_message = "feeds tell the environment's own topic of what assertions and the comparison need"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.feed.member == "serviceAccount:service-123456789012@gcp-sa-cloudasset.iam.gserviceaccount.com"
    error_message = "feeds write as the agent of the project that is billed"
  }
  assert {
    condition     = join(" ", keys(google_organization_iam_custom_role.function)) == "checkdrift.assets" && contains(google_organization_iam_custom_role.function["checkdrift.assets"].permissions, "resourcemanager.organizations.getIamPolicy")
    error_message = "one role, for the one function that looks; nothing lies above an organization, and there are no doors here"
  }
  assert {
    condition     = length(google_organization_iam_member.assets) == 1 && google_organization_iam_member.assets["checkdrift organizations/111111111111"].member == "serviceAccount:fn-checkdrift@ostiary-staging.iam.gserviceaccount.com" && google_organization_iam_member.assets["checkdrift organizations/111111111111"].role == "organizations/111111111111/roles/ostiary.checkdrift.assets" && length(google_organization_iam_member.above) == 0
    error_message = "the function's own account has its own role, once"
  }
  assert {
    condition     = alltrue([for permission in google_organization_iam_custom_role.function["checkdrift.assets"].permissions : can(regex("[.](get|list|getIamPolicy|getMetadata|listResource|listIamPolicy|listOSInventories)$", permission))])
    error_message = "whoever looks at an organization changes nothing in it"
  }
}

run "a_folder_is_watched_with_what_lies_in_it" {
  command = plan
  variables {
    scope   = "folders/222222222222"
    folders = ["333333333333"]
    watched = ["projects/ostiary-staging"]
  }

  assert {
    condition     = google_logging_folder_sink.watched["folders/222222222222"].include_children && !google_logging_folder_sink.watched["folders/222222222222"].intercept_children && join(" ", keys(google_logging_project_sink.watched)) == "ostiary-staging" && length(google_logging_organization_sink.watched) == 0
    error_message = "the folder is taken with its children, and the project named beside it by itself"
  }
  assert {
    condition     = google_logging_folder_sink.watched["folders/222222222222"].filter == google_logging_project_sink.watched["ostiary-staging"].filter
    error_message = "every place lets the same through"
  }
  assert {
    condition     = join(" ", keys(google_pubsub_topic_iam_member.sink)) == "folders/222222222222 projects/ostiary-staging" && google_pubsub_topic_iam_member.sink["folders/222222222222"].member == "serviceAccount:service-folder-222222222222@gcp-sa-logging.iam.gserviceaccount.com"
    error_message = "each sink may publish as itself"
  }
  assert {
    condition     = length(google_folder_iam_audit_config.read) == 2 && length(google_project_iam_audit_config.read) == 2
    error_message = "each place has its Data Access logs"
  }
  assert {
    condition     = length(google_cloud_asset_folder_feed.changed) == 2 && google_cloud_asset_folder_feed.changed["folders/222222222222 RESOURCE"].folder == "222222222222" && length(google_cloud_asset_project_feed.changed) == 2
    error_message = "each place is looked at"
  }
  assert {
    condition     = join(" ", keys(google_organization_iam_custom_role.function)) == "checkdrift.above checkdrift.assets" && google_folder_iam_member.assets["checkdrift folders/222222222222"].role == "organizations/111111111111/roles/ostiary.checkdrift.assets"
    error_message = "a folder takes its organization's role"
  }
  assert {
    condition     = join(" ", keys(google_folder_iam_member.above)) == "checkdrift folders/333333333333" && length(google_organization_iam_member.above) == 0
    error_message = "what lies above is read in the folder that was named, and no longer in the whole organization"
  }
  assert {
    condition     = alltrue([for permission in google_organization_iam_custom_role.function["checkdrift.above"].permissions : can(regex("^(resourcemanager[.](folders|organizations)|compute[.]firewallPolicies)[.](get|list|getIamPolicy)$", permission))]) && length(google_organization_iam_custom_role.function["checkdrift.above"].permissions) > 3
    error_message = "above the places nothing but folders, the organization and their firewall policies is read"
  }
}

run "a_project_is_watched_with_the_controls_own" {
  command = plan
  variables {
    scope        = "projects/sharedcontacts-staging"
    organization = ""
  }

  assert {
    condition     = join(" ", keys(google_logging_project_sink.watched)) == "ostiary-staging sharedcontacts-staging" && google_logging_project_sink.watched["sharedcontacts-staging"].unique_writer_identity
    error_message = "the controls' own project is watched where nothing above it is"
  }
  assert {
    condition     = join(" ", keys(google_project_iam_audit_config.read)) == "projects/ostiary-staging/iam.googleapis.com projects/ostiary-staging/secretmanager.googleapis.com projects/sharedcontacts-staging/iam.googleapis.com projects/sharedcontacts-staging/secretmanager.googleapis.com"
    error_message = "Data Access logs of both are switched on"
  }
  assert {
    condition     = length(google_cloud_asset_project_feed.changed) == 4 && google_cloud_asset_project_feed.changed["projects/sharedcontacts-staging RESOURCE"].billing_project == "ostiary-staging"
    error_message = "both are looked at, on the controls' bill"
  }
  assert {
    condition     = length(google_organization_iam_custom_role.function) == 0 && length(google_organization_iam_member.assets) + length(google_folder_iam_member.assets) + length(google_organization_iam_member.above) == 0
    error_message = "without an organization nothing is asked of it: what single projects need is given there"
  }
}

run "what_lies_above_projects_is_read_where_the_organization_is_named" {
  command = plan
  variables {
    scope = "projects/sharedcontacts-staging"
  }

  assert {
    condition     = join(" ", keys(google_organization_iam_member.above)) == "checkdrift" && join(" ", keys(google_organization_iam_custom_role.function)) == "checkdrift.above"
    error_message = "with its number, who has rights above the projects is read, and nothing else of the organization"
  }
}

run "the_watch_does_not_wake_itself" {
  command = plan
  variables {
    data_access = ["datastore.googleapis.com", "storage.googleapis.com"]
  }

  assert {
    condition     = endswith(google_logging_organization_sink.watched["111111111111"].filter, " AND NOT (logName=(\"projects/ostiary-staging/logs/cloudaudit.googleapis.com%2Fdata_access\" OR \"projects/ostiary-staging-ev/logs/cloudaudit.googleapis.com%2Fdata_access\") AND protoPayload.serviceName=(\"datastore.googleapis.com\" OR \"firestore.googleapis.com\" OR \"storage.googleapis.com\") AND protoPayload.authenticationInfo.principalEmail=\"fn-watchaudit@ostiary-staging.iam.gserviceaccount.com\")")
    error_message = "where reads of databases are watched, the watch's own in its own projects must not be"
  }
}

run "what_the_platform_logs_of_evidence_is_its_own" {
  command = plan
  variables {
    scope       = "projects/sharedcontacts-staging"
    watched     = ["projects/ostiary-staging-ev"]
    data_access = ["datastore.googleapis.com", "storage.googleapis.com"]
  }

  assert {
    condition     = join(" ", sort([for c in google_project_iam_audit_config.read : "${c.project} ${c.service}"])) == "ostiary-staging datastore.googleapis.com ostiary-staging storage.googleapis.com ostiary-staging-ev datastore.googleapis.com sharedcontacts-staging datastore.googleapis.com sharedcontacts-staging storage.googleapis.com"
    error_message = "two roots must not write one setting: of two the last would win"
  }
}

run "doors_of_access_levels_are_kept_by_whoever_keeps_them" {
  command = plan
  variables {
    doors = { access_levels = { policy = "987654321" } }
  }

  assert {
    condition     = join(" ", keys(google_access_context_manager_access_policy_iam_member.levels)) == "syncallowlist watchallowlist" && google_access_context_manager_access_policy_iam_member.levels["syncallowlist"].name == "accessPolicies/987654321" && google_access_context_manager_access_policy_iam_member.levels["watchallowlist"].role == "organizations/111111111111/roles/ostiary.watchallowlist.accesslevels"
    error_message = "both functions that keep doors have the levels of the one policy"
  }
  assert {
    condition     = !contains(google_organization_iam_custom_role.function["watchallowlist.accesslevels"].permissions, "accesscontextmanager.accessLevels.create") && contains(google_organization_iam_custom_role.function["syncallowlist.accesslevels"].permissions, "accesscontextmanager.accessLevels.create")
    error_message = "each has what its own manifest lists: the watchdog makes no levels"
  }
}

run "gives_rights_to_deployed_functions_alone" {
  command = plan
  variables {
    deployed = ["watchallowlist"]
    doors    = { access_levels = { policy = "987654321" } }
  }

  assert {
    condition     = join(" ", keys(google_access_context_manager_access_policy_iam_member.levels)) == "watchallowlist" && length(google_organization_iam_member.assets) == 0
    error_message = "an account that does not exist cannot be given anything"
  }
}

run "a_second_environment_uses_what_the_first_made" {
  command = plan
  variables {
    suffix                    = "-staging"
    keeps_roles               = false
    keeps_audit_configuration = false
  }

  assert {
    condition     = length(google_organization_iam_custom_role.function) == 0 && google_organization_iam_member.assets["checkdrift organizations/111111111111"].role == "organizations/111111111111/roles/ostiary.checkdrift.assets" && length(google_organization_iam_audit_config.read) == 0
    error_message = "roles and audit configuration that another state holds are used and not written"
  }
  assert {
    condition     = output.sinks["organizations/111111111111"].name == "ostiary-watch-staging" && output.feeds["organizations/111111111111 RESOURCE"] == "ostiary-resource-staging"
    error_message = "two sinks and feeds of one place need two names"
  }
}

run "live_reads_its_own_rules" {
  command = plan
  variables {
    environment = "live"
  }

  assert {
    condition     = strcontains(output.filter, "cloudaudit.googleapis.com/activity")
    error_message = "live has its own generated files"
  }
}

run "the_drift_control_reads_the_state_and_cannot_write_it" {
  command = plan
  variables {
    state = { project = "ostiary-bootstrap", bucket = "ostiary-bootstrap-state-staging" }
  }

  assert {
    condition     = join(" ", keys(google_storage_bucket_iam_member.state)) == "checkdrift" && google_storage_bucket_iam_member.state["checkdrift"].bucket == "ostiary-bootstrap-state-staging" && google_storage_bucket_iam_member.state["checkdrift"].member == "serviceAccount:fn-checkdrift@ostiary-staging.iam.gserviceaccount.com"
    error_message = "the function that compares with the state has it, and no other"
  }
  assert {
    condition     = google_project_iam_custom_role.state["checkdrift"].project == "ostiary-bootstrap" && google_project_iam_custom_role.state["checkdrift"].role_id == "ostiary.checkdrift.bucket_terraform_state_staging" && toset(google_project_iam_custom_role.state["checkdrift"].permissions) == toset(["storage.objects.get", "storage.objects.list"])
    error_message = "its role reads, lies where the bucket is, and is not the one of another environment"
  }
  assert {
    condition     = one(google_storage_bucket_iam_member.state["checkdrift"].condition).expression == "resource.name == \"projects/_/buckets/ostiary-bootstrap-state-staging\" || resource.name.startsWith(\"projects/_/buckets/ostiary-bootstrap-state-staging/objects/environment/\")"
    error_message = "the state of the environment is compared, and no other in the bucket is read"
  }
}

run "no_state_is_read_where_none_is_named" {
  command = plan

  assert {
    condition     = length(google_storage_bucket_iam_member.state) == 0 && length(google_project_iam_custom_role.state) == 0
    error_message = "without a bucket nothing is given"
  }
}

run "refuses_what_is_no_value" {
  command = plan
  variables {
    environment = "production"
    project     = { id = "Ostiary", number = "one" }
    region      = "europe-west2"
    scope       = "organisations/111111111111"
    folders     = ["folders/333333333333"]
    data_access = ["allServices"]
    looked_at   = ["everything"]
    doors       = { access_levels = { policy = "accessPolicies/987654321" } }
    deployed    = ["watchallowlist", "repair"]
    suffix      = "staging"
  }
  expect_failures = [var.environment, var.project, var.region, var.scope, var.folders, var.data_access, var.looked_at, var.doors, var.deployed, var.suffix]
}

# What is compared with another value is not looked at where the other is wrong itself: these come one by one.
run "refuses_half_a_project_and_what_is_no_place" {
  command = plan
  variables {
    evidence_project = { id = "E", number = "1" }
    scope            = "folders/222222222222"
    watched          = ["ostiary-staging"]
  }
  expect_failures = [var.evidence_project, var.watched]
}

run "refuses_an_organization_by_name_and_half_a_state" {
  command = plan
  variables {
    scope        = "projects/sharedcontacts-staging"
    organization = "company.example"
    state        = { project = "", bucket = "ostiary-bootstrap-state-staging" }
  }
  expect_failures = [var.organization, var.state]
}

run "refuses_evidence_with_the_controls_watching_twice_and_nothing_to_read" {
  command = plan
  variables {
    evidence_project = { id = "ostiary-staging", number = "123456789012" }
    watched          = ["projects/ostiary-staging"]
    data_access      = []
  }
  expect_failures = [var.evidence_project, var.watched, var.data_access]
}

run "refuses_another_organization_and_a_state_in_what_it_describes" {
  command = plan
  variables {
    organization = "999999999999"
    state        = { project = "ostiary-staging", bucket = "ostiary-staging-state" }
  }
  expect_failures = [var.organization, var.state]
}

run "refuses_a_folder_without_its_organization" {
  command = plan
  variables {
    scope        = "folders/222222222222"
    organization = ""
  }
  expect_failures = [var.organization]
}

run "refuses_access_levels_without_their_organization" {
  command = plan
  variables {
    scope        = "projects/sharedcontacts-staging"
    organization = ""
    doors        = { access_levels = { policy = "987654321" } }
  }
  expect_failures = [var.organization]
}
