"""Every query of the dashboards, asked of a real Prometheus beside the demo, with the committed rules."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from metrics import catalogue
from metrics.watch import promql, rules
from metrics.watch.grafana import reading
from metrics.watch.grafana.reading import Query
from metrics.watch.promql import Selector
from scout import settings as scout_settings
from tests import postgres_server
from tests.components import need
from tests.integration import foreign_exporters
from tests.integration.embedded_programs import ROOT, Program, free_port
from tests.integration.watching import PROMETHEUS, alertmanager, ask, copied, prometheus
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("whole-stack")

SCOUT = [sys.executable, "-c", "from scout.cli import main; main()"]
DOCUMENTS = reading.load(PROMETHEUS / "grafana" / "dashboards")
KNOWN = rules.load(PROMETHEUS / "rules").known()
#: What makes its series by itself, whatever happens.
MADE = {"rules", "scrape"}


@dataclass(frozen=True)
class Demo:
    """A running `scout demo`."""

    environ: dict[str, str]
    simulator: str

    def spoil(self, board: str, fault: str) -> None:
        """Make a board misbehave, so that there are errors to count."""
        told = json.dumps({"board": board, "fault": fault}).encode()
        with urllib.request.urlopen(f"{self.simulator}/demo/faults", data=told, timeout=30) as answer:
            assert answer.status == 200

    def send_strange_lines(self) -> None:
        """What the exporter drops and refuses, so that it is counted."""
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for line in (b"stranger:1|c", b"no sample"):
                sender.sendto(line, ("127.0.0.1", int(self.environ["SCOUT_STATSD_PORT"])))

    def look_at_the_status(self) -> None:
        """What asks each part of the stack, so that their answers are timed."""
        subprocess.run(
            [*SCOUT, "status"], env=self.environ, cwd=ROOT, check=False, capture_output=True, timeout=60
        )


@contextlib.contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """`scout demo` with the real exporter and gateway."""
    programs = {str(need(name).parent) for name in ("statsd_exporter", "prometheus-pushgateway")}
    ports = ("SCOUT_PORT", "SCOUT_STATSD_PORT", "SCOUT_EXPORTER_PORT", "SCOUT_PUSHGATEWAY_PORT")
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([*sorted(programs), os.environ["PATH"]]),
        "SCOUT_DATA_DIR": str(folder / "data"),
        **{name: str(free_port()) for name in ports},
    }
    log = folder / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SCOUT, "demo"], env=environ, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )

    def simulator() -> str:
        said = log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, said
        found = re.search(r"Simulator +(http\S+)", said)
        return found[1] if found and "ready at http" in said else ""

    try:
        yield Demo(environ, wait_until(simulator, timeout=90, what="the demo"))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@dataclass(frozen=True)
class Watched:
    """What runs."""

    demo: Demo
    prometheus: Program


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A Prometheus that scrapes the demo, itself and an Alertmanager, with the committed rules."""
    folder = tmp_path_factory.mktemp("watched")
    manager, server = free_port(), free_port()
    with running_demo(folder) as demo, contextlib.ExitStack() as stack:
        targets = {
            "statsd_exporter": demo.environ["SCOUT_EXPORTER_PORT"],
            "pushgateway": demo.environ["SCOUT_PUSHGATEWAY_PORT"],
            "scout": demo.environ["SCOUT_PORT"],
            "prometheus": str(server),
            "alertmanager": str(manager),
        }
        exporters = {
            "node_exporter": foreign_exporters.node(),
            "redis_exporter": foreign_exporters.redis(scout_settings.load(demo.environ).redis_socket),
            # The demo keeps its jobs in SQLite; any PostgreSQL will do for what the exporter says of one.
            "postgres_exporter": foreign_exporters.postgres(stack.enter_context(postgres_server.running())),
        }
        beside = {job: stack.enter_context(each).url for job, each in exporters.items()}
        place = copied(
            folder,
            {job: f"127.0.0.1:{port}" for job, port in targets.items()}
            | {job: url.removeprefix("http://") for job, url in beside.items()},
        )
        stack.enter_context(alertmanager(place, manager, f"http://127.0.0.1:{free_port()}"))
        demo.spoil("greenhouse/latchway-demo", "500")
        demo.spoil("lever/nordlicht-demo", "garbage")
        yield Watched(demo, stack.enter_context(prometheus(place, server)))


def answered(server: Program, text: str) -> bool:
    """Whether there is a figure that is a number."""
    found = ask(server, text)
    # A number by itself has no labels: `[time, value]`.
    values = [each["value"][1] if isinstance(each, dict) else each for each in found]
    return any(value != "NaN" for value in values)


def excuse(server: Program, query: Query) -> str:
    """Why a query may have no answer while nearly all is well; empty when it must have one."""
    for selector in promql.read(query.promql).selectors:
        series = KNOWN.get(selector.name)
        if series is None:
            continue
        open_labels = [label for label, values in series.labels.items() if not values]
        born_later = selector.name == "ALERTS" or (open_labels and series.program not in MADE)
        if born_later and not ask(server, f"count({written(selector)})"):
            return f"no {written(selector)} yet: its series are born when it first happens"
    if re.search(r" > 0$", query.promql):
        return "it shows what is past a limit, and nothing is"
    return ""


def written(selector: Selector) -> str:
    """A selector as it is written, without its window."""
    matchers = (f"{each.label}{each.operator}{json.dumps(each.value)}" for each in selector.matchers)
    return f"{selector.name}{{{', '.join(matchers)}}}"


def test_every_query_of_every_dashboard_is_answered_beside_the_demo(watched: Watched) -> None:
    watched.demo.look_at_the_status()
    # Boards are scanned again within half a minute: by then nearly all has happened that does.
    again = f"rate({catalogue.SCAN_DURATION.name}_count[1m]) > 0"
    wait_until(lambda: answered(watched.prometheus, again), timeout=90, what="a second scan")
    watched.demo.look_at_the_status()
    waiting = {query.promql: query for document in DOCUMENTS for query in document.queries()}
    every = len(waiting)

    def all_answered_or_excused() -> bool:
        watched.demo.send_strange_lines()
        for text in list(waiting):
            if answered(watched.prometheus, text):
                del waiting[text]
        return all(excuse(watched.prometheus, query) for query in waiting.values())

    try:
        wait_until(all_answered_or_excused, timeout=120, what="figures for every query")
    except AssertionError as error:
        unexcused = [
            f"{query.place}: {query.promql}"
            for query in waiting.values()
            if not excuse(watched.prometheus, query)
        ]
        raise AssertionError("\n".join(["No figures for:", *unexcused])) from error
    print(f"{every - len(waiting)} of {every} queries have figures; the others:")
    for query in waiting.values():
        print(f"{query.place}: {excuse(watched.prometheus, query)}")
    assert len(waiting) < every / 5
