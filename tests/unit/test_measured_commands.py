"""What commands tell, each by a test that misses it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import metrics
from scout import cli, settings, watchlist
from scout.database import Database
from scout.sources.board import Board
from tests.databases import make_tables


@pytest.fixture
def statsd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where the commands of a new data directory send, and nobody else listens."""
    for name in list(os.environ):
        if name.startswith("SCOUT_") or name.endswith("_URL"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with socket.socket(type=socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("STATSD_URL", f"udp://127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("REDIS_URL", f"unix://{tmp_path}/nobody.sock")
        yield listening
        metrics.stop()


def scout(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["scout", *words])
    with pytest.raises(SystemExit):
        cli.main()


@pytest.mark.parametrize(
    "words",
    [
        ("jobs", "set", "1", "saved"),
        ("jobs", "merge", "1", "2"),
        ("jobs", "split", "1", "1"),
        ("scan",),
        ("status",),
        ("import", "nothing.csv"),
        ("sources", "test", "nonsense"),
        ("sources", "discover", "http://127.0.0.1/"),
    ],
    ids=" ".join,
)
def test_a_command_sends_what_it_emits(
    words: tuple[str, ...], statsd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    scout(monkeypatch, *words)
    assert statsd.recv(65_535).startswith(b"scout.")


def test_a_command_that_tells_of_an_error_counts_it(
    statsd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tables(settings.load())
    scout(monkeypatch, "jobs", "set", "99", "saved")
    told: list[str] = []
    while not any("iam_errors_total.JobNotFound.cli:1|c" in line for line in told):
        told += statsd.recv(65_535).decode().split("\n")  # times out where it never comes


def test_the_gateway_forgets_a_board_that_a_command_removes(
    statsd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings.load()
    make_tables(chosen)
    database = Database.open(chosen)
    with database.session() as session:
        board = Board(kind="lever", token="acme", company="Acme", url="https://jobs.lever.co/acme")
        watchlist.add(session, board)
    database.dispose()
    forgotten: list[tuple[str, str]] = []

    def forget(url: str, slug: str) -> bool:
        forgotten.append((url, slug))
        return True

    monkeypatch.setattr("metrics.push.forget_source", forget)
    scout(monkeypatch, "sources", "remove", "acme")
    assert forgotten == [(chosen.pushgateway, "acme")]
