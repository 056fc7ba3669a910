"""Every question of the metrics, asked of a real Prometheus that scrapes a real exporter of our samples."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import metrics
from metrics import catalogue, forms, queries
from metrics.model import Counter, Gauge, Timer
from metrics.testing import captured
from scout import clock
from scout.cli.metrics import FILE
from scout.overview import prometheus
from scout.overview.windows import Window
from tests import overview_world
from tests.components import need
from tests.integration.embedded_programs import ROOT, Program, exporter_flags, free_port, running
from tests.serving import serving
from tests.waiting import wait_until

#: What labels without declared values say here.
OPEN = {"status": ("200", "302", "404", "500"), "reason": ("denied",), "kind": ("lever",)}


def emit_for_ever(url: str) -> None:
    """Emit what the questions ask about, until nobody reads what is written."""
    metrics.start(url, role="web")
    asked = {metric for question in queries.ALL for metric in question.about()}
    place = urllib.parse.urlsplit(url)
    strange = socket.socket(type=socket.SOCK_DGRAM)
    while True:
        # What the last rule drops, and what is no sample: the exporter counts both from the first one on.
        for line in (b"stranger:1|c", b"no sample"):
            strange.sendto(line, (place.hostname, place.port))
        for metric in set(catalogue.ALL) & asked:
            for number in range(9):
                labels = {}
                for label in metric.labels:
                    values = label.values or OPEN.get(label.name, ("a",))
                    labels[label.name] = values[number % len(values)]
                match metric:
                    case Counter():
                        metric.inc(1, **labels)
                    case Timer():
                        metric.observe(0.01 * number, **labels)
                    case Gauge() if not metric.name.startswith("statsd_client_"):
                        metric.set(7, **labels)
        print(flush=True)
        time.sleep(0.2)


@contextlib.contextmanager
def prometheus_of(folder: Path, target: str) -> Iterator[Program]:
    """A running Prometheus that scrapes one exporter every second."""
    port, config = free_port(), folder / "prometheus.yml"
    job = {"job_name": "statsd_exporter", "honor_labels": True, "static_configs": [{"targets": [target]}]}
    config.write_text(
        yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}), encoding="utf-8"
    )
    command: list[str | Path] = [
        need("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, port) as server:
        yield server


def answers(server: Program, query: str) -> list[float]:
    """The figures that Prometheus answers; those that are no number are none."""
    status, text = server.ask("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
    told: Any = json.loads(text)
    assert status == 200, f"{query}: {told}"
    found = (float(each["value"][1]) for each in told["data"]["result"])
    return [value for value in found if value == value]  # noqa: PLR0124 - NaN is not itself


def test_every_curve_of_every_question_finds_figures(tmp_path: Path) -> None:
    web, udp = free_port(), free_port()
    command: list[str | Path] = [need("statsd_exporter"), *exporter_flags(ROOT / FILE, web, udp=udp)]
    code = f"from {__name__} import emit_for_ever; emit_for_ever('udp://127.0.0.1:{udp}')"
    with (
        running(command, web),
        prometheus_of(tmp_path, f"127.0.0.1:{web}") as server,
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as emitter,
    ):
        try:
            waiting = {
                f"{question.name}.{number}: {(asked := curve.promql('30s'))}": asked
                for question in queries.ALL
                for number, curve in enumerate(question.curves)
            }

            def all_answered() -> bool:
                for name, asked in list(waiting.items()):
                    if answers(server, asked):
                        del waiting[name]
                return not waiting

            try:
                wait_until(all_answered, timeout=60, what="figures for every curve")
            except AssertionError as error:
                raise AssertionError("\n".join(["No figures for:", *waiting])) from error

            def drawn() -> bool:
                window = Window("1m", "a minute", 60, 15)
                with captured():
                    found, troubles = prometheus.lines(server.url, queries.ALL, window, clock.now())
                return not troubles and all(found.values())

            wait_until(drawn, timeout=60, what="lines for every question")
        finally:
            emitter.terminate()


def test_two_looks_at_a_page_tell_what_prometheus_tells(tmp_path: Path) -> None:
    """Where the time between scrapes does not matter: levels, shares, quantiles."""
    with (
        serving(overview_world.exporter) as exporter,
        prometheus_of(tmp_path, f"127.0.0.1:{exporter.port}") as server,
    ):
        pages = [
            forms.read(overview_world.page_at(seconds), queries.NEEDED) for seconds in (100_000, 100_600)
        ]
        compared = 0
        for question in queries.ALL:
            for curve in question.curves:
                if not isinstance(curve.form, (forms.Share, forms.Quantile)):
                    continue
                before, now = (curve.form.totals(page, 0) for page in pages)
                ours = curve.form.between(before, now, 600)
                if not ours:
                    continue
                asked = curve.promql("30s")
                [theirs] = wait_until(answers, server, asked, timeout=30, what=asked)
                assert theirs == pytest.approx(ours[""], rel=0.02), asked
                compared += 1
        assert compared >= 5
