# The only way in from outside: one global external Application Load Balancer in front of the functions that people, programs
# and the public call. A backend service per function, so that each has its own audience, its own sign-in and its own log.

locals {
  project = var.project.id
  staff   = { for name, route in var.routes : name => route if route.callers == "staff" }

  # What the functions are told the caller's address by: OSTIARY_CLIENT_ADDRESS of all of them.
  client_header = "X-Ostiary-Client"

  iap_agent = "serviceAccount:service-${var.project.number}@gcp-sa-iap.iam.gserviceaccount.com"
}

# An endpoint group names its service and does not hold it: a group may stand before the service does, and stays when the
# service goes (Google documents that both lie in one project and region, and no check that the service is there). The function
# has to know the id of its backend service before it is made, so nothing here may wait for the function. The name is written
# out rather than taken from the path by a URL mask: a backend that anybody reaches must never lead to a function for staff,
# however a path is spelled.
resource "google_compute_region_network_endpoint_group" "function" {
  for_each              = var.routes
  project               = local.project
  region                = var.region
  name                  = "ostiary-${each.key}"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.key
  }

  # One in use cannot be deleted. Nothing of a group can be changed, and its name is taken while it stands: but for the region,
  # whatever is written here belongs into the name.
  lifecycle {
    create_before_destroy = true
  }
}

# Time-outs, ports and health checks are not for serverless backends: Google refuses timeout_sec and port_name there. What is
# cut off is cut off by the function's own time-out.
resource "google_compute_backend_service" "function" {
  for_each              = var.routes
  project               = local.project
  name                  = "ostiary-${each.key}"
  description           = "${each.key}, for ${each.value.callers}; cut off by the function itself after ${each.value.timeout_s} s"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.edge.id
  enable_cdn            = false

  # A header of this name that the client sends is overwritten, in whatever case it is spelled ("Create custom headers in backend
  # services"). A URL map that sets the same header would win over this: ours set none. ostiary doctor --probe proves it.
  custom_request_headers = ["${local.client_header}: {client_ip_address}"]

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  # Signed in with Google's own client: no secret of ours, and only people of the organization that the project lies in.
  iap {
    enabled = each.value.callers == "staff"
  }

  # A line of this log holds the caller's address and the whole URL. What reached a function is in that function's log besides.
  log_config {
    enable      = contains(var.logged, each.key)
    sample_rate = contains(var.logged, each.key) ? 1 : null
  }

  lifecycle {
    create_before_destroy = true # otherwise deleted before the URL maps let go of it, which Google refuses
  }
}

# Where requests end that are for nobody: no endpoint, and the URL maps answer 404 before anything is looked for.
resource "google_compute_backend_service" "nobody" {
  project               = local.project
  name                  = "ostiary-nobody"
  description           = "Hosts and paths that nobody has end here, with 404"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.edge.id
  enable_cdn            = false

  iap {
    enabled = false
  }

  log_config {
    enable = false
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Who may pass the sign-in. The function asks the policy's list of people at each request besides.
resource "google_iap_web_backend_service_iam_member" "staff" {
  for_each            = { for pair in setproduct(keys(local.staff), var.staff) : "${pair[0]} ${pair[1]}" => { function = pair[0], member = pair[1] } }
  project             = local.project
  web_backend_service = google_compute_backend_service.function[each.value.function].name
  role                = "roles/iap.httpsResourceAccessor"
  member              = each.value.member
}

# Google's own client takes browsers alone. Programs of staff, such as the command line, come with a token for one of these.
resource "google_iap_settings" "programs" {
  for_each = length(var.programs) > 0 ? local.staff : {}
  name     = "projects/${var.project.number}/iap_web/compute/services/${google_compute_backend_service.function[each.key].name}"

  access_settings {
    oauth_settings {
      programmatic_clients = sort(var.programs)
    }
  }
}
