# Certificates that Google issues and renews, each allowed by a record in DNS. So a certificate stands before the name leads here,
# and a name that has addresses of one family alone gets one as well: neither holds for certificates that are allowed by
# reaching the load balancer. Until the record stands the certificate is PROVISIONING and nobody can connect; then Google
# takes up to an hour. The record stays: it is asked for at each renewal.
#
# Each host has a certificate of its own. Over HTTP/2 a browser may send requests for one name by a connection to another, where
# that connection's certificate covers both (RFC 9113, section 9.1.1), and Firefox does so across families: the second
# address of a device would be told by a connection of the first family.

locals {
  # Named after the host, within 63 characters: none of this can be changed under its name.
  certified = { for h in values(local.hosts) : h.host => "ostiary-${substr(replace(h.host, ".", "-"), 0, 46)}-${substr(sha256(h.host), 0, 8)}" }
}

resource "google_certificate_manager_dns_authorization" "host" {
  for_each    = local.certified
  project     = local.project
  name        = each.value
  description = "Shows that ${each.key} is ours"
  domain      = each.key
  labels      = var.labels

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_certificate_manager_certificate" "host" {
  for_each    = local.certified
  project     = local.project
  name        = each.value
  description = "Certificate of ${each.key}, renewed by Google"
  labels      = var.labels

  managed {
    domains            = [each.key]
    dns_authorizations = [google_certificate_manager_dns_authorization.host[each.key].id]
  }

  lifecycle {
    create_before_destroy = true # one that is being served cannot be deleted
  }
}

# No certificate is primary: who asks for another name, or for none, gets no certificate at all, and no name of ours with it.
resource "google_certificate_manager_certificate_map" "edge" {
  project     = local.project
  name        = "ostiary"
  description = "Which certificate each name of this installation shows"
  labels      = var.labels
}

resource "google_certificate_manager_certificate_map_entry" "host" {
  for_each     = local.certified
  project      = local.project
  name         = each.value
  description  = "What ${each.key} shows"
  map          = google_certificate_manager_certificate_map.edge.name
  hostname     = each.key
  certificates = [google_certificate_manager_certificate.host[each.key].id]
  labels       = var.labels
}
