# Values for a plan without a cloud account: nothing here names a real project.
environment      = "staging"
project          = { id = "ostiary-staging", number = "123456789012" }
evidence_project = { id = "ostiary-staging-ev", number = "123456789013" }
watchdog_project = { id = "ostiary-staging-wd", number = "123456789014" }
public_tag       = "tagValues/281475012345678"
archives = {
  objects = {
    admit           = "admit-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    checkotp        = "checkotp-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    enrolotp        = "enrolotp-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    pairaddress     = "pairaddress-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    registerip      = "registerip-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    syncallowlist   = "syncallowlist-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    watchallowlist  = "watchallowlist-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    declarebreach   = "declarebreach-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    deliver         = "deliver-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    tickbreach      = "tickbreach-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    acceptdrift     = "acceptdrift-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    checkdrift      = "checkdrift-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    decideerasure   = "decideerasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    opendsr         = "opendsr-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    planerasure     = "planerasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    purgeexpired    = "purgeexpired-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    requesterasure  = "requesterasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    revokegrants    = "revokegrants-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    runerasure      = "runerasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    attest          = "attest-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    collectevidence = "collectevidence-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    keeppromises    = "keeppromises-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    sealevidence    = "sealevidence-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    trustpage       = "trustpage-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    justify         = "justify-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    tickwatch       = "tickwatch-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    watchaudit      = "watchaudit-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
  }
}
policy = "gs://ostiary-staging-policy/policy/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.tar.gz"
states = ["gs://ostiary-bootstrap-state-staging/environment/default.tfstate"]
releases = {
  archive_writers   = ["serviceAccount:deploy-staging@ostiary-bootstrap.iam.gserviceaccount.com"]
  policy_publishers = ["group:security@sharedcontacts.example"]
  deployers         = ["serviceAccount:deploy-staging@ostiary-bootstrap.iam.gserviceaccount.com"]
  pipeline = {
    accounts = ["deploy-staging@ostiary-bootstrap.iam.gserviceaccount.com"]
    pool     = "projects/100000000001/locations/global/workloadIdentityPools/ostiary-forge"
  }
}
evidence = {
  origin = "sharedcontacts.example/ostiary/evidence"
  trust  = "{\"v\":1,\"origin\":\"sharedcontacts.example/ostiary/evidence\",\"keys\":[{\"key\":\"sharedcontacts.example/ostiary/evidence+3deda02d+AUvq3isjNDC5cYuqzs8P4FHLIqILbXmlqfxa2HOI4vc8\",\"from\":0}]}"
  locked = false
}
receipts = {
  origin = "sharedcontacts.example/ostiary/receipts"
  trust  = "{\"v\":1,\"origin\":\"sharedcontacts.example/ostiary/receipts\",\"keys\":[{\"key\":\"sharedcontacts.example/ostiary/receipts+ceeefa1d+ARYKS9ic7dC6e0gpik64DvliVm42tE0u3SRt/k53AuSG\",\"from\":0}]}"
}
hosts = {
  site = "ostiary-staging.sharedcontacts.example"
  pair = { ipv4 = "ostiary-staging-v4.sharedcontacts.example", ipv6 = "ostiary-staging-v6.sharedcontacts.example" }
}
staff = ["domain:sharedcontacts.example"]
doors = {
  firewalls     = { project = "sharedcontacts-staging" }
  armor         = { project = "sharedcontacts-staging" }
  access_levels = { policy = "123456789" }
}
targets = { edge = "firewalls" }

# Passwords of the product's stores. Its databases and buckets are named to terraform/org.
data = {
  secrets = {
    read  = { "support-read" = "1" }
    erase = { "support-erase" = "1" }
  }
}
issuer = { url = "https://id.sharedcontacts.example", audience = "ostiary" }
secret_versions = {
  "ledger-key"          = "1"
  "opendsr-certificate" = "1"
  "canary-token"        = "1"
  "erasure-mark"        = "1"
  "form-key"            = "1"
  "gateway-edge"        = "1"
  "smtp-password"       = "1"
  "mail-token"          = "1"
  "webhook-secrets"     = "1"
  "sms-token"           = "1"
  "chat-rooms"          = "1"
}
messages = {
  mail    = "smtp://ostiary@smtp.example:587?from=ostiary@sharedcontacts.example&secret=smtp-password"
  webhook = "webhook:?secret=webhook-secrets"
  sms     = "sms:https://sms.example/messages?secret=sms-token"
  chat    = "chat:?secret=chat-rooms"
}
service_members = ["serviceAccount:bastion@ostiary-staging.iam.gserviceaccount.com"]
product_publishers = {
  "data.written"    = ["serviceAccount:relay@sharedcontacts-staging.iam.gserviceaccount.com"]
  "account.changed" = ["serviceAccount:accounts@sharedcontacts-staging.iam.gserviceaccount.com"]
}
data_access      = ["iam.googleapis.com", "secretmanager.googleapis.com", "sts.googleapis.com"]
asset_services   = ["cloudresourcemanager.googleapis.com", "cloudscheduler.googleapis.com", "compute.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "pubsub.googleapis.com", "run.googleapis.com", "storage.googleapis.com"]
log_streams      = ["application"]
watched_projects = ["ostiary-staging", "sharedcontacts-staging"]
looked_at        = ["organizations/111111111111"]
alarms = {
  addresses         = ["oncall@sharedcontacts.example"]
  channels          = ["projects/ostiary-staging/notificationChannels/1234567890"]
  watchdog_channels = ["projects/ostiary-staging-wd/notificationChannels/1234567891"]
  playbooks         = "https://git.sharedcontacts.example/ostiary/docs/operations.md"
}
budget = {
  billing_account = "01AB23-45CD67-89EF01"
  amount          = 120
  currency        = "EUR"
}
