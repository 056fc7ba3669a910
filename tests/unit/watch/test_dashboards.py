"""The dashboards' files: that nothing is wrong with them, and that what could be wrong would be told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from metrics import catalogue, queries
from metrics.watch import known, promql, rules
from metrics.watch.dashboards import DASHBOARDS, GRAFANA
from metrics.watch.errors import WatchError
from metrics.watch.grafana import linting, reading
from metrics.watch.grafana.reading import Document
from tests.unit.watch import places

RULES = rules.load(places.RULES)
KNOWN = RULES.known()
DOCUMENTS = reading.load(places.DASHBOARDS)
QUEUE = next(document for document in DOCUMENTS if document.uid == "scout-queue")


def test_nothing_is_wrong_with_the_dashboards() -> None:
    assert list(reading.mistakes(DOCUMENTS, KNOWN)) == []


def test_there_is_a_dashboard_wherever_an_alert_leads() -> None:
    led_to = {alert.annotations["dashboard_url"] for alert in RULES.alerts}
    assert led_to <= {f"{GRAFANA}/d/{document.uid}" for document in DOCUMENTS}
    assert {document.uid for document in DOCUMENTS} == set(DASHBOARDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.uid)
def test_a_dashboard_tells_of_the_alerts_that_lead_to_it(document: Document) -> None:
    [table] = [panel for panel in document.panels if panel["title"] == "Alerts that fire"]
    [matcher] = [
        matcher
        for selector in promql.read(table["targets"][0]["expr"]).selectors
        for matcher in selector.matchers
        if matcher.label != "alertstate"
    ]
    leading = {
        alert.name
        for alert in RULES.alerts
        if alert.annotations["dashboard_url"] == f"{GRAFANA}/d/{document.uid}"
        and alert.severity != "watchdog"
    }
    if document.uid == "scout-overview":
        assert set(matcher.value.split("|")) == {*rules.SEVERITIES} - {"watchdog"}
    else:
        assert set(matcher.value.split("|")) == leading


def test_a_metric_that_is_renamed_breaks_every_query_that_asks_for_it() -> None:
    ours = known.ours()
    asking = [
        (query, name)
        for document in DOCUMENTS
        for query in document.queries()
        for name in {selector.name for selector in promql.read(query.promql).selectors} & set(ours)
    ]
    # What is on no panel is internal by its own word, as the check says: so each other metric is here.
    assert {name for _, name in asking} >= {
        metric.name for metric in catalogue.ALL if metric.name in ours and not metric.internal
    }
    for query, name in asking:
        renamed = {each: series for each, series in KNOWN.items() if each != name}
        found = list(known.mistakes(promql.read(query.promql), renamed))
        assert f"there is no metric {name}" in found, query.place


def test_each_question_of_the_status_page_is_asked_with_its_own_words() -> None:
    panels = [panel for document in DOCUMENTS for panel in document.panels]
    for question in queries.ALL:
        drawn = [panel for panel in panels if panel["title"] == question.title]
        assert drawn, question.name
        for panel in drawn:
            assert panel["description"].startswith(question.help)
            assert len(panel["targets"]) == len(question.curves)
            for target, curve in zip(panel["targets"], question.curves, strict=True):
                asked, ours = promql.read(reading.filled(target["expr"])), promql.read(curve.promql("1m"))
                assert [each.name for each in asked.selectors] == [each.name for each in ours.selectors]
                assert asked.labels == ours.labels
                assert target["legendFormat"] == curve.legend


# --- What could be wrong --------------------------------------------------------------------------------


def panel(document: dict[str, Any], title: str = "Waiting for a worker") -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["panels"] if each["title"] == title)
    return found


def asks(text: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        panel(document)["targets"][0]["expr"] = text

    return change


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of what stands at a path within a panel, such as `targets.0.legendFormat`."""

    def change(document: dict[str, Any]) -> None:
        place: Any = panel(document)
        *way, last = path.split(".")
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (asks("rq_jobs_waiting"), "there is no metric rq_jobs_waiting"),
        (asks('rate(rq_jobs_enqueued_total{job=~"$job", instance=~"$instance"}[5m])'), "$__rate_interval"),
        (asks("sum(rq_workers)"), "rq_workers does not obey the choice of the job"),
        (asks('sum(rq_workers{job=~"$job"})'), "rq_workers does not obey the choice of the instance"),
        (
            asks('rq_workers{job=~"$job", instance=~"$instance", state=~"$stat"}'),
            "$stat is no variable of it",
        ),
        (put("title", "How long jobs run"), "the title 'How long jobs run' is there twice"),
        (put("title", ""), "has no title or no description"),
        (put("description", ""), "has no title or no description"),
        (put("datasource.uid", "prometheus"), "it asks a data source of its own"),
        (put("fieldConfig.defaults.unit", ""), "it says no unit"),
        (put("targets.0.legendFormat", ""), "a line has no legend"),
        (put("targets.0.refId", "B"), "B is there twice"),
        (put("targets", []), "it asks for nothing"),
        (put("gridPos.x", 4), "it lies over"),
        (put("gridPos.w", 7), "have a gap"),
        (put("gridPos.w", 30), "it reaches past the page"),
        (lambda document: document.update(editable=True), "it can be edited in Grafana"),
        (lambda document: document.update(description=""), "does not say what it shows"),
        (lambda document: document.update(uid="scout-other"), "its uid is 'scout-other'"),
        (lambda document: document["panels"][1].update(id=document["panels"][2]["id"]), "is there twice"),
        (lambda document: document["templating"]["list"].pop(1), "it has no variable job"),
        (lambda document: document["templating"]["list"][1].update(refresh=1), "keeps old values"),
        (
            lambda document: document["templating"]["list"].append(
                {"name": "colour", "type": "custom", "query": "red"}
            ),
            "nothing obeys the variable colour",
        ),
        (
            lambda document: document["templating"]["list"][3]["query"].update(
                query="label_values(rq_queues, queue)"
            ),
            "variable queue: there is no metric rq_queues",
        ),
        (
            lambda document: document["annotations"]["list"][1].update(expr="process_start_time"),
            "annotation Processes started: there is no metric process_start_time",
        ),
    ],
)
def test_what_is_wrong_with_a_dashboard_is_told(change: Callable[[dict[str, Any]], None], told: str) -> None:
    content = copy.deepcopy(dict(QUEUE.content))
    change(content)
    others = [document for document in DOCUMENTS if document is not QUEUE]
    found = list(reading.mistakes([*others, Document(QUEUE.file, content)], KNOWN))
    assert any(told in each and each.startswith(QUEUE.file) for each in found), found


