# What functions may do in projects that are not the controls': in the product's databases and buckets, which the policy's data map
# names, and on what is looked at there. The roles are made where they are granted. The pipeline that deploys functions has no rights
# in these projects: until this root is applied, a function that needs them fails, and its alert says so.

locals {
  # By function and kind of what the data map names, where it names some.
  product = { for one in flatten([for name, m in local.functions : [for kind, named in {
    "firestore"      = length(var.data.databases) > 0
    "gcs"            = length(var.data.buckets) > 0
    "project"        = var.data.project != ""
    "secrets-grants" = length(var.data.grants) > 0
    } : { name = name, kind = kind, permissions = sort([for p in m.permissions : p.permission if p.resource == "data:${kind}"]) } if named
  ]]) : "${one.name} ${one.kind}" => one if length(one.permissions) > 0 }

  # Names are worked out from what the roles are for: a plan says which one a binding gives.
  data_role = { for key, one in local.product : key => "projects/${var.data.project}/roles/${replace("ostiary.${one.name}.${one.kind}", "/[^a-zA-Z0-9_.]/", "_")}" }

  # A condition has at most twelve logical operators, and a role and a member at most twenty bindings that differ in their conditions
  # (IAM documentation, "Quotas and limits"): six databases share one condition, with eleven operators.
  together  = 6
  databases = [for names in chunklist(sort(distinct(var.data.databases)), local.together) : [for name in names : "projects/${var.data.project}/databases/${name}"]]
}

resource "google_project_iam_custom_role" "data" {
  for_each    = local.product
  project     = var.data.project
  role_id     = trimprefix(local.data_role[each.key], "projects/${var.data.project}/roles/")
  title       = "${each.value.name} on the product's ${each.value.kind}"
  description = "Generated from the function's manifest."
  permissions = each.value.permissions
}

resource "google_project_iam_member" "data" {
  for_each   = { for pair in setproduct([for one in values(local.product) : one.name if one.kind == "firestore"], range(length(local.databases))) : "${pair[0]} ${pair[1]}" => { name = pair[0], names = local.databases[pair[1]], number = pair[1] } }
  project    = var.data.project
  role       = local.data_role["${each.value.name} firestore"]
  member     = local.member[each.value.name]
  depends_on = [google_project_iam_custom_role.data]

  condition {
    title       = "only databases of the data map, list ${each.value.number + 1}"
    description = "A database and what lies in it: no other whose name begins alike."
    expression  = join(" || ", flatten([for database in each.value.names : ["resource.name == \"${database}\"", "resource.name.startsWith(\"${database}/\")"]]))
  }
}

# Which databases and buckets there are is told of the project as a whole, and nothing of what is in them.
resource "google_project_iam_member" "stores" {
  for_each   = toset([for one in values(local.product) : one.name if one.kind == "project"])
  project    = var.data.project
  role       = local.data_role["${each.key} project"]
  member     = local.member[each.key]
  depends_on = [google_project_iam_custom_role.data]
}

resource "google_storage_bucket_iam_member" "data" {
  for_each   = { for pair in setproduct([for one in values(local.product) : one.name if one.kind == "gcs"], var.data.buckets) : "${pair[0]} ${pair[1]}" => { name = pair[0], bucket = pair[1] } }
  bucket     = each.value.bucket
  role       = local.data_role["${each.value.name} gcs"]
  member     = local.member[each.value.name]
  depends_on = [google_project_iam_custom_role.data]
}

resource "google_project_iam_member" "connections" {
  for_each   = { for pair in setproduct([for one in values(local.product) : one.name if one.kind == "secrets-grants"], var.data.grants) : "${pair[0]} ${pair[1]}" => { name = pair[0], beginning = pair[1] } }
  project    = var.data.project
  role       = local.data_role["${each.value.name} secrets-grants"]
  member     = local.member[each.value.name]
  depends_on = [google_project_iam_custom_role.data]

  condition {
    title      = "only secrets of connections"
    expression = "resource.name.startsWith(\"${each.value.beginning}\")"
  }
}

# What is looked at in single projects. The controls' own is given by the environment, with the function. Where nothing is said of
# what is looked at, and a project is watched, an environment looks at the evidence too.
locals {
  in_projects = setsubtract(
    concat([for place in local.looked_at : trimprefix(place, "projects/") if startswith(place, "projects/")], var.looked_at == null && startswith(var.scope, "projects/") ? [var.evidence_project.id] : []),
    [var.project.id],
  )
  looks_in = { for pair in setproduct(keys(local.assets), local.in_projects) : "${pair[0]} ${pair[1]}" => { name = pair[0], project = pair[1] } }
}

resource "google_project_iam_custom_role" "assets" {
  for_each    = local.looks_in
  project     = each.value.project
  role_id     = "ostiary.${each.value.name}.assets"
  title       = "${each.value.name} on what there is"
  description = "Generated from the function's manifest."
  permissions = [for p in local.assets[each.value.name] : p if !startswith(p, "resourcemanager.folders.") && !startswith(p, "resourcemanager.organizations.")]
}

resource "google_project_iam_member" "assets" {
  for_each = local.looks_in
  project  = each.value.project
  role     = google_project_iam_custom_role.assets[each.key].name
  member   = local.member[each.value.name]
}
