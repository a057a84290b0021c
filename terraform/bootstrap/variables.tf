variable "organization" {
  description = "Number of the company's organization: gcloud organizations list."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.organization))
    error_message = "An organization is given by its number; see: gcloud organizations list."
  }
}

variable "parent_folder" {
  description = "Number of the folder that Ostiary's own folder is made in; left out, it lies directly below the organization."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[0-9]*$", var.parent_folder))
    error_message = "A folder is given by its number."
  }
}

variable "billing_account" {
  description = "Billing account that pays for all projects, such as 01AB23-45CD67-89EF01."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "A billing account is three groups of six hexadecimal digits; see: gcloud billing accounts list."
  }
}

variable "quota_project" {
  description = "Project whose quota is counted for calls that belong to none. On the first run any project of the applying person with the Resource Manager, Organization Policy, IAM, Service Usage, Cloud Billing, Cloud KMS, Cloud Logging and Cloud Storage APIs on; afterwards the bootstrap project, which has them. Left out: what the person's own credentials name."
  type        = string
  default     = ""

  validation {
    condition     = var.quota_project == "" || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.quota_project))
    error_message = "quota_project is the id of a project, 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "prefix" {
  description = "Beginning of every project's id. Ids are the world's, and one that was deleted cannot be taken again for 30 days."
  type        = string
  default     = "ostiary"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,10}[a-z0-9]$", var.prefix))
    error_message = "A prefix is 3 to 12 lower-case letters, digits and hyphens, so that prefix, environment, purpose and suffix fit into the 30 characters of a project's id."
  }
}

variable "suffix" {
  description = "End of what keeps its name for 30 days after it was deleted: projects, the pool of identities, custom roles. Change it, such as to -b, to begin again after taking everything down."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(-[a-z0-9]{1,6})?$", var.suffix))
    error_message = "A suffix is a hyphen and 1 to 6 lower-case letters or digits."
  }
}

variable "environments" {
  description = "The environments that are set up: staging, live, or both."
  type        = set(string)
  default     = ["staging", "live"]

  validation {
    condition     = length(var.environments) > 0 && alltrue([for name in var.environments : contains(["staging", "live"], name)])
    error_message = "Environments are staging and live: their roots, workflows and rules have these names."
  }
}

variable "region" {
  description = "Region of the state of Terraform, of the key that seals it, and of the logs of every project, in the European Union. It cannot be changed later."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^europe-[a-z]+[0-9]+$", var.region)) && !contains(["europe-west2", "europe-west6"], var.region)
    error_message = "State and logs stay in the European Union: a europe- region other than London (europe-west2) and Zurich (europe-west6)."
  }
}

variable "github" {
  description = "The repository that plans and deploys: its numeric id and its owner's (a name can be given up and taken by somebody else, a number cannot), the branch that is released, and the workflow that deploys. See: gh api repos/OWNER/NAME --jq '.id, .owner.id'."
  type = object({
    repository_id = string
    owner_id      = string
    branch        = optional(string, "main")
    workflow      = optional(string, ".github/workflows/deploy.yml")
  })

  validation {
    condition     = can(regex("^[0-9]+$", var.github.repository_id)) && can(regex("^[0-9]+$", var.github.owner_id))
    error_message = "Repository and owner are given by their numeric ids; see: gh api repos/OWNER/NAME --jq '.id, .owner.id'."
  }
  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.github.branch)) && can(regex("^[.]github/workflows/[A-Za-z0-9._-]+[.]ya?ml$", var.github.workflow))
    error_message = "branch is the plain name of a branch, and workflow a file below .github/workflows/: both become part of a condition."
  }
}

variable "further_identities" {
  description = "Customer ids of Google Workspace, such as C03abc12d, of other companies whose people or programs may be given rights in these projects: nobody, unless somebody decided so."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.further_identities : can(regex("^C[0-9a-z]+$", id))])
    error_message = "A customer id of Google Workspace begins with C; see: gcloud organizations list, column DIRECTORY_CUSTOMER_ID."
  }
}

variable "pipeline_budgets" {
  description = "Whether the pipeline makes the budgets that warn of cost: its accounts then see and change the budgets of the whole billing account. false where a person makes them."
  type        = bool
  default     = true
}

variable "state_versions" {
  description = "How many replaced versions of a state are kept, each for at least 30 days."
  type        = number
  default     = 100

  validation {
    condition     = var.state_versions >= 10 && floor(var.state_versions) == var.state_versions
    error_message = "At least 10 versions of a state are kept: with fewer, a bad evening leaves none to go back to."
  }
}

variable "labels" {
  description = "Labels on everything that can carry them."
  type        = map(string)
  default     = {}
}
