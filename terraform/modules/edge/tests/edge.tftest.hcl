mock_provider "google" {
  override_during = plan

  mock_resource "google_compute_backend_service" {
    defaults = {
      id           = "projects/p-staging/global/backendServices/other"
      generated_id = 1
    }
  }
  mock_resource "google_compute_security_policy" {
    defaults = {
      id = "projects/p-staging/global/securityPolicies/ostiary-edge"
    }
  }
  mock_resource "google_certificate_manager_dns_authorization" {
    defaults = {
      dns_resource_record = [{ name = "_acme-challenge.name.", type = "CNAME", data = "token.authorize.certificatemanager.goog." }]
    }
  }
  mock_resource "google_certificate_manager_certificate_map" {
    defaults = {
      id = "projects/p-staging/locations/global/certificateMaps/ostiary"
    }
  }

  # Each backend that a path leads to, told from the others by its id.
  override_resource {
    target          = google_compute_backend_service.function["registerip"]
    override_during = plan
    values          = { id = "registerip", generated_id = 5551234567890123456 }
  }
  override_resource {
    target          = google_compute_backend_service.function["attest"]
    override_during = plan
    values          = { id = "attest", generated_id = 42 }
  }
  override_resource {
    target          = google_compute_backend_service.function["trustpage"]
    override_during = plan
    values          = { id = "trustpage", generated_id = 43 }
  }
  override_resource {
    target          = google_compute_backend_service.function["pairaddress"]
    override_during = plan
    values          = { id = "pairaddress", generated_id = 44 }
  }
  override_resource {
    target          = google_compute_backend_service.function["requesterasure"]
    override_during = plan
    values          = { id = "requesterasure", generated_id = 45 }
  }
  override_resource {
    target          = google_compute_backend_service.function["opendsr"]
    override_during = plan
    values          = { id = "opendsr", generated_id = 46 }
  }
  override_resource {
    target          = google_compute_backend_service.function["checkotp"]
    override_during = plan
    values          = { id = "checkotp", generated_id = 47 }
  }
  override_resource {
    target          = google_compute_backend_service.nobody
    override_during = plan
    values          = { id = "nobody", generated_id = 48 }
  }
  override_resource {
    target          = google_compute_global_address.edge["ipv4"]
    override_during = plan
    values          = { id = "four", address = "198.51.100.7" }
  }
  override_resource {
    target          = google_compute_global_address.edge["ipv6"]
    override_during = plan
    values          = { id = "six", address = "2001:db8::7" }
  }
  override_resource {
    target          = google_compute_url_map.edge["ipv4"]
    override_during = plan
    values          = { id = "map-four" }
  }
  override_resource {
    target          = google_compute_url_map.edge["ipv6"]
    override_during = plan
    values          = { id = "map-six" }
  }
}

variables {
  project = { id = "p-staging", number = "123456789012" }
  region  = "europe-west1"
  routes = {
    registerip     = { callers = "staff", timeout_s = 30 }
    attest         = { callers = "staff", timeout_s = 30 }
    trustpage      = { callers = "public", timeout_s = 30 }
    pairaddress    = { callers = "public", timeout_s = 30 }
    requesterasure = { callers = "public", timeout_s = 30 }
    opendsr        = { callers = "service", timeout_s = 30 }
    checkotp       = { callers = "service", timeout_s = 30 }
  }
  public_functions = ["trustpage", "pairaddress", "requesterasure"]
  hosts = {
    site    = "ostiary.example.com"
    opendsr = "opendsr.example.com"
    pair    = { ipv4 = "v4.ostiary.example.com", ipv6 = "v6.ostiary.example.com" }
  }
  staff = ["group:staff@example.com", "domain:example.com"]
}

