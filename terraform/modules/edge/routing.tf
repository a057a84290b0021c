# Which host and which path lead where, over which family of addresses.

locals {
  families = { ipv4 = "IPV4", ipv6 = "IPV6" }

  # A function answers under its own name everywhere: nothing is rewritten, and neither "/name" nor "/name/anything" is
  # anybody else's. A name that merely begins alike ("/names") matches neither.
  below = tomap({ for name in keys(var.routes) : name => tolist(["/${name}", "/${name}/*"]) })
  both  = keys(local.families)

  hosts = merge(
    {
      site = {
        host     = var.hosts.site
        families = local.both
        paths    = local.below
      }
    },

    # Instructions of customers' programs, and what they may read without a token before.
    var.hosts.opendsr == null ? {} : {
      opendsr = {
        host     = var.hosts.opendsr
        families = local.both
        paths    = tomap({ for name, paths in local.dsr : name => tolist(paths) if contains(keys(var.routes), name) })
      }
    },

    # The second address of a device is told over the family that its first one is not of: each of the two hosts is known to the
    # address of its own family alone.
    var.hosts.pair == null ? {} : {
      for family, host in var.hosts.pair : "pair-${family}" => {
        host     = host
        families = [family]
        paths    = tomap({ for name, paths in local.below : name => paths if name == "pairaddress" })
      }
    },
  )
  dsr = { opendsr = ["/opendsr/*"], requesterasure = ["/requesterasure/opendsr/v2/*"] }

  # The bare site leads to the page that everybody may see.
  front = contains(keys(var.routes), var.front_page) ? "/${var.front_page}/" : ""
}

# DNS points here. Let go, an address may become somebody else's, with our names still pointing at it. (A description of an address
# cannot be changed without a new address, and one of a proxy or an SSL policy not without taking it from under what uses it: the
# former is written once, the latter have none.)
resource "google_compute_global_address" "edge" {
  for_each     = local.families
  project      = local.project
  name         = "ostiary-${each.key}"
  description  = "The names of this installation point here"
  address_type = "EXTERNAL"
  ip_version   = each.value
  labels       = var.labels

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [description]
  }
}

# One map for each family: what is only for IPv6 is not there over IPv4.
resource "google_compute_url_map" "edge" {
  for_each        = local.families
  project         = local.project
  name            = "ostiary-${each.key}"
  description     = "Leads to the functions over ${each.value}; anything else is 404"
  default_service = google_compute_backend_service.nobody.id

  default_route_action {
    fault_injection_policy {
      abort {
        http_status = 404
        percentage  = 100
      }
    }
  }

  dynamic "host_rule" {
    for_each = { for purpose, h in local.hosts : purpose => h if contains(h.families, each.key) }
    content {
      hosts        = [host_rule.value.host]
      path_matcher = host_rule.key
    }
  }

  dynamic "path_matcher" {
    for_each = { for purpose, h in local.hosts : purpose => h if contains(h.families, each.key) }
    content {
      name            = path_matcher.key
      description     = "Paths of ${path_matcher.value.host}"
      default_service = google_compute_backend_service.nobody.id

      default_route_action {
        fault_injection_policy {
          abort {
            http_status = 404
            percentage  = 100
          }
        }
      }

      dynamic "path_rule" {
        for_each = path_matcher.value.paths
        content {
          paths   = path_rule.value
          service = google_compute_backend_service.function[path_rule.key].id
        }
      }

      dynamic "path_rule" {
        for_each = path_matcher.key == "site" && local.front != "" ? [local.front] : []
        content {
          paths = ["/"]
          url_redirect {
            path_redirect          = path_rule.value
            redirect_response_code = "FOUND"
            strip_query            = true
          }
        }
      }
    }
  }

  # Google tries these itself at every change of the map, and refuses a map that fails one. It takes a hundred.
  dynamic "test" {
    for_each = merge([for purpose, h in local.hosts : { for name, paths in h.paths : "${h.host}${trimsuffix(paths[length(paths) - 1], "*")}" => {
      host = h.host, path = trimsuffix(paths[length(paths) - 1], "*"), function = name
    } } if contains(h.families, each.key)]...)
    content {
      description = "${test.key} is for ${test.value.function}"
      host        = test.value.host
      path        = test.value.path
      service     = google_compute_backend_service.function[test.value.function].id
    }
  }
}

# No protocol before TLS 1.2, and no cipher without forward secrecy and authenticated encryption.
resource "google_compute_ssl_policy" "edge" {
  project         = local.project
  name            = "ostiary"
  profile         = "RESTRICTED"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "edge" {
  for_each        = local.families
  project         = local.project
  name            = "ostiary-${each.key}"
  url_map         = google_compute_url_map.edge[each.key].id
  ssl_policy      = google_compute_ssl_policy.edge.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.edge.id}"
  tls_early_data  = "DISABLED" # what is sent before the handshake ends can be sent again by whoever records it (RFC 8446, section 8)
}

resource "google_compute_global_forwarding_rule" "https" {
  for_each              = local.families
  project               = local.project
  name                  = "ostiary-${each.key}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.edge[each.key].id
  ip_protocol           = "TCP"
  port_range            = "443"
  target                = google_compute_target_https_proxy.edge[each.key].id
  labels                = var.labels
}

# Whoever types a name without https is sent on, for good, and gets nothing else in clear.
resource "google_compute_url_map" "clear" {
  project     = local.project
  name        = "ostiary-clear"
  description = "Sends everybody on to HTTPS"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "clear" {
  project = local.project
  name    = "ostiary-clear"
  url_map = google_compute_url_map.clear.id
}

resource "google_compute_global_forwarding_rule" "clear" {
  for_each              = local.families
  project               = local.project
  name                  = "ostiary-${each.key}-clear"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.edge[each.key].id
  ip_protocol           = "TCP"
  port_range            = "80"
  target                = google_compute_target_http_proxy.clear.id
  labels                = var.labels
}
