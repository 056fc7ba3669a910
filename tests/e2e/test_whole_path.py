"""The whole path, on real parts: boards are scanned, pages show the jobs, Prometheus has the numbers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
import yaml

from tests.components import need
from tests.ports import free_port
from tests.sample_boards import SampleBoards
from tests.samples import needs_samples
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password for the whole path"

pytestmark = [needs_samples, pytest.mark.xdist_group("whole-stack")]


@dataclass
class Stack:
    """A running `scout up`, and how to ask it and its Prometheus."""

    environ: dict[str, str]
    web: str
    exporter: str
    gateway: str
    prometheus: str

    def scout(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from scout.cli import main; main()", *arguments],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def query(self, expression: str) -> list[dict[str, Any]]:
        page = fetch(f"{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        found: list[dict[str, Any]] = json.loads(page)["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        page: bytes = answer.read()
        return page.decode()


def answers(url: str) -> bool:
    try:
        return bool(fetch(url))
    except OSError:
        return False


@pytest.fixture(scope="module")
def boards() -> Iterator[SampleBoards]:
    with SampleBoards() as playing:
        yield playing


@pytest.fixture(scope="module")
def stack(boards: SampleBoards, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    real = [
        need(name) for name in ("redis-server", "statsd_exporter", "prometheus-pushgateway", "prometheus")
    ]
    folder = tmp_path_factory.mktemp("stack")
    web, statsd, exporter, gateway, prometheus = (free_port() for _ in range(5))
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SCOUT_") or k == "SCOUT_SAMPLES"},
        "PATH": os.pathsep.join([*(str(path.parent) for path in real), os.environ["PATH"]]),
        "SCOUT_DATA_DIR": str(folder / "data"),
        "SCOUT_PORT": str(web),
        "SCOUT_STATSD_PORT": str(statsd),
        "SCOUT_EXPORTER_PORT": str(exporter),
        "SCOUT_PUSHGATEWAY_PORT": str(gateway),
        "SCOUT_PASSWORD": PASSWORD,
        "SCOUT_STARTER_BOARDS": "0",
        "SCOUT_ORIGIN_OVERRIDES": boards.overrides,
    }
    running = Stack(
        environ,
        f"http://127.0.0.1:{web}",
        f"http://127.0.0.1:{exporter}",
        f"http://127.0.0.1:{gateway}",
        f"http://127.0.0.1:{prometheus}",
    )
    config = folder / "prometheus.yml"
    config.write_text(scraping_these(exporter, gateway))
    scraping = [
        str(need("prometheus")),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{prometheus}",
        "--log.level=warn",
    ]
    with (
        (folder / "stack.log").open("w+") as log,
        program([sys.executable, "-c", "from scout.cli import main; main()", "up"], environ, log),
        program(scraping, environ, log),
    ):
        try:
            wait_until(lambda: answers(f"{running.web}/readyz"), timeout=60, what="the stack being ready")
            wait_until(
                lambda: answers(f"{running.prometheus}/-/ready"), timeout=60, what="Prometheus answering"
            )
            for board in boards.boards:
                added = running.scout("sources", "add", board.url)
                assert added.returncode == 0, added.stderr
            yield running
        finally:
            log.seek(0)
            print(log.read()[-6000:])  # pytest shows it when something failed


@contextlib.contextmanager
def program(command: list[str], environ: dict[str, str], log: IO[str]) -> Iterator[None]:
    running = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        running.terminate()
        running.wait(timeout=30)


def scraping_these(exporter: int, gateway: int) -> str:
    """The shipped prometheus.yml with this test's ports, scraping each second."""
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    shipped = {"statsd_exporter": exporter, "pushgateway": gateway}
    config["scrape_configs"] = [
        {**jobs[name], "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for name, port in shipped.items()
    ]
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config.pop("alerting", None)
    config.pop("rule_files", None)
    return yaml.safe_dump(config)


def test_the_recorded_boards_go_all_the_way_to_prometheus(stack: Stack, boards: SampleBoards) -> None:
    published = {(board.kind, job_id) for board in boards.boards for job_id in board.expected_ids}

    first = stack.scout("scan", "--wait", "--json")
    assert first.returncode == 0, first.stderr
    run = json.loads(first.stdout)
    assert run["status"] == "succeeded"
    assert {part["status"] for part in run["sources"]} == {"succeeded"}

    second = json.loads(stack.scout("scan", "--wait", "--json").stdout)
    assert [(part["new"], part["updated"], part["closed"]) for part in second["sources"]] == [
        (0, 0, 0) for _ in boards.boards
    ]

    jobs = json.loads(stack.scout("jobs", "list", "--limit", "1000", "--json").stdout)
    # Of the second run: the scheduler may have been first to scan a board that was just added.
    kinds = {part["source"]: part["kind"] for part in second["sources"]}
    stored = [(kinds[seen["source"]], seen["source_job_id"]) for job in jobs for seen in job["listings"]]
    assert sorted(stored) == sorted(published)

    fetch(f"{stack.web}/sign-in")
    total = len(jobs)
    told: dict[str, Callable[[float], bool]] = {
        "iam_jobs_total": lambda value: value == total,
        'sum(iam_scan_runs_total{status="succeeded"})': lambda value: value >= 2,
        'sum(http_requests_total{endpoint="/sign-in"})': lambda value: value >= 1,
        "sum(iam_postings_parsed_total)": lambda value: value >= total,
        'sum(iam_scan_listings_total{change="new"})': lambda value: value == len(published),
        "count(http_request_duration_seconds_bucket)": lambda value: value > 0,
        "count(db_query_duration_seconds_bucket)": lambda value: value > 0,
        'sum(rq_jobs_finished_total{outcome="succeeded"})': lambda value: value >= 2,
    }
    for expression, expected in told.items():
        wait_until(lambda e, ok: ok(stack.value(e) or 0), expression, expected, timeout=60, what=expression)
    pushed = {
        entry["metric"]["source"]: float(entry["value"][1]) for entry in stack.query("iam_scan_last_seen")
    }
    assert pushed == {part["source"]: part["seen"] for part in second["sources"]}


def test_the_exporter_understood_every_sample(stack: Stack) -> None:
    wait_until(
        lambda: stack.value("statsd_exporter_samples_total"), timeout=30, what="samples at the exporter"
    )
    for name in ("events_unmapped_total", "events_conflict_total", "sample_errors_total", "tag_errors_total"):
        assert (stack.value(f"sum(statsd_exporter_{name})") or 0) == 0, name
    # The last rule of the mapping drops what no other knows.
    assert (stack.value('sum(statsd_exporter_events_actions_total{action="drop"})') or 0) == 0


def test_the_doctors_probes_arrive_everywhere(stack: Stack) -> None:
    asking = replace(stack, environ={**stack.environ, "PROMETHEUS_URL": stack.prometheus})
    told = asking.scout("metrics", "doctor", "--json")
    assert told.returncode == 0, told.stdout
    verdicts = {step["name"]: step["verdict"] for step in json.loads(told.stdout)["steps"]}
    verdicts.pop("kernel", None)  # a busy machine may have dropped something
    assert len(verdicts) == 12
    assert set(verdicts.values()) == {"ok"}, told.stdout


def test_the_apps_own_page_shows_what_the_exporters_hold(stack: Stack, boards: SampleBoards) -> None:
    assert stack.scout("scan", "--wait").returncode == 0
    fetch(f"{stack.web}/sign-in")
    with pytest.raises(urllib.error.HTTPError):
        fetch(f"{stack.web}/no-such-page")

    def page() -> str | None:
        text = fetch(f"{stack.web}/metrics")
        wanted = (
            'endpoint="/sign-in"',
            "http_request_duration_seconds_bucket",
            "iam_jobs_total",
            "iam_scan_runs_total",
            "push_time_seconds",
        )
        return text if all(each in text for each in wanted) else None

    assert wait_until(page, timeout=30, what="the expected families at /metrics")


def test_a_browser_signs_in_and_sees_the_jobs(stack: Stack, boards: SampleBoards, chromium: Browser) -> None:
    assert stack.scout("scan", "--wait").returncode == 0
    jobs = json.loads(stack.scout("jobs", "list", "--limit", "1000", "--json").stdout)
    page = chromium.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.goto(f"{stack.web}/")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.get_by_role("button", name="Skip this").click()
    page.wait_for_url(f"{stack.web}/")
    shown = page.inner_text("main")
    page.close()
    assert any(job["title"] in shown for job in jobs)
    assert troubles == []
    wait_until(
        lambda: stack.value('sum(http_requests_total{endpoint="/",method="GET",status="200"})'),
        timeout=30,
        what="the visit in Prometheus",
    )
