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

run "refuses_what_google_or_the_union_does_not_take" {
  command = plan
  variables {
    project               = { id = "p-staging", number = "p-staging" }
    region                = "us-central1"
    database_location     = "nam5"
    environment           = "test"
    backups               = { weekly_days = 99 }
    extra_secrets         = ["pass word!"]
    product_publishers    = { "erasure.run" = ["serviceAccount:relay@product.iam.gserviceaccount.com"] }
    protection            = "EXTERNAL"
    signing_protection    = "EXTERNAL_VPC"
    retention_days        = 0
    policy_retention_days = 0
    access_log_days       = 7
    archive_writers       = ["allAuthenticatedUsers"]
    policy_publishers     = ["allUsers"]
    deployers             = ["allUsers"]
    more_services         = ["example.com"]
    labels                = { Team = "Security Team" }
  }
  expect_failures = [
    var.project, var.region, var.database_location, var.environment, var.backups, var.extra_secrets, var.product_publishers, var.protection, var.signing_protection,
    var.retention_days, var.policy_retention_days, var.access_log_days, var.archive_writers, var.policy_publishers, var.deployers, var.more_services, var.labels,
  ]
}

run "refuses_what_lies_just_outside" {
  command = plan
  variables {
    evidence_project      = { id = "p-staging-evidence", number = "" }
    region                = "europe-west2"
    database_location     = "europe-west6"
    backups               = { daily_days = 0 }
    product_publishers    = { "data.written" = ["allUsers"] }
    retention_days        = 3651
    policy_retention_days = 0.5
    access_log_days       = 3651
    labels                = { team = "Security" }
  }
  expect_failures = [
    var.evidence_project, var.region, var.database_location, var.backups, var.product_publishers, var.retention_days, var.policy_retention_days, var.access_log_days, var.labels,
  ]
}

run "refuses_evidence_with_the_controls_and_a_watchdog_outside" {
  command = plan
  variables {
    evidence_project = { id = "p-staging", number = "123456789012" }
    watchdog_region  = "europe-west6"
  }
  expect_failures = [
    var.evidence_project, var.watchdog_region,
  ]
}

run "refuses_a_watchdog_beside_what_it_watches" {
  command = plan
  variables {
    watchdog_region = "europe-west1"
  }
  expect_failures = [var.watchdog_region]
}

run "refuses_no_manifest" {
  command = plan
  variables {
    manifests   = {}
    collections = {}
  }
  expect_failures = [var.manifests]
}

run "refuses_a_manifest_under_another_name" {
  command = plan
  variables {
    manifests = {
      other = {
        name        = "runerasure", control = "erasure", callers = "machine", environment = [], secrets = [], publishes = []
        triggers    = []
        permissions = []
      }
    }
    collections = {}
  }
  expect_failures = [var.manifests]
}

run "refuses_a_database_firestore_does_not_take" {
  command = plan
  variables {
    manifests = {
      runerasure = {
        name        = "runerasure", control = "erasure", callers = "machine", environment = [], secrets = [], publishes = []
        triggers    = []
        permissions = [{ permission = "datastore.entities.get", resource = "database:a_b" }]
      }
    }
    collections = {}
  }
  expect_failures = [var.manifests]
}

run "refuses_a_bucket_nobody_makes" {
  command = plan
  variables {
    manifests = {
      runerasure = {
        name        = "runerasure", control = "erasure", callers = "machine", environment = [], secrets = [], publishes = []
        triggers    = []
        permissions = [{ permission = "storage.objects.get", resource = "bucket:elsewhere" }]
      }
    }
    collections = {}
  }
  expect_failures = [var.manifests]
}

run "refuses_collections_of_no_database" {
  command = plan
  variables {
    collections = { nobody = [{ collection = "things", expires = false, indexes = [] }] }
  }
  expect_failures = [var.collections]
}

run "refuses_an_index_on_the_end" {
  command = plan
  variables {
    collections = { erasure = [{ collection = "requests", expires = true, indexes = [["state", "expires"]] }] }
  }
  expect_failures = [var.collections]
}

run "refuses_an_index_on_nothing" {
  command = plan
  variables {
    collections = { erasure = [{ collection = "requests", expires = true, indexes = [[]] }] }
  }
  expect_failures = [var.collections]
}
