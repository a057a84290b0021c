# What the drift control looks at, by lists and by feeds, and what it holds the controls themselves against.

locals {
  looked_at = var.looked_at != null ? var.looked_at : [for id in concat([var.project.id], var.watched_projects) : "projects/${id}"]

  # A feed tells of one kind of fact. Its types are those the assertions, the comparison and the look at the controls need
  # (assets.json is generated from them).
  feeds = { for pair in setproduct(local.looked_at, ["RESOURCE", "IAM_POLICY"]) : "${pair[0]} ${pair[1]}" => { place = pair[0], content = pair[1], id = "ostiary-${lower(replace(pair[1], "_", "-"))}" } }
  types = jsondecode(file("${path.module}/assets.json"))

  self = base64gzip(jsonencode({
    v       = 1
    project = var.project.id
    region  = var.region
    code    = { for name, object in var.archives.objects : name => "sha256:${regex("[0-9a-f]{64}", object)}" }
    regions = { for name, region in local.regions : name => region if region != var.region }
    values  = { for name, all in local.told : name => { for variable, value in all : variable => substr(sha256(value), 0, 24) } }
    images  = var.images
    watched = concat([var.project.id], var.watched_projects)
    need    = local.watched
    locked  = var.locked_buckets
  }))
}

resource "google_cloud_asset_project_feed" "changed" {
  for_each        = { for name, feed in local.feeds : name => feed if startswith(feed.place, "projects/") }
  project         = trimprefix(each.value.place, "projects/")
  billing_project = var.project.id
  feed_id         = each.value.id
  content_type    = each.value.content
  asset_types     = local.types

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.event["asset.feed"].id
    }
  }
  depends_on = [google_pubsub_topic_iam_member.feed]
}

resource "google_cloud_asset_folder_feed" "changed" {
  for_each        = { for name, feed in local.feeds : name => feed if startswith(feed.place, "folders/") }
  folder          = trimprefix(each.value.place, "folders/")
  billing_project = var.project.id
  feed_id         = each.value.id
  content_type    = each.value.content
  asset_types     = local.types

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.event["asset.feed"].id
    }
  }
  depends_on = [google_pubsub_topic_iam_member.feed]
}

resource "google_cloud_asset_organization_feed" "changed" {
  for_each        = { for name, feed in local.feeds : name => feed if startswith(feed.place, "organizations/") }
  org_id          = trimprefix(each.value.place, "organizations/")
  billing_project = var.project.id
  feed_id         = each.value.id
  content_type    = each.value.content
  asset_types     = local.types

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.event["asset.feed"].id
    }
  }
  depends_on = [google_pubsub_topic_iam_member.feed]
}

# Feeds write as the agent that Cloud Asset Inventory has in the project that is billed.
resource "google_pubsub_topic_iam_member" "feed" {
  project = var.project.id
  topic   = google_pubsub_topic.event["asset.feed"].id
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project.number}@gcp-sa-cloudasset.iam.gserviceaccount.com"
}
