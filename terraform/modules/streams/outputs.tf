output "filter" {
  description = "Filter of a log sink: what the watch reads, and nothing of what its own reading writes."
  value       = local.filter

  precondition {
    condition     = length(local.filter) <= 20000
    error_message = "The filter has ${length(local.filter)} characters, and a log sink takes 20000 (Cloud Logging, quotas and limits): name fewer services in data_access and asset_services, or fewer logs."
  }
}
