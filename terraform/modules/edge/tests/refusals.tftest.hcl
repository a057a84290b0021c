# Each value below is refused by itself: a variable that took it would be missing among the failures.

mock_provider "google" {}

variables {
  project          = { id = "p-staging", number = "123456789012" }
  region           = "europe-west1"
  routes           = { registerip = { callers = "staff", timeout_s = 30 }, trustpage = { callers = "public", timeout_s = 30 } }
  public_functions = ["trustpage"]
  hosts            = { site = "ostiary.example.com" }
}

run "wrong_places_and_callers" {
  command = plan
  variables {
    project  = { id = "p-staging", number = "p-staging" }
    region   = "us-central1"
    routes   = { syncallowlist = { callers = "machine", timeout_s = 120 } } # machines are reached from inside only
    hosts    = { site = "https://ostiary.example.com" }
    staff    = ["allAuthenticatedUsers"] # everybody with an account at Google
    programs = ["GOCSPX-secret"]         # a client's secret, not its id
    limits   = { per_minute = 300 }      # what a function allows a whole network
  }
  expect_failures = [var.project, var.region, var.routes, var.hosts, var.staff, var.programs, var.limits]
}

run "a_name_that_is_a_path" {
  command = plan
  variables {
    region = "europe-west2" # London
    routes = { "a/b" = { callers = "staff", timeout_s = 30 } }
    hosts  = { site = "*.example.com" }
    staff  = ["serviceAccount:bastion@p-staging.iam.gserviceaccount.com"] # a program
    limits = { per_minute = 1500, ban_per_minute = 2000 }                 # shuts out an office that is merely busy
  }
  expect_failures = [var.region, var.routes, var.hosts, var.staff, var.limits]
}

run "what_takes_longer_than_it_waits" {
  command = plan
  variables {
    region = "europe-west6" # Zurich
    routes = { registerip = { callers = "staff", timeout_s = 3601 } }
    hosts  = { site = "198.51.100.7" }
    limits = { ban_s = 86400 }
  }
  expect_failures = [var.region, var.routes, var.hosts, var.limits]
}

run "a_public_function_that_nobody_listed" {
  command = plan
  variables {
    public_functions = ["requesterasure"]
    hosts            = { site = "ostiary.example.com", opendsr = "ostiary.example.com" } # one name for two things
    limits           = { per_minute = 1500.5 }
    logged           = ["enrolotp"] # not in routes
    front_page       = "registerip" # behind a sign-in
  }
  expect_failures = [var.public_functions, var.hosts, var.limits, var.logged, var.front_page]
}

run "half_a_pair" {
  command = plan
  variables {
    hosts  = { site = "ostiary.example.com", pair = { ipv4 = "v4.example.com", ipv6 = "" } }
    limits = { per_minute = 6000, ban_per_minute = 12000 } # Cloud Armor counts to 10,000
  }
  expect_failures = [var.hosts, var.limits]
}

run "a_pair_in_another_domain" {
  command = plan
  variables {
    hosts = { site = "ostiary.example.com", pair = { ipv4 = "v4.example.org", ipv6 = "v6.example.org" } }
  }
  expect_failures = [var.hosts]
}

run "the_policy_of_the_functions_themselves" {
  command = plan
  variables {
    doors = { armor = { project = "p-staging", name = "another" } }
  }
  expect_failures = [var.doors]
}

run "the_full_name_of_an_access_policy" {
  command = plan
  variables {
    doors = { access_levels = { policy = "accessPolicies/123456789" } }
  }
  expect_failures = [var.doors]
}
