variable "environment" {
  description = "Environment whose controls are woken by what is made here: what its rules match lies in policies/NAME."
  type        = string

  validation {
    condition     = contains(["staging", "live"], var.environment)
    error_message = "environment is staging or live."
  }
}

variable "project" {
  description = "The project that holds the functions of this environment: id and number."
  type        = object({ id = string, number = string })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project.id)) && can(regex("^[0-9]+$", var.project.number))
    error_message = "project is { id = \"the-id\", number = \"its number in digits\" }: see the output projects of terraform/bootstrap."
  }
}

variable "evidence_project" {
  description = "The project that holds the evidence of this environment: id and number."
  type        = object({ id = string, number = string })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.evidence_project.id)) && var.evidence_project.id != var.project.id
    error_message = "evidence_project is another project than the controls': see the output projects of terraform/bootstrap."
  }
}

variable "region" {
  description = "Region of the functions, in the European Union. Nothing made here has a place but where messages are stored, which the topics say."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = startswith(var.region, "europe-") && !contains(["europe-west2", "europe-west6"], var.region)
    error_message = "Functions run in the European Union: a europe- region other than London and Zurich."
  }
}

variable "scope" {
  description = "What is watched as a whole: organizations/NUMBER, folders/NUMBER or projects/ID. Of a folder or the organization everything below it is watched, and what is made there tomorrow."
  type        = string

  validation {
    condition     = can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9.:-]+)$", var.scope))
    error_message = "scope is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
}

variable "watched" {
  description = "Further places that are watched, as scope is, where they do not lie in it: the folder of the controls' own projects, where it is elsewhere. The controls' own project is watched without being named where scope is a project."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for place in var.watched : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9.:-]+)$", place))])
    error_message = "A place is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
  validation {
    condition     = !startswith(var.scope, "organizations/") || length(var.watched) == 0
    error_message = "The whole organization is watched: what lies in it would arrive twice. Leave watched empty."
  }
}

variable "organization" {
  description = "Number of the organization, where it or a folder is watched or looked at, where there are doors of access levels, or where what lies above projects is to be read: custom roles of folders are its own."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[0-9]*$", var.organization))
    error_message = "An organization is given by its number."
  }
  validation {
    condition     = var.organization != "" || !local.needs_organization
    error_message = "A folder or the organization is looked at, folders are named, or there are access levels: the number of the organization must be given, since its custom roles are granted there."
  }
  validation {
    condition     = alltrue([for place in concat(local.places, local.looked_at) : trimprefix(place, "organizations/") == var.organization if startswith(place, "organizations/")])
    error_message = "Another organization than this one is watched or looked at: an installation belongs to one."
  }
}

variable "folders" {
  description = "Numbers of folders above what is looked at: rights to read what lies above are given in these, and not in the whole organization."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for number in var.folders : can(regex("^[0-9]+$", number))])
    error_message = "A folder is given by its number."
  }
}

variable "data_access" {
  description = "Services whose Data Access logs are switched on in every watched place, and read: the same list as the environment's. They are written by Google only where somebody switches them on, and are what costs most."
  type        = list(string)

  validation {
    condition     = length(var.data_access) > 0 && !contains(var.data_access, "allServices")
    error_message = "Services are named one by one, such as secretmanager.googleapis.com: allServices would write everything everybody reads, and a bill with it."
  }
}

variable "application_logs" {
  description = "Ids of the company's own logs that rules read beside those that watch.yaml maps: the same list as the environment's."
  type        = list(string)
  default     = []
}

variable "asset_services" {
  description = "Services whose changes are told to the drift control; empty, or with all among them, every one: the same list as the environment's."
  type        = list(string)
  default     = []
}

variable "looked_at" {
  description = "Places whose configuration is looked at: organizations/NUMBER, folders/NUMBER, projects/ID. Left out: what is watched."
  type        = list(string)
  default     = null

  validation {
    condition     = var.looked_at == null ? true : alltrue([for place in var.looked_at : can(regex("^(organizations/[0-9]+|folders/[0-9]+|projects/[a-z][a-z0-9.:-]+)$", place))])
    error_message = "A place is organizations/NUMBER, folders/NUMBER or projects/ID."
  }
}

