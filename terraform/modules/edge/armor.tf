# What is turned away before it costs anything. Rules are tried by rising priority and the first that matches decides; one in
# preview only counts. All of them are written here, inside the policy, so that a rule somebody adds by hand is seen by the next
# plan and taken out again. versions.tf keeps out the versions of the provider that plan no change where such a rule was edited; until
# 7.2 it could stop while reading one with an expression (its issue 24334): lock a later one.
#
# The functions decode strictly, escape what they show, and run neither a shell nor PHP nor Java, nor SQL made of what is sent in:
# those of Google's rule sets would only find people innocent of them. What is left is asked at sensitivity 1, where a
# match is hardly ever an accident, and refuses reading alone: a request that carries no text of anybody's. What is posted holds
# free text in four languages, pasted mails with headers and HTML, CSV and PSKC (XML), where the same patterns are daily
# fare; there the rules count in preview and refuse nothing. Cloud Armor looks at the beginning of a body only; how much is
# read at all is capped in each function (64 KiB, and for letters and files of tokens what they need).

locals {
  reads = "(request.method == 'GET' || request.method == 'HEAD')"
  sets  = { for name in ["scannerdetection", "lfi", "xss", "protocolattack"] : name => "evaluatePreconfiguredWaf('${name}-v33-stable', {'sensitivity': 1})" }

  refused = {
    # From sensitivity 2 on every script is such a tool: customers' and our own.
    100 = {
      description = "Tools that look for holes"
      expression  = local.sets.scannerdetection
      preview     = var.waf_preview
      sets        = ["scannerdetection"]
    }
    110 = {
      description = "Paths that climb out, or to known files"
      expression  = "${local.reads} && ${local.sets.lfi}"
      preview     = var.waf_preview
      sets        = ["lfi"]
    }
    120 = {
      description = "Scripts in links"
      expression  = "${local.reads} && ${local.sets.xss}"
      preview     = var.waf_preview
      sets        = ["xss"]
    }
    130 = {
      description = "Requests in requests, headers in values"
      expression  = "${local.reads} && ${local.sets.protocolattack}"
      preview     = var.waf_preview
      sets        = ["protocolattack"]
    }
    200 = {
      description = "The same in what is posted: counted only"
      expression  = "request.method == 'POST' && (${local.sets.lfi} || ${local.sets.xss} || ${local.sets.protocolattack})"
      preview     = true
      sets        = ["lfi", "xss", "protocolattack"]
    }
  }
}

resource "google_compute_security_policy" "edge" {
  project     = local.project
  name        = "ostiary-edge"
  description = "In front of every function that is reached from outside. Kept by Terraform: what is changed by hand is put back."
  type        = "CLOUD_ARMOR"

  # The verbose log writes down what a rule found, which is what people typed. And the caller is whoever connects: no header
  # may say otherwise (user_ip_request_headers stays empty).
  advanced_options_config {
    json_parsing = "STANDARD"
    log_level    = "NORMAL"
  }

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable          = var.adaptive_protection
      rule_visibility = "STANDARD"
    }
  }

  dynamic "rule" {
    for_each = local.refused
    content {
      priority    = rule.key
      description = rule.value.description
      action      = "deny(403)"
      preview     = rule.value.preview

      match {
        expr {
          expression = rule.value.expression
        }
      }

      # The sign-in keeps its state in cookies that are long, random and not ours to judge.
      preconfigured_waf_config {
        dynamic "exclusion" {
          for_each = rule.value.sets
          content {
            target_rule_set = "${exclusion.value}-v33-stable"
            request_cookie {
              operator = "CONTAINS"
              value    = "GCP_IA"
            }
          }
        }
      }
    }
  }

  # Counted for each address at each function, and by each region of Google's network on its own. It lies above what the functions
  # themselves allow a network, so that whoever is merely hasty reads from them when to come back.
  rule {
    priority    = 1000
    description = "Too much from one address"
    action      = "rate_based_ban"
    preview     = false

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action   = "allow"
      exceed_action    = "deny(429)"
      enforce_on_key   = "IP"
      ban_duration_sec = var.limits.ban_s

      rate_limit_threshold {
        count        = var.limits.per_minute
        interval_sec = 60
      }
      ban_threshold {
        count        = var.limits.ban_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    description = "Everybody else comes in"
    action      = "allow"
    preview     = false

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
