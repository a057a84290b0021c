output "firewalls" {
  description = "The firewall's door: its rules by family and number."
  value       = { for name, rule in google_compute_firewall.door : name => rule.name }
}

output "armor" {
  description = "The load balancer's door, to be set as the policy of the backends that it protects: empty where there is none."
  value       = join("", google_compute_security_policy.door[*].id)
}

output "access_level" {
  description = "The one access level that conditions of IAM ask for: empty where there is none."
  value       = join("", google_access_context_manager_access_level.doors[*].name)
}
