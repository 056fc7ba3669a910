"""The test kit, and the recipe that the README gives for a new metric."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client.parser import text_string_to_metric_families

import metrics
from metrics import catalogue, client, losses, mapping
from metrics.model import OTHER, Counter, Label, Signal
from metrics.testing import ANY, Captured, captured, strictly
from tests import documents

README = Path(__file__).parents[3] / "metrics" / "README.md"


def test_a_missing_emission_fails_and_shows_what_there_was() -> None:
    with captured() as emitted:
        catalogue.SCANS_ABANDONED.inc(action="parked")
        catalogue.JOBS.set(5)
        catalogue.SCAN_PHASE_DURATION.observe(1, phase="fetch")
    with pytest.raises(AssertionError, match="iam_scans_abandoned_total parked rose by 1"):
        emitted.assert_incremented(catalogue.SCANS_ABANDONED, action="requeued")
    with pytest.raises(AssertionError, match="rose by 1, not by 2"):
        emitted.assert_incremented(catalogue.SCANS_ABANDONED, 2)
    with pytest.raises(AssertionError, match="rose by 0, not by some"):
        emitted.assert_incremented(catalogue.SESSIONS_STARTED, None)
    with pytest.raises(AssertionError, match="recorded 1 durations, not 2"):
        emitted.assert_observed(catalogue.SCAN_PHASE_DURATION, 2)
    with pytest.raises(AssertionError, match="recorded 0 durations, not some"):
        emitted.assert_observed(catalogue.RQ_JOB_WAIT, None)
    with pytest.raises(AssertionError, match=r"is 5.*, not 6"):
        emitted.assert_gauge(catalogue.JOBS, 6)
    with pytest.raises(AssertionError, match="is None, not 1"):
        emitted.assert_gauge(catalogue.SESSIONS_ACTIVE, 1)
    with pytest.raises(AssertionError, match="Nothing was to be emitted"):
        emitted.assert_no_metrics()
    with pytest.raises(AssertionError, match="Nothing was to be emitted"):
        emitted.assert_no_metrics(catalogue.JOBS)
    emitted.assert_no_metrics(catalogue.SESSIONS_STARTED)
    emitted.assert_incremented(catalogue.SCANS_ABANDONED, None)


def test_a_failure_shows_what_was_asked_beside_the_nearest_series(emitted: Captured) -> None:
    catalogue.STATUS_UPDATES.inc(from_status="new", to_status="saved")
    catalogue.STATUS_UPDATES.inc(3, from_status="saved", to_status="applied")
    catalogue.STATUS_UPDATES.inc(from_status="offer", to_status="rejected")
    with pytest.raises(AssertionError) as failed:
        emitted.assert_incremented(catalogue.STATUS_UPDATES, from_status="new", to_status="applied")
    assert str(failed.value).splitlines()[:5] == [
        'iam_job_status_updates_total{from_status="new", to_status="applied"} rose by 0, not by 1.',
        "               asked    emitted   emitted     emitted",
        "  from_status  new       = new    != saved    != offer",
        "  to_status    applied  != saved   = applied  != rejected",
        "               1           1         3           1",
    ]
    with pytest.raises(AssertionError, match="rose by 1, not by 2") as failed:
        emitted.assert_incremented(catalogue.STATUS_UPDATES, 2, from_status=ANY, to_status="saved")
    assert "  from_status  any       new " in str(failed.value)


def test_a_failure_shows_a_few_series_and_says_how_many_more(emitted: Captured) -> None:
    for number in range(60):
        catalogue.HTTP_RESPONSE_BYTES.inc(endpoint=f"/{number}")
    with pytest.raises(AssertionError) as failed:
        emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, 7)
    assert "and 57 further series of it" in str(failed.value)
    assert "and 20 more" in str(failed.value)


def test_figures_may_be_any_near_or_as_a_question_says(emitted: Captured) -> None:
    catalogue.HTTP_RESPONSE_BYTES.inc(0.1, endpoint="/")
    catalogue.HTTP_RESPONSE_BYTES.inc(0.2, endpoint="/")
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, pytest.approx(0.3), endpoint=ANY)
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, ANY)

    def large(size: float) -> bool:
        return size > 1

    with pytest.raises(AssertionError, match=r"rose by 0\.3, not by what large takes"):
        emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, large)
    for health in ("ok", "new"):
        catalogue.SOURCES_BY_HEALTH.set(0, health=health)
    emitted.assert_gauge(catalogue.SOURCES_BY_HEALTH, ANY)
    with pytest.raises(AssertionError, match="is None, not some"):
        emitted.assert_gauge(catalogue.JOBS, ANY)


def test_asking_for_a_label_that_a_metric_does_not_have_fails() -> None:
    with captured() as emitted, pytest.raises(AssertionError, match="has the labels"):
        emitted.assert_incremented(catalogue.SCANS_ABANDONED, reason="parked")


def test_a_gauge_that_fits_several_series_has_no_one_value() -> None:
    with captured() as emitted:
        catalogue.SOURCES_BY_HEALTH.set(1, health="ok")
        catalogue.SOURCES_BY_HEALTH.set(2, health="new")
        with pytest.raises(AssertionError, match="several series"):
            emitted.assert_gauge(catalogue.SOURCES_BY_HEALTH, 1)


def test_a_wrong_emission_fails_the_test_that_made_it() -> None:
    with pytest.raises(AssertionError, match="iam_scans_abandoned_total has the labels"), captured():
        catalogue.SCANS_ABANDONED.inc(outcome="parked")
    with pytest.raises(AssertionError, match="-1 is not a finite number"), captured():
        catalogue.SESSIONS_STARTED.inc(-1)


def test_a_capture_begins_empty_and_keeps_the_client_out(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue.SESSIONS_STARTED.inc()
    metrics.start("udp://127.0.0.1:9", role="")
    try:
        with captured() as emitted:
            emitted.assert_no_metrics(catalogue.SESSIONS_STARTED)
            catalogue.SESSIONS_STARTED.inc()
            running = client._current
            assert running is not None
            running._flush()
            emitted.assert_incremented(catalogue.SESSIONS_STARTED)
            with pytest.raises(AssertionError, match="under way already"), captured():
                pass
    finally:
        metrics.stop()


def test_what_a_label_met_before_takes_nothing_from_a_captures_bound() -> None:
    tables, bound = [f"table_{number}" for number in range(50)], catalogue.TABLE.bound
    for _ in range(2):
        with captured() as emitted:
            for table in tables:
                catalogue.DB_QUERY_DURATION.observe(1, operation="select", table=table)
            emitted.assert_observed(catalogue.DB_QUERY_DURATION, 50 - bound, operation="select", table=OTHER)
        tables.reverse()
    with captured() as emitted:
        catalogue.DB_QUERY_DURATION.observe(1, operation="select", table="yet_another")
    emitted.assert_observed(catalogue.DB_QUERY_DURATION, table="yet_another")


def test_what_comes_after_a_capture_is_not_in_it() -> None:
    with captured() as emitted:
        catalogue.SESSIONS_STARTED.inc()
    catalogue.SESSIONS_STARTED.inc()
    emitted.assert_incremented(catalogue.SESSIONS_STARTED)


# --- Strictness ---


def test_a_wrong_emission_that_nobody_captures_fails_too() -> None:
    with pytest.raises(AssertionError, match="iam_scans_abandoned_total has the labels"), strictly():
        catalogue.SCANS_ABANDONED.inc(outcome="parked")
    with pytest.raises(AssertionError, match="-1 is not a finite number"), strictly():
        catalogue.SESSIONS_STARTED.inc(-1)


def test_looking_at_an_ended_capture_hides_no_mistake() -> None:
    with captured() as emitted:
        pass

    def work() -> None:
        catalogue.SESSIONS_STARTED.inc(-1)
        emitted.assert_no_metrics()

    with pytest.raises(AssertionError, match="-1 is not a finite number"), strictly():
        work()


def test_neither_many_mistakes_nor_a_client_that_starts_hide_one() -> None:
    def work() -> None:
        losses.mistake("unit_first")
        metrics.start("udp://127.0.0.1:9", role="")
        metrics.stop()
        for _ in range(1_000):
            losses.mistake("unit_later")

    with pytest.raises(AssertionError, match="unit_first") as failed, strictly():
        work()
    assert str(failed.value).count("unit_later") == 1_000


def test_what_a_client_finds_when_it_sends_fails_too() -> None:
    metrics.start("udp://127.0.0.1:9", role="")
    try:
        with pytest.raises(AssertionError, match="-1 is not a finite number"), strictly():
            catalogue.SESSIONS_STARTED.inc(-1)
    finally:
        metrics.stop()


def test_what_a_capture_takes_is_its_own_affair() -> None:
    with strictly(), captured(strict=False) as emitted:
        catalogue.SESSIONS_STARTED.inc(-1)
    assert len(emitted.mistakes) == 1


PLUGGED = """
import pytest
from metrics import catalogue

