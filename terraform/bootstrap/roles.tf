# What the pipeline's accounts may do. Their roles are the organization's: a role of a project could be widened by the very account
# that makes roles there.

locals {
  # Reading how an environment is set up: what a plan asks for, thing by thing. No content: no value of a secret, no document, no
  # object, no message, no log entry.
  reads = {
    accounts      = ["iam.roles.get", "iam.roles.list", "iam.serviceAccountKeys.list", "iam.serviceAccounts.get", "iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.list"]
    certificates  = ["certificatemanager.certmapentries.get", "certificatemanager.certmapentries.list", "certificatemanager.certmaps.get", "certificatemanager.certmaps.list", "certificatemanager.certs.get", "certificatemanager.certs.list", "certificatemanager.dnsauthorizations.get", "certificatemanager.dnsauthorizations.list", "certificatemanager.operations.get"]
    databases     = ["datastore.backupSchedules.get", "datastore.backupSchedules.list", "datastore.backups.get", "datastore.backups.list", "datastore.databases.get", "datastore.databases.getMetadata", "datastore.databases.list", "datastore.indexes.get", "datastore.indexes.list", "datastore.locations.get", "datastore.locations.list", "datastore.operations.get", "datastore.operations.list"]
    edge          = [for kind in ["backendServices", "firewalls", "globalAddresses", "globalForwardingRules", "networkEndpointGroups", "networks", "regionNetworkEndpointGroups", "securityPolicies", "sslPolicies", "targetHttpProxies", "targetHttpsProxies", "urlMaps"] : ["compute.${kind}.get", "compute.${kind}.list"]]
    edge_policies = ["compute.backendServices.getIamPolicy", "compute.globalOperations.get", "compute.projects.get", "compute.regionOperations.get", "compute.regions.get", "iap.projects.getSettings", "iap.web.getIamPolicy", "iap.web.getSettings", "iap.webServices.getIamPolicy", "iap.webServices.getSettings"]
    functions     = ["artifactregistry.repositories.get", "artifactregistry.repositories.getIamPolicy", "artifactregistry.repositories.list", "cloudbuild.builds.get", "cloudbuild.builds.list", "cloudfunctions.functions.get", "cloudfunctions.functions.getIamPolicy", "cloudfunctions.functions.list", "cloudfunctions.operations.get", "cloudscheduler.jobs.get", "cloudscheduler.jobs.list", "run.services.get", "run.services.getIamPolicy", "run.services.list", "run.services.listEffectiveTags", "run.services.listTagBindings"]
    keys          = ["cloudkms.cryptoKeyVersions.get", "cloudkms.cryptoKeyVersions.list", "cloudkms.cryptoKeyVersions.viewPublicKey", "cloudkms.cryptoKeys.get", "cloudkms.cryptoKeys.getIamPolicy", "cloudkms.cryptoKeys.list", "cloudkms.keyRings.get", "cloudkms.keyRings.getIamPolicy", "cloudkms.keyRings.list", "cloudkms.locations.get", "cloudkms.locations.list"]
    logs          = ["logging.buckets.get", "logging.buckets.list", "logging.exclusions.get", "logging.exclusions.list", "logging.logMetrics.get", "logging.logMetrics.list", "logging.sinks.get", "logging.sinks.list"]
    messages      = ["pubsub.subscriptions.get", "pubsub.subscriptions.getIamPolicy", "pubsub.subscriptions.list", "pubsub.topics.get", "pubsub.topics.getIamPolicy", "pubsub.topics.list"]
    monitoring    = ["monitoring.alertPolicies.get", "monitoring.alertPolicies.list", "monitoring.dashboards.get", "monitoring.dashboards.list", "monitoring.notificationChannels.get", "monitoring.notificationChannels.list", "monitoring.timeSeries.list", "monitoring.uptimeCheckConfigs.get", "monitoring.uptimeCheckConfigs.list"]
    projects      = ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "serviceusage.services.get", "serviceusage.services.list", "serviceusage.services.use"]
    secrets       = ["secretmanager.secrets.get", "secretmanager.secrets.getIamPolicy", "secretmanager.secrets.list", "secretmanager.versions.get", "secretmanager.versions.list"]
    stores        = ["storage.buckets.get", "storage.buckets.getIamPolicy", "storage.buckets.list"]
  }

  # Making and changing it, where the predefined role would bring data, keys or other people's accounts along. Nothing that holds data
  # can be deleted: no database, bucket, key or secret.
  writes = {
    accounts  = ["iam.roles.create", "iam.roles.delete", "iam.roles.undelete", "iam.roles.update", "iam.serviceAccounts.create", "iam.serviceAccounts.delete", "iam.serviceAccounts.undelete", "iam.serviceAccounts.update"]
    databases = ["datastore.backupSchedules.create", "datastore.backupSchedules.update", "datastore.databases.create", "datastore.databases.update", "datastore.indexes.create", "datastore.indexes.delete", "datastore.indexes.update"]
    # The predefined role of an editor of certificates lets nothing go: a host that changed its name would keep the old entry.
    edge      = ["certificatemanager.certmapentries.delete", "certificatemanager.certmaps.delete", "certificatemanager.certs.delete", "certificatemanager.dnsauthorizations.delete"]
    functions = ["artifactregistry.repositories.create", "artifactregistry.repositories.update", "run.services.createTagBinding", "run.services.deleteTagBinding"]
    keys      = ["cloudkms.cryptoKeyVersions.create", "cloudkms.cryptoKeys.create", "cloudkms.cryptoKeys.update", "cloudkms.keyRings.create"]
    # Figures counted from logs, and no sink: nothing here is sent elsewhere.
    logs     = ["logging.logMetrics.create", "logging.logMetrics.delete", "logging.logMetrics.update"]
    messages = ["pubsub.subscriptions.create", "pubsub.subscriptions.delete", "pubsub.subscriptions.update", "pubsub.topics.attachSubscription", "pubsub.topics.create", "pubsub.topics.delete", "pubsub.topics.detachSubscription", "pubsub.topics.update"]
    secrets  = ["secretmanager.secrets.create", "secretmanager.secrets.update"]
    stores   = ["storage.buckets.create", "storage.buckets.update"]
  }

  # What lies above the projects: without it nobody can tell whether somebody has a right there that reaches down.
  above = ["resourcemanager.folders.get", "resourcemanager.folders.getIamPolicy", "resourcemanager.organizations.get", "resourcemanager.organizations.getIamPolicy"]

  # Giving rights, in three: each is bound with a condition of its own.
  gives = {
    project  = ["resourcemanager.projects.setIamPolicy"]
    stores   = ["cloudkms.cryptoKeys.setIamPolicy", "iam.serviceAccounts.setIamPolicy", "storage.buckets.setIamPolicy"]
    services = ["artifactregistry.repositories.setIamPolicy", "iap.webServices.setIamPolicy", "pubsub.subscriptions.setIamPolicy", "pubsub.topics.setIamPolicy", "run.services.setIamPolicy", "secretmanager.secrets.setIamPolicy"]
  }

  ending = replace(var.suffix, "-", "_")
  roles = {
    above        = { title = "Ostiary: reads what lies above it", description = "For plans and the doctor: who has rights above the projects.", permissions = local.above }
    budgets      = { title = "Ostiary: sees budgets", description = "For plans, on the billing account.", permissions = ["billing.budgets.get", "billing.budgets.list"] }
    plan         = { title = "Ostiary: reads how it is set up", description = "For plans, from any branch. No content of anything.", permissions = flatten(values(local.reads)) }
    deploy       = { title = "Ostiary: sets it up", description = "For the pipeline, beside predefined roles that bring no data along.", permissions = flatten([values(local.reads), values(local.writes)]) }
    giveProject  = { title = "Ostiary: gives rights in a project", description = "Bound with a condition alone: only roles of functions.", permissions = local.gives.project }
    giveStores   = { title = "Ostiary: gives rights on keys, buckets and accounts", description = "Bound with a condition alone: only roles of functions.", permissions = local.gives.stores }
    giveServices = { title = "Ostiary: gives rights on topics, functions, secrets and pages", description = "For the pipeline.", permissions = local.gives.services }
  }
}

resource "google_organization_iam_custom_role" "pipeline" {
  for_each    = local.roles
  org_id      = var.organization
  role_id     = "ostiary.pipeline.${each.key}${local.ending}"
  title       = each.value.title
  description = each.value.description
  permissions = each.value.permissions

  lifecycle {
    prevent_destroy = true
  }
}
