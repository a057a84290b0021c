mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/p-staging/serviceAccounts/builds@p-staging.iam.gserviceaccount.com"
      email  = "builds@p-staging.iam.gserviceaccount.com"
      member = "serviceAccount:builds@p-staging.iam.gserviceaccount.com"
    }
  }
}

variables {
  project          = { id = "p-staging", number = "123456789012" }
  evidence_project = { id = "p-staging-evidence", number = "123456789013" }
  region           = "europe-west1"
  watchdog_region  = "europe-west4"
  environment      = "staging"
  locked           = false
  extra_secrets    = ["support-read", "form-key"]
  manifests = {
    runerasure = {
      name     = "runerasure", control = "erasure", callers = "machine", environment = ["OSTIARY_LEDGER"], secrets = ["ledger-key"], publishes = ["erasure.plan"]
      triggers = [{ kind = "topic", topic = "data.written" }, { kind = "schedule" }]
      permissions = [
        { permission = "datastore.entities.get", resource = "database:erasure" }, { permission = "datastore.entities.get", resource = "database:ledger" },
        { permission = "cloudkms.cryptoKeyVersions.useToDecrypt", resource = "key:request" }, { permission = "storage.objects.get", resource = "bucket:policy" },
        { permission = "storage.objects.create", resource = "bucket:evidence-inbox" },
      ]
    }
    watchaudit = {
      name     = "watchaudit", control = "watch", callers = "machine", environment = ["OSTIARY_VAULT"], secrets = [], publishes = ["audit.unreadable"]
      triggers = [{ kind = "topic", topic = "audit.entries" }]
      permissions = [
        { permission = "datastore.entities.get", resource = "database:watch" }, { permission = "datastore.entities.get", resource = "database:vault" },
        { permission = "cloudkms.cryptoKeyVersions.useToEncrypt", resource = "key:evidence" },
      ]
    }
    watchallowlist = {
      name        = "watchallowlist", control = "access", callers = "machine", environment = ["OSTIARY_WATCHDOG"], secrets = [], publishes = []
      triggers    = [{ kind = "schedule" }]
      permissions = [{ permission = "datastore.entities.get", resource = "database:access" }, { permission = "datastore.entities.get", resource = "database:watchdog" }]
    }
    sealevidence = {
      name     = "sealevidence", control = "trust", callers = "machine", environment = [], secrets = [], publishes = []
      triggers = [{ kind = "schedule" }]
      permissions = [
        { permission = "cloudkms.cryptoKeyVersions.useToSign", resource = "signing-key:evidence" }, { permission = "storage.objects.create", resource = "bucket:evidence-log" },
        { permission = "storage.objects.get", resource = "bucket:terraform-state" },
      ]
    }
    planerasure = {
      name        = "planerasure", control = "erasure", callers = "machine", environment = [], secrets = ["form-key"], publishes = []
      triggers    = [{ kind = "http" }]
      permissions = [{ permission = "cloudkms.cryptoKeyVersions.useToSign", resource = "signing-key:receipts" }]
    }
  }
  collections = {
    erasure = [{ collection = "requests", expires = true, indexes = [["address"], ["state", "due_at"]] }, { collection = "tasks", expires = false, indexes = [] }]
    ledger  = [{ collection = "suppressions", expires = true, indexes = [["key"]] }]
  }
}