def test_a_dashboard_and_a_metric_that_are_missing_are_told() -> None:
    found = list(reading.mistakes([each for each in DOCUMENTS if each is not QUEUE], KNOWN))
    assert "there is no dashboard scout-queue" in found
    retried = "rq_jobs_retried_total is on no panel, and the catalogue does not say why (`internal`)"
    assert retried in found


def test_an_internal_metric_that_is_shown_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = reading.shown(DOCUMENTS)
    monkeypatch.setattr(reading, "shown", lambda _: shown | {catalogue.CLIENT_PROBES.name})
    assert list(reading.mistakes(DOCUMENTS, KNOWN)) == [
        f"{catalogue.CLIENT_PROBES.name} is on a panel, though the catalogue calls it internal"
    ]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"panels": 3}'])
def test_a_file_that_is_no_dashboard_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    with pytest.raises(WatchError, match=r"odd\.json is no dashboard"):
        reading.load(tmp_path)


# --- How Grafana finds them -----------------------------------------------------------------------------


def provisioned(name: str) -> Any:
    return yaml.safe_load((places.PROVISIONING / name).read_text(encoding="utf-8"))


def test_the_data_sources_are_where_the_stack_has_them() -> None:
    sources = {
        each["uid"]: each
        for path in sorted((places.PROVISIONING / "datasources").glob("*.yml"))
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    }
    assert sources["prometheus"]["url"] == "http://prometheus:9090"
    assert sources["alertmanager"]["url"] == "http://alertmanager:9093"
    assert sources["prometheus"]["jsonData"]["alertmanagerUid"] in sources
    assert sum(bool(each.get("isDefault")) for each in sources.values()) == 1
    # Else `$__rate_interval` would hold fewer scrapes than a rate needs.
    interval = sources["prometheus"]["jsonData"]["timeInterval"]
    assert promql.seconds(interval) == known.SCRAPE_INTERVAL
    scraped = yaml.safe_load((places.PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    assert scraped["global"]["scrape_interval"] == interval


def test_the_dashboards_are_read_from_their_folder_and_stay_as_they_are() -> None:
    [provider] = provisioned("dashboards/scout.yml")["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert provider["allowUiUpdates"] is False


def test_the_linter_is_told_of_units_written_out_and_of_queries_past_the_exporters() -> None:
    told = yaml.safe_load(linting.render(DOCUMENTS))["exclusions"]
    places_told = {
        rule: {(each["dashboard"], each["panel"], each.get("targetidx")) for each in entry["entries"]}
        for rule, entry in told.items()
    }
    units = {
        (document.content["title"], panel["title"], None)
        for document in DOCUMENTS
        for panel in document.panels
        if panel["fieldConfig"]["defaults"]["unit"].startswith("suffix:")
    }
    unchosen = {
        (document.content["title"], panel["title"], str(index))
        for document in DOCUMENTS
        for panel in document.panels
        for index, target in enumerate(panel["targets"])
        if 'job=~"$job", instance=~"$instance"' not in target["expr"]
    }
    assert units
    assert unchosen
    assert places_told["panel-units-rule"] == units
    assert places_told["target-job-rule"] == places_told["target-instance-rule"] >= unchosen
    assert all(entry["reason"].endswith(".") for entry in told.values())
