variable "last" {
  description = "What the last rule of the load balancer's door does: what somebody made of it by hand."
  type        = string
}

variable "priority" {
  description = "Priority of the firewall's rules: what somebody made of it by hand."
  type        = number
}
