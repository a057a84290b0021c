# One installation: what functions stand on, the way in, the functions, and who is woken. Staging and live are the same files; what
# differs stands in their variables. Functions are deployed as soon as they have an archive: the first apply has none.

locals {
  root      = "${path.module}/../../../functions"
  manifests = { for m in [for file in fileset(local.root, "*/*/function.json") : jsondecode(file("${local.root}/${file}"))] : m.name => m }
  deployed  = { for name, m in local.manifests : name => m if contains(keys(var.archives.objects), name) }
  regions   = { for name, m in local.manifests : name => contains(m.environment, "OSTIARY_WATCHDOG") ? var.watchdog_region : var.region }
  labels    = { application = "ostiary", environment = var.environment }
  looked_at = var.looked_at != null ? var.looked_at : ["projects/${var.project.id}", "projects/${var.evidence_project.id}"]
}

module "platform" {
  source             = "../../modules/platform"
  environment        = var.environment
  project            = var.project
  evidence_project   = var.evidence_project
  region             = var.region
  watchdog_region    = var.watchdog_region
  database_location  = var.database_location
  manifests          = local.manifests
  collections        = jsondecode(file("${local.root}/indexes.json"))
  extra_secrets      = toset(keys(merge(values(var.data.secrets)...)))
  product_publishers = var.product_publishers
  archive_writers    = var.releases.archive_writers
  policy_publishers  = var.releases.policy_publishers
  deployers          = var.releases.deployers
  backups            = var.backups
  retention_days     = var.evidence.retention_days
  locked             = var.evidence.locked
  labels             = local.labels
}

module "edge" {
  source              = "../../modules/edge"
  project             = var.project
  region              = var.region
  routes              = { for name, m in local.manifests : name => { callers = m.callers, timeout_s = m.timeout_s } if m.callers != "machine" }
  public_functions    = var.public_functions
  hosts               = var.hosts
  staff               = var.staff
  programs            = var.programs
  limits              = var.limits
  waf_preview         = var.waf_preview
  adaptive_protection = var.adaptive_protection
  logged              = var.logged
  doors               = var.doors
  labels              = local.labels
  depends_on          = [module.platform]
}

module "function" {
  source   = "../../modules/function"
  for_each = local.deployed

  manifest        = each.value
  project         = var.project
  region          = local.regions[each.key]
  archive         = { bucket = module.platform.archives_bucket, object = var.archives.objects[each.key] }
  build_account   = module.platform.build_account
  repository      = module.platform.repositories[local.regions[each.key]]
  deployers       = var.releases.deployers
  keys            = module.platform.keys
  buckets         = module.platform.buckets
  topics          = module.platform.topics
  data            = var.data
  looked_at       = local.looked_at
  secret_versions = { for s in each.value.secrets : s => var.secret_versions[s] if contains(keys(var.secret_versions), s) }
  iap_agent       = module.edge.iap_agent
  services        = var.service_members
  public_tag      = var.public_tag
  labels          = local.labels
  environment     = merge(local.told[each.key], contains(each.value.environment, "OSTIARY_SELF") ? { OSTIARY_SELF = local.self } : {})
  depends_on      = [module.platform]
}

module "monitoring" {
  source            = "../../modules/monitoring"
  project           = var.project
  evidence_project  = var.evidence_project
  watchdog_project  = var.watchdog_project
  region            = var.region
  manifests         = local.manifests
  deployed          = toset(keys(local.deployed))
  site              = "https://${var.hosts.site}"
  addresses         = var.alarms.addresses
  channels          = var.alarms.channels
  watchdog_channels = var.alarms.watchdog_channels
  playbooks         = var.alarms.playbooks
  log_volume_gib    = var.alarms.log_volume_gib
  pipeline          = var.releases.pipeline
  budget            = var.budget
  labels            = local.labels
  depends_on        = [module.platform]
}
