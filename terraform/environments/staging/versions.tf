terraform {
  required_version = ">= 1.11, < 2.0"
  required_providers {
    google = {
      source = "hashicorp/google"
      # From 7.37 to 7.41 an edited rule of a Cloud Armor policy is planned as no change and never applied (the provider's issues 27936
      # and 28390; the first is reported from 7.37 on).
      version = ">= 6.50, < 8.0, != 7.37.0, != 7.38.0, != 7.39.0, != 7.40.0, != 7.41.0"
    }
  }
}

provider "google" {
  project               = var.project.id
  region                = var.region
  user_project_override = true
  billing_project       = var.project.id
}
