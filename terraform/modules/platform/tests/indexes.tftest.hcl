# What the functions of this repository ask for is what is made: their own manifests and collections are read here. The list
# it is held against is worked out from the queries by a test in functions/internal/house.

mock_provider "google" {}

variables {
  project          = { id = "p-staging", number = "123456789012" }
  evidence_project = { id = "p-staging-evidence", number = "123456789013" }
  region           = "europe-west1"
  watchdog_region  = "europe-west4"
  environment      = "staging"
  locked           = false
  manifests        = { for m in [for file in fileset("../../../functions", "*/*/function.json") : jsondecode(file("../../../functions/${file}"))] : m.name => m }
  collections      = jsondecode(file("../../../functions/indexes.json"))
}

run "every_query_has_its_index" {
  command = plan

  assert {
    condition     = sort([for i in google_firestore_index.query : "${i.database}/${i.collection}: ${join(", ", [for f in i.fields : "${f.field_path} ${f.order}"])}"]) == sort(jsondecode(file("tests/indexes.json")).indexes)
    error_message = "indexes that queries need are missing, or nobody needs one that is made"
  }
  assert {
    condition     = sort([for f in google_firestore_field.expires : "${f.database}/${f.collection}"]) == sort(jsondecode(file("tests/indexes.json")).expires)
    error_message = "collections whose documents end are not deleted from, or others are"
  }
}

run "every_manifest_finds_what_it_names" {
  command = plan

  assert {
    condition = alltrue([for r in flatten([for m in values(var.manifests) : m.permissions[*].resource]) : anytrue([
      contains([for name in keys(output.databases) : "database:${name}"], r),
      contains([for name in keys(google_pubsub_topic.event) : "topic:${name}"], r),
      contains([for name in keys(google_kms_crypto_key.seal) : "key:${name}"], r),
      contains([for name in keys(google_kms_crypto_key.sign) : "signing-key:${name}"], r),
      contains([for name in keys(google_secret_manager_secret.function) : "secret:${name}"], r),
      contains(["bucket:evidence-inbox", "bucket:evidence-log", "bucket:evidence-head", "bucket:policy", "bucket:terraform-state"], r),
      startswith(r, "data:"), startswith(r, "door:"), r == "assets", r == "directory",
    ])])
    error_message = "a manifest names a resource that nobody makes"
  }
  assert {
    condition     = join(" ", sort(keys(google_kms_crypto_key.seal))) == "breach evidence message otp request" && join(" ", sort(keys(google_kms_crypto_key.sign))) == "evidence receipts"
    error_message = "keys are those the environments hand on"
  }
  assert {
    condition     = join(" ", sort(keys(output.databases))) == "access breach drift erasure ledger trust vault watch watchdog"
    error_message = "a database a control, the vault, the ledger and the watchdog's"
  }
  assert {
    condition     = length(google_firestore_backup_schedule.daily) == length(output.databases) - 1 && !contains(keys(google_firestore_backup_schedule.daily), "ledger") && !contains(keys(google_firestore_backup_schedule.weekly), "ledger")
    error_message = "every database but the ledger is backed up"
  }
}
