variable "rules" {
  description = "What the rules match, decoded from the watched.json that is generated from them: of the logs that are always written, of each service's Data Access log, and the ids of the company's own logs that the policy maps."
  type = object({
    audit       = string
    data_access = map(string)
    logs        = optional(list(string), [])
  })

  validation {
    condition     = strcontains(var.rules.audit, "cloudaudit.googleapis.com")
    error_message = "rules is the content of a generated watched.json: its audit part names the audit logs. Write it with: go run ./functions/internal/generate POLICY FOLDER."
  }
}

variable "data_access" {
  description = "Services whose Data Access logs are switched on and read. iam.googleapis.com stands for iamcredentials.googleapis.com too, which has no switch of its own."
  type        = list(string)

  validation {
    condition     = alltrue([for service in var.data_access : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", service))])
    error_message = "A service is named as audit logs name it, such as secretmanager.googleapis.com, one by one: allServices would read more than a filter can name."
  }
  validation {
    condition     = !contains(var.data_access, "iamcredentials.googleapis.com")
    error_message = "iamcredentials.googleapis.com has no switch of its own: name iam.googleapis.com, which stands for both."
  }
  validation {
    condition     = length(distinct(var.data_access)) == length(var.data_access)
    error_message = "A service is named twice: its part would make the filter longer for nothing."
  }
}

variable "asset_services" {
  description = "Services whose changes are told to the drift control. Empty, or with all among them: every one, and the watch itself knows which it tells of."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.asset_services : service == "all" || can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", service))])
    error_message = "A service is named as audit logs name it, such as compute.googleapis.com, or all."
  }
}

variable "application_logs" {
  description = "Ids of the company's own logs that rules read beside those that watch.yaml maps: logs that name everything as rules do."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for log in var.application_logs : can(regex("^[A-Za-z0-9_./-]{1,511}$", log))])
    error_message = "A log id is what stands after /logs/ in a log's name, written plainly, such as run.googleapis.com/varlog/system."
  }
}

variable "watch" {
  description = "Address of the account the watch runs as, and the projects its own database, keys and buckets lie in: what it reads and writes there while it takes an entry is left out, or each entry would make the next one. Without an account nothing is left out."
  type        = object({ account = string, projects = list(string) })
  default     = { account = "", projects = [] }

  validation {
    condition     = var.watch.account == "" || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\\.iam\\.gserviceaccount\\.com$", var.watch.account))
    error_message = "The watch runs as a service account, NAME@PROJECT.iam.gserviceaccount.com: whoever is named here is not watched in these projects."
  }
  validation {
    condition     = (var.watch.account == "") == (length(var.watch.projects) == 0)
    error_message = "Account and projects are given together: without projects the watch's account would go unwatched everywhere."
  }
}