@pytest.fixture(scope="module")
def wrong():
    catalogue.SCANS_ABANDONED.inc(outcome="parked")

def test_right(emitted):
    catalogue.SESSIONS_STARTED.inc()
    emitted.assert_incremented(catalogue.SESSIONS_STARTED)

def test_wrong():
    catalogue.SCANS_ABANDONED.inc(outcome="parked")

def test_wrong_and_captured(emitted):
    catalogue.SESSIONS_STARTED.inc(-1)

@pytest.mark.emits_wrongly
def test_on_purpose():
    catalogue.SCANS_ABANDONED.inc(outcome="parked")

@pytest.mark.emits_wrongly
def test_on_purpose_and_captured(emitted):
    catalogue.SESSIONS_STARTED.inc(-1)
    emitted.gather()
    assert len(emitted.mistakes) == 1

def test_right_again():
    pass

def test_wrong_in_a_fixture(wrong):
    pass
"""


def test_the_plugin_fails_tests_that_emit_wrongly_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["metrics.pytest_plugin"]', encoding="utf-8")
    (tmp_path / "test_plugged.py").write_text(PLUGGED, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "--strict-markers", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = re.findall(r"^(PASSED|ERROR|FAILED) \S+::(\w+)", run.stdout, re.MULTILINE)
    failed = {name for outcome, name in told if outcome != "PASSED"}
    assert failed == {"test_wrong", "test_wrong_and_captured", "test_wrong_in_a_fixture"}, run.stdout
    assert {name for _, name in told} - failed == {
        "test_right", "test_on_purpose", "test_on_purpose_and_captured", "test_right_again"
    }, run.stdout  # fmt: skip


# --- As the exporter shows it ---


def test_a_capture_reads_as_the_exporters_page(emitted: Captured) -> None:
    catalogue.STATUS_UPDATES.inc(2, from_status="new", to_status="saved")
    catalogue.JOBS.set(5)
    catalogue.SCAN_PHASE_DURATION.observe(0.3, phase="fetch")
    catalogue.SCAN_PHASE_DURATION.observe(0.04, phase="fetch")
    families = {family.name: family for family in text_string_to_metric_families(emitted.exposition())}
    assert set(families) == {"iam_job_status_updates", "iam_jobs_total", "iam_scan_phase_duration_seconds"}
    (updates,) = families["iam_job_status_updates"].samples
    assert (updates.labels, updates.value) == ({"from_status": "new", "to_status": "saved"}, 2)
    assert families["iam_job_status_updates"].documentation == catalogue.STATUS_UPDATES.help
    assert families["iam_jobs_total"].samples[0].value == 5
    phase = {
        (sample.name, sample.labels.get("le")): sample.value
        for sample in families["iam_scan_phase_duration_seconds"].samples
    }
    name = "iam_scan_phase_duration_seconds"
    assert phase[f"{name}_bucket", "0.25"] == 1
    assert phase[f"{name}_bucket", "0.5"] == 2
    assert phase[f"{name}_count", None] == 2
    assert phase[f"{name}_sum", None] == pytest.approx(0.34)


def test_a_metric_of_the_test_itself_is_mapped_when_it_is_named(emitted: Captured) -> None:
    things = Counter(
        name="unit_things_total", help="A thing.", raised_by="this test", signal=Signal.TRAFFIC,
        labels=(Label("colour", ("red",)),),
    )  # fmt: skip
    things.inc(colour="red")
    assert 'unit_things_total{colour="red"} 1\n' in emitted.exposition(things)
    assert emitted.exposition() == "", "the committed file drops what it does not know"


# --- The recipe ---


def test_the_readmes_recipe_for_a_new_metric_works(emitted: Captured) -> None:
    blocks = documents.blocks(README.read_text(encoding="utf-8"), "python")
    declare, emit, test = (block.text for block in blocks if "SEARCHES" in block.text)
    assert len(declare.strip().splitlines()) <= 5 + 2, "five lines, the call's first and last aside"
    page = ModuleType("page")
    imported = "from metrics.model import Counter, Label, Signal\n"
    exec(imported + declare, page.__dict__)  # noqa: S102 - our own README
    made = page.__dict__["SEARCHES"]
    assert isinstance(made, Counter)
    assert f"scout.{made.name}" in mapping.render([*catalogue.ALL, made])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalogue, "SEARCHES", made, raising=False)
        exec(emit, page.__dict__)  # noqa: S102 - our own README
        exec(test, page.__dict__)  # noqa: S102 - our own README
        page.__dict__["test_a_search_is_counted"](emitted)
        emitted.assert_incremented(made, outcome="found")
