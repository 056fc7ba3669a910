"""The benchmarks run, and what they claim without a clock holds: nothing is lost, totals are equal.

Short runs in processes of their own, as people run them. How fast anything is, they cannot tell.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import kills
from tests.components import find

ROOT = Path(__file__).resolve().parents[2]
PEERS = ("datadog", "opentelemetry.sdk", "prometheus_client", "statsd")


def short_run(name: str, folder: Path, *, timeout: float = 120) -> tuple[dict[str, Any], str]:
    """The JSON that a short run wrote, and what it printed."""
    command = [sys.executable, "-m", "benchmarks", "--short", "--results", str(folder), name]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    result: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return result, ran.stdout


def exporters() -> set[str]:
    return {"embedded", "statsd_exporter"} if find("statsd_exporter") else {"embedded"}


@pytest.fixture
def peers() -> None:
    """The packages that the client is measured beside; without them the test is skipped, and fails in CI."""
    missing = [name for name in PEERS if importlib.util.find_spec(name.partition(".")[0]) is None]
    if missing:
        reason = f"{', '.join(missing)} is not here: `make setup-bench` brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def test_the_client_is_measured_beside_its_peers_and_loses_no_count(peers: None, tmp_path: Path) -> None:
    result, printed = short_run("client", tmp_path)
    assert len(result["medians"]) > len(result["threads"]) > 1
    for figures in (result["medians"], result["threads"]):
        assert all(value > 0 for each in figures.values() for value in each.values())
        assert all(name in printed for name in figures)
    packages = {re.split(r"[ ,]", name)[0] for name in result["medians"]}
    assert packages == {"scout", "prometheus_client", "statsd", "datadog", "opentelemetry"}
    for arrived in result["arrived from threads"].values():
        assert arrived["counts emitted"] > 0
        assert arrived["counts lost"] == 0
        assert arrived["durations lost unseen"] == 0


def test_the_exporters_are_measured_with_every_sample_taken(tmp_path: Path) -> None:
    result, printed = short_run("exporter", tmp_path)
    assert set(result["medians"]) == exporters()
    for name, figures in result["medians"].items():
        assert name in printed
        assert figures["packed"] > 0
        assert figures["page bytes"] > 30 * result["series"]


def test_the_scrape_is_measured_after_generations_whose_every_request_arrived(tmp_path: Path) -> None:
    result, printed = short_run("scrape", tmp_path)
    peer = "prometheus_client multiprocess"
    for generations in result["generations"].values():
        assert set(generations) == exporters() | {"merged page", peer}
    first, last = result["generations"].values()
    assert last[peer]["files"] > first[peer]["files"]
    assert last["merged page"]["page bytes"] > 0
    assert peer in printed


def test_what_workers_had_acknowledged_when_they_were_killed_is_in_the_exporter(tmp_path: Path) -> None:
    result, printed = short_run("kills", tmp_path)
    assert result["equal"] is True
    assert result["killed"] > 0
    assert result["lost in clean ends"] == 0
    more = result["exporter's total"] - result["acknowledged"]
    assert 0 <= more <= result["increments in them"]
    assert result["emitted"] == (
        result["acknowledged"] + result["lost in kills"] + result["lost in clean ends"]
    )
    assert re.search(r"equal +True", printed)


def test_faults_of_the_pipeline_are_measured_and_no_visitor_feels_an_error(tmp_path: Path) -> None:
    result, printed = short_run("faults", tmp_path)
    assert len(result["conditions"]) == 8
    for name, figures in result["conditions"].items():
        assert name in printed
        assert figures["errors felt"] == 0
        assert 0 < figures["p50"] <= figures["p99"]


@pytest.mark.xdist_group("whole-stack")
def test_a_changed_profile_is_measured_until_it_has_reached_every_job(tmp_path: Path) -> None:
    result, printed = short_run("rescore", tmp_path)
    for each in result["rounds"]:
        assert each["round"] in printed
        assert 0 < each["changed"] <= result["jobs"]
        assert 0 < each["largest process mb"] < 200
    assert set(result["phases"]) == {"read", "score", "score with wishes"}


@pytest.mark.xdist_group("whole-stack")
def test_the_stack_is_measured_process_by_process(tmp_path: Path) -> None:
    result, _ = short_run("memory", tmp_path)
    assert result["processes"] == len(result["each"])
    assert result["pss mb"] > 0


@pytest.mark.xdist_group("whole-stack")
def test_scans_are_measured_with_every_posting_stored_and_every_edit_seen(tmp_path: Path) -> None:
    result, printed = short_run("scan", tmp_path, timeout=300)
    steps = result["steps"]
    assert steps["first scan"]["new"] == steps["first scan"]["postings"] > 0
    for name, step in steps.items():
        assert name in printed
        assert step["sources by state"] == {"succeeded": step["sources"]}
        assert step["postings"] > 0
        assert step["seconds"] > 0
        assert step["processor seconds"]["scanning"] > 0
        if name != "first scan":
            assert step["new"] == 0
    assert steps["again, 304"]["updated"] == steps["again, same bytes"]["updated"] == 0
    # An edit of the text alone shows in no listing of the kinds that give texts one by one.
    assert 0 < steps["again, one edit a board"]["updated"] <= steps["again, 304"]["sources"]
    stored = [each["stored"] for each in result["another scan with so many stored"].values()]
    assert stored == sorted(set(stored))
    for each in result["another scan with so many stored"].values():
        assert each["new"]["new"] == each["new"]["postings"] == each["unchanged"]["postings"] > 0
    assert result["most memory of one process"]["horse"]["pss mb"] > 0


@pytest.mark.parametrize(
    ("difference", "ambiguous", "explained"),
    [
        (0, [], True),
        (0, [120, 7], True),
        (7, [120, 7], True),
        (127, [120, 7], True),
        (1, [120, 7], False),
        (-7, [120, 7], False),
        (240, [120, 7], False),
    ],
)
def test_only_whole_ambiguous_datagrams_explain_a_difference(
    difference: int, ambiguous: list[int], *, explained: bool
) -> None:
    assert kills.explained(difference, ambiguous) is explained


def test_a_benchmark_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "there is no speed; there are client, exporter, faults" in ran.stderr


def test_pages_are_measured_on_each_database_beside_a_bare_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--short", "--results", str(tmp_path), "pages"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads((tmp_path / "pages.json").read_text())
    databases = result["sizes"]["300"]
    assert set(databases) == ({"sqlite", "postgresql"} if find("initdb") else {"sqlite"})
    # The same jobs in both, and each search finds as many.
    found = {tuple(each["jobs"] for each in told["requests"].values()) for told in databases.values()}
    assert len(found) == 1
    for told in databases.values():
        assert told["throughput"]["share"] > 0
        assert told["page bytes, gzip"] < told["page bytes"]
