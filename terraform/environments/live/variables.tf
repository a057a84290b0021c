variable "environment" {
  description = "Which installation this is: staging or live."
  type        = string

  validation {
    condition     = contains(["staging", "live"], var.environment)
    error_message = "environment is staging or live."
  }
}

variable "project" {
  description = "The project of the controls: id and number. See the output projects of terraform/bootstrap."
  type        = object({ id = string, number = string })
}

variable "evidence_project" {
  description = "The project of the evidence log and of the keys that sign it: id and number."
  type        = object({ id = string, number = string })
}

variable "watchdog_project" {
  description = "The project that watches from outside: id and number."
  type        = object({ id = string, number = optional(string, "") })
}

variable "region" {
  description = "Region of the functions and of what they keep, in the European Union. It cannot be changed later."
  type        = string
  default     = "europe-west1"
}

variable "watchdog_region" {
  description = "Region of the watchdog of the doors and of its memory, in the European Union and another than the functions'."
  type        = string
  default     = "europe-west4"
}

variable "database_location" {
  description = "Location of the databases where it is not the region: eur3 spreads them over two, at about twice the price. It cannot be changed later."
  type        = string
  default     = ""
}

variable "public_tag" {
  description = "Tag value, tagValues/NUMBER, that a function for everybody carries where an organization policy forbids what everybody may call. See the output public_tag of terraform/bootstrap; left out where there is no such policy."
  type        = string
  default     = ""
}

variable "public_functions" {
  description = "Functions that anybody may reach. A manifest alone opens none: its name has to be here as well."
  type        = set(string)
  default     = ["pairaddress", "requesterasure", "trustpage"]
}

variable "archives" {
  description = "Each function's source archive in the bucket of archives: archives.tfvars.json, which make dist writes. Left out on the first apply, before there is a bucket: then nothing is deployed."
  type        = object({ objects = map(string) })
  default     = { objects = {} }
}

variable "images" {
  description = "Image that has to run, or its digest, sha256:..., by function, where whoever released it says so. Left out: any that Cloud Functions built in the project."
  type        = map(string)
  default     = {}
}

variable "policy" {
  description = "URL of the published policy, gs://BUCKET/policy/SHA256.tar.gz: ostiary policy publish prints it. Left out on the first apply."
  type        = string
  default     = ""

  validation {
    condition     = var.policy == "" ? length(var.archives.objects) == 0 : can(regex("^gs://[a-z0-9._-]+/policy/[0-9a-f]{64}[.]tar[.]gz$", var.policy))
    error_message = "policy is what ostiary policy publish printed, gs://BUCKET/policy/SHA256.tar.gz. Without a policy no function can start: publish it before any is deployed."
  }
}

variable "states" {
  description = "The states that the drift control compares with, gs://BUCKET/PATH/default.tfstate, and plans beside them, gs://BUCKET/PATH/NAME.tfplan.json. terraform/org gives the right to read them."
  type        = list(string)
  default     = []
}

variable "releases" {
  description = "Who releases: members that add archives, that publish the policy and that deploy, and the accounts of the pipeline with the pool of identities through which alone they are used."
  type = object({
    archive_writers   = optional(set(string), [])
    policy_publishers = optional(set(string), [])
    deployers         = optional(set(string), [])
    pipeline          = optional(object({ accounts = set(string), pool = string }), { accounts = [], pool = "" })
  })
  default = {}
}

variable "evidence" {
  description = "The evidence log: its name, the keys it is trusted by (JSON, as ostiary evidence prints it), the version of the signing key, for how many days entries are kept, whether that is locked for ever, and whether everybody may read single entries."
  type = object({
    origin         = string
    trust          = string
    key_version    = optional(number, 1)
    retention_days = optional(number, 1095)
    locked         = bool
    public_entries = optional(bool, false)
  })

  validation {
    condition     = length(var.archives.objects) == 0 || try(jsondecode(var.evidence.trust).origin, "") == var.evidence.origin
    error_message = "evidence.trust is the JSON of the keys of this very log: its origin must be evidence.origin. Only the first apply, before the key exists, goes without."
  }
}

variable "receipts" {
  description = "Receipts of erasure: the name they are signed under, the keys they are trusted by (JSON), and the version of the signing key."
  type        = object({ origin = string, trust = string, key_version = optional(number, 1) })

  validation {
    condition     = length(var.archives.objects) == 0 || try(jsondecode(var.receipts.trust).origin, "") == var.receipts.origin
    error_message = "receipts.trust is the JSON of the keys that sign receipts: its origin must be receipts.origin. Only the first apply, before the key exists, goes without."
  }
}

variable "backups" {
  description = "For how many days daily and weekly backups of databases are kept, 98 at most: what the data map's classes of backups say."
  type        = object({ daily_days = optional(number, 7), weekly_days = optional(number, 98) })
  default     = {}
}

variable "hosts" {
  description = "Host names: site of the pages; opendsr, where customers' programs come in, if it has a name of its own; pair, two names of one address family each, on which a device registers its other address."
  type        = object({ site = string, opendsr = optional(string), pair = optional(object({ ipv4 = string, ipv6 = string })) })
}

variable "staff" {
  description = "Who passes the sign-in in front of functions for staff: group:, domain: or user:."
  type        = set(string)
}

variable "programs" {
  description = "OAuth client ids with whose tokens programs of staff pass the sign-in, such as the command line."
  type        = set(string)
  default     = []
}

