# Values for a plan without a cloud account: nothing here names a real project.
environment      = "staging"
project          = { id = "ostiary-staging", number = "123456789012" }
evidence_project = { id = "ostiary-staging-ev", number = "223456789012" }
scope            = "organizations/111111111111"
organization     = "111111111111"
data_access      = ["iam.googleapis.com", "secretmanager.googleapis.com", "sts.googleapis.com"]
asset_services   = ["cloudresourcemanager.googleapis.com", "cloudscheduler.googleapis.com", "compute.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "pubsub.googleapis.com", "run.googleapis.com", "storage.googleapis.com"]
state            = { project = "ostiary-bootstrap", bucket = "ostiary-bootstrap-state-staging" }

# The doors, in the projects of what they protect, and what the data map of the policy names.
doors = {
  firewalls     = { project = "sharedcontacts-staging", network = "default" }
  armor         = { project = "sharedcontacts-staging" }
  access_levels = { policy = "123456789" }
}
data = {
  project   = "sharedcontacts-staging"
  databases = ["access", "breach", "contacts-europe-west1", "contacts-europe-west3", "contacts-europe-west9", "erasure", "trust", "watch"]
  buckets   = ["sharedcontacts-exports-europe-west1", "sharedcontacts-exports-europe-west3", "sharedcontacts-exports-europe-west9", "sharedcontacts-files-europe-west1", "sharedcontacts-files-europe-west3", "sharedcontacts-files-europe-west9", "sharedcontacts-site"]
  grants    = ["projects/323456789012/secrets/connection-"]
}
