"""The mutation check: what it takes for an emission, and that it takes out that one and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metrics import catalogue
from metrics.testing import ANY, Captured, captured
from tests.mutation import sites, switch
from tests.mutation.__main__ import Check, report
from tests.mutation.sites import Source

EVERY_KIND = """
import threading
from metrics import catalogue, losses
from metrics.catalogue import SESSIONS_ACTIVE
from metrics.instruments import count_error, counted, timed

woken = threading.Event()


def plain():
    catalogue.SESSIONS_STARTED.inc(); woken.set()


def imported():
    SESSIONS_ACTIVE.set(7)


def around():
    took = catalogue.SCAN_PHASE_DURATION
    with took.time(phase="fetch"), timed(took, phase="store"):
        return "done"


class Handles:
    def __init__(self):
        self._handle = catalogue.SCANS_ABANDONED.bind("parked")
        self._kept = {}

    def through_an_attribute(self):
        self._handle.inc()

    def functions(self):
        if "both" not in self._kept:
            waited = catalogue.RQ_JOB_WAIT.bind("scans", "f")
            self._kept["both"] = catalogue.SIGN_INS.bind("failed").one, waited.observe
        return self._kept["both"]

    def through_a_tuple(self):
        count, self.took = self.functions()
        count()
        self.finish(self.took)

    def finish(self, done):
        done(2.5)


def from_a_table():
    for metric, amount in ((catalogue.JOBS, 1), (catalogue.JOBS_NEW_TODAY, 2)):
        metric.set(amount)
    for metric, amount in {catalogue.DATABASE_SIZE: 3}.items():
        metric.set(amount)


def _told(error):
    count = 2
    catalogue.SCAN_CLAIMS_LOST.inc(count)


def by_a_function_that_only_emits():
    _told(None)


def by_others():
    count_error(KeyError(), "web")
    losses.mistake("unit")


@counted(catalogue.SESSIONS_STARTED)
def decorated():
    return "done"


def lambdas():
    return (lambda: catalogue.SESSIONS_STARTED.inc())()


def none_of_it(queue, phases=catalogue.PHASE.values):
    queue.inc()
    sizes = dict.fromkeys(catalogue.PHASE.values, 0)
    return [queue.count(phase) for phase in sizes]
