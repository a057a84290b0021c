locals {
  root      = "${path.module}/../../../functions"
  manifests = { for m in [for file in fileset(local.root, "*/*/function.json") : jsondecode(file("${local.root}/${file}"))] : m.name => m }

  topics = toset(flatten([for m in values(local.manifests) : concat(m.publishes, [for t in m.triggers : t.topic if t.kind == "topic"])]))

  # The key each control seals what it keeps with.
  seals = { access = "otp", trust = "evidence", watch = "evidence", erasure = "evidence", breach = "evidence", drift = "evidence" }

  verifiers = { for name, m in local.manifests : name => {
    staff   = "iap:?audience=${lookup(var.audiences, name, "")}"
    service = "google:?audience=${lookup(var.audiences, name, "")}"
    public  = contains(m.environment, "OSTIARY_IDENTITY") ? "oidc:${var.issuer.url}?audience=${var.issuer.audience}" : ""
    machine = ""
  }[m.callers] }

  regions = { for name, m in local.manifests : name => contains(m.environment, "OSTIARY_WATCHDOG") ? var.watchdog_region : var.region }

  # What each function is told, but for what its module adds, and for what checkdrift is told of all of it.
  told = { for name, m in local.manifests : name => merge(
    { for variable in m.environment : variable => var.settings[variable] if contains(keys(var.settings), variable) },
    contains(m.environment, "OSTIARY_SEAL") ? { OSTIARY_SEAL = "kms://${var.keys[local.seals[m.control]]}" } : {},
    contains(m.environment, "OSTIARY_SEAL_MESSAGE") ? { OSTIARY_SEAL_MESSAGE = "kms://${var.keys["message"]}" } : {},
    contains(m.environment, "OSTIARY_SEAL_REQUEST") ? { OSTIARY_SEAL_REQUEST = "kms://${var.keys["request"]}" } : {},
    contains(m.environment, "OSTIARY_SEAL_BREACH") ? { OSTIARY_SEAL_BREACH = "kms://${var.keys["breach"]}" } : {},
    contains(m.environment, "OSTIARY_VAULT") ? { OSTIARY_VAULT = "firestore://${var.project.id}/vault" } : {},
    contains(m.environment, "OSTIARY_ASSETS") ? { OSTIARY_ASSETS = "cloudasset:${join(",", local.looked_at)} monitoring:${var.project.id}" } : {},
    contains(m.environment, "OSTIARY_LEDGER") ? { OSTIARY_LEDGER = "firestore://${var.project.id}/${google_firestore_database.ledger.name}" } : {},
    contains(m.environment, "OSTIARY_WATCHDOG") ? { OSTIARY_WATCHDOG = "firestore://${var.project.id}/${google_firestore_database.watchdog.name}" } : {},
    length(m.publishes) > 0 ? { OSTIARY_BUS = "pubsub://${var.project.id}" } : {},
    local.verifiers[name] == "" ? {} : { OSTIARY_IDENTITY = local.verifiers[name] },
    {
      OSTIARY_STORE    = "firestore://${var.project.id}/${m.control}"
      OSTIARY_POLICY   = var.policy
      OSTIARY_EVIDENCE = var.evidence
    }
  ) }
}

