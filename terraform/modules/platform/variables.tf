variable "project" {
  description = "The project that holds the functions, their databases, topics, sealing keys and secrets: id and number."
  type        = object({ id = string, number = string })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project.id)) && can(regex("^[0-9]+$", var.project.number))
    error_message = "A project is given by its id (6 to 30 lower-case letters, digits and hyphens) and its number; see: gcloud projects describe ID."
  }
}

variable "evidence_project" {
  description = "The project that holds the evidence log and the keys that sign it, and nothing else: id and number. Hardly anybody has rights there."
  type        = object({ id = string, number = string })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.evidence_project.id)) && can(regex("^[0-9]+$", var.evidence_project.number))
    error_message = "A project is given by its id (6 to 30 lower-case letters, digits and hyphens) and its number; see: gcloud projects describe ID."
  }
  validation {
    condition     = var.evidence_project.id != var.project.id && var.evidence_project.number != var.project.number
    error_message = "Evidence lies in a project of its own: whoever administers the controls must not be able to touch what is kept about them."
  }
}

variable "region" {
  description = "Region of everything here, in the European Union. Databases, buckets and keys never move: a change would mean new ones."
  type        = string

  validation {
    condition     = can(regex("^europe-[a-z]+[0-9]+$", var.region)) && !contains(["europe-west2", "europe-west6"], var.region)
    error_message = "Data stays in the European Union: a europe- region other than London (europe-west2) and Zurich (europe-west6)."
  }
}

variable "watchdog_region" {
  description = "Region of the watchdog of the doors and of its memory, in the European Union and another than the functions'."
  type        = string

  validation {
    condition     = can(regex("^europe-[a-z]+[0-9]+$", var.watchdog_region)) && !contains(["europe-west2", "europe-west6"], var.watchdog_region)
    error_message = "Data stays in the European Union: a europe- region other than London (europe-west2) and Zurich (europe-west6)."
  }
  validation {
    condition     = var.watchdog_region != var.region
    error_message = "The watchdog has to be in another region than what it watches."
  }
}

variable "database_location" {
  description = "Location of the controls' databases where it is not the region: eur3, which spreads over Belgium and the Netherlands and survives the loss of a region, at about twice the price. It can never be changed. Left out: the region."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "eur3"], var.database_location) || can(regex("^europe-[a-z]+[0-9]+$", var.database_location)) && !contains(["europe-west2", "europe-west6"], var.database_location)
    error_message = "Data stays in the European Union: eur3, a europe- region other than London (europe-west2) and Zurich (europe-west6), or nothing."
  }
}

variable "environment" {
  description = "Which installation this is: staging or live."
  type        = string

  validation {
    condition     = contains(["staging", "live"], var.environment)
    error_message = "An environment is staging or live."
  }
}

variable "manifests" {
  description = "Every function's function.json, decoded, by name: what they publish, read, keep and open is made here."
  type = map(object({
    name        = string
    control     = string
    callers     = string
    triggers    = list(object({ kind = string, topic = optional(string) }))
    permissions = list(object({ permission = string, resource = string }))
    environment = list(string)
    secrets     = list(string)
    publishes   = list(string)
  }))

  validation {
    condition     = length(var.manifests) > 0
    error_message = "No manifest was found, and without one every database and key would be taken away: look at the path they are read from."
  }
  validation {
    condition     = alltrue([for name, m in var.manifests : name == m.name])
    error_message = "Manifests are given by the name that stands in them."
  }
  validation {
    condition     = alltrue([for r in flatten([for m in values(var.manifests) : m.permissions[*].resource]) : !startswith(r, "database:") || can(regex("^database:[a-z][a-z0-9-]{2,61}[a-z0-9]$", r))])
    error_message = "A database's name is 4 to 63 lower-case letters, digits and hyphens: Firestore takes no other."
  }
  validation {
    condition     = alltrue([for r in flatten([for m in values(var.manifests) : m.permissions[*].resource]) : !startswith(r, "bucket:") || contains(["evidence-inbox", "evidence-log", "evidence-head", "policy", "terraform-state"], trimprefix(r, "bucket:"))])
    error_message = "A manifest names a bucket that nobody makes: evidence-inbox, evidence-log, evidence-head and policy are made here, terraform-state with the projects."
  }
}

variable "collections" {
  description = "What each database keeps, and the indexes of the queries on it: functions/indexes.json, decoded."
  type        = map(list(object({ collection = string, expires = bool, indexes = list(list(string)) })))

  validation {
    condition     = alltrue([for database in keys(var.collections) : contains(flatten([for m in values(var.manifests) : m.permissions[*].resource]), "database:${database}")])
    error_message = "Collections are listed of a database that no manifest uses: run make generate, so that functions/indexes.json follows the functions."
  }
  validation {
    condition     = alltrue([for index in flatten([for all in values(var.collections) : [for c in all : [for index in c.indexes : { fields = index }]]]) : length(index.fields) > 0 && !contains(index.fields, "expires")])
    error_message = "An index has no field, or names expires: that field is in no index, so that many documents with the same end do not wait for each other."
  }
}

