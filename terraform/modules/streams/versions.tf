# Nothing is made here: this module only writes a filter, and needs no provider.
terraform {
  required_version = ">= 1.11, < 2.0"
}