resource "google_pubsub_topic" "event" {
  for_each = local.topics
  project  = var.project.id
  name     = each.key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# The product says here what it wrote and which accounts changed: no function of this repository does. Nobody else is let in.
resource "google_pubsub_topic_iam_member" "product" {
  for_each = { for pair in flatten([for topic, members in var.product_publishers : [for member in members : { topic = topic, member = member }]]) : "${pair.topic} ${pair.member}" => pair }
  project  = var.project.id
  topic    = google_pubsub_topic.event[each.value.topic].id
  role     = "roles/pubsub.publisher"
  member   = each.value.member
}

module "function" {
  source   = "../../modules/function"
  for_each = local.manifests

  manifest        = each.value
  project         = var.project
  region          = local.regions[each.key]
  archive         = { bucket = var.archives.bucket, object = var.archives.objects[each.key] }
  build_account   = var.build_account
  keys            = var.keys
  signing_keys    = var.signing_keys
  buckets         = var.buckets
  topics          = { for name, topic in google_pubsub_topic.event : name => topic.id }
  data            = var.data
  looked_at       = local.looked_at
  organization    = var.organization
  doors           = { firewalls = var.doors.firewalls.project, armor = var.doors.armor.project, access_policy = var.doors.access_levels.policy }
  folders         = var.folders
  secret_versions = { for s in each.value.secrets : s => var.secret_versions[s] }
  iap_agent       = "serviceAccount:service-${var.project.number}@gcp-sa-iap.iam.gserviceaccount.com"
  services        = var.service_members
  alarms          = var.alarms

  environment = merge(local.told[each.key], contains(each.value.environment, "OSTIARY_SELF") ? { OSTIARY_SELF = local.self } : {})
}

# Who was erased, so that a restored backup brings nobody back. It must be in no backup itself: an older copy would have
# forgotten the newest. So no recovery to a point in time here, and no backup schedule may ever name it.
resource "google_firestore_database" "ledger" {
  project                           = var.project.id
  name                              = "ledger"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"
}

# What the watchdog of the doors remembers, in another region: where one is down, the other shuts what has to be shut.
resource "google_firestore_database" "watchdog" {
  project                           = var.project.id
  name                              = "watchdog"
  location_id                       = var.watchdog_region
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"

  lifecycle {
    precondition {
      condition     = var.watchdog_region != var.region
      error_message = "The watchdog has to be in another region than what it watches."
    }
  }
}

# What the watch reads: what the rules match (watched.json is generated from them), what it tells other controls, and its
# own heartbeat. Data Access logs that nobody switched on here stay out: those of the watch's own database would tell of
# each entry it takes, without end.
locals {
  rules = jsondecode(file("${path.module}/watched.json"))
  reads = split(",", var.settings["OSTIARY_DATA_ACCESS"])

  # Without a list, or with all, the watch knows itself which services it tells of.
  assets = compact(split(",", var.settings["OSTIARY_ASSET_SERVICES"]))
  named  = length(local.assets) == 0 || contains(local.assets, "all") ? "" : " AND protoPayload.serviceName=(\"${join("\" OR \"", local.assets)}\")"

  watched = join(" OR ", concat(
    [local.rules.audit],
    ["((log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/system_event\"))${local.named})"],
    [for service in local.reads : lookup(local.rules.data_access, service, "(log_id(\"cloudaudit.googleapis.com/data_access\") AND protoPayload.serviceName=\"${service}\")")],
    [for log in distinct(concat(local.rules.logs, var.application_logs)) : "log_id(\"${log}\")"],
    ["labels.\"ostiary-heartbeat\":*"],
  ))
}

resource "google_logging_project_sink" "watched" {
  for_each               = toset(concat([var.project.id], var.watched_projects))
  project                = each.key
  name                   = "ostiary-watch"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.event["audit.entries"].id}"
  filter                 = local.watched
  unique_writer_identity = true

  lifecycle {
    precondition {
      condition     = length(local.watched) <= 20000
      error_message = "The filter of the log sink is longer than a sink takes: name fewer services."
    }
  }
}

resource "google_pubsub_topic_iam_member" "sink" {
  for_each = google_logging_project_sink.watched
  project  = var.project.id
  topic    = google_pubsub_topic.event["audit.entries"].id
  role     = "roles/pubsub.publisher"
  member   = each.value.writer_identity
}

resource "google_project_iam_audit_config" "read" {
  for_each = { for pair in setproduct(concat([var.project.id], var.watched_projects), local.reads) : "${pair[0]}/${pair[1]}" => pair }
  project  = each.value[0]
  service  = each.value[1]

  audit_log_config { log_type = "ADMIN_READ" }
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }
}

# Dead letters of the log: what watchaudit could not read waits here, as it came, for somebody to look at.
resource "google_pubsub_subscription" "unreadable" {
  project                    = var.project.id
  name                       = "watchaudit-unreadable"
  topic                      = google_pubsub_topic.event["audit.unreadable"].id
  message_retention_duration = "2678400s"
  retain_acked_messages      = false

  expiration_policy {
    ttl = ""
  }
}
