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
  build_account = "projects/p-staging/serviceAccounts/builds@p-staging.iam.gserviceaccount.com"
  environment   = { OSTIARY_STORE = "firestore://p-staging/access", OSTIARY_DIRECTORY = "workspace:", OSTIARY_TARGETS = "edge=file:/x" }
  topics        = { "lease.changed" = "projects/p-staging/topics/lease.changed", "person.suspended" = "projects/p-staging/topics/person.suspended", "message.requested" = "projects/p-staging/topics/message.requested" }
  buckets       = { "evidence-inbox" = "p-inbox", "policy" = "p-policy" }
  iap_agent     = "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
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
    condition     = join(" ", keys(google_project_iam_custom_role.grant)) == "database:access topic:message.requested" && length(google_storage_bucket_iam_member.use) == 0
    error_message = "one role per resource of the manifest, no more, and nothing on evidence: that is given by its administrators"
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
    condition     = length(google_service_account.invoker) == 0 && length(google_pubsub_topic.dead) == 0
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

run "reads_the_secrets_of_the_data_map_and_gives_nothing_in_the_product" {
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
    data            = { secrets = { read = { "desk-read" = "2" }, erase = { "desk-erase" = "2" }, parties = {} } }
  }
  assert {
    condition     = join(" ", keys(google_project_iam_custom_role.grant)) == "secret:erasure-mark" && length(google_project_iam_member.database) + length(google_storage_bucket_iam_member.use) == 0
    error_message = "nothing in the product is given from here: who deploys has no rights there"
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.data)) == toset(["desk-read"]) && keys(google_project_iam_custom_role.secrets) == ["secrets-read"]
    error_message = "the passwords of the account that reads, and none of the one that erases"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].environment_variables["OSTIARY_SECRETS"] == "secretmanager://p-staging?pin=desk-read:2,erasure-mark:1"
    error_message = "the secrets of the stores are pinned by number too"
  }
}

run "looks_at_its_own_project_where_that_is_named" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [{ permission = "storage.buckets.get", resource = "assets" }, { permission = "resourcemanager.folders.get", resource = "assets" }]
    }
    looked_at = ["projects/p-staging", "projects/product-live", "projects/p-staging-evidence", "folders/22", "organizations/1"]
  }
  assert {
    condition     = toset(keys(google_project_iam_member.assets)) == toset(["p-staging"]) && google_project_iam_custom_role.assets["p-staging"].permissions == toset(["storage.buckets.get"])
    error_message = "in its own project what a project has, and nothing in others, which are not the pipeline's"
  }
}

run "refuses_a_place_that_is_none" {
  command = plan
  variables {
    looked_at = ["p-staging"]
  }
  expect_failures = [var.looked_at]
}

run "gives_nothing_on_itself_where_it_is_not_looked_at" {
  command = plan

  variables {
    manifest = {
      name        = "checkdrift", control = "drift", entry_point = "checkdrift", summary = "Looks.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = [{ permission = "storage.buckets.get", resource = "assets" }, { permission = "compute.firewalls.update", resource = "door:firewalls" }]
    }
    looked_at = ["organizations/1"]
  }
  assert {
    condition     = length(google_project_iam_member.assets) + length(google_project_iam_custom_role.assets) + length(google_project_iam_custom_role.grant) == 0
    error_message = "what the organization's role gives is not given twice, and doors are given where they are"
  }
}

run "refuses_a_floating_password_of_a_store" {
  command = plan
  variables {
    data = { secrets = { read = { "desk-read" = "latest" }, erase = {}, parties = {} } }
  }
  expect_failures = [var.data]
}

run "only_who_deploys_may_use_its_accounts" {
  command = plan

  variables {
    deployers  = ["serviceAccount:deploy@p-bootstrap.iam.gserviceaccount.com"]
    repository = "projects/p-staging/locations/europe-west1/repositories/ostiary"
  }
  assert {
    condition     = [for m in google_service_account_iam_member.deploys : "${m.role} ${m.member}"] == ["roles/iam.serviceAccountUser serviceAccount:deploy@p-bootstrap.iam.gserviceaccount.com"] && length(google_service_account_iam_member.schedules) == 1
    error_message = "the pipeline starts the function as its account, and lets pushes and schedules carry its invoker's tokens"
  }
  assert {
    condition     = google_cloudfunctions2_function.this.build_config[0].docker_repository == "projects/p-staging/locations/europe-west1/repositories/ostiary"
    error_message = "images lie where they are cleared away"
  }
}

run "everybody_is_let_in_by_a_tag" {
  command = plan

  variables {
    public_tag = "tagValues/42"
    manifest = {
      name        = "trustpage", control = "trust", entry_point = "trustpage", summary = "Shows.", callers = "public", triggers = [{ kind = "http" }],
      memory_mib  = 256, timeout_s = 30, concurrency = 80, max_instances = 5, environment = [], secrets = [], publishes = [], freshness = "", checks = [],
      permissions = []
    }
  }
  assert {
    condition     = google_tags_location_tag_binding.public[0].tag_value == "tagValues/42" && google_tags_location_tag_binding.public[0].parent == "//run.googleapis.com/projects/123456789012/locations/europe-west1/services/trustpage"
    error_message = "the exception is this one service's"
  }
  assert {
    condition     = keys(google_cloud_run_service_iam_member.invoker) == ["allUsers"]
    error_message = "everybody may call what is for everybody"
  }
}

run "a_tag_opens_nothing_that_is_not_public" {
  command = plan

  variables {
    public_tag = "tagValues/42"
  }
  assert {
    condition     = length(google_tags_location_tag_binding.public) == 0 && length(google_cloud_run_service_iam_member.invoker) == 0
    error_message = "a machine's function is no exception"
  }
}

run "refuses_a_repository_elsewhere" {
  command = plan
  variables {
    repository = "projects/p-staging/locations/europe-west9/repositories/ostiary"
  }
  expect_failures = [var.repository]
}

run "refuses_everybody_as_deployer" {
  command = plan
  variables {
    deployers = ["allUsers"]
  }
  expect_failures = [var.deployers]
}

run "gives_nothing_outside_of_its_project" {
  command = plan

  variables {
    manifest = {
      name        = "sealevidence", control = "trust", entry_point = "sealevidence", summary = "Seals.", callers = "machine", triggers = [{ kind = "schedule", cron = "* * * * *" }],
      memory_mib  = 512, timeout_s = 300, concurrency = 1, max_instances = 1, environment = [], secrets = [], publishes = [], freshness = "5m", checks = [],
      permissions = [for r in ["bucket:evidence-inbox", "bucket:evidence-log", "bucket:policy", "bucket:terraform-state", "signing-key:evidence", "database:trust", "key:evidence"] : { permission = "storage.objects.get", resource = r }]
    }
    buckets = { "evidence-inbox" = "e-inbox", "evidence-log" = "e-log", policy = "p-policy" }
    keys    = { evidence = "projects/p-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/evidence" }
  }
  assert {
    condition     = { for on, role in google_project_iam_custom_role.grant : on => role.project } == { "bucket:policy" = "p-staging", "database:trust" = "p-staging", "key:evidence" = "p-staging" }
    error_message = "evidence, the keys that sign it and the state's bucket are given by terraform/org; a database and a key of the controls are given here, whatever they are called"
  }
  assert {
    condition     = { for name, m in google_storage_bucket_iam_member.use : name => m.bucket } == { policy = "p-policy" } && length(google_kms_crypto_key_iam_member.use) == 1
    error_message = "of buckets the policy's alone"
  }
}
