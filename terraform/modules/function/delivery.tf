# Messages and schedules: a push subscription of our own per topic, with dead letter, retry, retention and OIDC.

locals {
  base_url     = google_cloudfunctions2_function.this.service_config[0].uri
  ack_deadline = min(600, var.manifest.timeout_s + 30)
}

resource "google_pubsub_topic" "dead" {
  count   = length(local.topic_triggers) > 0 ? 1 : 0
  project = local.project
  name    = "dead.${local.name}"
  labels  = var.labels

  message_retention_duration = "2678400s"
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# A topic alone keeps nothing that a person could read: this subscription does, for 31 days.
resource "google_pubsub_subscription" "dead" {
  count   = length(local.topic_triggers) > 0 ? 1 : 0
  project = local.project
  name    = "dead.${local.name}"
  topic   = google_pubsub_topic.dead[0].id
  labels  = var.labels

  message_retention_duration = "2678400s"
  retain_acked_messages      = false
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = local.topic_triggers
  project  = local.project
  name     = "${local.name}--${each.key}"
  topic    = var.topics[each.key]
  filter   = each.value.filter
  labels   = var.labels

  ack_deadline_seconds       = local.ack_deadline
  message_retention_duration = "604800s"
  expiration_policy {
    ttl = ""
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[0].id
    max_delivery_attempts = 10
  }
  push_config {
    push_endpoint = "${local.base_url}/${local.name}/events"
    oidc_token {
      service_account_email = google_service_account.invoker[0].email
      audience              = local.base_url
    }
  }
}

# Dead-lettering does nothing, and says nothing, without both of these.
resource "google_pubsub_topic_iam_member" "dead_publish" {
  count   = length(local.topic_triggers) > 0 ? 1 : 0
  project = local.project
  topic   = google_pubsub_topic.dead[0].id
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_subscribe" {
  for_each     = google_pubsub_subscription.push
  project      = local.project
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_cloud_scheduler_job" "tick" {
  for_each         = local.schedule_triggers
  project          = local.project
  region           = var.region
  name             = "${local.name}-${each.key}"
  description      = var.manifest.summary
  schedule         = each.value.cron
  time_zone        = "Etc/UTC"
  attempt_deadline = "${min(1800, var.manifest.timeout_s + 30)}s"

  retry_config {
    retry_count          = 1
    min_backoff_duration = "5s"
  }
  http_target {
    http_method = "POST"
    uri         = "${local.base_url}/${local.name}/tick"
    oidc_token {
      service_account_email = google_service_account.invoker[0].email
      audience              = local.base_url
    }
  }
}
