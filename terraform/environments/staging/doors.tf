# Shells of the doors. What they let in is the control's: an apply must not wipe out the morning's registrations.

locals {
  families = { v4 = "192.0.2.1/32", v6 = "2001:db8::/128" } # each with an address nobody comes from
  shells   = var.doors.firewalls.project == "" ? {} : { for pair in setproduct(keys(local.families), range(var.doors.firewalls.shards)) : format("%s-%02d", pair[0], pair[1]) => pair[0] }
}

resource "google_compute_firewall" "door" {
  for_each      = local.shells
  project       = var.doors.firewalls.project
  name          = "${var.doors.firewalls.name}-${each.key}"
  network       = var.doors.firewalls.network
  description   = "Sources and disabled are written by Ostiary: what is changed by hand is put back."
  direction     = "INGRESS"
  priority      = var.doors.firewalls.priority
  source_ranges = [local.families[each.value]]
  target_tags   = var.doors.firewalls.tags
  disabled      = true

  allow {
    protocol = var.doors.firewalls.protocol
    ports    = var.doors.firewalls.ports
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }

  lifecycle {
    ignore_changes = [source_ranges, disabled]
  }
}

resource "google_compute_security_policy" "door" {
  count       = var.doors.armor.project == "" ? 0 : 1
  project     = var.doors.armor.project
  name        = var.doors.armor.name
  description = "Lets registered addresses in and nobody else. The rules from 1000 to 1999 are kept by Ostiary."

  rule {
    action      = "deny(403)"
    priority    = 2147483647
    description = "nobody else"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  lifecycle {
    ignore_changes  = [rule]
    prevent_destroy = true
  }
}

# Nobody meets its one condition: an address nobody comes from.
resource "google_access_context_manager_access_level" "door" {
  for_each = var.doors.access_levels.policy == "" ? toset([]) : toset([for i in range(var.doors.access_levels.shards) : format("%02d", i)])
  parent   = "accessPolicies/${var.doors.access_levels.policy}"
  name     = "accessPolicies/${var.doors.access_levels.policy}/accessLevels/${var.doors.access_levels.name}_${each.key}"
  title    = "${var.doors.access_levels.name}_${each.key}"

  basic {
    combining_function = "OR"

    conditions {
      ip_subnetworks = ["192.0.2.1/32"]
    }
  }

  lifecycle {
    ignore_changes = [basic, description]
  }
}

# The one name conditions of IAM ask for: who meets one of the shells meets it.
resource "google_access_context_manager_access_level" "doors" {
  count  = var.doors.access_levels.policy == "" ? 0 : 1
  parent = "accessPolicies/${var.doors.access_levels.policy}"
  name   = "accessPolicies/${var.doors.access_levels.policy}/accessLevels/${var.doors.access_levels.name}"
  title  = var.doors.access_levels.name

  basic {
    combining_function = "OR"

    dynamic "conditions" {
      for_each = google_access_context_manager_access_level.door
      content {
        required_access_levels = [conditions.value.name]
      }
    }
  }
}
