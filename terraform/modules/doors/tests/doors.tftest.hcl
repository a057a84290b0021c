mock_provider "google" {}

variables {
  project          = { id = "p-staging", number = "123456789012" }
  evidence_project = { id = "p-staging-ev", number = "123456789013" }
  doors = {
    firewalls     = { project = "shop-live", network = "default", shards = 1 }
    armor         = { project = "shop-live" }
    access_levels = { policy = "123456789", shards = 1 }
  }
}

run "shells_let_nobody_in" {
  command = plan

  assert {
    condition     = { for name, rule in google_compute_firewall.door : name => rule.source_ranges } == { v4-00 = toset(["192.0.2.1/32"]), v6-00 = toset(["2001:db8::/128"]) } && alltrue([for rule in values(google_compute_firewall.door) : rule.disabled])
    error_message = "as many rules for either family, off, with an address nobody comes from: an empty list would be everybody"
  }
  assert {
    condition     = alltrue([for rule in google_compute_security_policy.door[0].rule : rule.action == "deny(403)" && rule.priority == 2147483647]) && length(google_compute_security_policy.door[0].rule) == 1
    error_message = "the policy is made shut, and never stands open in between"
  }
  assert {
    condition     = google_compute_security_policy_rule.door[0].action == "deny(403)" && google_compute_security_policy_rule.door[0].priority == 2147483647 && google_compute_security_policy_rule.door[0].match[0].config[0].src_ip_ranges == tolist(["*"])
    error_message = "the last rule refuses everybody whom no rule before it lets in"
  }
  assert {
    condition     = google_access_context_manager_access_level.door["00"].basic[0].conditions[0].ip_subnetworks == tolist(["192.0.2.1/32"]) && google_access_context_manager_access_level.doors[0].basic[0].conditions[0].required_access_levels == tolist(["accessPolicies/123456789/accessLevels/ostiary_00"])
    error_message = "nobody meets a level that the control has not written, and the one name stands for all of them"
  }
  assert {
    condition     = output.firewalls == { v4-00 = "ostiary-v4-00", v6-00 = "ostiary-v6-00" } && output.access_level == "accessPolicies/123456789/accessLevels/ostiary"
    error_message = "who sets the doors up is told what they are called"
  }
}

run "morning" {
  command   = apply
  state_key = "doors"
  module {
    source = "./tests/morning"
  }
  variables {
    last     = "allow"
    priority = 1
  }
}

# Planned against what the control wrote in the morning, and what somebody changed by hand.
run "an_apply_keeps_the_morning" {
  command   = plan
  state_key = "doors"

  assert {
    condition     = { for name, rule in google_compute_firewall.door : name => rule.source_ranges } == { v4-00 = toset(["203.0.113.7/32", "203.0.113.8/32"]), v6-00 = toset(["2001:db8:7::/64"]) } && alltrue([for rule in values(google_compute_firewall.door) : !rule.disabled])
    error_message = "registered addresses stay in the firewall"
  }
  assert {
    condition     = toset([for rule in google_compute_security_policy.door[0].rule : rule.priority]) == toset([1000, 2147483647])
    error_message = "the control's rules stay in the policy"
  }
  assert {
    condition     = google_access_context_manager_access_level.door["00"].basic[0].conditions[0].members == tolist(["user:mia@example.com"]) && google_access_context_manager_access_level.door["00"].description == "Conditions and description are written by ostiary."
    error_message = "people stay in the levels"
  }
  assert {
    condition     = google_compute_security_policy_rule.door[0].action == "deny(403)" && google_compute_security_policy_rule.door[0].description == "nobody else"
    error_message = "a last rule that somebody opened is shut again"
  }
  assert {
    condition     = alltrue([for rule in values(google_compute_firewall.door) : rule.priority == 1000])
    error_message = "what is Terraform's in the firewall is put back"
  }
}

# The state is taken down by the module it was made with: the policy itself refuses to be destroyed.
run "evening" {
  command   = apply
  state_key = "doors"
  module {
    source = "./tests/morning"
  }
  variables {
    last     = "deny(403)"
    priority = 1000
  }
  assert {
    condition     = google_compute_security_policy_rule.door[0].action == "deny(403)"
    error_message = "the last rule is shut"
  }
}

run "only_the_doors_that_are_named" {
  command = plan
  variables {
    doors = { armor = { project = "shop-live", name = "ostiary-edge" } }
  }
  assert {
    condition     = length(google_compute_firewall.door) == 0 && length(google_access_context_manager_access_level.door) == 0 && length(google_access_context_manager_access_level.doors) == 0 && google_compute_security_policy.door[0].name == "ostiary-edge"
    error_message = "a door is only where its project is named, and in another project it may be called as ours is"
  }
}

run "refuses_a_door_in_front_of_the_functions" {
  command = plan
  variables {
    doors = { armor = { project = "p-staging", name = "another" } }
  }
  expect_failures = [var.doors]
}

run "refuses_rules_where_evidence_is" {
  command = plan
  variables {
    doors = { firewalls = { project = "p-staging-ev", network = "default" } }
  }
  expect_failures = [var.doors]
}

run "refuses_a_name_without_room_for_what_follows" {
  command = plan
  variables {
    doors = { firewalls = { name = "a234567890123456789012345678901234567890123456789012345x" } }
  }
  expect_failures = [var.doors]
}

run "refuses_no_shards" {
  command = plan
  variables {
    doors = { firewalls = { project = "shop-live", network = "default", shards = 0 } }
  }
  expect_failures = [var.doors]
}

run "refuses_more_shards_than_names" {
  command = plan
  variables {
    doors = { access_levels = { policy = "123456789", shards = 100 } }
  }
  expect_failures = [var.doors]
}

run "refuses_rules_behind_what_refuses_everybody" {
  command = plan
  variables {
    doors = { firewalls = { priority = 65535 } }
  }
  expect_failures = [var.doors]
}

run "refuses_every_port" {
  command = plan
  variables {
    doors = { firewalls = { ports = [] } }
  }
  expect_failures = [var.doors]
}

run "refuses_a_firewall_without_its_network" {
  command = plan
  variables {
    doors = { firewalls = { project = "shop-live" } }
  }
  expect_failures = [var.doors]
}

run "refuses_every_protocol" {
  command = plan
  variables {
    doors = { firewalls = { protocol = "all" } }
  }
  expect_failures = [var.doors]
}

run "refuses_a_policy_with_a_bad_name" {
  command = plan
  variables {
    doors = { armor = { project = "shop-live", name = "Ostiary" } }
  }
  expect_failures = [var.doors]
}

run "refuses_the_full_name_of_an_access_policy" {
  command = plan
  variables {
    doors = { access_levels = { policy = "accessPolicies/123456789" } }
  }
  expect_failures = [var.doors]
}

run "refuses_levels_with_a_hyphen" {
  command = plan
  variables {
    doors = { access_levels = { policy = "123456789", name = "os-tiary" } }
  }
  expect_failures = [var.doors]
}
