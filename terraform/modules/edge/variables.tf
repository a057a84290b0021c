variable "project" {
  description = "The project of the controls, in which the functions run: id and number."
  type        = object({ id = string, number = string })

  validation {
    condition     = can(regex("^[0-9]+$", var.project.number))
    error_message = "The number of the project is digits alone: gcloud projects describe ID prints it as projectNumber."
  }
}

variable "region" {
  description = "Region of the functions: in the European Union. The load balancer itself is Google's, at its edge."
  type        = string

  validation {
    condition     = startswith(var.region, "europe-") && !contains(["europe-west2", "europe-west6"], var.region)
    error_message = "Functions run in the European Union: a europe- region other than London and Zurich."
  }
}

variable "routes" {
  description = "The functions that are reached from outside, by name: who calls them (staff, public or service), and after how many seconds they cut a request off."
  type        = map(object({ callers = string, timeout_s = number }))

  validation {
    condition     = alltrue([for name in keys(var.routes) : can(regex("^[a-z]{3,25}$", name))])
    error_message = "A function's name is 3 to 25 lower-case letters, as in its manifest: its paths and its backend are named after it."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : contains(["staff", "public", "service"], route.callers)])
    error_message = "Only functions for staff, the public and services are reached from outside: leave those for machines out of routes."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : route.timeout_s >= 1 && route.timeout_s <= 3600])
    error_message = "A function's time-out is 1 to 3600 s: the load balancer gives a request up after an hour."
  }
}

variable "public_functions" {
  description = "The functions that anybody may reach. A manifest alone opens none: its name has to be here as well."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name, route in var.routes : contains(var.public_functions, name) if route.callers == "public"])
    error_message = "A manifest says public of a function that is not listed in public_functions: add it there if anybody is meant to reach it."
  }
}

variable "hosts" {
  description = "Host names: site of the pages; opendsr, where instructions of customers' programs come in, if they have a name of their own; pair, the two names by which a device tells the address of its other family (ipv4 gets an A record alone, ipv6 an AAAA record alone). The output dns says what to enter for each."
  type        = object({ site = string, opendsr = optional(string), pair = optional(object({ ipv4 = string, ipv6 = string })) })

  validation {
    condition     = alltrue([for host in concat([var.hosts.site], var.hosts.opendsr == null ? [] : [var.hosts.opendsr], var.hosts.pair == null ? [] : [var.hosts.pair.ipv4, var.hosts.pair.ipv6]) : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])$", host)) && try(length(host) <= 253, false)])
    error_message = "A host is a name in small letters with its domain, such as ostiary.example.com: no scheme, port, path, wildcard or address. Of pair both are needed; leave pair out, and a code registers one address only."
  }
  validation {
    condition     = length(distinct(concat([var.hosts.site], var.hosts.opendsr == null ? [] : [var.hosts.opendsr], var.hosts.pair == null ? [] : [var.hosts.pair.ipv4, var.hosts.pair.ipv6]))) == length(concat([var.hosts.site], var.hosts.opendsr == null ? [] : [var.hosts.opendsr], var.hosts.pair == null ? [] : [var.hosts.pair.ipv4, var.hosts.pair.ipv6]))
    error_message = "The hosts must be different names: each has paths, records and a certificate of its own."
  }
  validation {
    condition     = var.hosts.pair == null ? true : length(distinct([for host in [var.hosts.site, var.hosts.pair.ipv4, var.hosts.pair.ipv6] : join(".", slice(split(".", host), max(0, length(split(".", host)) - 2), length(split(".", host))))])) == 1
    error_message = "The hosts of pair must be in the same domain as the site: what a page of another domain sends there is refused."
  }
}

variable "staff" {
  description = "Who passes the sign-in in front of functions for staff: group:, domain: or user:. Only people of the project's organization can. Empty: nobody."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.staff : can(regex("^((group|user):[^@:[:space:]]+@[a-z0-9.-]+[.][a-z]+|domain:[a-z0-9.-]+[.][a-z]+)$", member))])
    error_message = "Staff are group:ADDRESS, user:ADDRESS or domain:NAME. Everybody (allUsers, allAuthenticatedUsers) is no staff, and a program calls functions for services."
  }
}

