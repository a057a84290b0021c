# Shells of the doors, in the projects that they protect. What they let in is the control's: an apply must not wipe out the morning's
# registrations. An administrator of those projects applies it: the pipeline of the controls has no rights there.

locals {
  nowhere = { v4 = "192.0.2.1/32", v6 = "2001:db8::/128" } # each with an address nobody comes from (RFC 5737, RFC 3849)
  shells  = var.doors.firewalls.project == "" ? {} : { for pair in setproduct(keys(local.nowhere), range(var.doors.firewalls.shards)) : format("%s-%02d", pair[0], pair[1]) => pair[0] }
  levels  = var.doors.access_levels.policy == "" ? [] : [for i in range(var.doors.access_levels.shards) : format("%02d", i)]

  # The rule that shuts the load balancer's door to whoever no rule of the control lets in.
  shut = { priority = 2147483647, action = "deny(403)", description = "nobody else" }
}

resource "google_compute_firewall" "door" {
  for_each      = local.shells
  project       = var.doors.firewalls.project
  name          = "${var.doors.firewalls.name}-${each.key}"
  network       = var.doors.firewalls.network
  description   = "Sources and disabled are written by Ostiary: what is changed by hand is put back."
  direction     = "INGRESS"
  priority      = var.doors.firewalls.priority
  source_ranges = [local.nowhere[each.value]]
  target_tags   = var.doors.firewalls.tags
  disabled      = true

  allow {
    protocol = var.doors.firewalls.protocol
    ports    = var.doors.firewalls.ports
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }

  # So a plan does not show a range that somebody put in by hand, or a rule that somebody switched on. The function syncallowlist
  # compares both every minute and writes them as they should be: TestEveryEditIsSeen in shared/access/allowlist/vpcfirewall.
  lifecycle {
    ignore_changes = [source_ranges, disabled]
  }
}

# A policy without rules of its own begins with one that lets everybody in: this one is made shut. From then on its rules are the
# control's, but for the last, which the next resource holds.
resource "google_compute_security_policy" "door" {
  count       = var.doors.armor.project == "" ? 0 : 1
  project     = var.doors.armor.project
  name        = var.doors.armor.name
  description = "Lets registered addresses in and nobody else. The rules from 1000 to 1999 are kept by Ostiary."

  rule {
    action      = local.shut.action
    priority    = local.shut.priority
    description = local.shut.description

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

# Ignoring the rules above ignores this one among them. As a resource of its own it is compared, and put back where somebody
# opened it. The provider changes the rule that is there instead of adding one, and leaves it as it is where this goes away.
resource "google_compute_security_policy_rule" "door" {
  count           = length(google_compute_security_policy.door)
  project         = var.doors.armor.project
  security_policy = google_compute_security_policy.door[count.index].name
  action          = local.shut.action
  priority        = local.shut.priority
  description     = local.shut.description
  preview         = false

  match {
    versioned_expr = "SRC_IPS_V1"
    config {
      src_ip_ranges = ["*"]
    }
  }
}

# Nobody meets its one condition: an address nobody comes from.
resource "google_access_context_manager_access_level" "door" {
  for_each = toset(local.levels)
  parent   = "accessPolicies/${var.doors.access_levels.policy}"
  name     = "accessPolicies/${var.doors.access_levels.policy}/accessLevels/${var.doors.access_levels.name}_${each.key}"
  title    = "${var.doors.access_levels.name}_${each.key}"

  basic {
    combining_function = "OR"

    conditions {
      ip_subnetworks = [local.nowhere.v4]
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
