mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "fn@p.iam.gserviceaccount.com"
      member = "serviceAccount:fn@p.iam.gserviceaccount.com"
    }
  }
}

variables {
  project       = { id = "p-staging", number = "123456789012" }
  region        = "europe-west1"
  archive       = { bucket = "p-archives", object = "syncallowlist-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip" }
  build_account = "projects/p-staging/serviceAccounts/build@p-staging.iam.gserviceaccount.com"
  environment   = { OSTIARY_STORE = "firestore://p-staging/access", OSTIARY_DIRECTORY = "workspace:", OSTIARY_TARGETS = "edge=file:/x" }
  topics        = { "lease.changed" = "projects/p-staging/topics/lease.changed", "person.suspended" = "projects/p-staging/topics/person.suspended", "message.requested" = "projects/p-staging/topics/message.requested" }
  buckets       = { "evidence-inbox" = "p-inbox", "policy" = "p-policy" }
  iap_agent     = "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
  alarms        = ["projects/p-staging/notificationChannels/7"]
  manifest = {
    name          = "syncallowlist"
    control       = "access"
    entry_point   = "syncallowlist"
    summary       = "Writes the addresses of live registrations to every door."
    callers       = "machine"
    triggers      = [{ kind = "topic", topic = "lease.changed" }, { kind = "topic", topic = "person.suspended" }, { kind = "schedule", cron = "* * * * *" }]
    memory_mib    = 256
    timeout_s     = 120
    concurrency   = 1
    max_instances = 1
    permissions   = [{ permission = "datastore.entities.get", resource = "database:access" }, { permission = "pubsub.topics.publish", resource = "topic:message.requested" }, { permission = "storage.objects.create", resource = "bucket:evidence-inbox" }]
    environment   = ["OSTIARY_DIRECTORY", "OSTIARY_TARGETS"]
    secrets       = []
    publishes     = ["message.requested"]
    freshness     = "5m"
    checks        = ["ip-allowlist"]
    sweeps        = ["registerip"]
  }
}

run "machine_is_internal_and_dead_lettered" {
  command = plan

  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "a machine's function must be reachable from inside only"
  }
  assert {
    condition     = length(google_pubsub_subscription.push) == 2 && length(google_pubsub_subscription_iam_member.dead_subscribe) == 2 && length(google_pubsub_topic_iam_member.dead_publish) == 1
    error_message = "each push subscription needs its dead letter with both grants"
  }
  assert {
    condition     = length(google_monitoring_alert_policy.dead) == 1 && google_monitoring_alert_policy.dead[0].notification_channels == tolist(["projects/p-staging/notificationChannels/7"]) && strcontains(google_monitoring_alert_policy.dead[0].conditions[0].condition_threshold[0].filter, "\"dead.syncallowlist\"")
    error_message = "whoever looks after the function hears of a dead letter"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].environment_variables["OSTIARY_CODE"] == "sha256:${regex("[0-9a-f]{64}", var.archive.object)}"
    error_message = "every record names the archive that made it"
  }
  assert {
    condition     = google_cloud_scheduler_job.tick["0"].schedule == "* * * * *"
    error_message = "the schedule of the manifest must be provisioned"
  }
  assert {
    condition     = length(google_cloud_run_service_iam_member.invoker) == 0 && length(google_cloud_run_service_iam_member.machine) == 1
    error_message = "only the function's own invoker account may invoke it"
  }
  assert {
    condition     = join(" ", keys(google_project_iam_custom_role.grant)) == "database:access place:evidence-inbox topic:message.requested"
    error_message = "one role per resource of the manifest, no more"
  }
  assert {
    condition = (
      length(google_storage_bucket_iam_member.use) == 0 &&
      google_project_iam_custom_role.grant["place:evidence-inbox"].permissions == toset(["storage.objects.create"]) &&
      google_storage_bucket_iam_member.place["evidence-inbox"].condition[0].expression == "resource.name.startsWith(\"projects/_/buckets/p-inbox/objects/syncallowlist/\") || resource.name.startsWith(\"projects/_/buckets/p-inbox/objects/registerip/\")"
    )
    error_message = "a function may create below its own name in the evidence inbox and those it sweeps for, and nothing else there"
  }
}