"""
SOURCE = Source("unit.py", EVERY_KIND)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.delenv(switch.REMOVED, raising=False)
    monkeypatch.setattr(switch, "_removed", "")
    names: dict[str, Any] = {
        "__emission__": switch._emission, "__around_emission__": switch._Around,
        "__emission_table__": switch._table,
    }  # fmt: skip
    exec(compile(Source("unit.py", EVERY_KIND).switched(), "unit.py", "exec"), names)  # noqa: S102 - ours
    return names


def run_all(program: dict[str, Any]) -> None:
    handles = program["Handles"]()
    for work in (
        program["plain"], program["imported"], handles.through_an_attribute, handles.through_a_tuple,
        program["from_a_table"], program["by_a_function_that_only_emits"], program["by_others"],
        program["lambdas"],
    ):  # fmt: skip
        work()
    assert program["around"]() == "done"
    assert program["decorated"]() == "done"
    assert program["woken"].is_set()


def test_every_kind_of_emission_is_found_and_nothing_else() -> None:
    assert [site.text for site in SOURCE.sites] == [
        "catalogue.SESSIONS_STARTED.inc()",
        "SESSIONS_ACTIVE.set(7)",
        "took.time(phase='fetch')",
        "timed(took, phase='store')",
        "self._handle.inc()",
        "count()",
        "self.finish(self.took)",
        "done(2.5)",
        "(catalogue.JOBS, 1)",
        "(catalogue.JOBS_NEW_TODAY, 2)",
        "metric.set(amount)",
        "3",
        "metric.set(amount)",
        "catalogue.SCAN_CLAIMS_LOST.inc(count)",
        "_told(None)",
        "count_error(KeyError(), 'web')",
        "losses.mistake('unit')",
        "counted(catalogue.SESSIONS_STARTED)",
        "catalogue.SESSIONS_STARTED.inc()",
    ]
    assert len({site.key for site in SOURCE.sites}) == len(SOURCE.sites)


@pytest.mark.emits_wrongly
def test_a_switched_program_emits_everything(program: dict[str, Any], emitted: Captured) -> None:
    run_all(program)
    emitted.assert_incremented(catalogue.SESSIONS_STARTED, 3)
    emitted.assert_gauge(catalogue.SESSIONS_ACTIVE, 7)
    emitted.assert_observed(catalogue.SCAN_PHASE_DURATION, 2)
    emitted.assert_incremented(catalogue.SCANS_ABANDONED, action="parked")
    emitted.assert_incremented(catalogue.SIGN_INS, outcome="failed")
    emitted.assert_observed(catalogue.RQ_JOB_WAIT)
    emitted.assert_gauge(catalogue.JOBS, 1)
    emitted.assert_gauge(catalogue.JOBS_NEW_TODAY, 2)
    emitted.assert_gauge(catalogue.DATABASE_SIZE, 3)
    emitted.assert_incremented(catalogue.SCAN_CLAIMS_LOST, 2)
    emitted.assert_incremented(catalogue.APP_ERRORS, ANY)
    assert emitted.mistakes == ["unit"]


@pytest.mark.parametrize("site", SOURCE.sites, ids=lambda site: site.text)
def test_each_emission_is_taken_out_and_the_rest_stays(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, site: sites.Site
) -> None:
    def all_told() -> list[str]:
        with captured(strict=False) as emitted:
            run_all(program)
        return str(emitted).splitlines()[1:]

    whole = all_told()
    monkeypatch.setattr(switch, "_removed", site.key)
    without = all_told()
    assert without != whole
    kept = [line for line in whole if not any(_about(name, line) for name in (*site.metrics, *site.hints))]
    assert [line for line in without if line in kept] == kept


def _about(name: str, line: str) -> bool:
    metric = getattr(catalogue, name, None)
    return (metric.name if metric is not None else "refused") in line


def test_the_tree_has_a_site_for_each_metric_that_it_emits() -> None:
    """Found by reading: a metric that nothing emits would be seen as one that the check cannot find."""
    found = {name for site in sites.everywhere() for name in site.metrics}
    declared = {name for name in vars(catalogue) if getattr(catalogue, name) in catalogue.ALL}
    # The probe of `scout metrics doctor` goes by its name through a client of its own.
    assert declared - found == {"CLIENT_PROBES"}


STARTED = """
from metrics import catalogue, instruments
from metrics.testing import captured
with captured() as emitted:
    instruments.count_error(KeyError(), "web")
print(emitted.count(catalogue.APP_ERRORS))
"""


@pytest.mark.parametrize("taken_out", [False, True])
def test_a_python_that_a_test_starts_is_without_it_too(tmp_path: Path, *, taken_out: bool) -> None:
    (site,) = (
        site
        for site in sites.read(sites.ROOT / "metrics/instruments.py").sites
        if site.metrics == ("APP_ERRORS",)
    )
    notes = tmp_path / "notes"
    run = subprocess.run(
        [sys.executable, "-c", STARTED],
        env={
            **os.environ, "PYTHONPATH": switch._CHILD, switch.NOTES: str(notes),
            switch.REMOVED: site.key if taken_out else "", "PYTEST_CURRENT_TEST": "test.py::test (call)",
        },
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == ("0\n" if taken_out else "1.0\n")
    assert (site.key, "test.py::test", False) in switch.noted(notes)


def test_what_no_test_misses_is_told_and_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third, *_ = SOURCE.sites
    check = Check([first, second, third], tmp_path, unit_only=False)
    check.verdicts[first.key].missed_by = "test.py::test"
    check.verdicts[second.key].run = 7
    assert report(check, 1.0) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == [
        f"{second}: no test misses it, of 7 that were run",
        f"{third}: no test runs it",
    ]
    check.verdicts[second.key].missed_by = check.verdicts[third.key].missed_by = "test.py::test"
    assert report(check, 1.0) == 0
    check.known.failed.append("test.py::other")
    assert report(check, 1.0) == 1