run "databases_are_protected_and_recoverable" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(google_firestore_database.control))) == "access erasure vault watch"
    error_message = "a database for each control that keeps something and for the vault; ledger and watchdog are made apart"
  }
  assert {
    condition = alltrue([for d in concat(values(google_firestore_database.control), [google_firestore_database.ledger, google_firestore_database.watchdog]) :
    d.delete_protection_state == "DELETE_PROTECTION_ENABLED" && d.deletion_policy == "DELETE" && d.type == "FIRESTORE_NATIVE" && d.project == "p-staging"])
    error_message = "a destroyed database must be refused loudly, whichever it is"
  }
  assert {
    condition     = alltrue([for d in concat(values(google_firestore_database.control), [google_firestore_database.watchdog]) : d.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"])
    error_message = "every database but the ledger can be brought back to a point in time"
  }
  assert {
    condition     = alltrue([for d in concat(values(google_firestore_database.control), [google_firestore_database.ledger]) : d.location_id == "europe-west1"]) && google_firestore_database.watchdog.location_id == "europe-west4"
    error_message = "databases lie in the region, the watchdog's memory in the other"
  }
}

run "the_ledger_is_in_no_backup" {
  command = plan

  assert {
    condition     = google_firestore_database.ledger.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_DISABLED"
    error_message = "an older copy of the ledger would have forgotten whom it must not"
  }
  assert {
    condition = alltrue([for all in [google_firestore_backup_schedule.daily, google_firestore_backup_schedule.weekly] :
    join(" ", sort([for s in all : s.database])) == "access erasure vault watch watchdog"])
    error_message = "both backups of every database, and none of the ledger"
  }
  assert {
    condition     = alltrue([for s in google_firestore_backup_schedule.daily : s.retention == "604800s" && length(s.daily_recurrence) == 1]) && alltrue([for s in google_firestore_backup_schedule.weekly : s.retention == "8467200s" && s.weekly_recurrence[0].day == "SUNDAY"])
    error_message = "daily backups are kept for 7 days, weekly ones for 14 weeks"
  }
}

run "the_term_of_backups_follows_the_data_map" {
  command = plan
  variables {
    backups = { daily_days = 3, weekly_days = 30 }
  }
  assert {
    condition     = google_firestore_backup_schedule.daily["vault"].retention == "259200s" && google_firestore_backup_schedule.weekly["vault"].retention == "2592000s"
    error_message = "what was erased may be in backups no longer than the company says"
  }
}

run "databases_may_span_regions" {
  command = plan
  variables {
    database_location = "eur3"
  }
  assert {
    condition     = google_firestore_database.control["watch"].location_id == "eur3" && google_firestore_database.ledger.location_id == "eur3" && google_firestore_database.watchdog.location_id == "europe-west4"
    error_message = "the controls' databases and the ledger take the location, the watchdog's memory stays in its region"
  }
}

run "queries_have_indexes_and_ends_are_kept" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(google_firestore_index.query))) == "erasure/requests/state,due_at/ascending erasure/requests/state,due_at/descending"
    error_message = "an index each way for a query on several fields, none for one"
  }
  assert {
    condition     = join(" ", [for f in google_firestore_index.query["erasure/requests/state,due_at/descending"].fields : "${f.field_path} ${f.order}"]) == "state ASCENDING due_at DESCENDING"
    error_message = "the last field runs the way the query goes"
  }
  assert {
    condition     = join(" ", sort(keys(google_firestore_field.expires))) == "erasure/requests ledger/suppressions"
    error_message = "what ends is deleted, and nothing else"
  }
  assert {
    condition     = alltrue([for f in google_firestore_field.expires : f.field == "expires" && length(f.ttl_config) == 1 && length(f.index_config) == 1 && length(f.index_config[0].indexes) == 0])
    error_message = "documents end by the field expires, and it is in no index"
  }
}