variable "limits" {
  description = "Requests a minute that one address may send to one function before it reads 429, before it is shut out, and for how many seconds then."
  type        = object({ per_minute = optional(number, 1500), ban_per_minute = optional(number, 6000), ban_s = optional(number, 600) })
  default     = {}
}

variable "waf_preview" {
  description = "Let the rules against attacks count only, and refuse nothing."
  type        = bool
  default     = false
}

variable "adaptive_protection" {
  description = "Have Google learn what traffic is usual and warn of floods."
  type        = bool
  default     = false
}

variable "logged" {
  description = "Functions whose requests the load balancer logs, with the caller's address and the whole URL: personal data, so none but while something is looked for."
  type        = set(string)
  default     = []
}

variable "doors" {
  description = "The doors of the allow-list on Google Cloud that terraform/org makes, each only where its project or policy is named: the beginning of the names of VPC firewall rules, the name of a Cloud Armor policy, the beginning of the names of access levels. What is given to terraform/org may be given here as it is."
  type = object({
    firewalls     = optional(object({ project = optional(string, ""), name = optional(string, "ostiary") }), {})
    armor         = optional(object({ project = optional(string, ""), name = optional(string, "ostiary") }), {})
    access_levels = optional(object({ policy = optional(string, ""), name = optional(string, "ostiary") }), {})
  })
  default = {}
}

variable "targets" {
  description = "Which door each target of the policy's access.yaml is: firewalls, armor or accesslevels, by the target's name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for door in values(var.targets) : contains(compact([var.doors.firewalls.project == "" ? "" : "firewalls", var.doors.armor.project == "" ? "" : "armor", var.doors.access_levels.policy == "" ? "" : "accesslevels"]), door)])
    error_message = "A target is one of the doors that doors names: firewalls, armor or accesslevels."
  }
}

variable "data" {
  description = "What the policy's data map names: the pinned secrets in the URLs of its stores, for the account that reads, the one that erases and the programs of recipients. terraform/org gives the rights on its databases and buckets; what is given there may be given here as it is."
  type = object({
    secrets = optional(object({ read = optional(map(string), {}), erase = optional(map(string), {}), parties = optional(map(string), {}) }), {})
  })
  default = {}
}

variable "issuer" {
  description = "Who signs the tokens of the product's users, and for whom: what company.yaml says. An empty url where nobody is signed in."
  type        = object({ url = string, audience = string })
  default     = { url = "", audience = "" }
}

variable "secret_versions" {
  description = "Pinned version of each secret, by its name. A secret without one keeps the functions that read it from being deployed."
  type        = map(string)
  default     = {}
}

variable "directory" {
  description = "Where it is read whether an account is in order: workspace: is the company's Google Workspace."
  type        = string
  default     = "workspace:"
}

variable "messages" {
  description = "How messages leave, as URLs: mail (smtp://USER@HOST:PORT?from=ADDRESS&secret=NAME or mailapi:URL?secret=NAME), and webhook, sms and chat where there is such a channel."
  type        = object({ mail = string, webhook = optional(string, ""), sms = optional(string, ""), chat = optional(string, "") })
}

variable "settings" {
  description = "Further environment variables of the functions by name, such as OSTIARY_SOURCE_CAP, and others instead of what is worked out here. Only functions whose manifests ask for one are given it."
  type        = map(string)
  default     = {}
}

variable "service_members" {
  description = "Members that may call functions for services: gateways and bastions of the company, agreed customers' programs."
  type        = list(string)
  default     = []
}

variable "product_publishers" {
  description = "Members that publish for the product, by topic: data.written (something was written, perhaps of somebody who was erased) and account.changed (an account ended or lost its connections)."
  type        = map(list(string))
  default     = {}
}

variable "data_access" {
  description = "Services whose Data Access logs are switched on, by terraform/org, and read. iam.googleapis.com stands for iamcredentials.googleapis.com too."
  type        = list(string)
}

variable "asset_services" {
  description = "Services whose changes are told to the drift control; empty, or all among them: those whose assets it looks at."
  type        = list(string)
  default     = []
}

variable "log_streams" {
  description = "Streams beside the audit logs that are known to be written: application, access_transparency, login, or all."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for stream in var.log_streams : contains(["application", "access_transparency", "login", "all"], stream)])
    error_message = "A stream is application, access_transparency, login or all."
  }
}

variable "application_logs" {
  description = "Ids of the company's own logs that rules read beside those that watch.yaml maps."
  type        = list(string)
  default     = []
}

variable "watched_projects" {
  description = "Ids of projects whose logs have to arrive, this one among them: the drift control tells when one does not."
  type        = list(string)
}

variable "looked_at" {
  description = "Places whose configuration is looked at: organizations/NUMBER, folders/NUMBER, projects/ID. Left out: the projects of the controls and of the evidence. The right to look is given here in the controls' own project alone, and by terraform/org elsewhere."
  type        = list(string)
  default     = null
}

variable "alarms" {
  description = "Who is woken: mail addresses of groups, channels of the controls' and of the watchdog's project that need a key (chat, telephone), the address of the page of playbooks, and how many GiB of logs a month are no surprise."
  type = object({
    addresses         = optional(set(string), [])
    channels          = optional(list(string), [])
    watchdog_channels = optional(list(string), [])
    playbooks         = string
    log_volume_gib    = optional(number, 40)
  })
}

variable "budget" {
  description = "What the three projects may cost a month, in whole units of the billing account's currency. Left out: no budget."
  type = object({
    billing_account = string
    amount          = number
    currency        = string
    channels        = optional(list(string), [])
  })
  default = null
}
