"""The test kit, and the recipe that the README gives for a new metric."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import metrics
from metrics import catalogue, client, mapping
from metrics.model import Metric
from metrics.testing import captured

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


def test_the_readmes_recipe_for_a_new_metric_works() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    declare, emit, test = (block for block in blocks if "SEARCHES" in block)
    assert len(declare.strip().splitlines()) <= 5 + 2, "five lines, the call's first and last aside"
    page = ModuleType("page")
    imported = "from metrics.model import Counter, Label, Signal\n"
    exec(imported + declare, page.__dict__)  # noqa: S102 - our own README
    made = page.__dict__["SEARCHES"]
    assert isinstance(made, Metric)
    assert f"scout.{made.name}" in mapping.render([*catalogue.ALL, made])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalogue, "SEARCHES", made, raising=False)
        exec(emit, page.__dict__)  # noqa: S102 - our own README
        exec(test, page.__dict__)  # noqa: S102 - our own README
        with captured() as emitted:
            page.__dict__["search"]("python")
        emitted.assert_incremented(made, outcome="found")
        page.__dict__["test_a_search_is_counted"]()
