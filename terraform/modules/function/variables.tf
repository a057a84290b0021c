variable "manifest" {
  description = "The function's function.json, decoded."
  type = object({
    name          = string
    control       = string
    entry_point   = string
    summary       = string
    callers       = string
    triggers      = list(object({ kind = string, topic = optional(string), filter = optional(string), cron = optional(string), type = optional(string) }))
    memory_mib    = number
    timeout_s     = number
    concurrency   = number
    max_instances = number
    permissions   = list(object({ permission = string, resource = string }))
    environment   = list(string)
    secrets       = list(string)
    publishes     = list(string)
    freshness     = string
    checks        = list(string)
    sweeps        = optional(list(string), [])
  })

  validation {
    condition     = can(regex("^[a-z]{3,25}$", var.manifest.name))
    error_message = "A function's name is 3 to 25 lower-case letters: account ids end at 30 characters."
  }
  validation {
    condition     = contains(["staff", "public", "service", "machine"], var.manifest.callers)
    error_message = "callers is staff, public, service or machine."
  }
  validation {
    condition     = alltrue([for t in var.manifest.triggers : contains(["http", "topic", "schedule"], t.kind)])
    error_message = "This module delivers over HTTP, topics and schedules. An Eventarc trigger can have no dead letter."
  }
}

variable "project" {
  description = "The project that holds the functions: id and number."
  type        = object({ id = string, number = string })
}

variable "region" {
  description = "Region of the function: in the European Union."
  type        = string

  validation {
    condition     = startswith(var.region, "europe-") && !contains(["europe-west2", "europe-west6"], var.region)
    error_message = "Functions run in the European Union: a europe- region other than London and Zurich."
  }
}

variable "archive" {
  description = "Where the source archive of this function lies. The object's name holds its SHA-256, so that a change of source is a change here."
  type        = object({ bucket = string, object = string })

  validation {
    condition     = can(regex("[0-9a-f]{64}", var.archive.object))
    error_message = "The object's name must hold the archive's SHA-256 in hexadecimal digits."
  }
}

variable "build_account" {
  description = "Resource name of the service account that builds, projects/P/serviceAccounts/E."
  type        = string
}

variable "environment" {
  description = "Environment variables, by name. Every name the manifest asks for must be here; the module adds none but these."
  type        = map(string)
}

variable "secret_versions" {
  description = "Pinned version of each secret the manifest names."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for v in values(var.secret_versions) : can(regex("^[0-9]+$", v))])
    error_message = "A secret's version is a number: \"latest\" changes without a deployment."
  }
}

variable "keys" {
  description = "Crypto keys by the name manifests use: key:NAME."
  type        = map(string)
  default     = {}
}

variable "signing_keys" {
  description = "Asymmetric crypto keys by the name manifests use: the ones that sign checkpoints of the evidence log."
  type        = map(string)
  default     = {}
}

variable "buckets" {
  description = "Buckets by the name manifests use: bucket:NAME."
  type        = map(string)
  default     = {}
}

variable "topics" {
  description = "Topics by name: projects/P/topics/NAME."
  type        = map(string)
  default     = {}
}

variable "data" {
  description = "What the policy's data map names, for functions that search or erase it: the project of its databases, their ids, its buckets; the pinned secrets in the URLs of its stores, for the account that reads, the one that erases and the programs of recipients; the beginnings, projects/NUMBER/secrets/PREFIX, of the names of secrets that hold customers' connections."
  type = object({
    project   = string
    databases = list(string)
    buckets   = list(string)
    secrets   = object({ read = map(string), erase = map(string), parties = map(string) })
    grants    = list(string)
  })
  default = { project = "", databases = [], buckets = [], secrets = { read = {}, erase = {}, parties = {} }, grants = [] }

  validation {
    condition     = alltrue([for all in values(var.data.secrets) : alltrue([for v in values(all) : can(regex("^[0-9]+$", v))])])
    error_message = "A secret's version is a number: \"latest\" changes without a deployment."
  }
  validation {
    condition     = alltrue([for p in var.data.grants : can(regex("^projects/[0-9]+/secrets/[A-Za-z0-9_-]+$", p))])
    error_message = "The beginning of secrets' names is projects/NUMBER/secrets/PREFIX: without a prefix it would be every secret."
  }
}

variable "iap_agent" {
  description = "Member that may invoke functions for staff: the service agent of Identity-Aware Proxy."
  type        = string
}

variable "services" {
  description = "Members that may invoke a function with callers of kind service."
  type        = list(string)
  default     = []
}

variable "alarms" {
  description = "Notification channels, projects/P/notificationChannels/N, that are told of dead letters. Without one an incident is opened, and nobody is told."
  type        = list(string)
  default     = []
}

variable "labels" {
  description = "Labels on everything that can carry them."
  type        = map(string)
  default     = {}
}

variable "looked_at" {
  description = "Places whose configuration a function with permissions on assets reads: organizations/NUMBER, folders/NUMBER, projects/ID."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for place in var.looked_at : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9.:-]+)$", place))])
    error_message = "A place is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
}

variable "organization" {
  description = "Number of the organization that the places lie in: custom roles for folders are its own, and what lies above the places is read there. Left out: that stays unread, and is named."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[0-9]*$", var.organization))
    error_message = "An organization is given by its number."
  }
}

variable "folders" {
  description = "Numbers of folders above the places: what lies above is read in these, and no longer in the whole organization."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for number in var.folders : can(regex("^[0-9]+$", number))])
    error_message = "A folder is given by its number."
  }

  validation {
    condition     = length(var.folders) == 0 || var.organization != ""
    error_message = "The number of the organization must be given: a folder takes its roles."
  }
}

variable "doors" {
  description = "Where doors are: the project of the VPC firewall rules, that of the Cloud Armor policy, the number of the access policy; none where it is empty."
  type = object({
    firewalls     = optional(string, "")
    armor         = optional(string, "")
    access_policy = optional(string, "")
  })
  default = {}
}
