locals {
  root      = "${path.module}/../../../functions"
  manifests = { for m in [for file in fileset(local.root, "*/*/function.json") : jsondecode(file("${local.root}/${file}"))] : m.name => m }

  topics = toset(flatten([for m in values(local.manifests) : concat(m.publishes, [for t in m.triggers : t.topic if t.kind == "topic"])]))

  # The key each control seals what it keeps with.
  seals = { access = "otp", trust = "evidence" }

  verifiers = { for name, m in local.manifests : name => {
    staff   = "iap:?audience=${lookup(var.audiences, name, "")}"
    service = "google:?audience=${lookup(var.audiences, name, "")}"
    public  = ""
    machine = ""
  }[m.callers] }
}

resource "google_pubsub_topic" "event" {
  for_each = local.topics
  project  = var.project.id
  name     = each.key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

module "function" {
  source   = "../../modules/function"
  for_each = local.manifests

  manifest        = each.value
  project         = var.project
  region          = var.region
  archive         = { bucket = var.archives.bucket, object = var.archives.objects[each.key] }
  build_account   = var.build_account
  keys            = var.keys
  signing_keys    = var.signing_keys
  buckets         = var.buckets
  topics          = { for name, topic in google_pubsub_topic.event : name => topic.id }
  secret_versions = { for s in each.value.secrets : s => var.secret_versions[s] }
  iap_agent       = "serviceAccount:service-${var.project.number}@gcp-sa-iap.iam.gserviceaccount.com"
  services        = var.service_members

  environment = merge(
    { for name in each.value.environment : name => var.settings[name] if contains(keys(var.settings), name) },
    contains(each.value.environment, "OSTIARY_SEAL") ? { OSTIARY_SEAL = "kms://${var.keys[local.seals[each.value.control]]}" } : {},
    contains(each.value.environment, "OSTIARY_SEAL_MESSAGE") ? { OSTIARY_SEAL_MESSAGE = "kms://${var.keys["message"]}" } : {},
    contains(each.value.environment, "OSTIARY_VAULT") ? { OSTIARY_VAULT = "firestore://${var.project.id}/vault" } : {},
    length(each.value.publishes) > 0 ? { OSTIARY_BUS = "pubsub://${var.project.id}" } : {},
    local.verifiers[each.key] == "" ? {} : { OSTIARY_IDENTITY = local.verifiers[each.key] },
    {
      OSTIARY_STORE    = "firestore://${var.project.id}/${each.value.control}"
      OSTIARY_POLICY   = var.policy
      OSTIARY_EVIDENCE = var.evidence
    }
  )
}
