# The doors as the control leaves them after a morning: what a test puts into the state, at the addresses of the module's own
# resources, for the module to be planned against.

resource "google_compute_firewall" "door" {
  for_each      = { v4-00 = ["203.0.113.7/32", "203.0.113.8/32"], v6-00 = ["2001:db8:7::/64"] }
  project       = "shop-live"
  name          = "ostiary-${each.key}"
  network       = "default"
  description   = "Sources and disabled are written by Ostiary: what is changed by hand is put back."
  direction     = "INGRESS"
  priority      = var.priority
  source_ranges = each.value
  disabled      = false

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_security_policy" "door" {
  count       = 1
  project     = "shop-live"
  name        = "ostiary"
  description = "Lets registered addresses in and nobody else. The rules from 1000 to 1999 are kept by Ostiary."

  rule {
    action      = "allow"
    priority    = 1000
    description = "Kept by Ostiary: what is changed here is put back."
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["203.0.113.7/32"]
      }
    }
  }

  rule {
    action   = var.last
    priority = 2147483647
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_security_policy_rule" "door" {
  count           = 1
  project         = "shop-live"
  security_policy = google_compute_security_policy.door[0].name
  action          = var.last
  priority        = 2147483647

  match {
    versioned_expr = "SRC_IPS_V1"
    config {
      src_ip_ranges = ["*"]
    }
  }
}

resource "google_access_context_manager_access_level" "door" {
  for_each    = toset(["00"])
  parent      = "accessPolicies/123456789"
  name        = "accessPolicies/123456789/accessLevels/ostiary_${each.key}"
  title       = "ostiary_${each.key}"
  description = "Conditions and description are written by ostiary."

  basic {
    combining_function = "OR"
    conditions {
      ip_subnetworks = ["203.0.113.7/32"]
      members        = ["user:mia@example.com"]
    }
  }
}
