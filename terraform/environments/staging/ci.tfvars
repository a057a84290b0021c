# Values for a plan without a cloud account: nothing here names a real project.
project = { id = "ostiary-staging", number = "123456789012" }
archives = {
  bucket = "ostiary-staging-archives"
  objects = {
    registerip      = "registerip-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    enrolotp        = "enrolotp-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    checkotp        = "checkotp-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    pairaddress     = "pairaddress-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    watchallowlist  = "watchallowlist-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    admit           = "admit-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    syncallowlist   = "syncallowlist-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    deliver         = "deliver-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    declarebreach   = "declarebreach-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    tickbreach      = "tickbreach-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    attest          = "attest-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    collectevidence = "collectevidence-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    keeppromises    = "keeppromises-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    sealevidence    = "sealevidence-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    trustpage       = "trustpage-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    watchaudit      = "watchaudit-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    tickwatch       = "tickwatch-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    justify         = "justify-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    decideerasure   = "decideerasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    opendsr         = "opendsr-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    planerasure     = "planerasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    purgeexpired    = "purgeexpired-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    requesterasure  = "requesterasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    revokegrants    = "revokegrants-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    checkdrift      = "checkdrift-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    acceptdrift     = "acceptdrift-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
    runerasure      = "runerasure-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip"
  }
}
build_account = "projects/ostiary-staging/serviceAccounts/build@ostiary-staging.iam.gserviceaccount.com"
policy        = "gs://ostiary-staging-policy/policy/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.tar.gz"
evidence      = "gs://ostiary-staging-inbox"
keys = {
  otp      = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/otp"
  message  = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/message"
  evidence = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/evidence"
  request  = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/request"
  breach   = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/breach"
}
signing_keys = {
  receipts = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/receipts"
  evidence = "projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/checkpoints"
}
buckets = {
  "evidence-inbox"  = "ostiary-staging-inbox"
  "evidence-log"    = "ostiary-staging-log"
  "evidence-head"   = "ostiary-staging-head"
  policy            = "ostiary-staging-policy"
  "terraform-state" = "ostiary-staging-state"
}
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
audiences = {
  decideerasure   = "/projects/123456789012/global/backendServices/5"
  opendsr         = "https://opendsr.ostiary.example"
  registerip      = "/projects/123456789012/global/backendServices/1"
  enrolotp        = "/projects/123456789012/global/backendServices/2"
  attest          = "/projects/123456789012/global/backendServices/3"
  justify         = "/projects/123456789012/global/backendServices/4"
  declarebreach   = "/projects/123456789012/global/backendServices/6"
  acceptdrift     = "/projects/123456789012/global/backendServices/7"
  collectevidence = "https://collectevidence.ostiary.example"
  checkotp        = "https://checkotp.ostiary.example"
  admit           = "https://admit.ostiary.example"
}
settings = {
  OSTIARY_DIRECTORY       = "workspace:"
  OSTIARY_TARGETS         = "edge=vpcfirewall:ostiary-staging/ostiary"
  OSTIARY_PAIR_HOSTS      = "ipv4=https://v4.ostiary.sharedcontacts.example,ipv6=https://v6.ostiary.sharedcontacts.example"
  OSTIARY_MESSAGE         = "smtp://ostiary@smtp.example:587?secret=smtp-password"
  OSTIARY_MESSAGE_WEBHOOK = "webhook:?secret=webhook-secrets"
  OSTIARY_MESSAGE_SMS     = "sms:https://sms.example/messages?secret=sms-token"
  OSTIARY_MESSAGE_CHAT    = "chat:?secret=chat-rooms"
  OSTIARY_CLIENT_ADDRESS  = "header:X-Ostiary-Client"
  OSTIARY_LOG_INBOX       = "gs://ostiary-staging-inbox"
  OSTIARY_LOG_TILES       = "gs://ostiary-staging-log"
  OSTIARY_LOG_HEAD        = "gs://ostiary-staging-head"
  OSTIARY_LOG_ORIGIN      = "sharedcontacts.example/ostiary/evidence"
  OSTIARY_SIGNING_KEY     = "gcpkms://projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/checkpoints/cryptoKeyVersions/1?name=sharedcontacts.example/ostiary/evidence"
  OSTIARY_TRUST           = "{\"v\":1,\"origin\":\"sharedcontacts.example/ostiary/evidence\",\"keys\":[{\"key\":\"sharedcontacts.example/ostiary/evidence+3deda02d+AUvq3isjNDC5cYuqzs8P4FHLIqILbXmlqfxa2HOI4vc8\",\"from\":0}]}"
  OSTIARY_RECEIPT_KEY     = "gcpkms://projects/ostiary-staging/locations/europe-west1/keyRings/ostiary/cryptoKeys/receipts/cryptoKeyVersions/1?name=sharedcontacts.example/ostiary/receipts"
  OSTIARY_RECEIPT_TRUST   = "{\"v\":1,\"origin\":\"sharedcontacts.example/ostiary/receipts\",\"keys\":[{\"key\":\"sharedcontacts.example/ostiary/receipts+ceeefa1d+ARYKS9ic7dC6e0gpik64DvliVm42tE0u3SRt/k53AuSG\",\"from\":0}]}"
  OSTIARY_PUBLIC_ENTRIES  = "false"
  OSTIARY_PROBES          = "public"
  OSTIARY_URL             = "https://ostiary.sharedcontacts.example"
  OSTIARY_DATA_ACCESS     = "iam.googleapis.com,secretmanager.googleapis.com,sts.googleapis.com"
  OSTIARY_ASSET_SERVICES  = "cloudresourcemanager.googleapis.com,cloudscheduler.googleapis.com,compute.googleapis.com,iam.googleapis.com,logging.googleapis.com,pubsub.googleapis.com,run.googleapis.com,storage.googleapis.com"
  OSTIARY_STATES          = "gs://ostiary-staging-state/live/default.tfstate"
  OSTIARY_LOG_STREAMS     = "application"
}
issuer           = { url = "https://id.sharedcontacts.example", audience = "ostiary" }
service_members  = ["serviceAccount:bastion@ostiary-staging.iam.gserviceaccount.com"]
watched_projects = ["sharedcontacts-live"]
alarms           = ["projects/ostiary-staging/notificationChannels/1234567890"]
locked_buckets   = ["ostiary-staging-log"]
product_publishers = {
  "data.written"    = ["serviceAccount:relay@sharedcontacts-live.iam.gserviceaccount.com"]
  "account.changed" = ["serviceAccount:accounts@sharedcontacts-live.iam.gserviceaccount.com"]
}

# What the data map of the policy names.
data = {
  project   = "sharedcontacts-live"
  databases = ["access", "breach", "contacts-europe-west1", "contacts-europe-west3", "contacts-europe-west9", "erasure", "trust", "watch"]
  buckets   = ["sharedcontacts-exports-europe-west1", "sharedcontacts-exports-europe-west3", "sharedcontacts-exports-europe-west9", "sharedcontacts-files-europe-west1", "sharedcontacts-files-europe-west3", "sharedcontacts-files-europe-west9", "sharedcontacts-site"]
  secrets = {
    read    = { "support-read" = "1" }
    erase   = { "support-erase" = "1" }
    parties = {}
  }
  grants = []
}
doors = {
  firewalls     = { project = "ostiary-staging", network = "default" }
  armor         = { project = "ostiary-staging" }
  access_levels = { policy = "123456789" }
}
organization = "111111111111"