run "a_backend_and_a_service_each" {
  command = plan

  assert {
    condition     = toset(keys(google_compute_backend_service.function)) == toset(keys(var.routes)) && toset(keys(google_compute_region_network_endpoint_group.function)) == toset(keys(var.routes))
    error_message = "every function that is reached from outside has a backend of its own"
  }
  assert {
    condition     = alltrue([for name, group in google_compute_region_network_endpoint_group.function : group.cloud_run[0].service == name && group.cloud_run[0].url_mask == null && group.region == "europe-west1" && group.network_endpoint_type == "SERVERLESS"])
    error_message = "a backend leads to the one function it is named after, whatever the path says"
  }
  assert {
    condition = alltrue([for b in concat(values(google_compute_backend_service.function), [google_compute_backend_service.nobody]) :
    b.load_balancing_scheme == "EXTERNAL_MANAGED" && b.security_policy == "projects/p-staging/global/securityPolicies/ostiary-edge" && b.enable_cdn == false])
    error_message = "every backend stands behind the security policy, and nothing is kept in a cache"
  }
  assert {
    condition     = alltrue([for b in values(google_compute_backend_service.function) : b.custom_request_headers == toset(["X-Ostiary-Client: {client_ip_address}"])]) && output.client_address == "header:X-Ostiary-Client"
    error_message = "every function is told the caller's address in the header that it reads"
  }
  assert {
    condition     = length(google_compute_url_map.edge["ipv4"].header_action) == 0 && length(google_compute_url_map.edge["ipv6"].header_action) == 0
    error_message = "a header set in the URL map would win over the address that the backend sets"
  }
  assert {
    condition     = alltrue([for b in values(google_compute_backend_service.function) : b.log_config[0].enable == false])
    error_message = "addresses of people are not logged unless somebody asks for it"
  }
}

run "staff_sign_in_and_nobody_else_has_to" {
  command = plan

  assert {
    condition     = toset([for name, b in google_compute_backend_service.function : name if b.iap[0].enabled]) == toset(["registerip", "attest"])
    error_message = "functions for staff, and no others, stand behind the sign-in"
  }
  assert {
    condition     = google_compute_backend_service.nobody.iap[0].enabled == false
    error_message = "whoever asks for what is not there is asked nothing"
  }
  assert {
    condition = toset([for m in values(google_iap_web_backend_service_iam_member.staff) : "${m.web_backend_service} ${m.member} ${m.role}"]) == toset([
      "ostiary-registerip group:staff@example.com roles/iap.httpsResourceAccessor", "ostiary-registerip domain:example.com roles/iap.httpsResourceAccessor",
      "ostiary-attest group:staff@example.com roles/iap.httpsResourceAccessor", "ostiary-attest domain:example.com roles/iap.httpsResourceAccessor",
    ])
    error_message = "those named pass the sign-in of each function for staff, and nobody else passes any"
  }
  assert {
    condition     = length(google_iap_settings.programs) == 0
    error_message = "no program passes the sign-in unless it is named"
  }
  assert {
    condition     = output.iap_agent == "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
    error_message = "the agent of the sign-in is the one of this project"
  }
}

run "audiences_are_what_is_checked" {
  command = plan

  assert {
    condition = output.audiences == {
      registerip = "/projects/123456789012/global/backendServices/5551234567890123456"
      attest     = "/projects/123456789012/global/backendServices/42"
      opendsr    = "https://europe-west1-p-staging.cloudfunctions.net/opendsr"
      checkotp   = "https://europe-west1-p-staging.cloudfunctions.net/checkotp"
    }
    error_message = "staff by the id of the backend, digit for digit; services by the function's own address; the public by none"
  }
}

run "paths_lead_where_they_say" {
  command = plan

  assert {
    condition = alltrue([for family in ["ipv4", "ipv6"] : {
      for rule in one([for m in google_compute_url_map.edge[family].path_matcher : m if m.name == "site"]).path_rule : rule.service => rule.paths if rule.service != null
    } == { for name in keys(var.routes) : name => toset(["/${name}", "/${name}/*"]) }])
    error_message = "each function answers below its own name on the site, over both families, and nothing else does"
  }
  assert {
    condition     = alltrue(flatten([for m in values(google_compute_url_map.edge) : [for matcher in m.path_matcher : [for rule in matcher.path_rule : length(rule.route_action) == 0]]]))
    error_message = "a path is passed on as it came"
  }
  assert {
    condition = alltrue(flatten([for m in values(google_compute_url_map.edge) : concat(
      [m.default_service == "nobody" && m.default_route_action[0].fault_injection_policy[0].abort[0].http_status == 404 && m.default_route_action[0].fault_injection_policy[0].abort[0].percentage == 100],
      [for matcher in m.path_matcher : matcher.default_service == "nobody" && matcher.default_route_action[0].fault_injection_policy[0].abort[0].http_status == 404 && matcher.default_route_action[0].fault_injection_policy[0].abort[0].percentage == 100],
    )]))
    error_message = "any other host and any other path is 404, each time"
  }
  assert {
    condition = {
      for rule in one([for m in google_compute_url_map.edge["ipv4"].path_matcher : m if m.name == "opendsr"]).path_rule : rule.service => rule.paths
    } == { opendsr = toset(["/opendsr/*"]), requesterasure = toset(["/requesterasure/opendsr/v2/*"]) }
    error_message = "customers' programs find the instructions and what is read without a token, and nothing else, at their host"
  }
  assert {
    condition = alltrue([for family in ["ipv4", "ipv6"] : one([
      for rule in one([for m in google_compute_url_map.edge[family].path_matcher : m if m.name == "site"]).path_rule : "${join(" ", rule.paths)} ${rule.url_redirect[0].path_redirect} ${rule.url_redirect[0].redirect_response_code}" if length(rule.url_redirect) > 0
    ]) == "/ /trustpage/ FOUND"])
    error_message = "the bare site leads to the public page"
  }
  assert {
    condition     = length(google_compute_url_map.edge["ipv4"].test) <= 100 && toset([for t in google_compute_url_map.edge["ipv4"].test : "${t.host}${t.path} ${t.service}" if t.host == "ostiary.example.com"]) == toset([for name in keys(var.routes) : "ostiary.example.com/${name}/ ${name}"])
    error_message = "Google itself is asked where each path leads, and takes a hundred questions"
  }
  assert {
    condition     = output.urls["registerip"] == "https://ostiary.example.com/registerip/" && output.urls["opendsr"] == "https://opendsr.example.com/opendsr/"
    error_message = "people are told the addresses that lead there"
  }
}

