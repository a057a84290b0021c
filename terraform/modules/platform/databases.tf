# One database for each control, so that a function's rights end at its control: a role of Firestore cannot be cut by
# collection. Beside them the vault of evidence, the ledger of who was erased and the watchdog's memory. At rest they are
# sealed with Google's keys: what must not be read by whoever reads the database is sealed by the control before, with its own.
#
# Nothing here can be destroyed by an apply. prevent_destroy stops the plan; should somebody take that line out, deletion is
# asked of Firestore, which refuses it while the protection is on. With deletion_policy ABANDON, the default, Terraform would
# forget the database, say that all went well, and fail at the next apply because it is there.

locals {
  apart    = ["ledger", "watchdog"]
  location = var.database_location != "" ? var.database_location : var.region

  kept = merge(
    { for name, d in google_firestore_database.control : name => d.name },
    { ledger = google_firestore_database.ledger.name, watchdog = google_firestore_database.watchdog.name },
  )

  collections = { for c in flatten([for database, all in var.collections : [for c in all : merge(c, { database = database, key = "${database}/${c.collection}" })]]) : c.key => c }
  expiring    = { for key, c in local.collections : key => c if c.expires }

  # Firestore indexes each field by itself. A query on several needs an index of its own, in which the last field, the one
  # that is ranged over and ordered by, runs the way the query goes; Firestore reads none backwards. So each is made twice.
  queries = { for q in flatten([for c in values(local.collections) : [for fields in c.indexes : [for order in ["ASCENDING", "DESCENDING"] : {
    key = "${c.key}/${join(",", fields)}/${lower(order)}", database = c.database, collection = c.collection, fields = fields, order = order
  }] if length(fields) > 1]]) : q.key => q }
}

resource "google_firestore_database" "control" {
  for_each                          = setsubtract(local.of_kind.database, local.apart)
  project                           = var.project.id
  name                              = each.key
  location_id                       = local.location
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "DELETE"
  depends_on                        = [google_project_service.controls]

  lifecycle {
    prevent_destroy = true
  }
}

# Who was erased, so that a restored backup brings nobody back. It must be in no backup itself: an older copy would have
# forgotten the newest. So no recovery to a point in time here, and no backup schedule may ever name it.
resource "google_firestore_database" "ledger" {
  project                           = var.project.id
  name                              = "ledger"
  location_id                       = local.location
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "DELETE"
  depends_on                        = [google_project_service.controls]

  lifecycle {
    prevent_destroy = true
  }
}

# What the watchdog of the doors remembers, in another region: where one is down, the other shuts what has to be shut.
resource "google_firestore_database" "watchdog" {
  project                           = var.project.id
  name                              = "watchdog"
  location_id                       = var.watchdog_region
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "DELETE"
  depends_on                        = [google_project_service.controls]

  lifecycle {
    prevent_destroy = true
  }
}

# Backups for a mistake that recovery to a point in time, which reaches back seven days, comes too late for.
locals {
  saved = merge({ for name, d in google_firestore_database.control : name => d.name }, { watchdog = google_firestore_database.watchdog.name })
}

resource "google_firestore_backup_schedule" "daily" {
  for_each  = local.saved
  project   = var.project.id
  database  = each.value
  retention = "${var.backups.daily_days * 86400}s"

  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  for_each  = local.saved
  project   = var.project.id
  database  = each.value
  retention = "${var.backups.weekly_days * 86400}s"

  weekly_recurrence {
    day = "SUNDAY"
  }
}

resource "google_firestore_index" "query" {
  for_each    = local.queries
  project     = var.project.id
  database    = local.kept[each.value.database]
  collection  = each.value.collection
  query_scope = "COLLECTION"

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value
      order      = fields.key == length(each.value.fields) - 1 ? each.value.order : "ASCENDING"
    }
  }
}

# What has ended is deleted by Firestore, within about a day; readers never wait for it. The field is in no index: it rises
# with the clock, and an index on such a field bears about 500 writes a second. Made after the indexes and not beside them:
# Firestore refuses a second change of a database's fields while it works on one, and the provider repeats only for a while.
resource "google_firestore_field" "expires" {
  for_each   = local.expiring
  project    = var.project.id
  database   = local.kept[each.value.database]
  collection = each.value.collection
  field      = "expires"

  ttl_config {}
  index_config {}

  depends_on = [google_firestore_index.query]
}
