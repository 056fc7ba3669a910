"""The mapping file and the catalogue that it comes from."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from metrics import catalogue, mapping
from metrics.model import OTHER, Counter, Gauge, Label, Metric, PushedGauge, Signal, Timer, Unit
from scout.cli import cli
from scout.cli import metrics as command
from scout.cli.metrics import MetricsError

ROOT = Path(__file__).parents[3]
PLAIN = {"help": "A thing.", "raised_by": "this test", "signal": Signal.TRAFFIC}


def test_the_committed_file_is_what_the_catalogue_says() -> None:
    assert (ROOT / "statsd-exporter-mapping.yml").read_text(encoding="utf-8") == mapping.render()


def test_there_is_one_rule_per_metric_and_none_for_pushed_ones() -> None:
    rules = yaml.safe_load(mapping.render())["mappings"]
    assert [rule["name"] for rule in rules] == [
        m.name for m in catalogue.ALL if not isinstance(m, PushedGauge)
    ]
    assert len({rule["match"] for rule in rules}) == len(rules)


def test_rules_name_labels_buckets_and_lifetimes() -> None:
    rules = {rule["name"]: rule for rule in yaml.safe_load(mapping.render())["mappings"]}
    requests = rules["http_requests_total"]
    assert requests["match"] == "scout.http_requests_total.*.*.*"
    assert requests["match_metric_type"] == "counter"
    assert requests["labels"] == {"method": "${1}", "endpoint": "${2}", "status": "${3}"}
    database = rules["db_query_duration_seconds"]
    assert database["match_metric_type"] == "observer"
    assert database["histogram_options"]["buckets"] == list(catalogue.DB_QUERY_DURATION.buckets)
    assert rules["scout_process_threads"]["ttl"] == "30s"
    assert rules["iam_jobs_total"]["ttl"] == "300s"
    assert "ttl" not in rules["iam_sampled_timestamp_seconds"]


def test_no_rule_is_the_beginning_of_another() -> None:
    # The exporter's matcher would never reach the shorter one (pkg/mapper/fsm).
    matches = [rule["match"].split(".") for rule in yaml.safe_load(mapping.render())["mappings"]]
    for one in matches:
        assert not [other for other in matches if other != one and other[: len(one)] == one]


def timer(name: str, *labels: Label) -> Timer:
    return Timer(name=name, labels=labels, **PLAIN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metrics", "why"),
    [
        ([timer("a_seconds"), timer("a_seconds")], "declared twice"),
        ([timer("a_seconds"), Gauge(name="a_seconds_count", **PLAIN)], "clashes"),  # type: ignore[arg-type]
        ([timer("a_seconds"), Gauge(name="a_seconds_sum", **PLAIN)], "clashes"),  # type: ignore[arg-type]
        ([PushedGauge(name="a_seconds_bucket", **PLAIN), timer("a_seconds")], "clashes"),  # type: ignore[arg-type]
        ([timer("a_seconds", Label("le", bound=3))], "belongs to the histogram"),
    ],
)
def test_what_the_exporter_would_not_serve_is_refused(metrics: list[Metric], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        mapping.render(metrics)


# --- The catalogue ---


@pytest.mark.parametrize("metric", catalogue.ALL, ids=lambda metric: metric.name)
def test_every_metric_explains_itself(metric: Metric) -> None:
    assert metric.help.endswith(".")
    assert metric.help[0].isupper()
    assert metric.raised_by
    if metric.unit is not Unit.NONE:
        assert metric.unit.value in metric.name, "a name ends in its unit"
    if isinstance(metric, Timer):
        assert metric.name.endswith("_seconds")


@pytest.mark.parametrize("metric", catalogue.ALL, ids=lambda metric: metric.name)
def test_no_metric_can_grow_without_bound(metric: Metric) -> None:
    for label in metric.labels:
        assert 0 < (label.bound or len(label.values)) <= 120
        assert OTHER not in label.values


def test_no_code_names_a_metric_outside_the_catalogue() -> None:
    names = "|".join(sorted(catalogue.BY_NAME, key=len, reverse=True))
    found = []
    for folder in ("metrics", "scout", "webapp", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            if path != ROOT / "metrics" / "catalogue.py":
                found += re.findall(rf"""["'](?:{names})["']""", path.read_text(encoding="utf-8"))
    assert found == []


def emissions() -> list[tuple[str, Metric, ast.Call]]:
    """Every `catalogue.X.inc(...)`, `.set(...)`, `.observe(...)` and `.time(...)` in the product."""
    found = []
    for folder in ("metrics", "scout", "webapp", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Attribute(
                            value=ast.Attribute(value=ast.Name(id="catalogue"), attr=name),
                            attr="inc" | "set" | "observe" | "time",
                        )
                    ):
                        found.append(
                            (f"{path.relative_to(ROOT)}:{node.lineno}", getattr(catalogue, name), node)
                        )
    return found


def test_every_emission_names_the_labels_of_its_metric_and_declared_values() -> None:
    wrong = []
    for place, metric, call in emissions():
        if any(keyword.arg is None for keyword in call.keywords):
            continue  # **labels
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if set(given) != {label.name for label in metric.labels}:
            wrong.append(f"{place}: {metric.name} has other labels than {sorted(map(str, given))}")
        for label in metric.labels:
            value = given.get(label.name)
            if label.values and isinstance(value, ast.Constant) and value.value not in label.values:
                wrong.append(f"{place}: {metric.name} has no {label.name}={value.value!r}")
    assert wrong == []


# --- The command ---


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(command, "FILE", tmp_path / "statsd-exporter-mapping.yml")
    return CliRunner()


def test_the_command_prints_writes_and_checks_the_file(runner: CliRunner) -> None:
    assert runner.invoke(cli, ["metrics", "mapping"]).output == mapping.render()
    assert isinstance(runner.invoke(cli, ["metrics", "mapping", "--check"]).exception, MetricsError)
    assert runner.invoke(cli, ["metrics", "mapping", "--write"]).exit_code == 0
    assert runner.invoke(cli, ["metrics", "mapping", "--check"]).exit_code == 0
    command.FILE.write_text("something else\n", encoding="utf-8")
    stale = runner.invoke(cli, ["metrics", "mapping", "--check"])
    assert "scout metrics mapping --write" in str(stale.exception)


def test_the_command_lists_and_shows_metrics(runner: CliRunner) -> None:
    listed = runner.invoke(cli, ["metrics", "list"]).output
    assert all(metric.name in listed for metric in catalogue.ALL)
    array = json.loads(runner.invoke(cli, ["metrics", "list", "--json"]).output)
    assert [entry["name"] for entry in array] == [metric.name for metric in catalogue.ALL]
    shown = runner.invoke(cli, ["metrics", "show", "http_request_duration_seconds"]).output
    assert "GET, HEAD" in shown
    assert "0.075" in shown
    single = json.loads(runner.invoke(cli, ["metrics", "show", "iam_scan_listed", "--json"]).output)
    assert single["arrives_by"] == "pushgateway"
    unknown = runner.invoke(cli, ["metrics", "show", "http_requests"])
    assert "http_requests_total" in str(unknown.exception)


def test_counters_gauges_and_timers_have_their_prometheus_kind() -> None:
    kinds = {Counter: "counter", Gauge: "gauge", Timer: "histogram", PushedGauge: "gauge"}
    assert all(mapping.kind(metric) == kinds[type(metric)] for metric in catalogue.ALL)
