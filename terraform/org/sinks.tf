# Log sinks: one in each watched place. That of a folder or the organization takes along everything below it, and takes nothing away:
# the company's own sinks there keep getting what they get.

locals {
  sink        = "ostiary-watch${var.suffix}"
  destination = "pubsub.googleapis.com/projects/${var.project.id}/topics/${local.entries}"
  why         = "Wakes the watch of ${var.project.id}. Without it nobody is told of what happens here."

  writers = merge(
    { for id, sink in google_logging_organization_sink.watched : "organizations/${id}" => sink.writer_identity },
    { for place, sink in google_logging_folder_sink.watched : place => sink.writer_identity },
    { for id, sink in google_logging_project_sink.watched : "projects/${id}" => sink.writer_identity },
  )
}

resource "google_logging_organization_sink" "watched" {
  for_each           = local.organizations
  org_id             = each.key
  name               = local.sink
  description        = local.why
  destination        = local.destination
  filter             = module.streams.filter
  include_children   = true
  intercept_children = false
}

resource "google_logging_folder_sink" "watched" {
  for_each           = local.folders
  folder             = each.key
  name               = local.sink
  description        = local.why
  destination        = local.destination
  filter             = module.streams.filter
  include_children   = true
  intercept_children = false
}

resource "google_logging_project_sink" "watched" {
  for_each               = local.projects
  project                = each.key
  name                   = local.sink
  description            = local.why
  destination            = local.destination
  filter                 = module.streams.filter
  unique_writer_identity = true
}

# A sink gets an account of Google's and no right with it: until it may publish, what it takes is lost, and only the sink's own
# error metric tells of it.
resource "google_pubsub_topic_iam_member" "sink" {
  for_each = toset(local.places)
  project  = var.project.id
  topic    = local.entries
  role     = "roles/pubsub.publisher"
  member   = local.writers[each.key]
}
