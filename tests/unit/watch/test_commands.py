from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from scout.cli import watch
from scout.cli.metrics import metrics
from tests.unit.watch.places import EXAMPLE, RULES, RUNBOOKS


def run(*words: str) -> Result:
    return CliRunner().invoke(metrics, list(words))


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all that watches, in which things may be broken."""
    shutil.copytree(RULES.parent, tmp_path / "prometheus")
    shutil.copytree(RUNBOOKS, tmp_path / "runbooks")
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.setattr(watch, "_FOLDER", tmp_path / "prometheus")
    monkeypatch.setattr(watch, "_RULES", tmp_path / "prometheus" / "rules")
    monkeypatch.setattr(watch, "_SLOS", tmp_path / "prometheus" / "slos.yml")
    monkeypatch.setattr(watch, "_SLO_RULES", tmp_path / "prometheus" / "rules" / "slo.yml")
    monkeypatch.setattr(watch, "_RUNBOOKS", tmp_path / "runbooks")
    monkeypatch.setattr(watch, "_EXAMPLE", tmp_path / EXAMPLE.name)
    return tmp_path


def test_the_committed_rules_objectives_and_runbooks_are_up_to_date() -> None:
    result = run("rules", "--check")
    assert result.exit_code == 0, result.exception


def test_no_alert_is_unproven() -> None:
    result = run("alerts", "--unproven", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == []


def test_a_changed_objective_is_drift_until_it_is_written(copied: Path) -> None:
    file = copied / "prometheus" / "slos.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("99.5", "99.9"), encoding="utf-8")
    result = run("rules", "--check")
    assert isinstance(result.exception, watch.RulesError)
    assert "slo.yml is not what its data say: run `scout metrics rules --write`" in str(result.exception)
    assert run("rules", "--write").exit_code == 0
    assert "14.4 * 0.001" in (copied / EXAMPLE.name).read_text(encoding="utf-8")
    assert run("rules", "--check").exit_code == 0


def test_a_rule_a_runbook_and_a_file_that_are_wrong_are_named(copied: Path) -> None:
    rules = copied / "prometheus" / "rules" / "queue.yml"
    rules.write_text(
        rules.read_text(encoding="utf-8").replace("rq_oldest_job_age_seconds", "rq_oldest"), encoding="utf-8"
    )
    page = copied / "runbooks" / "ScoutQueueStuck.md"
    page.write_text(
        page.read_text(encoding="utf-8").replace("sum by (state) (rq_workers)", "sum(rq_wrokers)"),
        encoding="utf-8",
    )
    told = str(run("rules", "--check").exception)
    assert "queue.yml: ScoutQueueStuck: there is no metric rq_oldest" in told
    assert "ScoutQueueStuck.md: there is no metric rq_wrokers" in told
    assert "prometheus-alerts.yml.example is not what its data say" in told
    (copied / "prometheus" / "slos.yml").unlink()
    assert "cannot be read" in str(run("rules", "--check").exception)


def test_an_unproven_alert_is_listed_and_fails(copied: Path) -> None:
    (copied / "runbooks" / "ScoutQueueStuck.md").unlink()
    result = run("alerts", "--unproven")
    assert result.exit_code == 1
    assert "ScoutQueueStuck" in result.output
    assert "lacks a runbook" in result.output
    (found,) = json.loads(run("alerts", "--unproven", "--json").output)
    assert found["alert"] == "ScoutQueueStuck"
    assert found["drill"] == "worker_hung"


def test_alerts_that_cannot_be_read_are_told(copied: Path) -> None:
    (copied / "prometheus" / "drills.yml").write_text("[", encoding="utf-8")
    assert "drills.yml is no YAML" in str(run("alerts").exception)


def test_all_alerts_are_listed_with_their_summaries() -> None:
    output = run("alerts").output
    assert "ScoutExporterDown" in output
    assert "statsd_exporter does not answer" in output
    assert "none without all of its proofs." in output
    assert re.search(r"`make drill` raises \d+ of them on a running stack\.$", output.rstrip())


def test_the_printed_rules_lead_where_the_reader_says() -> None:
    printed = run(
        "rules", "--runbooks", "https://wiki.example.org/", "--dashboards", "https://grafana.example.org"
    )
    groups = yaml.safe_load(printed.output)["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(alerts) >= 35
    for rule in alerts:
        assert rule["annotations"]["runbook_url"] == f"https://wiki.example.org/{rule['alert']}"
        assert rule["annotations"]["dashboard_url"].startswith("https://grafana.example.org/d/scout-")


def test_the_rules_are_an_object_of_the_prometheus_operator_when_asked() -> None:
    printed = run("rules", "--kubernetes", "--runbooks", "https://wiki.example.org/")
    found = yaml.safe_load(printed.output)
    assert (found["apiVersion"], found["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    plain = run("rules", "--runbooks", "https://wiki.example.org/")
    assert found["spec"] == yaml.safe_load(plain.output)
