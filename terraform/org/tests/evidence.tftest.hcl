# What functions may do on evidence, and that nobody else does it.

mock_provider "google" {
  override_during = plan

  mock_resource "google_logging_organization_sink" {
    defaults = { writer_identity = "serviceAccount:service-org-111111111111@gcp-sa-logging.iam.gserviceaccount.com" }
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

run "evidence_is_written_by_functions_alone" {
  command = plan

  assert {
    condition     = alltrue([for r in google_project_iam_custom_role.evidence : r.project == "ostiary-staging-ev" && can(regex("^ostiary[.][a-z]+[.](bucket_evidence_(inbox|log|head)|place_evidence_inbox|signing_key_[a-z]+)$", r.role_id))])
    error_message = "roles on evidence lie where the evidence does"
  }
  assert {
    condition     = [for id, r in google_project_iam_custom_role.evidence : id if contains(r.permissions, "storage.objects.create") && strcontains(id, "bucket:evidence-")] == ["sealevidence bucket:evidence-head", "sealevidence bucket:evidence-log"]
    error_message = "the log and its head are written by the one function that seals"
  }
  assert {
    condition     = toset([for id, r in google_project_iam_custom_role.evidence : split(" ", id)[0] if contains(r.permissions, "storage.objects.delete")]) == toset(["sealevidence"]) && !contains(google_project_iam_custom_role.evidence["sealevidence bucket:evidence-log"].permissions, "storage.objects.delete")
    error_message = "one function deletes, and not of the log"
  }
  assert {
    condition     = [for id, r in google_project_iam_custom_role.evidence : id if contains(r.permissions, "cloudkms.cryptoKeyVersions.useToSign")] == ["planerasure signing-key:receipts", "sealevidence signing-key:evidence"]
    error_message = "each key signs for one function"
  }
  assert {
    condition     = google_kms_crypto_key_iam_member.evidence["sealevidence signing-key:evidence"].crypto_key_id == "projects/ostiary-staging-ev/locations/europe-west1/keyRings/ostiary/cryptoKeys/checkpoints" && google_kms_crypto_key_iam_member.evidence["planerasure signing-key:receipts"].crypto_key_id == "projects/ostiary-staging-ev/locations/europe-west1/keyRings/ostiary/cryptoKeys/receipts"
    error_message = "the keys are those that the platform makes"
  }
  assert {
    condition     = google_storage_bucket_iam_member.evidence["sealevidence bucket:evidence-log"].bucket == "ostiary-staging-ev-log" && google_storage_bucket_iam_member.evidence["sealevidence bucket:evidence-head"].bucket == "ostiary-staging-ev-head" && google_storage_bucket_iam_member.evidence["registerip place:evidence-inbox"].bucket == "ostiary-staging-ev-inbox"
    error_message = "the buckets are those that the platform makes"
  }
  assert {
    condition     = alltrue([for id, m in google_storage_bucket_iam_member.evidence : m.member == "serviceAccount:fn-${split(" ", id)[0]}@ostiary-staging.iam.gserviceaccount.com" && m.role == "projects/ostiary-staging-ev/roles/${google_project_iam_custom_role.evidence[id].role_id}"])
    error_message = "each function's own account has the function's own role"
  }
  assert {
    condition     = one(google_storage_bucket_iam_member.evidence["registerip place:evidence-inbox"].condition).expression == "resource.name.startsWith(\"projects/_/buckets/ostiary-staging-ev-inbox/objects/registerip/\")" && strcontains(one(google_storage_bucket_iam_member.evidence["syncallowlist place:evidence-inbox"].condition).expression, "/objects/registerip/")
    error_message = "a function adds below its own name, and one that sweeps below those it sweeps for"
  }
  assert {
    condition     = alltrue([for id, m in google_storage_bucket_iam_member.evidence : length(m.condition) == (strcontains(id, " place:") ? 1 : 0)])
    error_message = "every right to add is one on a place"
  }

  # Nobody else, whatever he was given.
  assert {
    condition     = google_iam_deny_policy.evidence.parent == "cloudresourcemanager.googleapis.com%2Fprojects%2Fostiary-staging-ev" && alltrue([for rule in google_iam_deny_policy.evidence.rules : rule.deny_rule[0].denied_principals == tolist(["principalSet://goog/public:all"])])
    error_message = "everybody is denied, owners too"
  }
  assert {
    condition     = toset(flatten([for rule in google_iam_deny_policy.evidence.rules : rule.deny_rule[0].denied_permissions])) == toset(["storage.googleapis.com/objects.create", "storage.googleapis.com/objects.delete", "storage.googleapis.com/objects.update", "cloudkms.googleapis.com/cryptoKeyVersions.useToSign"])
    error_message = "adding, deleting, changing and signing are denied"
  }
  assert {
    condition     = google_iam_deny_policy.evidence.rules[1].deny_rule[0].exception_principals == tolist(["principal://iam.googleapis.com/projects/-/serviceAccounts/fn-sealevidence@ostiary-staging.iam.gserviceaccount.com"]) && length(google_iam_deny_policy.evidence.rules[2].deny_rule[0].exception_principals) == 2
    error_message = "the function that seals deletes what it sealed, and two functions sign"
  }
  assert {
    condition     = contains(google_iam_deny_policy.evidence.rules[0].deny_rule[0].exception_principals, "principal://iam.googleapis.com/projects/-/serviceAccounts/fn-registerip@ostiary-staging.iam.gserviceaccount.com") && !anytrue([for p in google_iam_deny_policy.evidence.rules[0].deny_rule[0].exception_principals : strcontains(p, "fn-trustpage@")])
    error_message = "who records may add, who only reads may not"
  }
}

run "an_account_that_is_not_there_is_neither_given_nor_excepted" {
  command = plan
  variables {
    deployed = ["registerip"]
  }

  assert {
    condition     = keys(google_storage_bucket_iam_member.evidence) == ["registerip place:evidence-inbox"] && length(google_kms_crypto_key_iam_member.evidence) == 0 && google_iam_deny_policy.evidence.rules[0].deny_rule[0].exception_principals == tolist(["principal://iam.googleapis.com/projects/-/serviceAccounts/fn-registerip@ostiary-staging.iam.gserviceaccount.com"])
    error_message = "only functions that are deployed have rights on evidence"
  }
  assert {
    condition     = length(google_iam_deny_policy.evidence.rules[1].deny_rule[0].exception_principals) == 0
    error_message = "without the function that seals nobody deletes"
  }
}

run "who_mends_is_named_and_signs_and_adds_nothing" {
  command = plan
  variables {
    mends_evidence = ["alice@acme.example"]
  }

  assert {
    condition     = contains(google_iam_deny_policy.evidence.rules[1].deny_rule[0].exception_principals, "principal://goog/subject/alice@acme.example") && length(google_iam_deny_policy.evidence.rules[1].deny_rule[0].exception_principals) == 2
    error_message = "an object that cannot be taken in is deleted by somebody who is named"
  }
  assert {
    condition     = !anytrue([for number in [0, 2] : anytrue([for p in google_iam_deny_policy.evidence.rules[number].deny_rule[0].exception_principals : strcontains(p, "goog/subject")])])
    error_message = "no person adds evidence or signs"
  }
}

run "refuses_everybody_and_members_with_a_kind" {
  command = plan
  variables {
    mends_evidence = ["group:security@acme.example"]
  }
  expect_failures = [var.mends_evidence]
}
