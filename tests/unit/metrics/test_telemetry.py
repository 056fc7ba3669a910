"""What the metrics tell of themselves and of their process, each figure by a test that misses it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import metrics
from metrics import catalogue, client, losses, process, series, slots, wire
from metrics.client import Client
from metrics.model import Metric, wire_name
from metrics.testing import ANY, Captured
from tests.waiting import wait_until


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)  # noqa: FBT003 - its only parameter
        yield listening


@pytest.fixture(autouse=True)
def own_slots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the slots' totals, which begin at zero."""
    monkeypatch.setattr(slots, "folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def url(datagrams: socket.socket) -> Iterator[str]:
    losses.reset()
    yield f"udp://127.0.0.1:{datagrams.getsockname()[1]}"
    metrics.stop()
    losses.reset()


@pytest.fixture
def sender(url: str) -> Iterator[Client]:
    made = Client(url)
    yield made
    made.close()


def received(datagrams: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(datagrams.recv(65_535))
        except BlockingIOError:
            return found


def figures(metric: Metric, some: list[bytes], *labels: str) -> list[float]:
    """What some datagrams say of a metric, zeros left out."""
    name = wire_name(metric.name, labels)
    lines = [line for each in some for line in each.decode().split("\n") if line.startswith(name)]
    return [number for line in lines if (number := float(line.partition(":")[2].partition("|")[0]))]


def use_the_processor() -> None:
    begun = os.times().user
    while os.times().user < begun + 0.02:
        sum(range(10_000))


# --- The process ---


def test_a_sample_tells_memory_files_threads_and_processor_time(emitted: Captured) -> None:
    use_the_processor()
    process.sample("web", "0")
    emitted.assert_gauge(catalogue.PROCESS_MEMORY, lambda size: size > 1 << 20, role="web")
    emitted.assert_gauge(catalogue.PROCESS_OPEN_FILES, lambda count: count >= 3, role="web")
    emitted.assert_gauge(catalogue.PROCESS_THREADS, lambda count: count >= 1, role="web")
    emitted.assert_incremented(catalogue.PROCESS_CPU, ANY, role="web")


def test_a_started_client_samples_its_process(
    url: str, datagrams: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FLUSH_EVERY", 0.01)
    metrics.start(url, role="web")
    heard: list[bytes] = []

    def sampled() -> list[float]:
        heard.extend(received(datagrams))
        return figures(catalogue.PROCESS_MEMORY, heard)

    wait_until(sampled, what="a sample of the process")


def test_the_processor_time_up_to_its_end_is_told(
    url: str, datagrams: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FLUSH_EVERY", 60.0)
    metrics.start(url, role="web")
    use_the_processor()
    metrics.stop()
    assert sum(figures(catalogue.PROCESS_CPU, received(datagrams))) >= 0.01


# --- The client's own figures ---


def test_what_was_queued_and_sent_is_told_with_the_next_flush(
    url: str, datagrams: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FLUSH_EVERY", 60.0)
    metrics.start(url, role="web")
    catalogue.SCAN_PHASE_DURATION.observe(1, phase="fetch")
    metrics.flush()
    first = received(datagrams)
    metrics.flush()
    second = received(datagrams)
    samples = sum(each.count(b"\n") + 1 for each in first)
    assert figures(catalogue.CLIENT_DATAGRAMS, second) == [len(first)]
    assert figures(catalogue.CLIENT_BYTES, second) == [sum(map(len, first))]
    assert figures(catalogue.CLIENT_SENT, second) == figures(catalogue.CLIENT_QUEUED, second) == [samples]


def test_an_exporter_that_came_back_is_counted(url: str, datagrams: socket.socket) -> None:
    metrics.start(url, role="")
    running = client._current
    assert running is not None
    running._transport.restarted = True
    metrics.flush()
    assert sum(figures(catalogue.CLIENT_EXPORTER_RESTARTS, received(datagrams))) == 1


def test_what_the_kernel_refuses_later_is_told_as_dropped(url: str, datagrams: socket.socket) -> None:
    metrics.start(url, role="web")
    running = client._current
    assert running is not None
    running._transport.late = 3
    metrics.flush()
    metrics.flush()
    assert figures(catalogue.CLIENT_DROPPED, received(datagrams), "send")[-1] == 3


def test_a_process_that_was_killed_is_told_of_by_its_successor(
    url: str, datagrams: socket.socket, own_slots: Path
) -> None:
    killed = slots.claim("web")
    killed.leave()  # without a word, as a kill leaves it
    metrics.start(url, role="web")
    metrics.flush()
    assert figures(catalogue.CLIENT_UNCLEAN_ENDS, received(datagrams)) == [1]


# --- Losses of the methods that the statsd package knows ---


def test_a_client_makes_no_more_names_than_its_limit(sender: Client) -> None:
    for number in range(client._MOST_NAMES + 3):
        sender.incr(f"name{number}")
    assert losses.DROPPED["full"].take() == 3


def test_a_relative_gauge_that_nobody_takes_stays_bounded(sender: Client) -> None:
    for _ in range(series.SOFT_LIMIT + 5):
        sender.gauge("level", 1, delta=True)
    assert losses.DROPPED["full"].take() == 5


@pytest.mark.emits_wrongly
@pytest.mark.parametrize(
    ("emit", "told"),
    [
        (lambda sender: sender.timing("took", "long"), "'long' is no duration"),
        (lambda sender: sender._send_stat("things", "many|c", 1), "'many' is no number"),
        (lambda sender: sender.decr("things"), "would by 1"),
    ],
    ids=["timing", "counter", "decr"],
)
def test_a_value_that_is_none_is_told(
    sender: Client, emitted: Captured, emit: Callable[[Client], None], told: str
) -> None:
    emit(sender)
    sender.flush()
    emitted.gather()
    (mistake,) = emitted.mistakes
    assert told in mistake


@pytest.mark.emits_wrongly
def test_a_flush_that_fails_is_told_and_raises_nothing(
    sender: Client, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(wire, "pack", broken)
        sender.flush()
    emitted.gather()
    assert emitted.mistakes == ["a flush failed: RuntimeError: broken"]
