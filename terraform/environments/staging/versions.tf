terraform {
  required_version = ">= 1.11, < 2.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }
}

provider "google" {
  project               = var.project.id
  region                = var.region
  user_project_override = true
  billing_project       = var.project.id
}
