"""Figures that documents quote are those of `benchmarks/results/`: measured anew, they are quoted anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUSH = "docs/WHEN_PUSH_IS_WRONG.md"


def measured(file: str, *path: str) -> Any:
    """A figure of a benchmark's results."""
    found: Any = json.loads((ROOT / "benchmarks" / "results" / f"{file}.json").read_text(encoding="utf-8"))
    for name in path:
        found = found[name]
    return found


def client(name: str) -> str:
    return f"{measured('client', 'medians', name, 'total') / 1000:.2f} µs"


def request(name: str) -> str:
    return f"{measured('http', 'medians', 'behind gunicorn, processor', name, 'more us'):.0f} µs"


def scrape(generations: str, name: str, what: str = "ms") -> float:
    return float(measured("scrape", "generations", generations, name, what))


MULTIPROCESS, EXPORTER = "prometheus_client multiprocess", "statsd_exporter"


@pytest.mark.parametrize(
    "line",
    [
        "| a counter and a duration, with labels | "
        + " | ".join(
            map(
                client,
                (
                    "scout, labels by name",
                    "prometheus_client, labels",
                    "prometheus_client multiprocess, labels",
                    "statsd",
                    "datadog aggregated",
                    "opentelemetry, attributes kept",
                ),
            )
        ),
        (
            f"| what a request takes more behind gunicorn | {request('scout')} | "
            f"{request('prometheus_client in hooks')} | {request('prometheus_flask_exporter multiprocess')} |"
        ),
        (
            f"after 1 generation of workers | {scrape('1', EXPORTER):.1f} ms | | "
            f"{scrape('1', MULTIPROCESS):.0f} ms |"
        ),
        (
            f"after 1,000 generations | {scrape('1000', EXPORTER):.1f} ms | | "
            f"{round(scrape('1000', MULTIPROCESS), -1):,.0f} ms |"
        ),
        (
            f"{scrape('1000', MULTIPROCESS, 'files'):,.0f}, "
            f"{scrape('1000', MULTIPROCESS, 'disk bytes') / 1e6:.0f} MB |"
        ),
        f"With {measured('kills', 'killed')} kills in a minute",
        f"{measured('kills', 'lost of all'):.1%}".replace("%", " %"),
        f"never more than {measured('kills', 'largest loss ms'):.0f} ms",
    ],
)
def test_what_is_quoted_was_measured(line: str) -> None:
    text = " ".join((ROOT / PUSH).read_text(encoding="utf-8").split())
    assert line in text, f"{PUSH} quotes other figures"


def test_nobody_felt_a_fault_of_the_metrics() -> None:
    conditions = measured("faults", "conditions").values()
    assert max(abs(each["p50 moved"]) for each in conditions) < 1
    assert sum(each["errors felt"] for each in conditions) == 0