run "evidence_lies_apart" {
  command = plan

  assert {
    condition = alltrue([for b in [google_storage_bucket.inbox, google_storage_bucket.tiles, google_storage_bucket.head] : b.project == "p-staging-evidence"]) && (
    alltrue([for b in [google_storage_bucket.archives, google_storage_bucket.policy] : b.project == "p-staging"]))
    error_message = "evidence lies in its own project, and nothing else does"
  }
  assert {
    condition = alltrue([for b in [google_storage_bucket.inbox, google_storage_bucket.tiles, google_storage_bucket.head, google_storage_bucket.archives, google_storage_bucket.policy] :
    b.public_access_prevention == "enforced" && b.uniform_bucket_level_access && !b.force_destroy && b.location == "europe-west1" && b.soft_delete_policy[0].retention_duration_seconds == 604800])
    error_message = "no bucket is public, has rights by object, leaves the region, is emptied by an apply, or forgets at once"
  }
  assert {
    condition     = google_storage_bucket.inbox.default_event_based_hold != true && length(google_storage_bucket.inbox.encryption) == 0
    error_message = "an object under a hold or another key stays in the inbox for ever"
  }
  assert {
    condition     = tonumber(google_storage_bucket.tiles.retention_policy[0].retention_period) == 94608000 && !google_storage_bucket.tiles.retention_policy[0].is_locked && length(google_storage_bucket.tiles.lifecycle_rule) == 0 && length(google_storage_bucket.inbox.lifecycle_rule) == 0
    error_message = "the log is kept for three years; neither it nor the inbox loses anything by age"
  }
  assert {
    condition     = google_storage_bucket.head.versioning[0].enabled && length(google_storage_bucket.head.retention_policy) == 0 && google_storage_bucket.head.lifecycle_rule[0].condition[0].with_state == "ARCHIVED" && google_storage_bucket.head.lifecycle_rule[0].condition[0].days_since_noncurrent_time == 30
    error_message = "older heads stay for a month; the head itself is never deleted by age"
  }
  assert {
    condition     = tonumber(google_storage_bucket.policy.retention_policy[0].retention_period) == 34560000 && !google_storage_bucket.policy.retention_policy[0].is_locked && tonumber(google_storage_bucket.archives.retention_policy[0].retention_period) == 7776000
    error_message = "what was published or released is not replaced"
  }
  assert {
    condition     = output.buckets == { "evidence-inbox" = "p-staging-evidence-inbox", "evidence-log" = "p-staging-evidence-log", "evidence-head" = "p-staging-evidence-head", policy = "p-staging-policy" } && output.archives_bucket == "p-staging-archives"
    error_message = "buckets are handed on by the names of manifests"
  }
  assert {
    condition     = length(output.locked_buckets) == 0
    error_message = "a log that is not locked must not be called so"
  }
}

run "who_touches_evidence_is_kept" {
  command = plan

  assert {
    condition = alltrue([for service in ["cloudkms.googleapis.com", "storage.googleapis.com"] :
      google_project_iam_audit_config.evidence[service].project == "p-staging-evidence" &&
      toset(google_project_iam_audit_config.evidence[service].audit_log_config[*].log_type) == toset(["ADMIN_READ", "DATA_READ", "DATA_WRITE"]) &&
    alltrue([for c in google_project_iam_audit_config.evidence[service].audit_log_config : try(length(c.exempted_members), 0) == 0])])
    error_message = "all that is done to evidence and with its keys is logged, of everybody"
  }
  assert {
    condition = (google_logging_project_bucket_config.access.location == "europe-west1" && google_logging_project_bucket_config.access.retention_days == 400 && !google_logging_project_bucket_config.access.locked &&
    google_logging_project_sink.access.destination == "logging.googleapis.com/projects/p-staging-evidence/locations/europe-west1/buckets/evidence-access" && google_logging_project_sink.access.filter == google_logging_project_exclusion.access.filter)
    error_message = "it is kept in the region, once"
  }
}

run "live_is_locked" {
  command = plan
  variables {
    environment = "live"
    locked      = true
  }
  assert {
    condition     = google_storage_bucket.tiles.retention_policy[0].is_locked && google_logging_project_bucket_config.access.locked && join(" ", output.locked_buckets) == "p-staging-evidence-log"
    error_message = "in live nobody can shorten what is kept"
  }
  assert {
    condition     = !google_storage_bucket.policy.retention_policy[0].is_locked && !google_storage_bucket.archives.retention_policy[0].is_locked
    error_message = "a policy names people: it must remain possible to take one away"
  }
}

run "says_that_live_is_not_locked" {
  command = plan
  variables {
    environment = "live"
  }
  expect_failures = [check.live_evidence_is_locked]
}

