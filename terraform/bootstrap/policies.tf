# Rules that hold for every project here, whoever is its owner. They are set on the folder before the first project is made in it.
# What each refuses is told in the Organization Policy documentation, "Organization policy constraints", under its name.

locals {
  parent = google_folder.installation.name

  enforced = toset([
    # A key file of a service account is a password that nobody changes: programs here use workload identity or the metadata server.
    "iam.disableServiceAccountKeyCreation",
    "iam.disableServiceAccountKeyUpload",
    # Default accounts would be editors of their projects, and every function that names no account would run as one.
    "iam.automaticIamGrantsForDefaultServiceAccounts",
    # One way to say who may read a bucket; conditions on places within one need it.
    "storage.uniformBucketLevelAccess",
    # No bucket and no object is everybody's, whatever its policy says. Pages are served by functions.
    "storage.publicAccessPrevention",
    # A bucket answers over TLS alone.
    "storage.secureHttpTransport",
    # Nothing here needs a network; the default one lets SSH and RDP in from everywhere.
    "compute.skipDefaultNetworkCreation",
    # Should somebody start a machine all the same: it is entered by accounts with second factors and logs, and not by a serial console.
    "compute.requireOsLogin",
    "compute.disableSerialPortAccess",
  ])

  values = {
    # Data stays in the European Union: regions and multi-regions, without London and Zurich. It refuses automatic replication of
    # secrets and keys in "global", as intended. What has no place is out of its reach and is looked at by the drift control: load
    # balancers and their certificates, pools of identities, roles; and where a topic stores messages, the topic says itself.
    "gcp.resourceLocations" = { allowed = ["in:eu-locations"], denied = [] }

    # A function is reached from inside or through the load balancer, never at its own address from the internet: there neither
    # Identity-Aware Proxy nor Cloud Armor would be in front. Cloud Functions asks by its own name, Cloud Run by another.
    "run.allowedIngress"                    = { allowed = ["is:internal", "is:internal-and-cloud-load-balancing"], denied = [] }
    "cloudfunctions.allowedIngressSettings" = { allowed = ["ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"], denied = [] }

    # Whose tokens a pool of identities may take: the forge's. A second provider would be a second door to the deploying accounts.
    "iam.workloadIdentityPoolProviders" = { allowed = ["https://token.actions.githubusercontent.com"], denied = [] }

    # Google's APIs answer TLS 1.2 and newer (RFC 8996 gives up the older ones).
    "gcp.restrictTLSVersion" = { allowed = [], denied = ["TLS_VERSION_1", "TLS_VERSION_1_1"] }
  }

  denied = toset([
    # No machine has an address of its own on the internet.
    "compute.vmExternalIpAccess",
    # Nor may accounts of another cloud's customers come in.
    "iam.workloadIdentityPoolAwsAccounts",
  ])
}

resource "google_org_policy_policy" "enforced" {
  for_each = local.enforced
  name     = "${local.parent}/policies/${each.key}"
  parent   = local.parent

  spec {
    rules {
      enforce = "TRUE"
    }
  }
}

resource "google_org_policy_policy" "values" {
  for_each = local.values
  name     = "${local.parent}/policies/${each.key}"
  parent   = local.parent

  spec {
    rules {
      values {
        allowed_values = each.value.allowed
        denied_values  = each.value.denied
      }
    }
  }
}

resource "google_org_policy_policy" "denied" {
  for_each = local.denied
  name     = "${local.parent}/policies/${each.key}"
  parent   = local.parent

  spec {
    rules {
      deny_all = "TRUE"
    }
  }
}

# Rights are given to people and programs of this organization: no private address by mistake, nobody who left for another company,
# not everybody. The one exception are functions that are meant for everybody: they carry a tag, put on with the function, and each by
# itself. Who may put it on is said below.
resource "google_org_policy_policy" "members" {
  name   = "${local.parent}/policies/iam.allowedPolicyMemberDomains"
  parent = local.parent

  spec {
    rules {
      allow_all = "TRUE"
      condition {
        title       = "functions meant for everybody"
        description = "The trust page, requests for deletion and the collection of addresses ask for no account."
        expression  = "resource.matchTagId('${google_tags_tag_key.public.id}', '${google_tags_tag_value.public.id}')"
      }
    }
    rules {
      values {
        allowed_values = concat(["is:principalSet://iam.googleapis.com/organizations/${var.organization}"], [for id in var.further_identities : "is:${id}"])
      }
    }
  }
}

resource "google_tags_tag_key" "public" {
  parent      = "organizations/${var.organization}"
  short_name  = "ostiary-callers${var.suffix}"
  description = "Who may call one of Ostiary's functions, where that is more than the company's own people and programs."

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_tags_tag_value" "public" {
  parent      = google_tags_tag_key.public.id
  short_name  = "everybody"
  description = "Anybody may call the function, through the load balancer: its manifest says callers public."

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_tags_tag_value_iam_member" "public" {
  for_each  = google_service_account.deploy
  tag_value = google_tags_tag_value.public.id
  role      = "roles/resourcemanager.tagUser"
  member    = each.value.member
}
