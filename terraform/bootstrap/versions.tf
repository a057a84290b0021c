terraform {
  required_version = ">= 1.11, < 2.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }
}

# Organization policies, tags and deny policies belong to no project, and Google asks which one is counted when a person calls them.
provider "google" {
  region                = var.region
  billing_project       = var.quota_project == "" ? null : var.quota_project
  user_project_override = var.quota_project != ""
}
