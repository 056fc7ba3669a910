"""The watchers as they are in `prometheus/`, started beside what they watch, with short times."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.components import need
from tests.integration.embedded_programs import ROOT, Program, running

PROMETHEUS = ROOT / "prometheus"


def copied(folder: Path, targets: Mapping[str, str]) -> Path:
    """A copy of `prometheus/` in which a second is what a minute is, and its targets are these.

    Args:
        folder: Where it goes.
        targets: An address for each job that is there; the other jobs have none.
    """
    place = folder / "prometheus"
    shutil.copytree(PROMETHEUS, place)
    for path in (place / "targets").glob("*.yml"):
        address = targets.get(path.stem)
        path.write_text(json.dumps([{"targets": [address]}] if address else []), encoding="utf-8")
    hurry(place)
    return place


def hurry(place: Path) -> None:
    """Make a copy of `prometheus/` scrape each second, wait a second with each alert, and send it at once."""
    config = place / "prometheus.yml"
    config.write_text(config.read_text(encoding="utf-8").replace("15s", "1s"), encoding="utf-8")
    for path in (place / "rules").glob("*.yml"):
        text = re.sub(r"^(\s+for: )\S+", r"\g<1>1s", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.write_text(
            re.sub(r"^(    interval: )\S+", r"\g<1>1s", text, flags=re.MULTILINE), encoding="utf-8"
        )
    config = place / "alertmanager.yml"
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    for route in (document["route"], *document["route"]["routes"]):
        route.update(group_wait="0s", group_interval="1s")
    config.write_text(yaml.safe_dump(document), encoding="utf-8")


@contextlib.contextmanager
def prometheus(place: Path, port: int) -> Iterator[Program]:
    """A Prometheus with the configuration of a copy."""
    command: list[str | Path] = [
        need("prometheus"), f"--config.file={place / 'prometheus.yml'}",
        f"--storage.tsdb.path={place / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
        # What fired before the Alertmanager was found is sent again after this, not after a minute.
        "--rules.alert.resend-delay=1s",
    ]  # fmt: skip
    with running(command, port) as program:
        yield program


@contextlib.contextmanager
def alertmanager(place: Path, port: int, receiver: str) -> Iterator[Program]:
    """An Alertmanager with the configuration of a copy, which sends to a receiver."""
    config = place / "alertmanager.yml"
    text = config.read_text(encoding="utf-8").replace("http://127.0.0.1:9099", receiver)
    config.write_text(text, encoding="utf-8")
    command: list[str | Path] = [
        need("prometheus-alertmanager"), f"--config.file={config}", f"--storage.path={place / 'kept'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with running(command, port) as program:
        yield program


def ask(program: Program, query: str) -> list[Any]:
    """What Prometheus answers to a query: series, or of a number by itself `[time, value]`.

    Raises:
        AssertionError: It refuses the query.
    """
    status, text = program.ask("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
    assert status == 200, f"{query}: {text}"
    found = json.loads(text)["data"]["result"]
    return found if isinstance(found, list) else []
