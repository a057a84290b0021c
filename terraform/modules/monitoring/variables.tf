variable "project" {
  description = "The project that holds the functions: id and number."
  type        = object({ id = string, number = string })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project.id)) && can(regex("^[0-9]+$", var.project.number))
    error_message = "A project has an id of 6 to 30 letters, digits and hyphens, and a number of digits alone."
  }
}

variable "watchdog_project" {
  description = "The project that watches from outside: its alerts go on when everything in the functions' project is switched off. Its number is needed for the budget only."
  type        = object({ id = string, number = optional(string, "") })

  validation {
    condition     = var.watchdog_project.id != var.project.id
    error_message = "The watchdog needs a project of its own: in the functions' project whoever stops the functions stops it too."
  }
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.watchdog_project.id)) && can(regex("^[0-9]*$", var.watchdog_project.number))
    error_message = "A project has an id of 6 to 30 letters, digits and hyphens, and a number of digits alone."
  }
}

variable "evidence_project" {
  description = "The project of the evidence log. Its number is needed for the budget only."
  type        = object({ id = string, number = optional(string, "") })

  validation {
    condition     = !contains([var.project.id, var.watchdog_project.id], var.evidence_project.id)
    error_message = "Evidence lies in a project of its own: neither the functions' nor the watchdog's."
  }
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.evidence_project.id)) && can(regex("^[0-9]*$", var.evidence_project.number))
    error_message = "A project has an id of 6 to 30 letters, digits and hyphens, and a number of digits alone."
  }
}

variable "region" {
  description = "Region of the functions, for the commands that alerts name."
  type        = string

  validation {
    condition     = startswith(var.region, "europe-") && !contains(["europe-west2", "europe-west6"], var.region)
    error_message = "Functions run in the European Union: a europe- region other than London and Zurich."
  }
}

variable "manifests" {
  description = "The functions' function.json, decoded, by name."
  type = map(object({
    name          = string
    control       = string
    callers       = string
    freshness     = string
    triggers      = list(object({ kind = string, topic = optional(string), cron = optional(string) }))
    timeout_s     = number
    max_instances = number
    permissions   = optional(list(object({ permission = string, resource = string })), [])
  }))

  validation {
    condition     = alltrue([for name, m in var.manifests : name == m.name])
    error_message = "Manifests are given by the name of the function."
  }
  validation {
    condition     = alltrue([for m in values(var.manifests) : can(regex("^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", m.freshness))])
    error_message = "freshness is written in whole hours, minutes and seconds, such as 5m or 1h30m; empty where silence is no alarm."
  }
  validation {
    condition = alltrue(flatten([for m in values(var.manifests) : [for seconds in [sum(concat([0], [
      for part in regexall("([0-9]+)([hms])", m.freshness) : tonumber(part[0]) * { h = 3600, m = 60, s = 1 }[part[1]]
    ]))] : m.freshness == "" || seconds >= 300 && seconds <= 82800]]))
    error_message = "freshness is between 5 minutes and 23 hours: the platform's figures come up to four minutes late, and an alert looks back a day at most."
  }
}

variable "deployed" {
  description = "Names of the functions that have an archive, and so exist: only these have alerts."
  type        = set(string)

  validation {
    condition     = length(setsubtract(var.deployed, keys(var.manifests))) == 0
    error_message = "A function is deployed that has no manifest."
  }
}

variable "channels" {
  description = "Notification channels of the functions' project, projects/P/notificationChannels/N, beside those made for addresses: chat, telephone, whatever needs a key that Terraform must not know."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.channels : startswith(c, "projects/${var.project.id}/notificationChannels/")])
    error_message = "A channel is projects/${var.project.id}/notificationChannels/NUMBER: alerts of a project reach channels of that project only."
  }
  validation {
    condition     = length(var.deployed) == 0 || length(var.channels) + length(var.addresses) > 0
    error_message = "Functions are deployed and nobody would hear of their alerts: give addresses, or channels."
  }
}

variable "watchdog_channels" {
  description = "Notification channels of the watchdog's project, projects/W/notificationChannels/N, beside those made for addresses."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.watchdog_channels : startswith(c, "projects/${var.watchdog_project.id}/notificationChannels/")])
    error_message = "A channel is projects/${var.watchdog_project.id}/notificationChannels/NUMBER: alerts of a project reach channels of that project only."
  }
  validation {
    condition     = length(var.deployed) == 0 || length(var.watchdog_channels) + length(var.addresses) > 0
    error_message = "Functions are deployed and nobody would hear of the watchdog: give addresses, or watchdog_channels."
  }
}

variable "addresses" {
  description = "Mail addresses that hear of every alert, of both projects: those of groups, never a person's, for they stand in the state."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for a in var.addresses : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", a))])
    error_message = "A mail address is NAME@DOMAIN."
  }
}

variable "site" {
  description = "Where the public pages are, https://HOST without a path."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+[.][a-z0-9-]+$", var.site))
    error_message = "The site is https://HOST, in small letters, without a path or a port."
  }
}

variable "playbooks" {
  description = "Address of the page of playbooks, docs/operations.md as whoever is woken reads it: each alert links its section there."
  type        = string

  validation {
    condition     = can(regex("^https://[^# ]+$", var.playbooks))
    error_message = "The page of playbooks is an https address without a fragment: each alert adds its own."
  }
}

variable "budget" {
  description = "What the three projects may cost a month: the billing account (XXXXXX-XXXXXX-XXXXXX), the amount in whole units of the account's own currency (ISO 4217). Left out: no budget. channels are mail channels of the functions' project, of which a budget takes five with those of addresses."
  type = object({
    billing_account = string
    amount          = number
    currency        = string
    channels        = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "A billing account is written XXXXXX-XXXXXX-XXXXXX."
  }
  validation {
    condition     = var.budget == null || (try(var.budget.amount, 0) >= 1 && try(floor(var.budget.amount) == var.budget.amount, false))
    error_message = "The budget is an amount of whole units, at least 1."
  }
  validation {
    condition     = var.budget == null || can(regex("^[A-Z]{3}$", var.budget.currency))
    error_message = "The currency is the three letters of ISO 4217, and has to be the billing account's own."
  }
  validation {
    condition     = var.budget == null || length(try(var.budget.channels, [])) + length(var.addresses) <= 5
    error_message = "A budget takes at most five mail channels: give fewer addresses, or fewer channels."
  }
}

variable "pipeline" {
  description = "Who deploys: addresses of the deploy accounts, and the workload identity pool, projects/NUMBER/locations/global/workloadIdentityPools/POOL, through which alone they are used. Without accounts nobody is told of other uses."
  type        = object({ accounts = set(string), pool = string })
  default     = { accounts = [], pool = "" }

  validation {
    condition     = alltrue([for a in var.pipeline.accounts : can(regex("^[a-z0-9-]+@[a-z0-9-]+[.]iam[.]gserviceaccount[.]com$", a))])
    error_message = "A deploy account is the address of a service account."
  }
  validation {
    condition     = length(var.pipeline.accounts) == 0 || can(regex("^projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]+$", var.pipeline.pool))
    error_message = "The pool is projects/NUMBER/locations/global/workloadIdentityPools/POOL, with the project's number: audit logs name it so."
  }
}

variable "log_volume_gib" {
  description = "GiB of logs that the project may store in a month before somebody is told. Google gives 50 a month for nothing."
  type        = number
  default     = 40

  validation {
    condition     = var.log_volume_gib > 0
    error_message = "The volume of logs is more than nothing."
  }
}

variable "labels" {
  description = "Labels on every alert."
  type        = map(string)
  default     = {}
}
