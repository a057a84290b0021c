output "audiences" {
  description = "What a token has to be made out to, by function: for staff the backend service that signed the person in, for services the function's own address, which Cloud Run takes whatever name the request came by. Public functions have none."
  value = merge(
    { for name in keys(local.staff) : name => "/projects/${var.project.number}/global/backendServices/${google_compute_backend_service.function[name].generated_id}" },
    { for name, route in var.routes : name => "https://${var.region}-${local.project}.cloudfunctions.net/${name}" if route.callers == "service" },
  )
}

output "addresses" {
  description = "The two addresses of the load balancer."
  value       = { for family, address in google_compute_global_address.edge : family => address.address }
}

output "dns" {
  description = "What to enter in DNS, record by record. No other A or AAAA record may stand at these names; where a CAA record does, it must allow pki.goog."
  value = concat(
    flatten([for h in values(local.hosts) : [for family in h.families : { name = "${h.host}.", type = { ipv4 = "A", ipv6 = "AAAA" }[family], value = google_compute_global_address.edge[family].address }]]),
    flatten([for a in values(google_certificate_manager_dns_authorization.host) : [for r in a.dns_resource_record : { name = r.name, type = r.type, value = r.data }]]),
  )
}

output "urls" {
  description = "Where each function is reached."
  value       = { for name in keys(var.routes) : name => "https://${name == "opendsr" && var.hosts.opendsr != null ? var.hosts.opendsr : var.hosts.site}/${name}/" }
}

output "client_address" {
  description = "Value of OSTIARY_CLIENT_ADDRESS: the header in which the load balancer says whose request it is."
  value       = "header:${local.client_header}"
}

output "pair_hosts" {
  description = "Value of OSTIARY_PAIR_HOSTS; empty where a code registers one address only."
  value       = var.hosts.pair == null ? "" : "ipv4=https://${var.hosts.pair.ipv4},ipv6=https://${var.hosts.pair.ipv6}"
}

output "iap_agent" {
  description = "The member that calls functions for staff: the service agent of Identity-Aware Proxy."
  value       = local.iap_agent
}

output "targets" {
  description = "The doors that are named, as OSTIARY_TARGETS takes them after NAME=: terraform/org makes them."
  value = merge(
    var.doors.firewalls.project == "" ? {} : { firewalls = "vpcfirewall:${var.doors.firewalls.project}/${var.doors.firewalls.name}" },
    var.doors.armor.project == "" ? {} : { armor = "cloudarmor:${var.doors.armor.project}/${var.doors.armor.name}?from=1000&to=1999" },
    var.doors.access_levels.policy == "" ? {} : { accesslevels = "accesslevel:accessPolicies/${var.doors.access_levels.policy}/${var.doors.access_levels.name}" },
  )
}
