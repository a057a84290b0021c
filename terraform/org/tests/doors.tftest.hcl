# Who keeps the doors, and how far that right goes.

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
  data_access      = ["iam.googleapis.com"]
  doors = {
    firewalls = { project = "product-net", network = "default", name = "desk" }
    armor     = { project = "product-live" }
  }
}

run "rights_where_the_doors_are" {
  command = plan

  assert {
    condition     = { for key, role in google_project_iam_custom_role.door : key => role.project } == { "syncallowlist armor" = "product-live", "syncallowlist firewalls" = "product-net", "watchallowlist armor" = "product-live", "watchallowlist firewalls" = "product-net" }
    error_message = "the two functions that keep doors, in the project of each door"
  }
  assert {
    condition     = google_project_iam_custom_role.door["syncallowlist firewalls"].role_id == "ostiary.syncallowlist.firewalls" && google_project_iam_custom_role.door["syncallowlist firewalls"].permissions == toset(["compute.firewalls.get", "compute.firewalls.list", "compute.firewalls.update", "compute.globalOperations.get", "compute.networks.updatePolicy"])
    error_message = "what the manifest lists on the door, and nothing else"
  }
  assert {
    condition     = google_project_iam_member.door["watchallowlist armor"].member == "serviceAccount:fn-watchallowlist@ostiary-staging.iam.gserviceaccount.com" && length(google_access_context_manager_access_policy_iam_member.levels) == 0
    error_message = "each function's own account, and nothing on levels that nobody named"
  }
  assert {
    condition     = keys(output.doors.firewalls) == ["v4-00", "v4-01", "v4-02", "v4-03", "v6-00", "v6-01", "v6-02", "v6-03"] && output.doors.firewalls["v6-03"] == "desk-v6-03" && output.doors.access_level == ""
    error_message = "the shells are made where the rights are given"
  }
}

run "of_all_firewall_rules_the_doors_own" {
  command = plan

  assert {
    condition = alltrue([for name in ["syncallowlist", "watchallowlist"] : one(google_project_iam_member.door["${name} firewalls"].condition).expression ==
    "resource.type != \"compute.googleapis.com/Firewall\" || resource.name.startsWith(\"projects/product-net/global/firewalls/desk-v4-\") || resource.name.startsWith(\"projects/product-net/global/firewalls/desk-v6-\")"])
    error_message = "whoever becomes the function must not open the rest of the network"
  }
  assert {
    condition     = alltrue([for rule in values(output.doors.firewalls) : anytrue([for beginning in flatten(regexall("/firewalls/([^\"]+)", google_project_iam_member.door["syncallowlist firewalls"].condition[0].expression)) : startswith(rule, beginning)])])
    error_message = "every shell is among the rules that may be changed"
  }
  assert {
    condition     = length(google_project_iam_member.door["syncallowlist armor"].condition) == 0
    error_message = "IAM knows no names of Cloud Armor policies: a condition on them would let nothing through"
  }
}

run "no_doors_no_rights" {
  command = plan
  variables {
    doors = {}
  }

  assert {
    condition     = length(google_project_iam_custom_role.door) + length(google_project_iam_member.door) == 0 && length(output.doors.firewalls) == 0 && output.doors.armor == ""
    error_message = "a door is only where it is named"
  }
}

run "accounts_that_are_not_there_keep_no_doors" {
  command = plan
  variables {
    deployed = ["syncallowlist"]
  }

  assert {
    condition     = keys(google_project_iam_member.door) == ["syncallowlist armor", "syncallowlist firewalls"]
    error_message = "nobody can give a right to an account that does not exist"
  }
}
