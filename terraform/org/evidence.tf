# What functions may do on the evidence and with the keys that sign it. It is given here and not with the functions: whoever deploys
# has no right to give anything in the evidence project, and so cannot add an account to those that write there.

locals {
  # Buckets and keys as the environment's platform names them. The key of the log signs its checkpoints, and is called so.
  evidence_buckets = { for end in ["inbox", "log", "head"] : "evidence-${end}" => "${var.evidence_project.id}-${end}" }
  evidence_ring    = "projects/${var.evidence_project.id}/locations/${var.region}/keyRings/ostiary/cryptoKeys"

  # What a function adds to the inbox lies below its own name, or that of one it sweeps for: a place, not the whole bucket.
  on_evidence = flatten([for name, m in local.functions : [for p in m.permissions : {
    name       = name
    permission = p.permission
    resource   = p.permission == "storage.objects.create" && p.resource == "bucket:evidence-inbox" ? "place:evidence-inbox" : p.resource
  } if startswith(p.resource, "bucket:evidence-") || startswith(p.resource, "signing-key:")]])

  # One custom role for each function and resource, with just what the manifest lists for it.
  evidence = { for id, all in { for one in local.on_evidence : "${one.name} ${one.resource}" => one... } : id => {
    name        = all[0].name
    resource    = all[0].resource
    kind        = split(":", all[0].resource)[0]
    on          = split(":", all[0].resource)[1]
    places      = concat([all[0].name], try(local.functions[all[0].name].sweeps, []))
    permissions = sort([for one in all : one.permission])
  } }

  # Written out, so that a plan says which role a binding gives.
  evidence_role = { for id, one in local.evidence : id => replace("ostiary.${one.name}.${one.resource}", "/[^a-zA-Z0-9_.]/", "_") }

  # Who holds a permission on evidence by its manifest, as deny policies name accounts.
  holders = { for permission in ["storage.objects.create", "storage.objects.delete", "cloudkms.cryptoKeyVersions.useToSign"] : permission => sort(distinct([
    for one in local.on_evidence : "principal://iam.googleapis.com/projects/-/serviceAccounts/fn-${one.name}@${var.project.id}.iam.gserviceaccount.com" if one.permission == permission
  ])) }
}

resource "google_project_iam_custom_role" "evidence" {
  for_each    = local.evidence
  project     = var.evidence_project.id
  role_id     = local.evidence_role[each.key]
  title       = "${each.value.name} on ${each.value.resource}"
  description = "Generated from the function's manifest."
  permissions = each.value.permissions
}

# Whose a piece of evidence is can be told from where it lies. The buckets have uniform access: conditions need it.
resource "google_storage_bucket_iam_member" "evidence" {
  for_each = { for id, one in local.evidence : id => one if one.kind != "signing-key" }
  bucket   = local.evidence_buckets[each.value.on]
  role     = "projects/${var.evidence_project.id}/roles/${local.evidence_role[each.key]}"
  member   = local.member[each.value.name]

  depends_on = [google_project_iam_custom_role.evidence]

  dynamic "condition" {
    for_each = each.value.kind == "place" ? [each.value.places] : []
    content {
      title      = "only below ${each.value.name}/${length(condition.value) == 1 ? "" : " and those it sweeps for"}"
      expression = join(" || ", [for name in condition.value : "resource.name.startsWith(\"projects/_/buckets/${local.evidence_buckets[each.value.on]}/objects/${name}/\")"])
    }
  }
}

resource "google_kms_crypto_key_iam_member" "evidence" {
  for_each      = { for id, one in local.evidence : id => one if one.kind == "signing-key" }
  crypto_key_id = "${local.evidence_ring}/${each.value.on == "evidence" ? "checkpoints" : each.value.on}"
  role          = "projects/${var.evidence_project.id}/roles/${local.evidence_role[each.key]}"
  member        = local.member[each.value.name]
  depends_on    = [google_project_iam_custom_role.evidence]
}

# Whatever else is given in the evidence project, and to whomever, its owner and administrators of the organization too: nobody but the
# functions that have it by their manifest adds, replaces or deletes a record, or signs (IAM documentation, "Deny policies"). An owner of the
# project can still have objects go by age where no retention is locked, and destroy keys: nobody is one for longer than an hour. Who has to
# delete, such as an object of the inbox that cannot be taken in, is named for the hour; to take everything down this root goes first.
# Both are in the audit log.
resource "google_iam_deny_policy" "evidence" {
  parent       = urlencode("cloudresourcemanager.googleapis.com/projects/${var.evidence_project.id}")
  name         = "ostiary-evidence"
  display_name = "Functions alone add, delete and sign evidence"

  rules {
    description = "Adding: the functions that record"
    deny_rule {
      denied_principals    = ["principalSet://goog/public:all"]
      exception_principals = local.holders["storage.objects.create"]
      denied_permissions   = ["storage.googleapis.com/objects.create"]
    }
  }
  rules {
    description = "Deleting: the function that seals. Nobody changes a record in place"
    deny_rule {
      denied_principals    = ["principalSet://goog/public:all"]
      exception_principals = concat(local.holders["storage.objects.delete"], [for address in sort(var.mends_evidence) : "principal://goog/subject/${address}"])
      denied_permissions   = ["storage.googleapis.com/objects.delete", "storage.googleapis.com/objects.update"]
    }
  }
  rules {
    description = "Signing: the functions that sign the log and receipts"
    deny_rule {
      denied_principals    = ["principalSet://goog/public:all"]
      exception_principals = local.holders["cloudkms.cryptoKeyVersions.useToSign"]
      denied_permissions   = ["cloudkms.googleapis.com/cryptoKeyVersions.useToSign"]
    }
  }
}
