output "uri" {
  description = "URL of the deployed service."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}

output "service" {
  description = "Name of the Cloud Run service behind the function, for the load balancer."
  value       = google_cloudfunctions2_function.this.name
}

output "runtime_account" {
  description = "Address of the account the function runs as."
  value       = google_service_account.runtime.email
}

output "invoker_account" {
  description = "Address of the account that pushes and schedules; null where people or services call."
  value       = one(google_service_account.invoker[*].email)
}
