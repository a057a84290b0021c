terraform {
  required_version = ">= 1.11, < 2.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }
}

# Cloud Asset Inventory and Access Context Manager ask which project is counted when a person calls them: the controls' own.
provider "google" {
  project               = var.project.id
  region                = var.region
  user_project_override = true
  billing_project       = var.project.id
}
