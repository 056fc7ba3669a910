"""The mapping file and the catalogue that it comes from."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from metrics import catalogue, mapping, mapping_lint
from metrics.model import OTHER, Counter, Gauge, Label, Metric, PushedGauge, Timer, Unit
from metrics.testing import captured
from metrics.watch import reference
from scout.cli import cli
from scout.cli import metrics as command
from scout.cli.metrics import MetricsError
from tests.components import need
from tests.integration.embedded_programs import samples
from tests.unit.embedded_exporter import Bench
from tests.unit.metrics.declaring import PLAIN, Plain

ROOT = Path(__file__).parents[3]


def test_the_committed_file_is_what_the_catalogue_says() -> None:
    assert (ROOT / "statsd-exporter-mapping.yml").read_text(encoding="utf-8") == mapping.render()


def test_there_is_one_rule_per_metric_and_none_for_pushed_ones() -> None:
    *rules, last = yaml.safe_load(mapping.render())["mappings"]
    sent = [m for m in catalogue.ALL if not isinstance(m, PushedGauge)]
    assert [rule["name"] for rule in rules] == [m.name for m in sorted(sent, key=lambda m: len(m.labels))]
    assert len({rule["match"] for rule in rules}) == len(rules)
    assert last == {"match": ".", "match_type": "regex", "action": "drop", "name": mapping.DROPPED}


def test_only_the_last_rule_drops() -> None:
    rules = yaml.safe_load(mapping.render())["mappings"]
    assert [place for place, rule in enumerate(rules) if rule.get("action") == "drop"] == [len(rules) - 1]


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


def test_shorter_rules_come_first_so_that_none_is_hidden() -> None:
    # After a longer one that begins alike, the exporter's matcher would never reach it (pkg/mapper/fsm).
    *globs, _ = yaml.safe_load(mapping.render())["mappings"]
    lengths = [rule["match"].count(".") for rule in globs]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_nothing_is_wrong_with_the_file_whichever_way_rules_are_ordered(disabled: str) -> None:
    text = mapping.render().replace("glob_disable_ordering: true", f"glob_disable_ordering: {disabled}")
    assert mapping_lint.lint(text) == []


# --- Its version ---


def test_the_version_is_another_one_when_a_rule_changes_and_the_same_when_a_comment_does() -> None:
    assert mapping.version() == mapping.checksum(catalogue.ALL) == mapping.checksum(list(catalogue.ALL))
    assert 0 < mapping.version() < 2**32
    assert f"    scale: {mapping.version()}\n" in mapping.render()
    assert mapping.checksum(catalogue.ALL[1:]) != mapping.version()
    assert mapping.checksum([timer("a_seconds")]) != mapping.checksum([timer("b_seconds")])
    told: Plain = {**PLAIN, "raised_by": "another test"}
    assert mapping.checksum([timer("a_seconds")]) == mapping.checksum([Timer(name="a_seconds", **told)])


def test_a_process_tells_its_version_and_asks_the_exporter_for_the_other() -> None:
    with captured() as emitted:
        mapping.tell("web", "3")
    emitted.assert_gauge(catalogue.CLIENT_MAPPING_VERSION, mapping.version(), role="web")
    emitted.assert_gauge(catalogue.LOADED_MAPPING_VERSION, 1)


def test_the_exporters_own_file_writes_the_version_on_a_plain_one() -> None:
    bench = Bench(mapping.render())
    bench.take(f"scout.{catalogue.LOADED_MAPPING_VERSION.name}:1|g")
    page = samples(bench.page())
    assert float(page[catalogue.LOADED_MAPPING_VERSION.name, ()]) == mapping.version()


def timer(name: str, *labels: Label) -> Timer:
    return Timer(name=name, labels=labels, **PLAIN)


def gauge(name: str, *labels: Label) -> Gauge:
    return Gauge(name=name, labels=labels, **PLAIN)


@pytest.mark.parametrize(
    ("metrics", "why"),
    [
        ([timer("a_seconds"), timer("a_seconds")], "declared twice"),
        ([timer("a_seconds"), Gauge(name="a_seconds_count", **PLAIN)], "clashes"),
        ([timer("a_seconds"), Gauge(name="a_seconds_sum", **PLAIN)], "clashes"),
        ([PushedGauge(name="a_seconds_bucket", **PLAIN), timer("a_seconds")], "clashes"),
        ([gauge("a"), Counter(name="a_total", **PLAIN), gauge("a_count")], "a_count clashes"),
        ([timer("a_seconds", Label("le", bound=3))], "belongs to the histogram"),
        ([gauge("a", catalogue.ROLE, catalogue.SLOT)], "needs a ttl"),
    ],
)
def test_what_the_exporter_would_not_serve_is_refused(metrics: list[Metric], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        mapping.render(metrics)


def test_the_query_for_an_old_file_finds_it_and_stays_silent_otherwise(tmp_path: Path) -> None:
    readme = (ROOT / "metrics" / "README.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"(?m)^(.* != on .*)$", readme)
    rules = {"groups": [{"name": "old", "rules": [{"alert": "Old", "expr": query}]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    built, loaded = catalogue.CLIENT_MAPPING_VERSION.name, catalogue.LOADED_MAPPING_VERSION.name
    series = {
        f'{built}{{instance="here",role="web"}}': 4294967291,
        f'{built}{{instance="here",role="worker"}}': 4294967291,
        f'{loaded}{{instance="here"}}': 4294967291,
        f'{built}{{instance="there",role="web"}}': 4294967291,
        f'{loaded}{{instance="there"}}': 4294967290,
    }
    fired = [{"exp_labels": {"instance": "there", "role": "web"}}]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}x5"} for name, value in series.items()],
        "alert_rule_test": [{"eval_time": "5m", "alertname": "Old", "exp_alerts": fired}],
    }
    whole = {"rule_files": ["rules.yml"], "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    tested = subprocess.run(
        [need("promtool"), "test", "rules", tmp_path / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stderr


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
        assert 0 < (label.bound or len(label.values)) <= 240
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


def test_the_copy_for_kubernetes_follows(runner: CliRunner) -> None:
    copy = command.FILE.parent / "deploy" / "kubernetes" / "base" / command.FILE.name
    copy.parent.mkdir(parents=True)
    assert runner.invoke(cli, ["metrics", "mapping", "--write"]).exit_code == 0
    assert copy.read_text(encoding="utf-8") == mapping.render()
    copy.unlink()
    stale = runner.invoke(cli, ["metrics", "mapping", "--check"])
    assert "deploy/kubernetes/base/statsd-exporter-mapping.yml is not" in str(stale.exception)


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
    assert "scout.http_request_duration_seconds.<method>.<endpoint>.<status>" in shown
    assert "histogram_quantile" in shown
    single = json.loads(runner.invoke(cli, ["metrics", "show", "iam_scan_listed", "--json"]).output)
    assert single["wire_name"] is None


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("http_requests", "http_requests_total"),
        ("http_requets_total", "http_requests_total"),
        ("HTTP_REQUESTS_TOTAL", "http_requests_total"),
        ("process_threads", "scout_process_threads"),
        ("zzz", "prints all"),
    ],
)
def test_an_unknown_name_brings_those_near_it(runner: CliRunner, asked: str, meant: str) -> None:
    assert meant in str(runner.invoke(cli, ["metrics", "show", asked]).exception)


def test_every_example_query_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"example:{metric.name}", "expr": reference.example(metric)} for metric in catalogue.ALL
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "examples", "rules": rules}]}), encoding="utf-8")
    checked = subprocess.run(
        [need("promtool"), "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout


def test_the_command_lints_our_file_and_any_other(runner: CliRunner, tmp_path: Path) -> None:
    ours = runner.invoke(cli, ["metrics", "mapping", "--lint"])
    assert (ours.exit_code, ours.output) == (0, "statsd-exporter-mapping.yml is well.\n")
    other = tmp_path / "other.yml"
    other.write_text("mappings:\n- {match: a.b, match_type: regex, name: b}\n", encoding="utf-8")
    told = str(runner.invoke(cli, ["metrics", "mapping", "--lint", str(other)]).exception)
    assert "other.yml, line 2: The regex 'a.b' is not held at both ends" in told
    assert "No last rule drops" in told
    absent = runner.invoke(cli, ["metrics", "mapping", "--lint", str(tmp_path / "absent.yml")])
    assert "cannot be read: No such file" in str(absent.exception)


def test_counters_gauges_and_timers_have_their_prometheus_kind() -> None:
    kinds = {Counter: "counter", Gauge: "gauge", Timer: "histogram", PushedGauge: "gauge"}
    assert all(mapping.kind(metric) == kinds[type(metric)] for metric in catalogue.ALL)
