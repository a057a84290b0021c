# Feeds of Cloud Asset Inventory: what the drift control is told of when it changes. A feed tells of one kind of fact; its types are
# those the assertions, the comparison with Terraform and the look at the controls themselves need.

locals {
  feeds = { for pair in setproduct(local.looked_at, ["RESOURCE", "IAM_POLICY"]) : "${pair[0]} ${pair[1]}" => {
    place   = pair[0]
    content = pair[1]
    id      = "ostiary-${lower(replace(pair[1], "_", "-"))}${var.suffix}"
  } }
  told = "projects/${var.project.id}/topics/${local.feed}"
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
      topic = local.told
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
      topic = local.told
    }
  }
  depends_on = [google_pubsub_topic_iam_member.feed]
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
      topic = local.told
    }
  }
  depends_on = [google_pubsub_topic_iam_member.feed]
}

# Feeds write as the agent that Cloud Asset Inventory has in the project that is billed. On a new project it exists only once somebody
# asked for it: gcloud beta services identity create --service=cloudasset.googleapis.com --project=ID.
resource "google_pubsub_topic_iam_member" "feed" {
  project = var.project.id
  topic   = local.feed
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project.number}@gcp-sa-cloudasset.iam.gserviceaccount.com"
}
