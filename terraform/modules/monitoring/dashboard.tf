# One page to look at: a row per control, made of its functions' manifests. What is zero or empty is left out of the JSON: the
# service leaves it out of its answer, and a plan would differ for ever.

locals {
  controls = [for c in ["access", "erasure", "breach", "watch", "drift", "trust"] : c if anytrue([for m in values(local.functions) : m.control == c])]
  members  = { for c in local.controls : c => sort([for name, m in local.functions : name if m.control == c]) }
  readers  = { for c in local.controls : c => sort([for name in local.members[c] : name if contains(local.topical, name)]) }

  # Heights on a grid of 48 columns.
  top    = 14
  charts = 14
  tables = { for c in local.controls : c => 6 + 2 * length(local.members[c]) }
  y      = { for i, c in local.controls : c => local.top + sum(concat([0], [for before in slice(local.controls, 0, i) : local.tables[before] + local.charts])) }

  # The first column of the table is the heading of each function's row.
  told = { for c in local.controls : c => join("\n", concat(
    ["### ${c}", "", "| function | called by | woken by | missed after | may take | instances |", "|---|---|---|---|---|---|"],
    [for name in local.members[c] : "| ${name} | ${local.functions[name].callers} | ${join(", ", [
      for t in local.functions[name].triggers : t.kind == "topic" ? t.topic : t.kind == "schedule" ? "`${t.cron}`" : "requests"
      ])} | ${local.functions[name].freshness == "" ? "never" : local.functions[name].freshness} | ${local.functions[name].timeout_s} s | ${local.functions[name].max_instances} |"
    ],
  )) }

  of_run = { for c in local.controls : c => "monitored_resource=\"cloud_run_revision\",project_id=\"${local.project}\",service_name=~\"${join("|", local.members[c])}\"" }

  # Four charts of a control: title and query. Of a control without messages two.
  looks = { for c in local.controls : c => concat(
    [
      { title = "${c}: answers a minute", query = "sum by (service_name, response_code_class) (rate(run_googleapis_com:request_count{${local.of_run[c]}}[300s])) * 60" },
      { title = "${c}: seconds taken by one request in twenty, or more", query = "histogram_quantile(0.95, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{${local.of_run[c]}}[300s]))) / 1000" },
    ],
    length(local.readers[c]) == 0 ? [] : [
      { title = "${c}: age of the oldest message, in seconds", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",project_id=\"${local.project}\",subscription_id=~\"(${join("|", local.readers[c])})--.+\"})" },
      { title = "${c}: dead letters", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",project_id=\"${local.project}\",subscription_id=~\"dead[.](${join("|", local.readers[c])})\"})" },
    ],
  ) }

  edge_looks = [
    { title = "Edge: answers a minute by class", query = "sum by (response_code_class) (rate(loadbalancing_googleapis_com:https_request_count{monitored_resource=\"https_lb_rule\",project_id=\"${local.project}\"}[300s])) * 60" },
    { title = "Entries that a log sink lost, a minute", query = "sum by (name) (rate(logging_googleapis_com:exports_error_count{monitored_resource=\"logging_sink\",project_id=\"${local.project}\"}[300s])) * 60" },
  ]

  placed = concat(
    [for i, look in local.edge_looks : merge(look, { x = 24 + 12 * i, y = 0, width = 12 })],
    flatten([for c in local.controls : [for i, look in local.looks[c] : merge(look, { x = 48 / length(local.looks[c]) * i, y = local.y[c] + local.tables[c], width = 48 / length(local.looks[c]) })]]),
  )

  tiles = concat(
    [{ width = 24, height = local.top, widget = { title = "What is open", incidentList = {} } }],
    [for c in local.controls : merge({ for k, v in { yPos = local.y[c] } : k => v if v > 0 }, {
      width = 48, height = local.tables[c], widget = { text = { content = local.told[c], format = "MARKDOWN" } }
    })],
    [for p in local.placed : merge({ for k, v in { xPos = p.x, yPos = p.y } : k => v if v > 0 }, {
      width = p.width, height = local.charts, widget = {
        title = p.title
        xyChart = {
          dataSets = [{ plotType = "LINE", targetAxis = "Y1", timeSeriesQuery = { prometheusQuery = p.query } }]
          yAxis    = { scale = "LINEAR" }
        }
      }
    })],
  )
}

resource "google_monitoring_dashboard" "installation" {
  project = local.project
  dashboard_json = jsonencode({
    displayName  = "Ostiary"
    mosaicLayout = { columns = 48, tiles = local.tiles }
  })
}