run "keys_rotate_or_sign" {
  command = plan

  override_resource {
    target          = google_kms_key_ring.controls
    override_during = plan
    values          = { id = "projects/p-staging/locations/europe-west1/keyRings/ostiary" }
  }
  override_resource {
    target          = google_kms_key_ring.evidence
    override_during = plan
    values          = { id = "projects/p-staging-evidence/locations/europe-west1/keyRings/ostiary" }
  }

  assert {
    condition     = alltrue([for k in google_kms_crypto_key.seal : startswith(k.key_ring, "projects/p-staging/")]) && alltrue([for k in google_kms_crypto_key.sign : startswith(k.key_ring, "projects/p-staging-evidence/")])
    error_message = "keys that seal lie with the controls, keys that sign with the evidence"
  }
  assert {
    condition     = join(" ", sort(keys(google_kms_crypto_key.seal))) == "evidence request" && alltrue([for k in google_kms_crypto_key.seal : k.purpose == "ENCRYPT_DECRYPT" && k.rotation_period == "7776000s" && k.destroy_scheduled_duration == "7776000s" && k.version_template[0].protection_level == "SOFTWARE"])
    error_message = "a key for each name in the manifests, with a new version every 90 days"
  }
  assert {
    condition     = { for name, k in google_kms_crypto_key.sign : name => k.name } == { evidence = "checkpoints", receipts = "receipts" } && alltrue([for k in google_kms_crypto_key.sign : k.purpose == "ASYMMETRIC_SIGN" && k.version_template[0].algorithm == "EC_SIGN_ED25519" && k.rotation_period == null])
    error_message = "checkpoints and receipts are signed with Ed25519"
  }
  assert {
    condition     = google_kms_key_ring.evidence.project == "p-staging-evidence" && google_kms_key_ring.controls.project == "p-staging" && google_kms_key_ring.evidence.location == "europe-west1" && google_kms_key_ring.controls.location == "europe-west1"
    error_message = "keys that sign lie with the evidence; no key leaves the region"
  }
}

run "keys_may_be_in_hardware" {
  command = plan
  variables {
    protection = "HSM"
  }
  assert {
    condition     = alltrue([for k in google_kms_crypto_key.seal : k.version_template[0].protection_level == "HSM"]) && alltrue([for k in google_kms_crypto_key.sign : k.version_template[0].protection_level == "SOFTWARE"])
    error_message = "keys that seal and keys that sign are protected each as is said of them"
  }
}

run "secrets_stay_in_the_region" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(google_secret_manager_secret.function))) == "form-key ledger-key" && join(" ", keys(google_secret_manager_secret.store)) == "support-read"
    error_message = "each secret once: one that a manifest names too is the manifest's"
  }
  assert {
    condition = alltrue([for s in concat(values(google_secret_manager_secret.function), values(google_secret_manager_secret.store)) :
    length(s.replication[0].auto) == 0 && [for r in s.replication[0].user_managed[0].replicas : r.location] == ["europe-west1"] && s.version_destroy_ttl == "604800s"])
    error_message = "secrets are kept in the region alone, and destroyed a week later"
  }
}

