# Topics of what functions tell each other, what the product tells them, and what logs and feeds bring. Subscriptions belong to
# the functions that are woken.

resource "google_pubsub_topic" "event" {
  for_each = local.topics
  project  = var.project.id
  name     = each.key
  labels   = local.labels

  # The watchdog's region as well: it has to be able to say something when the other is down.
  message_storage_policy {
    allowed_persistence_regions = sort([var.region, var.watchdog_region])
  }
  depends_on = [google_project_service.controls]
}

# The product says here what it wrote and which accounts changed: no function of this repository does. Nobody else is let in.
resource "google_pubsub_topic_iam_member" "product" {
  for_each = { for pair in flatten([for topic, members in var.product_publishers : [for member in members : { topic = topic, member = member }]]) : "${pair.topic} ${pair.member}" => pair }
  project  = var.project.id
  topic    = google_pubsub_topic.event[each.value.topic].id
  role     = "roles/pubsub.publisher"
  member   = each.value.member
}

# Dead letters of the log: what watchaudit could not read waits here, as it came, for somebody to look at.
resource "google_pubsub_subscription" "unreadable" {
  count                      = contains(local.topics, "audit.unreadable") ? 1 : 0
  project                    = var.project.id
  name                       = "watchaudit-unreadable"
  topic                      = google_pubsub_topic.event["audit.unreadable"].id
  labels                     = local.labels
  message_retention_duration = "2678400s"
  retain_acked_messages      = false

  expiration_policy {
    ttl = ""
  }
}
