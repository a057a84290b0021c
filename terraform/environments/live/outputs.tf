output "dns" {
  description = "What to enter in DNS, record by record."
  value       = module.edge.dns
}

output "urls" {
  description = "Where each function for people and services is reached."
  value       = module.edge.urls
}

output "archives_bucket" {
  description = "Bucket that source archives are added to."
  value       = module.platform.archives_bucket
}

output "buckets" {
  description = "Buckets by the name manifests use; the policy is published to policy."
  value       = module.platform.buckets
}

output "signing_keys" {
  description = "Keys that sign the evidence log and receipts: their public halves belong into evidence.trust and receipts.trust."
  value       = module.platform.signing_keys
}

output "doors" {
  description = "Doors of the allow-list, by kind, as OSTIARY_TARGETS takes them."
  value       = module.edge.targets
}

output "alerts" {
  description = "Id of each alert, by its playbook and function."
  value       = module.monitoring.alerts
}

output "functions" {
  description = "Address of each function that is deployed."
  value       = { for name, f in module.function : name => f.uri }
}
