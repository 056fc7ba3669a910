from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from metrics.watch import promql
from metrics.watch.rules import read_yaml
from scout.settings import PROJECT
from tests.drills import shorter

RULES = sorted((PROJECT / "prometheus" / "rules").glob("*.yml"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Windows, each a sixtieth, and never fewer than some scrapes.
        ("rate(a_total[5m])", "rate(a_total[5000ms])"),
        ("rate(a_total[2m])", "rate(a_total[4000ms])"),
        ("max_over_time(a[1h:1m])", "max_over_time(a[60000ms:1000ms])"),
        ("a offset 1h", "a offset 60000ms"),
        # Ages.
        ("time() - max(a_timestamp_seconds) > 43200", "time() - max(a_timestamp_seconds) > 720"),
        ("count(time() - a < 259200)", "count(time() - a < 4320)"),
        ("max(a_oldest_age_seconds) > 3600", "max(a_oldest_age_seconds) > 60"),
        ("time() - max(a) > 180", "time() - max(a) > 8"),
        ("predict_linear(a[6h], 3 * 86400) < 0", "predict_linear(a[360000ms], 3 * 1440) < 0"),
        # What is no duration of ours, though numbers stand there.
        ("a_duration_seconds:p95 > 2", "a_duration_seconds:p95 > 2"),
        ("time() - a > 600 and b > 600", "time() - a > 10 and b > 600"),
        ("b > 600 and time() - a > 600", "b > 600 and time() - a > 10"),
        ("time() - a > 600 and sum(b) >= 5", "time() - a > 10 and sum(b) >= 5"),
        ("(time() - a > 600) * b > 90", "(time() - a > 10) * b > 90"),
        ('time() - max(a{b!="c"}) > 600', 'time() - max(a{b!="c"}) > 10'),
        ("max(a_timestamp_seconds) > 0", "max(a_timestamp_seconds) > 0"),
        ('a{le="600"} > 0.5', 'a{le="600"} > 0.5'),
        # Spaces and comments stay.
        ("a # of 5m\n  and\tb[1m]", "a # of 5m\n  and\tb[4000ms]"),
    ],
)
def test_durations_of_an_expression_get_shorter_and_nothing_else(before: str, after: str) -> None:
    assert shorter.expression(before) == after


def test_what_is_no_promql_is_refused() -> None:
    with pytest.raises(promql.PromqlError):
        shorter.expression("a[5m] ; b")


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_file_of_rules_keeps_its_rules_labels_words_and_selectors(path: Path) -> None:
    before = read_yaml(path)
    after = shorter.rules(before)
    for whole, short in zip(_rules(before), _rules(after), strict=True):
        timed = {"expr", "for"}
        assert {k: v for k, v in whole.items() if k not in timed} == {
            k: v for k, v in short.items() if k not in timed
        }
        assert ("for" in whole) == ("for" in short)
        was, is_ = promql.read(whole["expr"]), promql.read(short["expr"])
        assert [(each.name, each.matchers, each.function) for each in was.selectors] == [
            (each.name, each.matchers, each.function) for each in is_.selectors
        ]
        for long_one, short_one in zip(was.selectors, is_.selectors, strict=True):
            if long_one.window is not None and short_one.window is not None:
                assert short_one.window == max(long_one.window / 60, 4)


def _rules(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_waits_and_intervals_of_rules_get_shorter() -> None:
    rule = {"alert": "A", "expr": "up == 0", "for": "10m"}
    document = {"groups": [{"name": "a", "interval": "2m", "rules": [rule, {"record": "b", "expr": "up"}]}]}
    assert shorter.rules(document)["groups"] == [
        {
            "name": "a",
            "interval": "2000ms",
            "rules": [{**rule, "for": "10000ms"}, {"record": "b", "expr": "up"}],
        }
    ]


def test_every_duration_of_the_configurations_gets_shorter_wherever_it_stands() -> None:
    for name in ("prometheus.yml", "alertmanager.yml"):
        document = read_yaml(PROJECT / "prometheus" / name)
        before, after = dict(_walk(document)), dict(_walk(shorter.configuration(document)))
        changed = {path for path in before if before[path] != after[path]}
        assert changed == {path for path, value in before.items() if re.fullmatch(r"\d+[smhdwy]", str(value))}
        assert changed
        for path in changed:
            assert promql.seconds(after[path]) == max(promql.seconds(before[path]) / 60, 1)


def _walk(document: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(document, dict):
        return [found for name, each in document.items() for found in _walk(each, f"{path}.{name}")]
    if isinstance(document, list):
        return [found for place, each in enumerate(document) for found in _walk(each, f"{path}.{place}")]
    return [(path, document)]


def test_gauges_in_the_exporter_live_shorter_and_the_mapping_is_the_same_else() -> None:
    document = read_yaml(PROJECT / "statsd-exporter-mapping.yml")
    after = shorter.mapping(document)
    assert [each.get("ttl") for each in after["mappings"]] != [
        each.get("ttl") for each in document["mappings"]
    ]
    for rule, short in zip(document["mappings"], after["mappings"], strict=True):
        assert {**rule, "ttl": None} == {**short, "ttl": None}
        if "ttl" in rule:
            assert promql.seconds(short["ttl"]) == max(promql.seconds(rule["ttl"]) / 60, 8)


def test_a_file_is_shortened_in_its_place(tmp_path: Path) -> None:
    for source in (RULES[0], PROJECT / "prometheus" / "prometheus.yml"):
        copy = tmp_path / source.name
        copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        shorter.rewrite(copy)
        document = yaml.safe_load(copy.read_text(encoding="utf-8"))
        short = shorter.rules if "groups" in document else shorter.configuration
        assert document == short(read_yaml(source))