run "each_family_keeps_to_itself" {
  command = plan

  assert {
    condition     = toset(flatten([for rule in google_compute_url_map.edge["ipv4"].host_rule : rule.hosts])) == toset(["ostiary.example.com", "opendsr.example.com", "v4.ostiary.example.com"])
    error_message = "the host for IPv6 is not there over IPv4"
  }
  assert {
    condition     = toset(flatten([for rule in google_compute_url_map.edge["ipv6"].host_rule : rule.hosts])) == toset(["ostiary.example.com", "opendsr.example.com", "v6.ostiary.example.com"])
    error_message = "the host for IPv4 is not there over IPv6"
  }
  assert {
    condition = alltrue([for family in ["ipv4", "ipv6"] : {
      for rule in one([for m in google_compute_url_map.edge[family].path_matcher : m if m.name == "pair-${family}"]).path_rule : rule.service => rule.paths
    } == { pairaddress = toset(["/pairaddress", "/pairaddress/*"]) }])
    error_message = "the hosts for second addresses take second addresses and nothing else"
  }
  assert {
    condition = (
      google_compute_target_https_proxy.edge["ipv4"].url_map == "map-four" && google_compute_global_forwarding_rule.https["ipv4"].ip_address == "four" &&
      google_compute_target_https_proxy.edge["ipv6"].url_map == "map-six" && google_compute_global_forwarding_rule.https["ipv6"].ip_address == "six" &&
      google_compute_global_address.edge["ipv4"].ip_version == "IPV4" && google_compute_global_address.edge["ipv6"].ip_version == "IPV6"
    )
    error_message = "each address leads to the map of its own family"
  }
  assert {
    condition = toset([for r in output.dns : "${r.name} ${r.type} ${r.value}" if r.type != "CNAME"]) == toset([
      "ostiary.example.com. A 198.51.100.7", "ostiary.example.com. AAAA 2001:db8::7", "opendsr.example.com. A 198.51.100.7", "opendsr.example.com. AAAA 2001:db8::7",
      "v4.ostiary.example.com. A 198.51.100.7", "v6.ostiary.example.com. AAAA 2001:db8::7",
    ])
    error_message = "of the hosts for second addresses each gets the record of its own family alone"
  }
  assert {
    condition     = output.pair_hosts == "ipv4=https://v4.ostiary.example.com,ipv6=https://v6.ostiary.example.com" && output.addresses == { ipv4 = "198.51.100.7", ipv6 = "2001:db8::7" }
    error_message = "the functions are told the hosts of second addresses"
  }
}

