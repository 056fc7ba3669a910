# What pint holds our rules to beside its own checks (github.com/cloudflare/pint, docs/configuration.md):
#   pint --config prometheus/pint.hcl --offline lint --min-severity info --fail-on info prometheus/rules
checks {
  # Recorded series have groups of their own, which alerts see up to one interval late: their `for` outlasts it.
  disabled = ["rule/dependency"]
}

rule {
  match {
    kind = "alerting"
  }
  name "Scout[A-Z][A-Za-z]+" {
    severity = "bug"
  }
  label "severity" {
    severity = "bug"
    values   = ["page", "ticket", "info", "watchdog"]
    required = true
  }
  label "group" {
    severity = "bug"
    value    = "[a-z]+"
    required = true
  }
  annotation "summary" {
    severity = "bug"
    value    = ".+[.]"
    required = true
  }
  annotation "description" {
    severity = "bug"
    value    = "(?s).+[.]"
    required = true
  }
  annotation "runbook_url" {
    severity = "bug"
    value    = "http://127[.]0[.]0[.]1:5000/runbooks/{{ $alert }}"
    required = true
  }
  annotation "dashboard_url" {
    severity = "bug"
    value    = "http://127[.]0[.]0[.]1:3000/d/scout-[a-z]+"
    required = true
  }
}

rule {
  match {
    kind = "recording"
  }
  # level:metric:operations (prometheus.io/docs/practices/rules).
  name "[a-z_]+:[a-z0-9_]+(:[a-z0-9_]+)?" {
    severity = "bug"
  }
}
