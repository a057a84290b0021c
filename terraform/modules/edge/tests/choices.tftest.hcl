mock_provider "google" {
  override_during = plan

  mock_resource "google_compute_backend_service" {
    defaults = {
      generated_id = 1
    }
  }
}

variables {
  project          = { id = "p-staging", number = "123456789012" }
  region           = "europe-west1"
  routes           = { registerip = { callers = "staff", timeout_s = 30 }, trustpage = { callers = "public", timeout_s = 30 }, checkotp = { callers = "service", timeout_s = 30 } }
  public_functions = ["trustpage"]
  hosts            = { site = "ostiary.example.com" }
  staff            = ["group:staff@example.com"]
}

run "one_host_is_enough" {
  command = plan

  assert {
    condition     = alltrue([for m in values(google_compute_url_map.edge) : [for rule in m.host_rule : join(" ", rule.hosts)] == ["ostiary.example.com"]])
    error_message = "one host, over both families"
  }
  assert {
    condition     = output.pair_hosts == "" && keys(google_certificate_manager_certificate.host) == ["ostiary.example.com"]
    error_message = "without hosts for second addresses nobody is told of any"
  }
  assert {
    condition     = length(output.targets) == 0
    error_message = "there is no door that nobody named"
  }
}

run "the_first_time_there_is_nothing" {
  command = plan
  variables {
    routes = {}
    hosts  = { site = "ostiary.example.com", opendsr = "instructions.of-customers.a-company-with-rather-a-long-name.example.com", pair = { ipv4 = "v4.example.com", ipv6 = "v6.example.com" } }
  }
  assert {
    condition     = length(google_compute_backend_service.function) == 0 && alltrue(flatten([for m in values(google_compute_url_map.edge) : [for matcher in m.path_matcher : length(matcher.path_rule) == 0]]))
    error_message = "addresses, names and certificates stand before any function does"
  }
  assert {
    condition     = output.audiences == {} && output.urls == {}
    error_message = "what is not there has neither address nor audience"
  }
  assert {
    condition     = length(distinct([for c in values(google_certificate_manager_certificate.host) : c.name])) == 4 && alltrue([for c in values(google_certificate_manager_certificate.host) : can(regex("^[a-z][a-z0-9-]{0,62}$", c.name))])
    error_message = "a certificate is named after its host, however long that is"
  }
}

run "nobody_is_let_in_unless_named" {
  command = plan
  variables {
    staff = []
  }
  assert {
    condition     = length(google_iap_web_backend_service_iam_member.staff) == 0 && google_compute_backend_service.function["registerip"].iap[0].enabled
    error_message = "without names the sign-in stays and lets nobody pass"
  }
}

run "programs_of_staff_are_named" {
  command = plan
  variables {
    programs = ["123456789012-abc.apps.googleusercontent.com"]
  }
  assert {
    condition     = keys(google_iap_settings.programs) == ["registerip"] && google_iap_settings.programs["registerip"].name == "projects/123456789012/iap_web/compute/services/ostiary-registerip" && google_iap_settings.programs["registerip"].access_settings[0].oauth_settings[0].programmatic_clients == tolist(["123456789012-abc.apps.googleusercontent.com"])
    error_message = "the named programs, at functions for staff alone"
  }
}

run "a_log_that_is_asked_for" {
  command = plan
  variables {
    logged = ["checkotp"]
  }
  assert {
    condition     = { for name, b in google_compute_backend_service.function : name => b.log_config[0].enable } == { checkotp = true, registerip = false, trustpage = false } && google_compute_backend_service.function["checkotp"].log_config[0].sample_rate == 1 && google_compute_backend_service.function["trustpage"].log_config[0].sample_rate == null
    error_message = "every request of the named function is logged, and none of any other"
  }
}

run "watching_before_refusing" {
  command = plan
  variables {
    waf_preview         = true
    adaptive_protection = true
    limits              = { per_minute = 2000, ban_per_minute = 4000, ban_s = 3600 }
  }
  assert {
    condition     = alltrue([for r in google_compute_security_policy.edge.rule : r.preview == (r.priority < 1000)])
    error_message = "in preview no request is refused for what it looks like, and rates are limited all the same"
  }
  assert {
    condition     = one([for r in google_compute_security_policy.edge.rule : "${r.rate_limit_options[0].rate_limit_threshold[0].count} ${r.rate_limit_options[0].ban_threshold[0].count} ${r.rate_limit_options[0].ban_duration_sec}" if r.priority == 1000]) == "2000 4000 3600" && google_compute_security_policy.edge.adaptive_protection_config[0].layer_7_ddos_defense_config[0].enable
    error_message = "limits and warnings are as they were asked for"
  }
}

run "another_page_in_front" {
  command = plan
  variables {
    front_page = "requesterasure"
  }
  assert {
    condition     = alltrue(flatten([for m in values(google_compute_url_map.edge) : [for matcher in m.path_matcher : [for rule in matcher.path_rule : !contains(rule.paths, "/")]]]))
    error_message = "where the page in front is not there, the bare site is 404 like everything else"
  }
}

run "the_control_is_told_its_doors_as_it_reads_them" {
  command = plan
  variables {
    doors = { firewalls = { project = "shop-live" }, armor = { project = "shop-live", name = "desk" }, access_levels = { policy = "123456789" } }
  }
  assert {
    condition = output.targets == tomap({
      firewalls    = "vpcfirewall:shop-live/ostiary"
      armor        = "cloudarmor:shop-live/desk?from=1000&to=1999"
      accesslevels = "accesslevel:accessPolicies/123456789/ostiary"
    })
    error_message = "the addresses of doors follow from their names, which terraform/org makes them by"
  }
}
