output "functions" {
  description = "URL of each function."
  value       = { for name, f in module.function : name => f.uri }
}