variable "backups" {
  description = "For how many days the daily and the weekly backup of each database is kept, 98 at most; and so for how long what was erased is still in one. The data map's classes of backups must say the same."
  type        = object({ daily_days = optional(number, 7), weekly_days = optional(number, 98) })
  default     = {}

  validation {
    condition     = alltrue([for days in values(var.backups) : days >= 1 && days <= 98 && floor(days) == days])
    error_message = "A backup of Firestore is kept for 1 to 98 days (14 weeks)."
  }
}

variable "extra_secrets" {
  description = "Names of the secrets in the data map's URLs, beside those of the manifests. They are made without a value."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.extra_secrets : can(regex("^[A-Za-z0-9_-]{1,255}$", name))])
    error_message = "A secret's name is letters, digits, hyphens and underscores: it is a name, never a value."
  }
}

variable "product_publishers" {
  description = "Members that publish for the product, by topic: data.written (something was written, perhaps of somebody who was erased) and account.changed (an account ended or lost its connections)."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for topic in keys(var.product_publishers) : contains(["data.written", "account.changed"], topic)])
    error_message = "The product publishes on data.written and account.changed alone: what functions tell each other nobody else may."
  }
  validation {
    condition     = alltrue([for member in flatten(values(var.product_publishers)) : can(regex("^(serviceAccount|principal|principalSet):", member))])
    error_message = "Programs publish: service accounts and principals, no people, groups or everybody."
  }
}

variable "protection" {
  description = "Where the keys that seal what controls keep are used: SOFTWARE, or HSM (about 1 USD a version and month instead of 0.06). It cannot be changed later."
  type        = string
  default     = "SOFTWARE"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.protection)
    error_message = "A key's protection is SOFTWARE or HSM."
  }
}

variable "signing_protection" {
  description = "Where the keys that sign the evidence log and receipts are used: SOFTWARE, or HSM where the region's modules sign with Ed25519. It cannot be changed later."
  type        = string
  default     = "SOFTWARE"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.signing_protection)
    error_message = "A key's protection is SOFTWARE or HSM."
  }
}

variable "locked" {
  description = "Whether the retention of the evidence log and of the record of who read it is locked: true in live. Locked, nobody can shorten it or take the bucket away while it holds something, not even who owns the project; it can never be undone."
  type        = bool
}

variable "retention_days" {
  description = "For how many days what entered the evidence log is kept from its entry on. Locked, it can be made longer, never shorter: no longer than the published policy promises."
  type        = number
  default     = 1095

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "The evidence log is kept for 1 to 3650 days."
  }
}

variable "policy_retention_days" {
  description = "For how many days a published policy cannot be deleted or replaced. It is not locked: the policy names people."
  type        = number
  default     = 400

  validation {
    condition     = var.policy_retention_days >= 1 && var.policy_retention_days <= 3650 && floor(var.policy_retention_days) == var.policy_retention_days
    error_message = "A published policy is kept for 1 to 3650 days."
  }
}

variable "access_log_days" {
  description = "For how many days it is kept who read or changed evidence, and who signed with its keys. Locked, it can never be changed."
  type        = number
  default     = 400

  validation {
    condition     = var.access_log_days >= 30 && var.access_log_days <= 3650 && floor(var.access_log_days) == var.access_log_days
    error_message = "The record of who touched evidence is kept for 30 to 3650 days."
  }
}

variable "archive_writers" {
  description = "Members that add source archives: the account of the pipeline that releases. They can read and add, not replace or delete."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.archive_writers : can(regex("^(serviceAccount|principal|principalSet|group|user):", member))])
    error_message = "A member is serviceAccount:, principal:, principalSet:, group: or user: and who it is; never allUsers or allAuthenticatedUsers."
  }
}

variable "policy_publishers" {
  description = "Members that publish the policy: people, or the account of a pipeline. They can read and add, not replace or delete."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.policy_publishers : can(regex("^(serviceAccount|principal|principalSet|group|user):", member))])
    error_message = "A member is serviceAccount:, principal:, principalSet:, group: or user: and who it is; never allUsers or allAuthenticatedUsers."
  }
}

variable "deployers" {
  description = "Members that deploy functions: each may have the build account build them, and act as it for nothing else."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.deployers : can(regex("^(serviceAccount|principal|principalSet|group|user):", member))])
    error_message = "A member is serviceAccount:, principal:, principalSet:, group: or user: and who it is; never allUsers or allAuthenticatedUsers."
  }
}

variable "old_pubsub_agent" {
  description = "Whether Pub/Sub was in use in the project before 8 April 2021: its agent must then be let to make the tokens that pushes carry. In a project made for this it has that already."
  type        = bool
  default     = false
}

variable "more_services" {
  description = "Services of Google Cloud to switch on in the functions' project beside those that are needed, such as ones whose assets are looked at with its quota."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.more_services : can(regex("^[a-z][a-z0-9-]*\\.googleapis\\.com$", service))])
    error_message = "A service is called NAME.googleapis.com; see: gcloud services list --available."
  }
}

variable "labels" {
  description = "Labels on everything that can carry them, beside application and environment."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "Labels are lower-case letters, digits, hyphens and underscores, 63 at most."
  }
}
