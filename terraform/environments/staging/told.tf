# What each function is told by its environment.

locals {
  # The key each control seals what it keeps with.
  seals = { access = "otp", trust = "evidence", watch = "evidence", erasure = "evidence", breach = "evidence", drift = "evidence" }

  verifiers = { for name, m in local.manifests : name => {
    staff   = "iap:?audience=${lookup(module.edge.audiences, name, "")}"
    service = "google:?audience=${lookup(module.edge.audiences, name, "")}"
    public  = contains(m.environment, "OSTIARY_IDENTITY") ? "oidc:${var.issuer.url}?audience=${urlencode(var.issuer.audience)}" : ""
    machine = ""
  }[m.callers] }

  # Every variable that a manifest may ask for: a function is given those that its own names.
  values = merge(
    {
      OSTIARY_SEAL_MESSAGE    = "kms://${module.platform.keys["message"]}"
      OSTIARY_SEAL_REQUEST    = "kms://${module.platform.keys["request"]}"
      OSTIARY_SEAL_BREACH     = "kms://${module.platform.keys["breach"]}"
      OSTIARY_VAULT           = "firestore://${var.project.id}/vault"
      OSTIARY_LEDGER          = "firestore://${var.project.id}/ledger"
      OSTIARY_WATCHDOG        = "firestore://${var.project.id}/watchdog"
      OSTIARY_URL             = "https://${var.hosts.site}"
      OSTIARY_CLIENT_ADDRESS  = module.edge.client_address
      OSTIARY_OWN_ADDRESSES   = join(",", values(module.edge.addresses))
      OSTIARY_PAIR_HOSTS      = module.edge.pair_hosts
      OSTIARY_TARGETS         = join(",", [for name, door in var.targets : "${name}=${module.edge.targets[door]}"])
      OSTIARY_DIRECTORY       = var.directory
      OSTIARY_MESSAGE         = var.messages.mail
      OSTIARY_MESSAGE_WEBHOOK = var.messages.webhook
      OSTIARY_MESSAGE_SMS     = var.messages.sms
      OSTIARY_MESSAGE_CHAT    = var.messages.chat
      OSTIARY_LOG_INBOX       = "gs://${module.platform.buckets["evidence-inbox"]}"
      OSTIARY_LOG_TILES       = "gs://${module.platform.buckets["evidence-log"]}"
      OSTIARY_LOG_HEAD        = "gs://${module.platform.buckets["evidence-head"]}"
      OSTIARY_LOG_ORIGIN      = var.evidence.origin
      OSTIARY_SIGNING_KEY     = "gcpkms://${module.platform.signing_keys["evidence"]}/cryptoKeyVersions/${var.evidence.key_version}?name=${var.evidence.origin}"
      OSTIARY_TRUST           = var.evidence.trust
      OSTIARY_PUBLIC_ENTRIES  = tostring(var.evidence.public_entries)
      OSTIARY_RECEIPT_KEY     = "gcpkms://${module.platform.signing_keys["receipts"]}/cryptoKeyVersions/${var.receipts.key_version}?name=${var.receipts.origin}"
      OSTIARY_RECEIPT_TRUST   = var.receipts.trust
      OSTIARY_PROBES          = "public"
      OSTIARY_DATA_ACCESS     = join(",", var.data_access)
      OSTIARY_ASSET_SERVICES  = join(",", var.asset_services)
      OSTIARY_LOG_STREAMS     = join(",", var.log_streams)
      OSTIARY_ASSETS          = "cloudasset:${join(",", local.looked_at)} monitoring:${var.project.id}"
      OSTIARY_STATES          = join(" ", var.states)
    },
    var.settings,
  )

  told = { for name, m in local.manifests : name => merge(
    { for variable in m.environment : variable => local.values[variable] if contains(keys(local.values), variable) },
    contains(m.environment, "OSTIARY_SEAL") ? { OSTIARY_SEAL = "kms://${module.platform.keys[local.seals[m.control]]}" } : {},
    length(m.publishes) > 0 ? { OSTIARY_BUS = "pubsub://${var.project.id}" } : {},
    local.verifiers[name] == "" ? {} : { OSTIARY_IDENTITY = local.verifiers[name] },
    {
      OSTIARY_STORE    = "firestore://${var.project.id}/${m.control}"
      OSTIARY_POLICY   = var.policy
      OSTIARY_EVIDENCE = "gs://${module.platform.buckets["evidence-inbox"]}"
    },
  ) }

  # What the drift control holds the controls themselves against.
  self = base64gzip(jsonencode({
    v         = 1
    project   = var.project.id
    evidence  = var.evidence_project.id
    region    = var.region
    code      = { for name, object in var.archives.objects : name => "sha256:${regex("[0-9a-f]{64}", object)}" }
    regions   = { for name, region in local.regions : name => region if region != var.region }
    values    = { for name, all in local.told : name => { for variable, value in all : variable => substr(sha256(value), 0, 24) } if contains(keys(local.deployed), name) }
    images    = var.images
    watched   = var.watched_projects
    need      = module.streams.filter
    deployers = var.releases.deployers
    locked    = module.platform.locked_buckets
  }))
}

module "streams" {
  source           = "../../modules/streams"
  rules            = jsondecode(file("${path.module}/../../org/policies/${var.environment}/watched.json"))
  data_access      = var.data_access
  asset_services   = var.asset_services
  application_logs = var.application_logs
  watch            = { account = "fn-watchaudit@${var.project.id}.iam.gserviceaccount.com", projects = [var.project.id, var.evidence_project.id] }
}