run "only_over_tls" {
  command = plan

  assert {
    condition     = google_compute_ssl_policy.edge.min_tls_version == "TLS_1_2" && google_compute_ssl_policy.edge.profile == "RESTRICTED"
    error_message = "nothing older than TLS 1.2"
  }
  assert {
    condition     = alltrue([for p in values(google_compute_target_https_proxy.edge) : p.tls_early_data == "DISABLED" && p.certificate_map == "//certificatemanager.googleapis.com/projects/p-staging/locations/global/certificateMaps/ostiary"])
    error_message = "nothing is taken that could have been recorded and sent again"
  }
  assert {
    condition     = alltrue([for r in values(google_compute_global_forwarding_rule.https) : r.port_range == "443" && r.load_balancing_scheme == "EXTERNAL_MANAGED"]) && length(google_compute_global_forwarding_rule.https) == 2
    error_message = "HTTPS over both families"
  }
  assert {
    condition = (
      alltrue([for r in values(google_compute_global_forwarding_rule.clear) : r.port_range == "80" && r.load_balancing_scheme == "EXTERNAL_MANAGED"]) && google_compute_url_map.clear.default_service == null && length(google_compute_url_map.clear.path_matcher) == 0 &&
      google_compute_url_map.clear.default_url_redirect[0].https_redirect && google_compute_url_map.clear.default_url_redirect[0].redirect_response_code == "MOVED_PERMANENTLY_DEFAULT"
    )
    error_message = "in clear there is nothing but the way to HTTPS"
  }
  assert {
    condition = (
      toset(keys(google_certificate_manager_certificate.host)) == toset(["ostiary.example.com", "opendsr.example.com", "v4.ostiary.example.com", "v6.ostiary.example.com"]) &&
      alltrue([for host, c in google_certificate_manager_certificate.host : c.managed[0].domains == tolist([host])]) &&
      alltrue([for host, e in google_certificate_manager_certificate_map_entry.host : e.hostname == host && e.matcher == null && length(e.certificates) == 1])
    )
    error_message = "a certificate for each host alone, and none for whoever names no host"
  }
  assert {
    condition     = length([for r in output.dns : r if r.type == "CNAME"]) == 4
    error_message = "the record that allows a certificate is told for each host"
  }
}

run "rules_in_their_order" {
  command = plan

  assert {
    condition     = { for r in google_compute_security_policy.edge.rule : tostring(r.priority) => "${r.action} ${r.preview}" } == { "100" = "deny(403) false", "110" = "deny(403) false", "120" = "deny(403) false", "130" = "deny(403) false", "200" = "deny(403) true", "1000" = "rate_based_ban false", "2147483647" = "allow false" }
    error_message = "attacks first, then who sends too much: the rule that counts lets everybody else in, and none after it is tried"
  }
  assert {
    condition     = alltrue([for r in google_compute_security_policy.edge.rule : strcontains(r.match[0].expr[0].expression, "(request.method == 'GET' || request.method == 'HEAD') && ") if contains([110, 120, 130], r.priority)])
    error_message = "what people write is never taken for an attack: only reading is refused by what it looks like"
  }
  assert {
    condition     = alltrue([for r in google_compute_security_policy.edge.rule : r.preview if strcontains(try(r.match[0].expr[0].expression, ""), "'POST'")])
    error_message = "rules on what is posted only count"
  }
  assert {
    condition     = alltrue([for r in google_compute_security_policy.edge.rule : length(regexall("&&|\\|\\|", r.match[0].expr[0].expression)) <= 4 && length(r.match[0].expr[0].expression) < 2048 && !strcontains(r.match[0].expr[0].expression, "'sensitivity': 2") if r.priority < 1000])
    error_message = "Cloud Armor takes five parts in one expression; above sensitivity 1 scripts of customers are attacks"
  }
  assert {
    condition     = alltrue([for r in google_compute_security_policy.edge.rule : alltrue([for e in r.preconfigured_waf_config[0].exclusion : e.request_cookie[0].operator == "CONTAINS" && e.request_cookie[0].value == "GCP_IA" && strcontains(r.match[0].expr[0].expression, e.target_rule_set)]) && length(r.preconfigured_waf_config[0].exclusion) >= 1 if r.priority < 1000])
    error_message = "nobody is refused for the cookies of the sign-in"
  }
  assert {
    condition     = one([for r in google_compute_security_policy.edge.rule : "${r.rate_limit_options[0].enforce_on_key} ${r.rate_limit_options[0].exceed_action} ${r.rate_limit_options[0].rate_limit_threshold[0].count}/${r.rate_limit_options[0].rate_limit_threshold[0].interval_sec} ${r.rate_limit_options[0].ban_threshold[0].count}/${r.rate_limit_options[0].ban_threshold[0].interval_sec} ${r.rate_limit_options[0].ban_duration_sec}" if r.priority == 1000]) == "IP deny(429) 1500/60 6000/60 600"
    error_message = "one address reads 429 above 1,500 a minute and is shut out for ten minutes above 6,000"
  }
  assert {
    condition     = google_compute_security_policy.edge.advanced_options_config[0].log_level == "NORMAL" && google_compute_security_policy.edge.advanced_options_config[0].user_ip_request_headers == null && google_compute_security_policy.edge.adaptive_protection_config[0].layer_7_ddos_defense_config[0].enable == false
    error_message = "what people typed is not logged, and no header says who the caller is"
  }
}