run "staff_goes_through_iap" {
  command = plan
  variables {
    manifest = {
      name       = "registerip", control = "access", entry_point = "registerip", summary = "Registers an address.", callers = "staff", triggers = [{ kind = "http" }]
      memory_mib = 256, timeout_s = 30, concurrency = 20, max_instances = 3, permissions = [], environment = [], secrets = ["form-key"], publishes = [], freshness = "", checks = []
    }
    secret_versions = { "form-key" = "3" }
  }

  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "staff come through the load balancer only"
  }
  assert {
    condition     = join(" ", keys(google_cloud_run_service_iam_member.invoker)) == "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
    error_message = "only the agent of Identity-Aware Proxy may invoke a function for staff"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].environment_variables["OSTIARY_SECRETS"] == "secretmanager://p-staging?pin=form-key:3"
    error_message = "secrets are pinned by number"
  }
  assert {
    condition     = length(google_service_account.invoker) == 0 && length(google_monitoring_alert_policy.dead) == 0
    error_message = "people need no invoker account, and leave no dead letters"
  }
}

run "refuses_a_region_outside_the_union" {
  command = plan
  variables {
    region = "us-central1"
  }
  expect_failures = [var.region]
}

run "refuses_a_floating_secret" {
  command = plan
  variables {
    secret_versions = { "form-key" = "latest" }
  }
  expect_failures = [var.secret_versions]
}

run "searches_what_the_data_map_names_and_no_more" {
  command = plan

  variables {
    manifest = {
      name       = "planerasure", control = "erasure", entry_point = "planerasure", summary = "Searches.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = ["erasure-mark"], publishes = [], freshness = "", checks = [],
      permissions = [
        { permission = "datastore.entities.get", resource = "data:firestore" }, { permission = "storage.objects.list", resource = "data:gcs" },
        { permission = "datastore.databases.list", resource = "data:project" }, { permission = "storage.buckets.list", resource = "data:project" },
        { permission = "secretmanager.versions.access", resource = "data:secrets-read" }, { permission = "secretmanager.versions.access", resource = "secret:erasure-mark" }
      ]
    }
    secret_versions = { "erasure-mark" = "1" }
    data = {
      project = "product-live", databases = ["main", "archive"], buckets = ["product-files"], grants = ["projects/1/secrets/grant-"],
      secrets = { read = { "desk-read" = "2" }, erase = { "desk-erase" = "2" }, parties = {} }
    }
  }
  assert {
    condition     = toset(keys(google_project_iam_member.data)) == toset(["main", "archive"]) && google_project_iam_custom_role.data["firestore"].permissions == toset(["datastore.entities.get"]) && google_project_iam_custom_role.data["firestore"].project == "product-live"
    error_message = "each database of the data map by its own name, with what the manifest lists"
  }
  assert {
    condition     = length(google_project_iam_member.stores) == 1 && google_project_iam_member.stores[0].project == "product-live" && google_project_iam_custom_role.data["project"].permissions == toset(["datastore.databases.list", "storage.buckets.list"])
    error_message = "which databases and buckets the product's project has, and nothing of what is in them"
  }
  assert {
    condition     = toset(keys(google_storage_bucket_iam_member.data)) == toset(["product-files"]) && length(google_storage_bucket_iam_member.use) == 0
    error_message = "each bucket of the data map, and no other"
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.data)) == toset(["desk-read"]) && length(google_project_iam_member.connections) == 0
    error_message = "the passwords of the account that reads, and none of the one that erases"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].environment_variables["OSTIARY_SECRETS"] == "secretmanager://p-staging?pin=desk-read:2,erasure-mark:1"
    error_message = "the secrets of the stores are pinned by number too"
  }
}

run "looks_at_the_places_that_are_named" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [{ permission = "storage.buckets.get", resource = "assets" }, { permission = "resourcemanager.folders.get", resource = "assets" }]
    }
    looked_at    = ["projects/p-staging", "folders/22", "organizations/1"]
    organization = "1"
  }
  assert {
    condition     = toset(keys(google_project_iam_member.assets)) == toset(["p-staging"]) && google_project_iam_custom_role.assets["p-staging"].permissions == toset(["storage.buckets.get"])
    error_message = "in a project, what a project has"
  }
  assert {
    condition     = google_organization_iam_custom_role.assets[0].org_id == "1" && google_organization_iam_custom_role.assets[0].permissions == toset(["resourcemanager.folders.get", "storage.buckets.get"])
    error_message = "above projects, all of it"
  }
  assert {
    condition     = toset(keys(google_folder_iam_member.assets)) == toset(["folders/22"]) && toset(keys(google_organization_iam_member.assets)) == toset(["1"])
    error_message = "each folder and organization that is looked at, and no other"
  }
}