run "topics_stay_in_the_union" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(google_pubsub_topic.event))) == "audit.entries audit.unreadable data.written erasure.plan"
    error_message = "a topic for whatever is published or taken"
  }
  assert {
    condition     = alltrue([for t in google_pubsub_topic.event : t.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1", "europe-west4"])])
    error_message = "messages are kept in the functions' region or the watchdog's"
  }
  assert {
    condition     = length(google_pubsub_topic_iam_member.product) == 0 && google_pubsub_subscription.unreadable[0].message_retention_duration == "2678400s" && google_pubsub_subscription.unreadable[0].expiration_policy[0].ttl == ""
    error_message = "nobody publishes who is not named; what could not be read waits for a month"
  }
}

run "the_product_publishes_where_it_is_named" {
  command = plan
  variables {
    product_publishers = { "data.written" = ["serviceAccount:relay@product.iam.gserviceaccount.com"] }
  }
  assert {
    condition     = length(google_pubsub_topic_iam_member.product) == 1 && google_pubsub_topic_iam_member.product["data.written serviceAccount:relay@product.iam.gserviceaccount.com"].role == "roles/pubsub.publisher"
    error_message = "the product's account may publish on its topic"
  }
}

run "builds_with_one_account_of_few_rights" {
  command = plan
  variables {
    deployers         = ["serviceAccount:deploy@p-bootstrap.iam.gserviceaccount.com"]
    archive_writers   = ["serviceAccount:deploy@p-bootstrap.iam.gserviceaccount.com"]
    policy_publishers = ["group:security@company.example"]
  }

  assert {
    condition     = can(regex("^[a-z][-a-z0-9]{4,28}[a-z0-9]$", google_service_account.build.account_id))
    error_message = "an account's id has 6 to 30 characters, or IAM refuses it"
  }
  assert {
    condition     = google_project_iam_member.build_logs.role == "roles/logging.logWriter" && google_storage_bucket_iam_member.build_archives.role == "roles/storage.objectViewer" && alltrue([for m in google_artifact_registry_repository_iam_member.build : m.role == "roles/artifactregistry.writer"])
    error_message = "the build account writes its log, reads archives and adds images"
  }
  assert {
    condition = (google_project_iam_member.build_copies.role == "roles/storage.objectViewer" && google_project_iam_member.build_copies.condition[0].expression == join(" || ", [
      "resource.name == \"projects/_/buckets/gcf-v2-sources-123456789012-europe-west1\"", "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-123456789012-europe-west1/objects/\")",
      "resource.name == \"projects/_/buckets/gcf-v2-sources-123456789012-europe-west4\"", "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-123456789012-europe-west4/objects/\")",
    ]))
    error_message = "of all the project's buckets it reads those of Cloud Functions' copies, and of them nothing that only begins alike"
  }
  assert {
    condition     = join(" ", sort(keys(google_artifact_registry_repository.functions))) == "europe-west1 europe-west4" && join(" ", sort(keys(google_artifact_registry_repository_iam_member.build))) == "europe-west1 europe-west4"
    error_message = "images lie in the region of their function"
  }
  assert {
    condition = alltrue([for r in google_artifact_registry_repository.functions : !r.cleanup_policy_dry_run && r.format == "DOCKER" &&
      anytrue([for p in r.cleanup_policies : p.action == "KEEP" && try(p.most_recent_versions[0].keep_count, 0) == 2]) &&
    anytrue([for p in r.cleanup_policies : p.action == "DELETE" && try(p.condition[0].older_than, "") == "604800s" && try(p.condition[0].tag_state, "") == "ANY"])])
    error_message = "the two newest images of each function stay, older ones go"
  }
  assert {
    condition     = join(" ", [for m in google_service_account_iam_member.build_with : m.role]) == "roles/iam.serviceAccountUser" && join(" ", sort([for m in concat(values(google_storage_bucket_iam_member.archives_add), values(google_storage_bucket_iam_member.archives_see)) : m.role])) == "roles/storage.objectCreator roles/storage.objectViewer"
    error_message = "who deploys may have it build; who releases may add archives and take none away"
  }
  assert {
    condition     = join(" ", sort([for m in concat(values(google_storage_bucket_iam_member.policy_add), values(google_storage_bucket_iam_member.policy_see)) : "${m.role} ${m.member}"])) == "roles/storage.objectCreator group:security@company.example roles/storage.objectViewer group:security@company.example"
    error_message = "who publishes the policy may add one and take none away"
  }
  assert {
    condition     = length(google_project_iam_member.pubsub_tokens) == 0
    error_message = "nobody makes tokens of every account where it is not needed"
  }
}

run "nobody_builds_or_publishes_who_is_not_named" {
  command = plan

  assert {
    condition     = length(google_service_account_iam_member.build_with) + length(google_storage_bucket_iam_member.archives_add) + length(google_storage_bucket_iam_member.policy_add) == 0
    error_message = "rights to release and publish are given by name"
  }
}

run "an_old_project_lets_pubsub_make_tokens" {
  command = plan
  variables {
    old_pubsub_agent = true
  }
  assert {
    condition     = google_project_iam_member.pubsub_tokens[0].member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com" && google_project_iam_member.pubsub_tokens[0].role == "roles/iam.serviceAccountTokenCreator"
    error_message = "pushes of an old project would carry no token"
  }
}

run "services_stay_on" {
  command = plan
  variables {
    more_services = ["osconfig.googleapis.com"]
  }
  assert {
    condition     = alltrue([for s in concat(values(google_project_service.controls), values(google_project_service.evidence)) : !s.disable_on_destroy && !s.disable_dependent_services])
    error_message = "a service that is switched off takes what others made with it along"
  }
  assert {
    condition     = alltrue([for s in ["cloudfunctions.googleapis.com", "run.googleapis.com", "firestore.googleapis.com", "cloudkms.googleapis.com", "osconfig.googleapis.com"] : contains(keys(google_project_service.controls), s)]) && !contains(keys(google_project_service.evidence), "run.googleapis.com")
    error_message = "services that are needed are on; where evidence lies nothing can run"
  }
}
