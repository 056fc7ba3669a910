from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from metrics.watch import known, promql, proofs, rules
from metrics.watch.dashboards import dashboard, runbook
from metrics.watch.errors import WatchError
from tests.unit.watch.places import RULES, RUNBOOKS

LOADED = rules.load(RULES)
ASKING: list[rules.Alert | rules.Recording] = [*LOADED.alerts, *LOADED.recordings]
OURS = known.ours()


def asked() -> set[str]:
    """Every series of ours that a rule or a runbook asks for."""
    texts = [each.expression for each in ASKING]
    texts += [query for page in RUNBOOKS.glob("*.md") for query in proofs.queries(page)]
    return {selector.name for text in texts for selector in promql.read(text).selectors} & set(OURS)


def test_nothing_is_wrong_with_the_rules() -> None:
    assert list(rules.mistakes(LOADED)) == []


def test_nothing_is_wrong_with_the_queries_of_the_runbooks() -> None:
    assert list(proofs.mistakes(RUNBOOKS, LOADED.known())) == []


def test_there_are_alerts_of_every_group_and_severity() -> None:
    assert len(LOADED.alerts) >= 35
    assert {alert.severity for alert in LOADED.alerts} == set(rules.SEVERITIES)
    assert {alert.group for alert in LOADED.alerts} == {
        "availability", "errors", "performance", "business", "database", "saturation", "queue", "pipeline",
        "slo",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(asked()))
def test_a_metric_that_is_renamed_breaks_every_rule_and_runbook_that_asks_for_it(name: str) -> None:
    renamed = {f"{each}_renamed" if each == name else each: series for each, series in OURS.items()}
    told = [*rules.mistakes(LOADED, renamed), *proofs.mistakes(RUNBOOKS, LOADED.known(renamed))]
    asking = {each.name for each in ASKING if _asks(each.expression, name)}
    asking |= {
        page.name for page in RUNBOOKS.glob("*.md") if any(_asks(q, name) for q in proofs.queries(page))
    }
    assert asking
    for each in asking:
        assert any(each in line and f"no metric {name}" in line for line in told), each


def _asks(text: str, name: str) -> bool:
    return any(selector.name == name for selector in promql.read(text).selectors)


def test_a_metric_that_is_renamed_breaks_the_objectives() -> None:
    renamed = {name: series for name, series in OURS.items() if name != "http_requests_total"}
    assert any(line.startswith("slo.yml: ") for line in rules.mistakes(LOADED, renamed))


def good() -> dict[str, object]:
    return {
        "alert": "ScoutTried",
        "expr": "sum by (reason) (increase(iam_csrf_rejected_total[5m])) > 3",
        "for": "5m",
        "labels": {"severity": "page", "group": "tried"},
        "annotations": {
            "summary": "It is tried.",
            "description": "{{ $labels.reason }}",
            "runbook_url": runbook("ScoutTried"),
            "dashboard_url": dashboard("scout-web"),
        },
    }


def told(tmp_path: Path, *written: dict[str, object]) -> list[str]:
    file = {"groups": [{"name": "tried", "rules": list(written)}]}
    (tmp_path / "tried.yml").write_text(yaml.safe_dump(file), encoding="utf-8")
    return list(rules.mistakes(rules.load(tmp_path)))


def test_a_good_rule_is_taken(tmp_path: Path) -> None:
    assert told(tmp_path, good()) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"alert": "Scout_tried"}, "written LikeThis"),
        ({"labels": {"severity": "critical", "group": "tried"}}, "its severity is one of"),
        ({"labels": {"severity": "page", "group": "other"}}, "its label group says 'other'"),
        ({"annotations": {}}, "it has no summary"),
        ({"expr": "iam_jobs > 3"}, "no metric iam_jobs"),
        ({"expr": "sum(increase(iam_sign_ins_total[5m])) > 3"}, "$labels.reason, which no metric of it has"),
    ],
)
def test_a_bad_rule_is_told_by_name(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    found = told(tmp_path, {**good(), **change})
    assert any(expected in each and each.startswith("tried.yml: Scout") for each in found), found


@pytest.mark.parametrize(
    ("annotation", "text", "expected"),
    [
        ("summary", "It is {{ $value }}.", "without figures"),
        ("summary", "It is tried", "one sentence"),
        ("runbook_url", "https://example.org/Other", "its runbook_url is"),
        ("dashboard_url", dashboard("scout-other"), "leads to no dashboard"),
    ],
)
def test_an_alert_that_leads_nowhere_is_told(
    tmp_path: Path, annotation: str, text: str, expected: str
) -> None:
    rule = good()
    rule["annotations"] = {**rule["annotations"], annotation: text}  # type: ignore[dict-item]
    assert any(expected in each for each in told(tmp_path, rule))


def test_a_rule_that_is_there_twice_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, good(), good()) == ["tried.yml: ScoutTried is there twice"]


def test_a_recorded_name_says_level_metric_and_operations(tmp_path: Path) -> None:
    assert told(tmp_path, {"record": "requests", "expr": "sum(iam_jobs_total)"}) == [
        "tried.yml: requests: a recorded name says level:metric:operations"
    ]


@pytest.mark.parametrize("text", ["groups: [{name: x, rules: [{alert: y}]}]", "groups: 3", "[", "a: b"])
def test_a_file_that_holds_no_rules_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yml").write_text(text, encoding="utf-8")
    with pytest.raises(WatchError, match=r"odd\.yml"):
        rules.load(tmp_path)