variable "programs" {
  description = "OAuth client ids (desktop clients of this organization) with whose tokens programs of staff, such as the command line, pass the sign-in. Empty: browsers alone."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.programs : can(regex("^[0-9]+-[a-z0-9]+[.]apps[.]googleusercontent[.]com$", id))])
    error_message = "A client id ends in .apps.googleusercontent.com: copy it from the console's page of OAuth clients. The secret of the client is not needed here, and must not be."
  }
}

variable "limits" {
  description = "Requests a minute that one address may send to one function before it reads 429; before it is shut out; and for how many seconds then. The functions themselves stop a network at OSTIARY_SOURCE_CAP, 1200 a minute when that is not set, and say when to come back."
  type        = object({ per_minute = optional(number, 1500), ban_per_minute = optional(number, 6000), ban_s = optional(number, 600) })
  default     = {}

  validation {
    condition     = alltrue([for n in values(var.limits) : floor(n) == n])
    error_message = "Limits are whole numbers."
  }
  validation {
    condition     = var.limits.per_minute > 300 && var.limits.per_minute <= 10000
    error_message = "per_minute is 301 to 10000: 300 is the least a function allows a whole network, and Cloud Armor counts no further than 10000."
  }
  validation {
    condition     = var.limits.ban_per_minute >= 2 * var.limits.per_minute && var.limits.ban_per_minute <= 10000
    error_message = "ban_per_minute is at least twice per_minute and at most 10000: an office behind one address that is merely busy must not be shut out."
  }
  validation {
    condition     = var.limits.ban_s >= 60 && var.limits.ban_s <= 3600
    error_message = "ban_s is 60 to 3600 seconds."
  }
}

variable "waf_preview" {
  description = "Let the rules against attacks count only, and refuse nothing: for the first days in front of people, or while somebody is refused who should not be. Rates are limited all the same."
  type        = bool
  default     = false
}

variable "adaptive_protection" {
  description = "Have Google learn what traffic is usual and warn of floods. Without Cloud Armor Enterprise it warns and says little more."
  type        = bool
  default     = false
}

variable "logged" {
  description = "The functions whose requests the load balancer logs, with the caller's address and the whole URL: personal data, so none by default. Name some while you look for what refuses somebody, and take them out again."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.logged : contains(keys(var.routes), name)])
    error_message = "logged names a function that is not in routes."
  }
}

variable "front_page" {
  description = "The public function that the bare site leads to. Where it is not in routes, the bare site is 404."
  type        = string
  default     = "trustpage"

  validation {
    condition     = !contains(keys(var.routes), var.front_page) || try(var.routes[var.front_page].callers, "") == "public"
    error_message = "The bare site must lead to a public function: everybody who types the name comes there."
  }
}

variable "labels" {
  description = "Labels on everything that can carry them."
  type        = map(string)
  default     = {}
}

variable "doors" {
  description = "The doors of the allow-list on Google Cloud, each only where its project or policy is named: the beginning of the names of VPC firewall rules, the name of a Cloud Armor policy, the beginning of the names of access levels. terraform/org makes them, of a variable of the same name that says more: the whole of it may be given here."
  type = object({
    firewalls     = optional(object({ project = optional(string, ""), name = optional(string, "ostiary") }), {})
    armor         = optional(object({ project = optional(string, ""), name = optional(string, "ostiary") }), {})
    access_levels = optional(object({ policy = optional(string, ""), name = optional(string, "ostiary") }), {})
  })
  default = {}

  validation {
    condition     = !contains([var.doors.firewalls.project, var.doors.armor.project], var.project.id)
    error_message = "A door does not stand in the controls' own project: who keeps it could open the load balancer in front of the functions. Name the project of what the door protects."
  }
  validation {
    condition     = can(regex("^[0-9]*$", var.doors.access_levels.policy))
    error_message = "An access policy is given by its number: gcloud access-context-manager policies list prints it."
  }
}
