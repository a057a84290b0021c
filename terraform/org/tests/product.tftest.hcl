# What functions may do in projects that are not the controls'.

mock_provider "google" {
  override_during = plan

  mock_resource "google_logging_organization_sink" {
    defaults = { writer_identity = "serviceAccount:service-org-111111111111@gcp-sa-logging.iam.gserviceaccount.com" }
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
  data_access      = ["iam.googleapis.com"]
  data = {
    project   = "product-live"
    databases = ["main", "archive", "city-1", "city-2", "city-3", "city-4", "city-5"]
    buckets   = ["product-files", "product-exports"]
    grants    = ["projects/1/secrets/grant-"]
  }
}

run "what_the_data_map_names_and_no_more" {
  command = plan

  assert {
    condition     = alltrue([for role in values(google_project_iam_custom_role.data) : role.project == "product-live"]) && toset([for role in values(google_project_iam_custom_role.data) : role.role_id if startswith(role.role_id, "ostiary.planerasure.")]) == toset(["ostiary.planerasure.firestore", "ostiary.planerasure.gcs", "ostiary.planerasure.project"])
    error_message = "roles lie in the product's project, under the names that the look at the controls knows"
  }
  assert {
    condition     = toset([for key, one in google_project_iam_custom_role.data : key if endswith(key, " secrets-grants")]) == toset(["revokegrants secrets-grants", "runerasure secrets-grants"])
    error_message = "customers' connections are those functions' alone whose manifests list them"
  }
  assert {
    condition     = google_project_iam_custom_role.data["planerasure firestore"].permissions == toset(["datastore.databases.getMetadata", "datastore.entities.get", "datastore.entities.list"]) && toset([for key, one in google_project_iam_member.data : one.member if startswith(key, "planerasure ")]) == toset(["serviceAccount:fn-planerasure@ostiary-staging.iam.gserviceaccount.com"])
    error_message = "who searches reads, and changes nothing"
  }
  assert {
    condition     = [for key, one in google_project_iam_member.stores : one.project] == ["product-live"] && keys(google_project_iam_member.stores) == ["planerasure"]
    error_message = "which databases and buckets the product's project has is told to whoever searches"
  }
  assert {
    condition     = toset([for key, one in google_storage_bucket_iam_member.data : one.bucket if startswith(key, "runerasure ")]) == toset(["product-files", "product-exports"])
    error_message = "each bucket of the data map, and no other"
  }
  assert {
    condition     = one(google_project_iam_member.connections["revokegrants projects/1/secrets/grant-"].condition).expression == "resource.name.startsWith(\"projects/1/secrets/grant-\")"
    error_message = "secrets of connections alone"
  }
}

run "databases_share_conditions" {
  command = plan

  assert {
    condition     = [for key, one in google_project_iam_member.data : key if startswith(key, "runerasure ")] == ["runerasure 0", "runerasure 1"]
    error_message = "seven databases are two bindings, and not seven: of one role and member there are at most twenty"
  }
  assert {
    condition     = alltrue([for one in values(google_project_iam_member.data) : length(regexall("[|][|]|&&", one.condition[0].expression)) <= 11])
    error_message = "a condition has at most twelve logical operators"
  }
  assert {
    condition     = google_project_iam_member.data["runerasure 1"].condition[0].expression == "resource.name == \"projects/product-live/databases/main\" || resource.name.startsWith(\"projects/product-live/databases/main/\")"
    error_message = "a database and what lies in it, and none whose name begins alike"
  }
  assert {
    condition     = toset(flatten([for key, one in google_project_iam_member.data : regexall("databases/([^\"/]+)\"", one.condition[0].expression) if startswith(key, "runerasure ")])) == toset(["main", "archive", "city-1", "city-2", "city-3", "city-4", "city-5"])
    error_message = "every database of the data map, once"
  }
}

run "nothing_where_no_data_is_named" {
  command = plan
  variables {
    data = {}
  }

  assert {
    condition     = length(google_project_iam_custom_role.data) + length(google_project_iam_member.data) + length(google_project_iam_member.stores) + length(google_storage_bucket_iam_member.data) + length(google_project_iam_member.connections) == 0
    error_message = "a company without a data map gives nothing"
  }
}

run "accounts_that_are_not_there_get_nothing" {
  command = plan
  variables {
    deployed = ["planerasure"]
  }

  assert {
    condition     = toset([for one in values(google_project_iam_member.data) : one.member]) == toset(["serviceAccount:fn-planerasure@ostiary-staging.iam.gserviceaccount.com"])
    error_message = "nobody can give a right to an account that does not exist"
  }
}

run "single_projects_are_looked_at_but_the_controls_own" {
  command = plan
  variables {
    looked_at = ["projects/ostiary-staging", "projects/ostiary-staging-ev", "projects/product-live"]
  }

  assert {
    condition     = keys(google_project_iam_member.assets) == ["checkdrift ostiary-staging-ev", "checkdrift product-live"] && google_project_iam_custom_role.assets["checkdrift product-live"].project == "product-live"
    error_message = "the environment gives the right to look at the controls' own project: two states must not hold one role"
  }
  assert {
    condition     = alltrue([for permission in google_project_iam_custom_role.assets["checkdrift product-live"].permissions : !startswith(permission, "resourcemanager.folders.") && !startswith(permission, "resourcemanager.organizations.")]) && contains(google_project_iam_custom_role.assets["checkdrift product-live"].permissions, "storage.buckets.get")
    error_message = "a project's role takes no permissions of folders and organizations"
  }
  assert {
    condition     = google_project_iam_member.assets["checkdrift product-live"].member == "serviceAccount:fn-checkdrift@ostiary-staging.iam.gserviceaccount.com"
    error_message = "the function that looks"
  }
}

run "of_a_watched_project_the_evidence_is_looked_at_too" {
  command = plan
  variables {
    scope = "projects/product-live"
  }

  assert {
    condition     = keys(google_project_iam_member.assets) == ["checkdrift ostiary-staging-ev", "checkdrift product-live"]
    error_message = "what an environment looks at when nothing is said"
  }
}

run "refuses_data_without_its_project" {
  command = plan
  variables {
    data = { databases = ["main"] }
  }
  expect_failures = [var.data]
}

run "refuses_a_database_by_its_path" {
  command = plan
  variables {
    data = { project = "product-live", databases = ["projects/product-live/databases/main"] }
  }
  expect_failures = [var.data]
}

run "refuses_more_databases_than_iam_takes" {
  command = plan
  variables {
    data = { project = "product-live", databases = [for i in range(121) : format("contacts-%03d", i)] }
  }
  expect_failures = [var.data]
}

run "refuses_a_bucket_by_its_address" {
  command = plan
  variables {
    data = { project = "product-live", buckets = ["gs://product-files"] }
  }
  expect_failures = [var.data]
}

run "refuses_every_secret" {
  command = plan
  variables {
    data = { project = "product-live", grants = ["projects/1/secrets/"] }
  }
  expect_failures = [var.data]
}
