variable "project" {
  description = "The project of the controls, whose functions keep the doors: id and number."
  type        = object({ id = string, number = string })
}

variable "evidence_project" {
  description = "The project of the evidence: id and number. No door stands there."
  type        = object({ id = string, number = string })
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
    condition     = (var.doors.firewalls.project == "") == (var.doors.firewalls.network == "")
    error_message = "The firewall's door needs both its project and its network; without either there is none."
  }
  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,53}[a-z0-9])?$", var.doors.firewalls.name))
    error_message = "The name of the firewall's door is 1 to 55 small letters, digits and hyphens, a letter first: the rules are named after it, with up to seven characters more."
  }
  validation {
    condition     = alltrue([for n in [var.doors.firewalls.shards, var.doors.access_levels.shards] : floor(n) == n && n >= 1 && n <= 99])
    error_message = "A door has 1 to 99 shards. Fewer than there were takes away those that people are in: let the control empty them first."
  }
  validation {
    condition     = var.doors.firewalls.priority >= 0 && var.doors.firewalls.priority <= 65534
    error_message = "The priority of firewall rules is 0 to 65534: what the network refuses to everybody has to come after it."
  }
  validation {
    condition     = contains(["tcp", "udp", "sctp"], var.doors.firewalls.protocol) && length(var.doors.firewalls.ports) > 0 && alltrue([for port in var.doors.firewalls.ports : can(regex("^[0-9]{1,5}(-[0-9]{1,5})?$", port))])
    error_message = "The firewall's door opens named ports of tcp, udp or sctp: without ports it would open all of them."
  }
  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", var.doors.armor.name))
    error_message = "The name of the Cloud Armor door is 1 to 63 small letters, digits and hyphens, a letter first."
  }
  validation {
    condition     = !contains([var.project.id, var.evidence_project.id], var.doors.armor.project) && !contains([var.project.id, var.evidence_project.id], var.doors.firewalls.project)
    error_message = "A door does not stand in the controls' own projects: who keeps it could open the load balancer in front of the functions, whose policy ostiary-edge IAM cannot keep out of a right on policies. Name the project of what the door protects."
  }
  validation {
    condition     = can(regex("^[0-9]*$", var.doors.access_levels.policy))
    error_message = "An access policy is given by its number: gcloud access-context-manager policies list prints it."
  }
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_]{0,30}$", var.doors.access_levels.name))
    error_message = "The name of access levels is 1 to 31 letters, digits and underscores, a letter first."
  }
}
