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
  description = "What the policy's data map names, for functions that search or erase it: the pinned secrets in the URLs of its stores, for the account that reads, the one that erases and the programs of recipients. Rights in the product's own databases and buckets are given by terraform/org."
  type = object({
    secrets = object({ read = map(string), erase = map(string), parties = map(string) })
  })
  default = { secrets = { read = {}, erase = {}, parties = {} } }

  validation {
    condition     = alltrue([for all in values(var.data.secrets) : alltrue([for v in values(all) : can(regex("^[0-9]+$", v))])])
    error_message = "A secret's version is a number: \"latest\" changes without a deployment."
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

variable "labels" {
  description = "Labels on everything that can carry them."
  type        = map(string)
  default     = {}
}

variable "looked_at" {
  description = "Places whose configuration a function with permissions on assets reads: organizations/NUMBER, folders/NUMBER, projects/ID. Rights are given here in the functions' own project alone."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for place in var.looked_at : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9.:-]+)$", place))])
    error_message = "A place is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
}

variable "repository" {
  description = "Repository that images are kept in, projects/P/locations/REGION/repositories/NAME, of the function's own region. Left out: the one Cloud Functions makes by itself, which keeps every image for ever."
  type        = string
  default     = null

  validation {
    condition     = var.repository == null ? true : can(regex("^projects/[^/]+/locations/${var.region}/repositories/[^/]+$", var.repository))
    error_message = "The repository has to be in the region of the function: projects/P/locations/REGION/repositories/NAME."
  }
}

variable "deployers" {
  description = "Members that deploy: each may have this function run as its account, and act as it for nothing else."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.deployers : can(regex("^(serviceAccount|principal|principalSet|group|user):", member))])
    error_message = "A member is serviceAccount:, principal:, principalSet:, group: or user: and who it is."
  }
}

variable "public_tag" {
  description = "Tag value, tagValues/NUMBER, by which an organization policy lets everybody call what carries it: a function with callers of kind public does. Empty where there is no such policy."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(tagValues/[0-9]+)?$", var.public_tag))
    error_message = "A tag value is tagValues/NUMBER: see the output public_tag of terraform/bootstrap."
  }
}
