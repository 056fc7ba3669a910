"""What Prometheus' and Alertmanager's own programs say to our rules, tests, configurations and words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from metrics.watch import rules
from tests.components import need
from tests.integration.embedded_programs import ROOT
from tests.integration.watching import PROMETHEUS

CONFIG = PROMETHEUS / "alertmanager.yml"
TEMPLATES = PROMETHEUS / "templates" / "*.tmpl"


def said(*command: str | Path, timeout: float = 60) -> str:
    """What a program says; the test fails with it when it ends with an error."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_promtool_takes_the_configuration_and_all_rules() -> None:
    out = said(need("promtool"), "check", "config", PROMETHEUS / "prometheus.yml")
    count = len(list((PROMETHEUS / "rules").glob("*.yml")))
    assert f"{count} rule files found" in out


def test_promtool_takes_the_examples_as_they_are_copied(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "prometheus-alerts.yml"):
        shutil.copy(ROOT / f"{name}.example", tmp_path / name)
    out = said(need("promtool"), "check", "config", tmp_path / "prometheus.yml")
    assert "1 rule files found" in out


@pytest.mark.parametrize(
    "file", sorted((PROMETHEUS / "tests").glob("*_test.yml"), reverse=True), ids=lambda path: path.stem
)
def test_the_rules_pass_their_tests(file: Path) -> None:
    # Days of rules, evaluated on a machine that has other things to do.
    assert "SUCCESS" in said(need("promtool"), "test", "rules", file, timeout=500)


PINT = ("--config", PROMETHEUS / "pint.hcl", "--offline", "lint", "--min-severity=info", "--fail-on=info")


def test_pint_finds_nothing_in_the_rules_nor_in_those_that_are_copied(tmp_path: Path) -> None:
    copied = shutil.copy(ROOT / "prometheus-alerts.yml.example", tmp_path / "alerts.yml")
    for place in (PROMETHEUS / "rules", copied):
        assert "Problems found" not in said(need("pint"), *PINT, place)


def test_pint_would_find_an_alert_that_leads_to_no_runbook(tmp_path: Path) -> None:
    rules_there = (PROMETHEUS / "rules" / "availability.yml").read_text(encoding="utf-8")
    (tmp_path / "bad.yml").write_text(re.sub(r"(runbook_url: ).*", r"\1none", rules_there), encoding="utf-8")
    done = subprocess.run(
        [need("pint"), *PINT, tmp_path], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "`runbook_url` annotation value must match" in done.stderr


def test_amtool_takes_the_configuration() -> None:
    assert "SUCCESS" in said(need("amtool"), "check-config", CONFIG)


@pytest.mark.parametrize("severity", rules.SEVERITIES)
def test_each_severity_has_a_receiver_of_its_name(severity: str) -> None:
    words = ("config", "routes", "test", f"--config.file={CONFIG}", "alertname=Any", f"severity={severity}")
    assert said(need("amtool"), *words).splitlines()[0] == severity


DASHBOARDS = sorted((PROMETHEUS / "grafana" / "dashboards").glob("*.json"))


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda path: path.stem)
def test_grafanas_linter_finds_nothing_in_a_dashboard(file: Path) -> None:
    said(need("dashboard-linter"), "lint", "--strict", file)


def test_grafanas_linter_would_find_a_fixed_window_and_a_panel_without_a_unit(tmp_path: Path) -> None:
    board = json.loads(DASHBOARDS[0].read_text(encoding="utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] == "timeseries"]
    panels[0]["targets"][0]["expr"] = "rate(iam_jobs_found_total[5m])"
    panels[1]["fieldConfig"]["defaults"]["unit"] = ""
    (tmp_path / "bad.json").write_text(json.dumps(board), encoding="utf-8")
    done = subprocess.run(
        [need("dashboard-linter"), "lint", "--strict", tmp_path / "bad.json"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "should use $__rate_interval" in done.stdout + done.stderr
    assert "has no or invalid units defined: ''" in done.stdout + done.stderr


def test_what_inhibits_and_what_is_inhibited_are_alerts_that_there_are() -> None:
    names = {alert.name for alert in rules.load(PROMETHEUS / "rules").alerts}
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    said_names = {
        name
        for rule in document["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
        for name in matcher.split('"')[1].split("|")
        if not name.endswith(".+")
    }
    assert said_names
    assert said_names <= names


def test_the_words_of_a_notification(tmp_path: Path) -> None:
    labels = {"alertname": "ScoutExporterDown", "severity": "page", "group": "availability"}
    notes = {
        "summary": "statsd_exporter does not answer.",
        "description": "No answer for two minutes.",
        "runbook_url": "http://x/ScoutExporterDown",
        "dashboard_url": "http://y/d/scout-pipeline",
    }
    firing = {
        "status": "firing", "labels": labels, "annotations": notes,
        "startsAt": "2026-11-26T01:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
    }  # fmt: skip
    over = {**firing, "status": "resolved", "endsAt": "2026-11-26T01:10:00Z"}
    shown = {}
    for status, alert in (("firing", firing), ("resolved", over)):
        data = {
            "status": status, "alerts": [alert], "groupLabels": {"alertname": "ScoutExporterDown"},
            "commonLabels": labels, "commonAnnotations": notes,
        }  # fmt: skip
        file = tmp_path / f"{status}.json"
        file.write_text(json.dumps(data), encoding="utf-8")
        for what in ("title", "text"):
            shown[status, what] = said(
                need("amtool"), "template", "render", f"--template.glob={TEMPLATES}",
                f'--template.text={{{{ template "scout.{what}" . }}}}', f"--template.data={file}",
            ).strip()  # fmt: skip
    assert shown["firing", "title"] == "[PAGE] statsd_exporter does not answer."
    assert shown["resolved", "title"] == "[OVER] statsd_exporter does not answer."
    assert shown["firing", "text"].splitlines() == [
        "ScoutExporterDown, since 2026-11-26 01:00 UTC",
        "No answer for two minutes.",
        "What to do: http://x/ScoutExporterDown",
        "What it looks like: http://y/d/scout-pipeline",
    ]
    assert shown["resolved", "text"].splitlines() == [
        "Over: ScoutExporterDown, from 2026-11-26 01:00 to 01:10 UTC",
        "statsd_exporter does not answer.",
    ]
