# What the watch reads of the logs: what the rules match, what it tells other controls, and its own heartbeat. One text for the
# sinks that let it through and for the comparison that later asks whether they still do.

locals {
  # Without a list, or with all, the watch knows itself which services it tells of.
  services = compact(var.asset_services)
  named    = length(local.services) == 0 || contains(local.services, "all") ? "" : " AND protoPayload.serviceName=(\"${join("\" OR \"", local.services)}\")"

  wanted = concat(
    [var.rules.audit],
    ["((log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/system_event\"))${local.named})"],
    [for service in var.data_access : lookup(var.rules.data_access, service, "(log_id(\"cloudaudit.googleapis.com/data_access\") AND protoPayload.serviceName=\"${service}\")")],
    [for log in distinct(concat(var.rules.logs, var.application_logs)) : "log_id(\"${log}\")"],
    ["labels.\"ostiary-heartbeat\":*"],
  )

  # Taking an entry, the watch reads and writes its database, seals, puts evidence into a bucket and publishes. Where the Data
  # Access log of one of these services is read, each of that would be an entry again, without end. Left out is this one account, in
  # the controls' own projects, on these services alone: its other deeds, those of every other account, and what is written whoever
  # reads (administration, refused policies) pass. Secrets are no part of it: they are read once, when an instance starts.
  loops = sort(tolist(setintersection(toset(var.data_access), toset([
    "cloudkms.googleapis.com",
    "datastore.googleapis.com",
    "firestore.googleapis.com",
    "pubsub.googleapis.com",
    "storage.googleapis.com",
  ]))))

  # The name of a log says whose it is. An entry of Firestore may name either of its two services, whichever of them is switched on.
  called  = distinct(flatten([for service in local.loops : contains(["datastore.googleapis.com", "firestore.googleapis.com"], service) ? ["datastore.googleapis.com", "firestore.googleapis.com"] : [service]]))
  own     = [for id in var.watch.projects : "projects/${id}/logs/cloudaudit.googleapis.com%2Fdata_access"]
  leaves  = var.watch.account != "" && length(local.loops) > 0
  leftout = local.leaves ? "(logName=(\"${join("\" OR \"", local.own)}\") AND protoPayload.serviceName=(\"${join("\" OR \"", local.called)}\") AND protoPayload.authenticationInfo.principalEmail=\"${var.watch.account}\")" : ""

  whole  = join(" OR ", local.wanted)
  filter = local.leaves ? "(${local.whole}) AND NOT ${local.leftout}" : local.whole
}
