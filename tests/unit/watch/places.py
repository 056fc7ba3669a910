"""Where what is tested lies."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "prometheus"
RULES = PROMETHEUS / "rules"
TESTS = PROMETHEUS / "tests"
RUNBOOKS = ROOT / "docs" / "runbooks"
DRILLS = PROMETHEUS / "drills.yml"
SLOS = PROMETHEUS / "slos.yml"
EXAMPLE = ROOT / "prometheus-alerts.yml.example"
DASHBOARDS = PROMETHEUS / "grafana" / "dashboards"
PROVISIONING = PROMETHEUS / "grafana" / "provisioning"
