# What the module refuses to be given. The rest is as one deployed function needs it.
mock_provider "google" {}

variables {
  project           = { id = "p-staging", number = "123456789012" }
  watchdog_project  = { id = "w-staging", number = "123456789013" }
  evidence_project  = { id = "e-staging", number = "123456789014" }
  region            = "europe-west1"
  channels          = ["projects/p-staging/notificationChannels/7"]
  watchdog_channels = ["projects/w-staging/notificationChannels/8"]
  site              = "https://ostiary.acme.example"
  playbooks         = "https://git.acme.example/ostiary/blob/main/docs/operations.md"
  deployed          = ["one"]
  manifests = {
    one = { name = "one", control = "access", callers = "machine", freshness = "5m", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 30, max_instances = 1 }
  }
}

run "refuses_a_silence_longer_than_alerts_look_back" {
  command = plan
  variables {
    manifests = {
      one = { name = "one", control = "access", callers = "machine", freshness = "24h", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 30, max_instances = 1 }
    }
  }
  expect_failures = [var.manifests]
}

run "refuses_the_functions_project_as_watchdog" {
  command = plan
  variables {
    watchdog_project  = { id = "p-staging" }
    watchdog_channels = ["projects/p-staging/notificationChannels/8"]
  }
  expect_failures = [var.watchdog_project]
}

run "refuses_evidence_beside_the_functions" {
  command = plan
  variables {
    evidence_project = { id = "p-staging" }
  }
  expect_failures = [var.evidence_project]
}

run "refuses_a_region_outside_the_union" {
  command = plan
  variables {
    region = "europe-west2"
  }
  expect_failures = [var.region]
}

run "refuses_functions_without_anybody_who_hears" {
  command = plan
  variables {
    channels = []
  }
  expect_failures = [var.channels]
}

run "refuses_a_watchdog_without_anybody_who_hears" {
  command = plan
  variables {
    watchdog_channels = []
  }
  expect_failures = [var.watchdog_channels]
}

run "refuses_a_channel_of_another_project" {
  command = plan
  variables {
    channels = ["projects/other/notificationChannels/7"]
  }
  expect_failures = [var.channels]
}

run "refuses_the_functions_channels_for_the_watchdog" {
  command = plan
  variables {
    watchdog_channels = ["projects/p-staging/notificationChannels/7"]
  }
  expect_failures = [var.watchdog_channels]
}

run "refuses_a_function_without_a_manifest" {
  command = plan
  variables {
    deployed = ["one", "stranger"]
  }
  expect_failures = [var.deployed]
}

run "refuses_a_freshness_that_figures_cannot_tell" {
  command = plan
  variables {
    manifests = {
      one = { name = "one", control = "access", callers = "machine", freshness = "2m", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 30, max_instances = 1 }
    }
  }
  expect_failures = [var.manifests]
}

run "refuses_a_freshness_that_is_none" {
  command = plan
  variables {
    manifests = {
      one = { name = "one", control = "access", callers = "machine", freshness = "soon", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 30, max_instances = 1 }
    }
  }
  expect_failures = [var.manifests]
}

run "refuses_a_manifest_under_another_name" {
  command = plan
  variables {
    deployed = []
    manifests = {
      two = { name = "one", control = "access", callers = "machine", freshness = "5m", triggers = [{ kind = "schedule", cron = "* * * * *" }], timeout_s = 30, max_instances = 1 }
    }
  }
  expect_failures = [var.manifests]
}

run "refuses_a_site_without_tls" {
  command = plan
  variables {
    site = "http://ostiary.acme.example"
  }
  expect_failures = [var.site]
}

run "refuses_playbooks_with_a_fragment" {
  command = plan
  variables {
    playbooks = "https://git.acme.example/operations.md#failing"
  }
  expect_failures = [var.playbooks]
}

run "refuses_an_address_that_is_none" {
  command = plan
  variables {
    addresses = ["oncall"]
  }
  expect_failures = [var.addresses]
}

run "refuses_a_budget_of_half_a_unit" {
  command = plan
  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 0.5, currency = "EUR" }
  }
  expect_failures = [var.budget]
}

run "refuses_a_billing_account_that_is_none" {
  command = plan
  variables {
    budget = { billing_account = "acme", amount = 100, currency = "EUR" }
  }
  expect_failures = [var.budget]
}

run "refuses_a_currency_that_is_none" {
  command = plan
  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 100, currency = "euro" }
  }
  expect_failures = [var.budget]
}

run "refuses_more_mail_channels_than_a_budget_takes" {
  command = plan
  variables {
    budget    = { billing_account = "012345-6789AB-CDEF01", amount = 100, currency = "EUR", channels = ["projects/p-staging/notificationChannels/7"] }
    addresses = ["a@acme.example", "b@acme.example", "c@acme.example", "d@acme.example", "e@acme.example"]
  }
  expect_failures = [var.budget]
}

run "refuses_a_pipeline_without_its_pool" {
  command = plan
  variables {
    pipeline = { accounts = ["deploy@p-staging.iam.gserviceaccount.com"], pool = "" }
  }
  expect_failures = [var.pipeline]
}

run "refuses_a_person_as_deploy_account" {
  command = plan
  variables {
    pipeline = { accounts = ["asha@acme.example"], pool = "projects/99/locations/global/workloadIdentityPools/forge" }
  }
  expect_failures = [var.pipeline]
}

run "refuses_no_logs_at_all" {
  command = plan
  variables {
    log_volume_gib = 0
  }
  expect_failures = [var.log_volume_gib]
}
