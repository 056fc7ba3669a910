"""The client: what it sends, when, and what it does when nothing listens."""

from __future__ import annotations

import datetime as dt
import errno
import gc
import os
import re
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

import metrics
from metrics import catalogue, client, losses, process, series, slots, transport
from metrics.client import Client
from metrics.testing import Captured, captured
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listener:
    """A UDP socket that keeps what it hears."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)  # noqa: FBT003 - its only parameter
        self.datagrams: list[bytes] = []

    @property
    def url(self) -> str:
        return f"udp://127.0.0.1:{self.socket.getsockname()[1]}"

    def lines(self) -> list[str]:
        while True:
            try:
                self.datagrams.append(self.socket.recv(65_535))
            except BlockingIOError:
                return [line for datagram in self.datagrams for line in datagram.decode().split("\n")]

    def told(self, text: str) -> list[str]:
        return [line for line in self.lines() if text in line and not line.endswith(":0|c")]


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener()
    yield heard
    metrics.stop()
    heard.socket.close()


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(slots, "folder", lambda: tmp_path)  # whose totals begin at zero
    losses.reset()
    yield
    metrics.stop()
    losses.reset()


def test_it_sums_counters_keeps_last_gauges_and_packs_timers(listener: Listener) -> None:
    metrics.start(listener.url, role="web")
    for number in range(3):
        catalogue.SCANS_ABANDONED.inc(action="parked")
        catalogue.JOBS.set(number)
        catalogue.SCAN_PHASE_DURATION.observe(number / 4, phase="fetch")
    metrics.flush()
    assert listener.told("abandoned") == ["scout.iam_scans_abandoned_total.parked:3|c"]
    assert listener.told("iam_jobs_total") == ["scout.iam_jobs_total:2|g"]
    assert listener.told("phase") == ["scout.iam_scan_phase_duration_seconds.fetch:0:250:500|ms"]


def test_it_flushes_by_itself_and_again_only_what_is_new(listener: Listener) -> None:
    metrics.start(listener.url, role="web")
    catalogue.SESSIONS_STARTED.inc()
    wait_until(lambda: listener.told("sessions_started"), what="the flush of the thread")
    metrics.flush()
    assert listener.told("sessions_started") == ["scout.iam_sessions_started_total:1|c"]


def test_what_came_before_the_start_and_after_the_stop_is_dropped(listener: Listener) -> None:
    catalogue.SESSIONS_STARTED.inc(5)
    metrics.start(listener.url, role="web")
    metrics.stop()
    catalogue.SESSIONS_STARTED.inc(5)
    metrics.flush()
    metrics.stop()
    assert listener.told("sessions_started") == []


def test_a_second_start_replaces_the_first(listener: Listener) -> None:
    metrics.start("udp://127.0.0.1:9", role="web")
    metrics.start(listener.url, role="worker")
    catalogue.SESSIONS_STARTED.inc()
    metrics.flush()
    assert listener.told("sessions_started") == ["scout.iam_sessions_started_total:1|c"]
    assert sum(thread.name == "metrics" for thread in threading.enumerate()) == 1


def test_datagrams_stay_under_the_limit_and_few(listener: Listener) -> None:
    metrics.start(listener.url, role="web")
    for number in range(2_000):
        catalogue.SCAN_PHASE_DURATION.observe(number / 7, phase="fetch")
    metrics.flush()
    lines = listener.lines()
    assert max(len(datagram) for datagram in listener.datagrams) <= 1432
    assert len(listener.datagrams) <= 2 * (sum(len(line) + 1 for line in lines) // 1432 + 1)


@pytest.mark.parametrize(
    "url", ["", "udp://", "udp://host", "tcp://host:1", "unixgram://", "unix:///x", "host:9125"]
)
def test_an_address_that_cannot_be_used_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="udp://host:port or unixgram:///path"):
        metrics.start(url, role="web")


def test_nobody_listening_raises_nothing_and_is_counted() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sender = Client(f"udp://127.0.0.1:{port}")
    for _ in range(5):
        sender.incr("things")
        sender.flush()
    sender.close()
    assert losses.DROPPED["send"].take() == 5


def test_a_name_that_does_not_resolve_raises_nothing_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, *_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, host)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    sender = Client("udp://exporter.invalid:9125")
    sender.run()
    sender.incr("things")
    sender.flush()
    sender.close()
    assert losses.DROPPED["resolve"].take() == 1


def test_a_name_that_resolves_later_is_found(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    known = threading.Event()
    real = socket.getaddrinfo
    port = listener.socket.getsockname()[1]

    def asked(host: bytes, *args: object, **kwargs: object) -> object:
        if host == b"exporter.test" and known.is_set():
            return real("127.0.0.1", port, type=socket.SOCK_DGRAM)
        raise socket.gaierror(socket.EAI_NONAME, host)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    monkeypatch.setattr(transport, "_BACK_OFF", (0.01, 0.02))
    monkeypatch.setattr(client, "FLUSH_EVERY", 0.01)
    sender = Client(f"udp://exporter.test:{port}")
    sender.run()
    sender.incr("things")
    wait_until(losses.DROPPED["resolve"].take, what="the loss")
    known.set()

    def arrives() -> bool:
        sender.incr("things")
        return bool(listener.told("things"))

    wait_until(arrives, what="a sample once the name resolves")
    sender.close()


def test_a_moved_exporter_is_followed(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    first, second = Listener(), listener
    where = [first]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: real("127.0.0.1", where[0].socket.getsockname()[1], type=socket.SOCK_DGRAM),
    )
    monkeypatch.setattr(transport, "RESOLVE_EVERY", 0.01)
    monkeypatch.setattr(client, "FLUSH_EVERY", 0.01)
    sender = Client("udp://exporter.test:9125")
    sender.run()
    sender.incr("things")
    wait_until(lambda: first.told("things"), what="a sample at the first place")
    where[0] = second

    def arrives() -> bool:
        sender.incr("things")
        return bool(second.told("things"))

    wait_until(arrives, what="a sample at the second place")
    sender.close()
    first.socket.close()


def test_a_socket_that_somebody_closed_is_opened_again(listener: Listener) -> None:
    sender = Client(listener.url)
    sender.incr("things")
    sender.flush()
    assert sender._transport._socket is not None
    sender._transport._socket.close()
    sender.incr("things")
    sender.flush()
    sender.close()
    sender.incr("things")
    sender.flush()
    assert len(listener.told("things")) == 3
    sender.close()


@pytest.mark.parametrize(
    "code", [errno.EAGAIN, errno.ENOBUFS, errno.EPERM, errno.ENETUNREACH, errno.EMSGSIZE]
)
def test_whatever_the_kernel_says_no_caller_hears_of_it(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    class Refusing(socket.socket):
        def send(self, *_: object) -> int:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(socket, "socket", Refusing)
    sender = Client(listener.url)
    sender.incr("things")
    sender.flush()
    sender.close()
    reason = "oversize" if code == errno.EMSGSIZE else "send"
    assert losses.DROPPED[reason].take() == 1


def test_a_full_unix_socket_drops_counts_and_does_not_hang() -> None:
    with tempfile.TemporaryDirectory(prefix="scout-") as folder:
        path = Path(folder) / "statsd.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
            deaf.bind(str(path))
            sender = Client(f"unixgram://{path}")
            lost = 0
            for _ in range(5_000):
                sender.incr("things")
                sender.flush()
                lost = losses.DROPPED["send"].take()
                if lost:
                    break
            sender._transport.close()
    assert lost == 1


@pytest.mark.emits_wrongly
def test_names_that_would_break_the_line_are_refused(listener: Listener) -> None:
    sender = Client(listener.url)
    for name in ("", "a:b", "a|b", "a@b", "a#b", "a,b", "[a", "a\nb", "ä", "a" * 2000, None, 7, ["x"]):
        sender.incr(name)  # type: ignore[arg-type]
        sender.timing(name, 5)  # type: ignore[arg-type]
        sender.gauge(name, 5)
    sender.close()
    assert listener.lines() == []
    assert losses.DROPPED["invalid"].take() == 39


@pytest.mark.emits_wrongly
def test_the_statsd_methods_aggregate_too(listener: Listener) -> None:
    sender = Client(listener.url, prefix="old")
    for _ in range(3):
        sender.incr("things")
    sender.decr("things")
    sender.timing("took", dt.timedelta(seconds=2))
    sender.timing("took", 5)
    sender.gauge("level", 4)
    sender.gauge("level", 7)
    sender.gauge("level", 2, delta=True)
    sender.set("odd", "x")
    sender.close()
    assert listener.lines() == ["old.things:2|c", "old.took:2000:5|ms", "old.level:7|g", "old.level:+2|g"]
    assert losses.DROPPED["invalid"].take() == 1, "the exporter knows no sets"


def test_a_sampled_counter_is_scaled_and_a_sampled_timer_says_its_factor(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.05)
    monkeypatch.setattr("random.randrange", lambda _: 0)
    sender = Client(listener.url)
    sender.incr("things", 3, rate=0.1)
    sender.timing("took", 5, rate=0.26)
    sender.close()
    assert listener.lines() == ["things:30|c", "took:5|ms|@0.25"]


@pytest.mark.emits_wrongly
def test_losses_are_told_through_the_same_pipe(listener: Listener) -> None:
    metrics.start(listener.url, role="web")
    catalogue.HTTP_REQUESTS.inc(method="BREW", endpoint="/", status="200")
    catalogue.SESSIONS_STARTED.inc(-3)
    metrics.stop()
    told = [line for line in listener.told("dropped") if not line.endswith(":0|g")]
    assert len(told) == 1
    assert re.fullmatch(r"scout\.statsd_client_dropped_samples\.invalid\.web\.\d+:1\|g", told[0])
    assert listener.told("overflows") == ["scout.statsd_client_label_overflows_total.http_requests_total:1|c"]
    assert re.fullmatch(
        r"scout\.statsd_client_sent_samples\.web\.\d+:[1-9]\d*\|g", listener.told("sent_samples")[-1]
    )


def test_an_idle_process_is_quiet(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.start(listener.url, role="")
    running = client._current
    assert running is not None
    running._flush()
    running._flush()
    listener.lines()
    heard = len(listener.datagrams)
    for _ in range(5):
        running._flush()
    listener.lines()
    assert len(listener.datagrams) == heard


def test_a_flush_in_a_signal_handler_harms_nothing(listener: Listener) -> None:
    metrics.start(listener.url, role="web")
    old = signal.signal(signal.SIGALRM, lambda *_: metrics.flush())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        handle = catalogue.SESSIONS_STARTED.bind()
        end = time.monotonic() + 0.3
        counted = 0
        while time.monotonic() < end:
            handle.inc()
            counted += 1
            if counted % 100 == 0:
                metrics.flush()
            listener.lines()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    metrics.stop()
    total = sum(int(line.split(":")[1].split("|")[0]) for line in listener.told("sessions_started"))
    assert total == counted


def test_no_lock_is_held_while_sending(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    sending, go_on = threading.Event(), threading.Event()
    real = transport.Transport.send

    def slow(self: transport.Transport, datagram: bytes, samples: int) -> transport.Outcome:
        if threading.current_thread() is not threading.main_thread():
            sending.set()
            assert go_on.wait(10)
        return real(self, datagram, samples)

    monkeypatch.setattr(transport.Transport, "send", slow)
    sender = Client(listener.url)
    sender.incr("first")
    thread = threading.Thread(target=sender.flush)
    thread.start()
    assert sending.wait(10)
    sender.incr("second")
    sender.flush()
    assert listener.told("second") == ["second:1|c"]
    go_on.set()
    thread.join()
    assert listener.told("first") == ["first:1|c"]
    sender.close()


def test_what_an_unstarted_process_emits_costs_bounded_memory() -> None:
    assert not series.hurry()
    for _ in range(3 * series.SOFT_LIMIT):
        catalogue.SCAN_PHASE_DURATION.observe(0.1, phase="store")
    assert len(catalogue.SCAN_PHASE_DURATION.bind("store").take()) <= series.SOFT_LIMIT


@pytest.mark.emits_wrongly
def test_a_part_of_a_process_is_sampled_with_it_and_may_fail(emitted: Captured) -> None:
    told: list[tuple[str, str]] = []

    def sampler(role: str, number: str) -> None:
        told.append((role, number))
        raise RuntimeError("broken")

    process.also(sampler)
    process.also(sampler)
    try:
        process.sample("web", "3")
    finally:
        process.no_longer(sampler)
    assert told == [("web", "3")]
    assert emitted.gauge(catalogue.PROCESS_THREADS, role="web", slot="3")
    assert any("broken" in mistake for mistake in emitted.mistakes)


def test_a_process_tells_what_it_knows_of_itself() -> None:
    with captured() as emitted:
        process.count("web")  # what was before
    with captured() as emitted:
        used = time.process_time()
        while time.process_time() < used + 0.05:
            gc.collect(1)
        process.sample("web", "0")
    for gauge in (
        catalogue.PROCESS_MEMORY,
        catalogue.PROCESS_OPEN_FILES,
        catalogue.PROCESS_MOST_FILES,
        catalogue.PROCESS_THREADS,
    ):
        assert (emitted.gauge(gauge, role="web", slot="0") or 0) > 0, gauge.name
    began = emitted.gauge(catalogue.PROCESS_START, role="web", slot="0")
    assert began is not None
    assert abs(began - psutil.Process().create_time()) < 2
    assert emitted.count(catalogue.PROCESS_CPU, role="web") == pytest.approx(0.05, abs=0.03)
    assert emitted.count(catalogue.PROCESS_COLLECTIONS, role="web", generation="1") > 1


def test_a_fork_waits_until_no_thread_is_taking(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.start(listener.url, role="")
    running = client._current
    assert running is not None
    taking, go_on, forked = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        with running._taking:
            taking.set()
            assert go_on.wait(10)
            assert not forked.is_set()

    def fork() -> None:
        child = os.fork()
        if child == 0:
            catalogue.SESSIONS_STARTED.inc()
            metrics.stop()
            os._exit(0)
        forked.set()
        assert os.waitpid(child, 0)[1] == 0

    monkeypatch.setattr(client, "_PATIENCE", 10.0)
    threads = [threading.Thread(target=slow), threading.Thread(target=fork)]
    threads[0].start()
    assert taking.wait(10)
    threads[1].start()
    wait_until(threads[1].is_alive, what="a thread that wants to fork")
    assert not forked.wait(0.05)
    go_on.set()
    for thread in threads:
        thread.join()
    assert listener.told("sessions_started") == ["scout.iam_sessions_started_total:1|c"]
    metrics.flush()  # nobody holds the lock any more


def test_a_fork_goes_on_when_a_thread_hangs(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.start(listener.url, role="")
    running = client._current
    assert running is not None
    monkeypatch.setattr(client, "_PATIENCE", 0.01)
    taking, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        with running._taking:
            taking.set()
            assert go_on.wait(10)

    thread = threading.Thread(target=hang)
    thread.start()
    assert taking.wait(10)
    child = os.fork()
    if child == 0:
        catalogue.SESSIONS_STARTED.inc()
        metrics.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    go_on.set()
    thread.join()
    assert listener.told("sessions_started") == ["scout.iam_sessions_started_total:1|c"]


@pytest.mark.parametrize(
    ("url", "asked"), [("udp://börse.test:9125", b"xn--brse-5qa.test"), ("udp://a..b.ü:9125", b".")]
)
def test_a_host_is_looked_up_as_bytes_whatever_its_script(
    url: str, asked: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[object] = []

    def noted(host: object, *_: object, **__: object) -> list[object]:
        found.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not here")

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    sender = Client(url)
    sender._transport.resolve()
    sender.close()
    assert set(found) == {asked}
