from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metrics import catalogue
from metrics.model import Metric
from metrics.testing import Captured
from metrics.watch import promql, reference, rules, slo
from metrics.watch.errors import WatchError
from scout.cli import documents as command
from scout.cli.metrics import metrics
from tests import documents
from tests.unit.watch.places import ROOT, RULES, SLOS

PAGE = ROOT / "docs" / "MONITORING.md"


def run(*words: str) -> Result:
    return CliRunner().invoke(metrics, ["docs", *words])


def told(*, renamed: str = "") -> reference.Told:
    """What the tables are made of; one metric may have another name."""
    declared = tuple(
        dataclasses.replace(each, name=f"new_{each.name}") if each.name == renamed else each
        for each in catalogue.ALL
    )
    return reference.Told(rules.load(RULES), slo.load(SLOS), metrics=declared)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the documents, in which things may be broken."""
    shutil.copytree(PAGE.parent, tmp_path / "docs", ignore=shutil.ignore_patterns("images"))
    monkeypatch.setattr(command, "_DOCS", tmp_path / "docs")
    return tmp_path / "docs"


def test_the_committed_documents_are_up_to_date() -> None:
    result = run("--check")
    assert result.exit_code == 0, result.exception


def test_every_metric_and_every_alert_has_its_line() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    for metric in catalogue.ALL:
        (line,) = (line for line in lines if f'<a id="{metric.name}"></a>' in line)
        assert metric.help in line
        assert all(f"`{label.name}`" in line for label in metric.labels)
    for alert in rules.load(RULES).alerts:
        (line,) = (each for each in lines if each.startswith(f"| [{alert.name}](runbooks/{alert.name}.md) |"))
        assert alert.annotations["summary"] in line


@pytest.mark.parametrize(
    "metric", [catalogue.HTTP_REQUESTS, catalogue.RQ_WORKERS], ids=lambda each: each.name
)
def test_a_metric_that_is_renamed_makes_the_document_stale(metric: Metric) -> None:
    assert list(reference.stale([PAGE], told())) == []
    (stale,) = reference.stale([PAGE], told(renamed=metric.name))
    assert stale.startswith("MONITORING.md is not what catalogue and rules say: run `scout metrics docs")


def test_a_query_for_what_is_not_there_is_named_until_it_is_mended(copied: Path) -> None:
    page = copied / PAGE.name
    good = page.read_text(encoding="utf-8")
    page.write_text(good.replace("max(rq_oldest_job_age_seconds)\n", "max(rq_oldest)\n"), encoding="utf-8")
    assert "MONITORING.md: there is no metric rq_oldest" in str(run("--check").exception)
    page.write_text(good, encoding="utf-8")
    assert run("--check").exit_code == 0


def test_an_old_table_is_made_anew(copied: Path) -> None:
    page = copied / PAGE.name
    good = page.read_text(encoding="utf-8")
    page.write_text(good.replace(catalogue.HTTP_REQUESTS.help, "Something."), encoding="utf-8")
    assert "run `scout metrics docs --write`" in str(run("--check").exception)
    assert run("--write").exit_code == 0
    assert page.read_text(encoding="utf-8") == good
    assert run().output == good


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (
            ("<!-- metrics: latency -->", "<!-- metrics: lateness -->"),
            "There is no table 'metrics: lateness'",
        ),
        (("<!-- alerts: queue -->", "The queue:"), "Nowhere is a place for alerts: queue"),
    ],
)
def test_a_mark_that_is_wrong_or_missing_is_named(broken: tuple[str, str], says: str) -> None:
    with pytest.raises(WatchError, match=re.escape(says)):
        reference.filled(PAGE.read_text(encoding="utf-8").replace(*broken), told())


def test_a_document_that_is_not_there_is_one_sentence(copied: Path) -> None:
    (copied / PAGE.name).unlink()
    assert "MONITORING.md cannot be read" in str(run("--check").exception)


def test_every_metrics_query_asks_for_that_metric() -> None:
    for metric in catalogue.ALL:
        asked = {
            each.name.removesuffix("_bucket") for each in promql.read(reference.example(metric)).selectors
        }
        assert asked == {metric.name}


def test_the_code_of_the_document_measures_what_it_says(emitted: Captured) -> None:
    space: dict[str, object] = {}
    for block in documents.blocks(PAGE.read_text(encoding="utf-8"), "python"):
        exec(block.text, space)  # noqa: S102 - our own document
    emitted.assert_observed(catalogue.SCAN_PHASE_DURATION, phase="parse")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, table="jobs", operation="insert")
    emitted.assert_incremented(catalogue.SESSIONS_STARTED)
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ValueError", place="scan")
    emitted.assert_incremented(catalogue.MATCHES, 1000, band="85-100")