run "reads_what_projects_lie_in" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [for p in ["storage.buckets.get", "resourcemanager.folders.get", "resourcemanager.organizations.getIamPolicy", "compute.firewallPolicies.list"] : { permission = p, resource = "assets" }]
    }
    looked_at    = ["projects/p-staging"]
    organization = "1"
  }
  assert {
    condition     = google_organization_iam_custom_role.above[0].permissions == toset(["resourcemanager.folders.get", "resourcemanager.organizations.getIamPolicy", "compute.firewallPolicies.list"])
    error_message = "above the places what lies there, and nothing of what is in other projects"
  }
  assert {
    condition     = google_organization_iam_member.above[0].org_id == "1" && length(google_folder_iam_member.above) == 0 && length(google_organization_iam_custom_role.assets) == 0
    error_message = "in the organization, and so in all its folders"
  }
}

run "reads_what_lies_above_in_folders_alone" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [for p in ["storage.buckets.get", "resourcemanager.folders.get", "resourcemanager.organizations.getIamPolicy", "compute.firewallPolicies.list"] : { permission = p, resource = "assets" }]
    }
    looked_at    = ["projects/p-staging"]
    organization = "1"
    folders      = ["22", "33"]
  }
  assert {
    condition     = toset(keys(google_folder_iam_member.above)) == toset(["22", "33"]) && google_folder_iam_member.above["22"].folder == "folders/22" && length(google_organization_iam_member.above) == 0
    error_message = "in those folders, and not in the organization"
  }
}

run "reads_nothing_above_unless_told" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [for p in ["storage.buckets.get", "resourcemanager.folders.get", "resourcemanager.organizations.getIamPolicy", "compute.firewallPolicies.list"] : { permission = p, resource = "assets" }]
    }
    looked_at = ["projects/p-staging"]
  }
  assert {
    condition     = length(google_organization_iam_custom_role.above) + length(google_organization_iam_member.above) + length(google_folder_iam_member.above) == 0
    error_message = "nobody named the organization"
  }
}

run "refuses_folders_without_their_organization" {
  command = plan

  variables {
    folders = ["22"]
  }
  expect_failures = [var.folders]
}

run "refuses_a_folder_without_its_organization" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [{ permission = "storage.buckets.get", resource = "assets" }]
    }
    looked_at = ["folders/22"]
  }
  expect_failures = [google_organization_iam_custom_role.assets]
}

run "refuses_a_place_that_is_none" {
  command = plan
  variables {
    looked_at = ["p-staging"]
  }
  expect_failures = [var.looked_at]
}

run "keeps_the_doors_that_are_named" {
  command = plan

  variables {
    manifest = {
      name        = "syncallowlist", control = "access", entry_point = "syncallowlist", summary = "Keeps.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [{ permission = "compute.firewalls.update", resource = "door:firewalls" }, { permission = "compute.securityPolicies.update", resource = "door:armor" }, { permission = "accesscontextmanager.accessLevels.update", resource = "door:accesslevels" }]
    }
    doors        = { firewalls = "p-network", access_policy = "7" }
    organization = "1"
  }
  assert {
    condition     = keys(google_project_iam_custom_role.door) == ["firewalls"] && google_project_iam_custom_role.door["firewalls"].project == "p-network" && google_project_iam_custom_role.door["firewalls"].permissions == toset(["compute.firewalls.update"])
    error_message = "rights on the rules where they are, and none on a policy nobody named"
  }
  assert {
    condition     = google_access_context_manager_access_policy_iam_member.levels[0].name == "accessPolicies/7" && google_organization_iam_custom_role.levels[0].permissions == toset(["accesscontextmanager.accessLevels.update"])
    error_message = "rights on the levels of that access policy"
  }
}

run "refuses_levels_without_their_organization" {
  command = plan

  variables {
    manifest = {
      name        = "syncallowlist", control = "access", entry_point = "syncallowlist", summary = "Keeps.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [{ permission = "accesscontextmanager.accessLevels.update", resource = "door:accesslevels" }]
    }
    doors = { access_policy = "7" }
  }
  expect_failures = [google_organization_iam_custom_role.levels]
}