variable "doors" {
  description = "The doors of the allow-list on Google Cloud, each only where its project or policy is named: shells of VPC firewall rules of a network (shards of 256 ranges each, as many for either family), a Cloud Armor policy, access levels (shards of 40 people each). Each stands in the project of what it protects, which is none of the controls'. What keeps the Cloud Armor door may write every Cloud Armor policy of its project: IAM has no condition for one of them."
  type = object({
    firewalls = optional(object({
      project  = optional(string, "")
      network  = optional(string, "")
      name     = optional(string, "ostiary")
      shards   = optional(number, 4)
      priority = optional(number, 1000)
      protocol = optional(string, "tcp")
      ports    = optional(list(string), ["443"])
      tags     = optional(list(string), [])
    }), {})
    armor = optional(object({
      project = optional(string, "")
      name    = optional(string, "ostiary")
    }), {})
    access_levels = optional(object({
      policy = optional(string, "")
      name   = optional(string, "ostiary")
      shards = optional(number, 5)
    }), {})
  })
  default = {}

  validation {
    condition     = can(regex("^[0-9]*$", var.doors.access_levels.policy))
    error_message = "An access policy is given by its number: gcloud access-context-manager policies list --organization NUMBER."
  }
}

variable "data" {
  description = "What the policy's data map names, for functions that search or erase it: the project of its databases, their ids, its buckets; the beginnings, projects/NUMBER/secrets/PREFIX, of the names of secrets in that project that hold customers' connections. The environment takes the secrets in the URLs of its stores; what is given there may be given here as it is. Left out: functions have no rights in the product."
  type = object({
    project   = optional(string, "")
    databases = optional(list(string), [])
    buckets   = optional(list(string), [])
    grants    = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = var.data.project != "" || length(var.data.databases) + length(var.data.buckets) + length(var.data.grants) == 0
    error_message = "data names databases, buckets or secrets without the project they lie in: their roles are made there."
  }
  validation {
    condition     = alltrue([for name in var.data.databases : can(regex("^([a-z][a-z0-9-]{2,61}[a-z0-9]|[(]default[)])$", name))])
    error_message = "A database is given by its id, 4 to 63 small letters, digits and hyphens, or (default)."
  }
  validation {
    condition     = length(distinct(var.data.databases)) <= 120
    error_message = "At most 120 databases: one member has 20 bindings of one role with different conditions, of six databases each."
  }
  validation {
    condition     = alltrue([for name in var.data.buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", name))])
    error_message = "A bucket is given by its name alone, without gs://."
  }
  validation {
    condition     = alltrue([for p in var.data.grants : can(regex("^projects/[0-9]+/secrets/[A-Za-z0-9_-]+$", p))])
    error_message = "The beginning of secrets' names is projects/NUMBER/secrets/PREFIX: without a prefix it would be every secret."
  }
}

variable "state" {
  description = "Bucket of this environment's Terraform state and the project it lies in, which the drift control compares with what there is: see the outputs of terraform/bootstrap. Left out: nobody reads it."
  type        = object({ project = string, bucket = string })
  default     = { project = "", bucket = "" }

  validation {
    condition     = (var.state.project == "") == (var.state.bucket == "") && can(regex("^[a-z0-9._-]*$", var.state.bucket))
    error_message = "state names both a project and a bucket, or neither: its role is made in that project."
  }
  validation {
    condition     = !contains([var.project.id, var.evidence_project.id], var.state.project)
    error_message = "The state does not lie in a project that it describes: whoever administers that could change what the next apply does."
  }
}

variable "deployed" {
  description = "Names of the functions that are deployed: nobody can give a right to an account that does not exist yet. Left out: all of them."
  type        = set(string)
  default     = null

  validation {
    condition     = var.deployed == null ? true : alltrue([for name in var.deployed : contains(keys(local.manifests), name)])
    error_message = "There is no function of that name below functions/."
  }
}

variable "suffix" {
  description = "End of the names of sinks and feeds, such as -staging, where another environment watches the same place: both names would be the same. Left out: the names that the drift control expects."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(-[a-z0-9-]{1,30})?$", var.suffix))
    error_message = "A suffix begins with a hyphen and has lower-case letters, digits and hyphens."
  }
}

variable "keeps_roles" {
  description = "Whether the organization's custom roles are made here. false where another environment's state holds them: an organization has one role of a name, and the second environment only gives it."
  type        = bool
  default     = true
}

variable "keeps_audit_configuration" {
  description = "Whether Data Access logs are switched on here. false where somebody else keeps the audit configuration of the same places: it is one setting per service, and the last to write it wins."
  type        = bool
  default     = true
}

variable "mends_evidence" {
  description = "Mail addresses of people who may delete and release objects in the evidence project for a while, such as one of the inbox that cannot be taken in: two, named for the hour, and taken out again. They need a role there as well. Left out: nobody."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.mends_evidence : can(regex("^[^@:/\\s]+@[^@:/\\s]+[.][^@:/\\s]+$", address))])
    error_message = "Each is the mail address of a person, without user: in front; no group and no service account can be named here."
  }
}
