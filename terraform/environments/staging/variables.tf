variable "project" {
  description = "The project that holds the functions: id and number."
  type        = object({ id = string, number = string })
}

variable "region" {
  description = "Region of the functions, in the European Union."
  type        = string
  default     = "europe-west1"
}

variable "watchdog_region" {
  description = "Region of the watchdog of the doors and of its memory, in the European Union and another than the functions'."
  type        = string
  default     = "europe-west4"
}

variable "archives" {
  description = "Bucket of the source archives, and each function's object in it; the name holds the SHA-256."
  type        = object({ bucket = string, objects = map(string) })
}

variable "images" {
  description = "Image that has to run, or its digest, sha256:..., by function, where whoever released it says so. Left out: any that Cloud Functions built in the project."
  type        = map(string)
  default     = {}
}

variable "build_account" {
  description = "Resource name of the service account that builds."
  type        = string
}

variable "policy" {
  description = "URL of the published policy archive."
  type        = string
}

variable "evidence" {
  description = "URL of the evidence inbox."
  type        = string
}

variable "keys" {
  description = "Crypto keys by the name manifests use."
  type        = map(string)
}

variable "signing_keys" {
  description = "Asymmetric crypto keys by the name manifests use."
  type        = map(string)
}

variable "buckets" {
  description = "Buckets by the name manifests use."
  type        = map(string)
}

variable "data" {
  description = "What the policy's data map names, as module function takes it."
  type = object({
    project   = string
    databases = list(string)
    buckets   = list(string)
    secrets   = object({ read = map(string), erase = map(string), parties = map(string) })
    grants    = list(string)
  })
}

variable "issuer" {
  description = "Who signs the tokens of the product's users, and for whom: what company.yaml says. An empty url where nobody is signed in."
  type        = object({ url = string, audience = string })
  default     = { url = "", audience = "" }
}

variable "secret_versions" {
  description = "Pinned version of each secret."
  type        = map(string)
}

variable "audiences" {
  description = "Audience of the tokens each function with staff or services as callers accepts."
  type        = map(string)
}

variable "settings" {
  description = "Remaining environment variables of the functions, by name: OSTIARY_DIRECTORY, OSTIARY_TARGETS, OSTIARY_MESSAGE and, each where there is such a channel, OSTIARY_MESSAGE_WEBHOOK, OSTIARY_MESSAGE_SMS and OSTIARY_MESSAGE_CHAT, OSTIARY_CLIENT_ADDRESS, OSTIARY_PAIR_HOSTS (host names of one address family each, on which a device registers its other address: ipv4=https://HOST,ipv6=https://HOST; left out where there are none), those of the evidence log (OSTIARY_LOG_INBOX, _TILES, _HEAD, _ORIGIN, OSTIARY_SIGNING_KEY, OSTIARY_TRUST, OSTIARY_PUBLIC_ENTRIES) OSTIARY_PROBES, those of receipts (OSTIARY_RECEIPT_KEY, OSTIARY_RECEIPT_TRUST), and those of the watch: OSTIARY_URL, OSTIARY_DATA_ACCESS (services, separated by commas, whose Data Access logs are switched on and read; iam.googleapis.com stands for iamcredentials.googleapis.com too, which has no switch of its own), OSTIARY_LOG_STREAMS (application, access_transparency, login, or all: other streams that are known to be written) and OSTIARY_ASSET_SERVICES (services whose changes are told to the drift control; empty or all: those whose assets it looks at), and of the drift control: OSTIARY_STATES (states of Terraform, such as gs://BUCKET/PATH/default.tfstate, and plans beside them, gs://BUCKET/PATH/NAME.tfplan.json; several with spaces, may be left out)."
  type        = map(string)
}

variable "service_members" {
  description = "Members that may call functions for services: gateways and bastions of the company."
  type        = list(string)
  default     = []
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

variable "watched_projects" {
  description = "Projects whose logs are watched, beside this one."
  type        = list(string)
  default     = []
}

variable "alarms" {
  description = "Notification channels, projects/P/notificationChannels/N, that are told of messages no function could take."
  type        = list(string)
}

variable "looked_at" {
  description = "Places whose configuration is looked at: organizations/NUMBER, folders/NUMBER, projects/ID. Left out: this project and the watched ones."
  type        = list(string)
  default     = null
}

variable "organization" {
  description = "Number of the organization, where it or a folder is looked at, or where what lies above projects is to be read: who has rights there, and its firewall policies."
  type        = string
  default     = ""
}

variable "folders" {
  description = "Numbers of folders above what is looked at: rights to read what lies above are given in these, and not in the whole organization."
  type        = list(string)
  default     = []
}

variable "locked_buckets" {
  description = "Buckets whose retention policy is locked, and has to stay so."
  type        = list(string)
  default     = []
}

variable "application_logs" {
  description = "Ids of the company's own logs that rules read beside those that watch.yaml maps: logs that name everything as rules do."
  type        = list(string)
  default     = []
}

variable "doors" {
  description = "The doors of the allow-list on Google Cloud, each only where its project or policy is named: shells of VPC firewall rules of a network (shards of 256 ranges each, as many for either family), a Cloud Armor policy, access levels (shards of 40 people each)."
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
}
