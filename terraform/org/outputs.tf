output "sinks" {
  description = "Log sinks by place: their name, and the account they write as, which must stay a publisher of the environment's topic."
  value       = { for place in local.places : place => { name = local.sink, writer = local.writers[place] } }
}

output "roles" {
  description = "Custom roles that functions have outside of their own projects, by function and purpose."
  value       = merge(local.role, { for name, role in google_project_iam_custom_role.state : "${name}.state" => role.name })
}

output "filter" {
  description = "Filter of the sinks: what has to arrive at the watch."
  value       = module.streams.filter
}

output "feeds" {
  description = "Feeds by place and content: their ids."
  value       = { for name, feed in local.feeds : name => feed.id }
}

output "doors" {
  description = "Shells of the doors: the rules of the firewall's, the Cloud Armor policy, which is to be set on the backends it protects, and the one access level that conditions ask for."
  value       = { firewalls = module.doors.firewalls, armor = module.doors.armor, access_level = module.doors.access_level }
}
