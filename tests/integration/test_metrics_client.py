"""The client against the real statsd_exporter."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import socket
import string
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

import metrics
from metrics import catalogue, mapping, mapping_lint, series, slots, wire
from metrics.client import Client
from metrics.labels import OTHER, safe
from metrics.model import Counter, Gauge, Label, Metric, Timer
from metrics.series import CounterSeries
from metrics.slots import Figure
from tests import documents
from tests.components import need
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FORK = multiprocessing.get_context("fork")


@dataclass
class Exporter:
    """A running statsd_exporter."""

    program: Path
    rules: Path
    web: int
    udp: int
    unix: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.unix.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                self.program,
                f"--statsd.mapping-config={self.rules}",
                f"--statsd.listen-udp=127.0.0.1:{self.udp}",
                "--statsd.listen-tcp=",
                f"--statsd.listen-unixgram={self.unix}",
                f"--web.listen-address=127.0.0.1:{self.web}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._up, what="the exporter's page")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the exporter ended at once"
        with contextlib.suppress(OSError):
            return bool(self.page())
        return False

    @property
    def url(self) -> str:
        return f"udp://127.0.0.1:{self.udp}"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.web}"

    def page(self) -> str:
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=30) as answer:
            page: bytes = answer.read()
            return page.decode()

    def samples(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The values of all series of one sample name, by their labels."""
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.page())
            for sample in family.samples
            if sample.name == name
        }

    def total(self, name: str, **labels: str) -> float:
        return sum(
            value for found, value in self.samples(name).items() if labels.items() <= dict(found).items()
        )

    def faults(self) -> dict[str, float]:
        names = ("events_unmapped", "events_conflict", "sample_errors", "tag_errors", "events_error")
        found = {name: self.total(f"statsd_exporter_{name}_total") for name in names}
        found["dropped"] = self.total("statsd_exporter_events_actions_total", action="drop")
        return {name: total for name, total in found.items() if total}


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@pytest.fixture(autouse=True)
def own_totals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the slots' totals, which begin at zero in each test; children of a fork use it too."""
    folder = tmp_path / "slots"
    monkeypatch.setattr(slots, "folder", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def nothing_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts follow no durations, as those of requests do once an application was measured here."""
    for each in series.LIVE:
        if isinstance(each, CounterSeries):
            monkeypatch.setattr(each, "_followed", {})


def booked(folder: Path, figure: Figure) -> int:
    """A figure of the slots' files, over all roles and numbers."""
    held = [struct.unpack("16Q", path.read_bytes()) for path in folder.iterdir()]
    return sum(cells[figure] for cells in held)


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    program = need("statsd_exporter")
    rules = tmp_path / "mapping.yml"
    rules.write_text(mapping.render(), encoding="utf-8")
    # tmp_path is too long for a socket's path on some machines.
    short = Path(tempfile.mkdtemp(prefix="scout-"))
    running = Exporter(
        program, rules, free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), short / "statsd.sock"
    )
    running.start()
    try:
        yield running
    finally:
        metrics.stop()
        running.stop()
        shutil.rmtree(short)


def some_values(label: Label) -> tuple[str, ...]:
    samples = {
        "endpoint": ("/jobs/{job_id}", "/", "__unmatched__"),
        "status": ("200", "404"),
        "slot": ("0", "12"),
    }
    return label.values or samples.get(label.name, ("jobs", "RequestException"))


def combinations(metric: Metric) -> list[dict[str, str]]:
    names = [label.name for label in metric.labels]
    every = itertools.product(*(some_values(label) for label in metric.labels))
    return [dict(zip(names, values, strict=True)) for values in every]


def emit_everything() -> None:
    for metric in catalogue.ALL:
        for labels in combinations(metric):
            match metric:
                case Counter():
                    metric.inc(3, **labels)
                case Gauge():
                    metric.set(7.5, **labels)
                case Timer():
                    metric.observe(0.03, **labels)
                    metric.observe(2.0, **labels)


#: In a process of its own: what other tests emitted is not in it, nor what they filled of a label's bound.
_EMITTING = """
import sys
import metrics
from tests.integration.test_metrics_client import emit_everything

metrics.start(sys.argv[1], role="web")
emit_everything()
metrics.stop()
"""


def test_every_metric_of_the_catalogue_arrives_with_its_name_type_labels_and_value(
    exporter: Exporter, tmp_path: Path
) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", _EMITTING, exporter.url], cwd=ROOT, env=environ, timeout=60, check=True
    )
    sent = booked(tmp_path / f"scout-{os.getuid()}", Figure.SENT)
    wait_until(lambda: exporter.total("statsd_exporter_samples_total") == sent, what="all samples")
    handed_on = "statsd_exporter_events_total"
    wait_until(lambda: exporter.total(handed_on) == sent, what="what the samples say")

    families = {family.name: family for family in text_string_to_metric_families(exporter.page())}
    for metric in catalogue.ALL:
        if not metric.statsd_type:
            assert metric.name not in families, "pushed metrics do not travel as StatsD"
            continue
        family = (
            families[metric.name.removesuffix("_total")]
            if isinstance(metric, Counter)
            else families[metric.name]
        )
        assert family.type == mapping.kind(metric), metric.name
        assert family.documentation == metric.help
        own = metric.name.startswith(("statsd_client_", "scout_process_", "statsd_loaded_"))
        for labels in combinations(metric):
            if isinstance(metric, Timer):
                found = exporter_value(family, f"{metric.name}_count", labels)
                assert found == 2, (metric.name, labels)
                assert exporter_value(family, f"{metric.name}_sum", labels) == pytest.approx(2.03)
                bounds = [
                    s.labels["le"]
                    for s in family.samples
                    if s.labels.items() >= labels.items() and "le" in s.labels
                ]
                assert [float(bound) for bound in bounds[:-1]] == list(metric.buckets)
            elif not own:
                expected = 3 if isinstance(metric, Counter) else 7.5
                assert exporter_value(family, metric.name, labels) == expected, (metric.name, labels)
    assert exporter.faults() == {}


def exporter_value(family: Family, name: str, labels: dict[str, str]) -> float | None:
    for sample in family.samples:
        if sample.name == name and sample.labels == labels:
            return float(sample.value)
    return None


def test_every_safe_character_arrives_untouched_in_a_label(exporter: Exporter) -> None:
    metric = catalogue.HTTP_RESPONSE_BYTES
    metrics.start(exporter.url, role="web")
    signs = [chr(code) for code in range(256)]
    safe_signs = [sign for sign in signs if safe(sign) == sign]
    assert set(string.ascii_letters + string.digits + "_-/{}") <= set(safe_signs)
    everything = "".join(sign for sign in safe_signs if not sign.isalnum())
    wanted = ["/jobs/{job_id}", "/a/{b}/c-d_e", "a" * 64, f"x{everything}x", *safe_signs]
    client = Client(exporter.url)
    for value in wanted:
        client.incr(f"scout.{metric.name}.{value}" if safe(value) == value else "unsafe")
    client.close()
    wait_until(lambda: exporter.total(metric.name) == len(wanted), what="all values")
    assert {dict(labels)["endpoint"] for labels in exporter.samples(metric.name)} == set(wanted)
    assert exporter.faults() == {}


def test_labels_of_any_bytes_harm_nothing(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    strange: list[object] = [
        "", "a.b", "x:1|c", "a|b", "@", "#tag", "a,b=c", "[x]", "]a[", "new\nline", "\r", "\0", "é", "\ud800",
        "%s%d", b"\xff\xfe", "a" * 65, None, 7, 1.5, object(), "${1}", "$1", "*", "'", '"', "\\",
    ]  # fmt: skip
    for value in strange:
        catalogue.HTTP_EXCEPTIONS.inc(type=value, endpoint=value)  # type: ignore[arg-type]
    metrics.stop()
    wait_until(lambda: exporter.total(catalogue.HTTP_EXCEPTIONS.name) == len(strange), what="all of them")
    assert exporter.total(catalogue.HTTP_EXCEPTIONS.name, type="a_b", endpoint="a_b") == 1
    # The other safe ones are the texts of None, 7 and 1.5.
    assert exporter.total(catalogue.HTTP_EXCEPTIONS.name, type=OTHER) == len(strange) - 4
    assert exporter.faults() == {}


def test_unix_datagrams_arrive_too(exporter: Exporter) -> None:
    metrics.start(f"unixgram://{exporter.unix}", role="web")
    for _ in range(500):
        catalogue.HTTP_REQUEST_DURATION.observe(0.25, method="GET", endpoint="/", status="200")
    metrics.stop()
    wait_until(lambda: exporter.total("http_request_duration_seconds_count") == 500, what="500 durations")
    assert exporter.total("statsd_exporter_unixgram_packets_total") > 0


def test_durations_fill_the_right_buckets(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    for seconds in (0.004, 0.005, 0.0051, 0.3, 9.99, 600.0):
        catalogue.HTTP_REQUEST_DURATION.observe(seconds, method="GET", endpoint="/", status="200")
    metrics.stop()
    name = "http_request_duration_seconds"
    wait_until(lambda: exporter.total(f"{name}_count") == 6, what="six durations")
    buckets = {
        bound: exporter.total(f"{name}_bucket", le=bound) for bound in ("0.005", "0.01", "0.5", "10", "+Inf")
    }
    assert buckets == {"0.005": 2, "0.01": 3, "0.5": 4, "10": 5, "+Inf": 6}


@pytest.mark.parametrize("every", [1, 2, 3, 7, 10, 49, 98, 100, 1000])
def test_one_sampled_duration_counts_as_often_as_it_stands_for(exporter: Exporter, every: int) -> None:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for line, _ in wire.timers("scout.iam_scan_phase_duration_seconds.fetch", [0.2], 1432, every):
            sender.sendto(line.encode(), ("127.0.0.1", exporter.udp))
    name = "iam_scan_phase_duration_seconds_count"
    wait_until(lambda: exporter.total(name), what="the duration")
    assert exporter.total(name) == every


def test_counters_are_born_at_zero_and_again_after_the_exporter_restarted(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    metrics.flush()
    born = {("from_status", "new"), ("to_status", "saved")}
    name = catalogue.STATUS_UPDATES.name

    def there() -> bool:
        return any(set(labels) == born and value == 0 for labels, value in exporter.samples(name).items())

    wait_until(there, what="the zero")
    exporter.stop()
    for _ in range(2):
        catalogue.SESSIONS_STARTED.inc()
        metrics.flush()
    exporter.start()

    def comes_back() -> bool:
        catalogue.SESSIONS_STARTED.inc()
        return there()

    wait_until(comes_back, timeout=15, what="the zero after the restart")
    metrics.stop()
    wait_until(
        lambda: exporter.total(catalogue.CLIENT_EXPORTER_RESTARTS.name) == 1,
        what="the restart that was noticed",
    )
    wait_until(
        lambda: exporter.total(catalogue.CLIENT_DROPPED.name, reason="send") > 0, what="what was lost, told"
    )


def test_a_unix_socket_that_comes_back_is_found_again(exporter: Exporter) -> None:
    metrics.start(f"unixgram://{exporter.unix}", role="web")
    metrics.flush()
    exporter.stop()
    exporter.start()

    def arrives() -> bool:
        catalogue.SESSIONS_STARTED.inc()
        metrics.flush()
        return exporter.total(catalogue.SESSIONS_STARTED.name) > 0

    wait_until(arrives, what="a sample after the restart")


def test_what_is_sent_is_what_arrives_to_the_last_sample(exporter: Exporter, own_totals: Path) -> None:
    metrics.start(exporter.url, role="web")
    for number in range(2_000):
        catalogue.RQ_JOBS_ENQUEUED.inc(queue="scans", function="scan_sources")
        catalogue.RQ_JOB_WAIT.observe(number / 1000, queue="scans", function="scan_sources")
    metrics.stop()
    sent = booked(own_totals, Figure.SENT)
    assert sent == booked(own_totals, Figure.QUEUED)
    wait_until(
        lambda: exporter.total("statsd_exporter_samples_total") == sent,
        what="the same number of samples at both ends",
    )
    # It counts samples as it reads them, and shows what they say a moment later.
    wait_until(lambda: exporter.total("rq_job_wait_seconds_count") == 2_000, what="all durations")
    wait_until(lambda: exporter.total(catalogue.RQ_JOBS_ENQUEUED.name) == 2_000, what="all counts")
    # The last report of all cannot report itself.
    wait_until(
        lambda: 0 < sent - exporter.total(catalogue.CLIENT_SENT.name, role="web") < 20,
        what="the totals but for their own last report",
    )


def test_datagrams_that_the_network_loses_show_as_a_difference_of_totals(
    exporter: Exporter, own_totals: Path
) -> None:
    """One datagram of twenty is lost on the way, and what the client tells of itself with it."""
    target = ("127.0.0.1", exporter.udp)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lossy:
        lossy.bind(("127.0.0.1", 0))
        passed, lost = [0], [0]  # samples, a datagram each; every sample has one colon
        chance = random.Random(20)

        def relay() -> None:
            while datagram := lossy.recv(65_535):
                if chance.random() >= 0.05:
                    lossy.sendto(datagram, target)
                    passed.append(datagram.count(b":"))
                else:
                    lost.append(datagram.count(b":"))

        thread = threading.Thread(target=relay)
        thread.start()
        metrics.start(f"udp://127.0.0.1:{lossy.getsockname()[1]}", role="web")
        handle = catalogue.RQ_JOB_WAIT.bind("scans", "scan_sources")
        for _ in range(60):
            for _ in range(2_000):
                handle.observe(0.0123)
            metrics.flush()
            # Nothing may be lost but what the relay loses.
            wait_until(
                lambda: len(passed) + len(lost) - 2 == booked(own_totals, Figure.DATAGRAMS), what="the relay"
            )

        def told() -> bool:
            metrics.flush()
            arrived = exporter.total("statsd_exporter_samples_total")
            share = sum(lost) / (sum(passed) + sum(lost))
            assert share > 0.02
            return abs(1 - arrived / exporter.total(catalogue.CLIENT_SENT.name) - share) < 0.002

        wait_until(told, what="the share that was lost, told")
        metrics.stop()
        lossy.sendto(b"", lossy.getsockname())
        thread.join()


def _count(times: int) -> None:
    for _ in range(times):
        catalogue.HTTP_REQUESTS.inc(method="GET", endpoint="/", status="200")
        catalogue.HTTP_REQUEST_DURATION.observe(0.01, method="GET", endpoint="/", status="200")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forks_lose_nothing_and_duplicate_nothing(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    _count(100)  # pending at the fork: the parent's to send
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                _count(250)
                metrics.flush()
            finally:
                os._exit(0)
        children.append(pid)
    processes = [FORK.Process(target=_count, args=(500,)) for _ in range(4)]
    for process in processes:
        process.start()
    _count(100)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    metrics.stop()
    expected = 200 + 4 * 250 + 4 * 500
    wait_until(lambda: exporter.total("http_requests_total") >= expected, what="all requests")
    wait_until(
        lambda: exporter.total("http_request_duration_seconds_count") >= expected, what="all durations"
    )
    assert exporter.total("http_requests_total") == expected
    assert exporter.total("http_request_duration_seconds_count") == expected


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_killed_process_loses_only_what_it_had_not_sent(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        _count(1_000)
        metrics.flush()
        catalogue.SESSIONS_STARTED.inc()  # never flushed
        os.write(told, b"x")
        threading.Event().wait()
    os.read(ready, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(told)
    wait_until(lambda: exporter.total("http_requests_total") == 1_000, what="what was flushed")
    assert exporter.total(catalogue.SESSIONS_STARTED.name) <= 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_kills_at_any_moment_what_was_booked_as_sent_is_what_arrived(
    exporter: Exporter, own_totals: Path
) -> None:
    chance = random.Random(7)

    def work() -> None:
        # Over a Unix socket, whose sender waits or is told: the kernel drops nothing in silence.
        metrics.start(f"unixgram://{exporter.unix}", role="worker")
        while True:
            _count(50)
            metrics.flush()

    living: list[int] = []
    for _ in range(40):
        pid = os.fork()
        if pid == 0:
            try:
                work()
            finally:
                os._exit(1)
        living.append(pid)
        if len(living) == 8:
            threading.Event().wait(chance.uniform(0.005, 0.05))
            victim = living.pop(chance.randrange(8))
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    sent = booked(own_totals, Figure.SENT)
    # A datagram of whose end the killed process could not tell any more is in doubt: it may have arrived.
    doubtful = booked(own_totals, Figure.QUEUED) - sent - booked(own_totals, Figure.SEND)
    assert doubtful >= 0
    wait_until(
        lambda: sent <= exporter.total("statsd_exporter_samples_total") <= sent + doubtful, what="all samples"
    )
    assert len(list(own_totals.iterdir())) <= 9, "a killed process's number goes to its successor"
    assert booked(own_totals, Figure.UNCLEAN) > 0, "and so does the knowledge that it was killed"
    metrics.start(exporter.url, role="worker")
    metrics.stop()
    wait_until(lambda: exporter.total(catalogue.CLIENT_UNCLEAN_ENDS.name) > 0, what="the kills, told")


_ENDING = """
import os, signal, sys, time
import metrics
from metrics import catalogue, slots
from pathlib import Path

slots.folder = lambda: Path(sys.argv[2])
metrics.start(sys.argv[1], role="worker")
if sys.argv[3] == "in a flush":
    from metrics import wire
    pack = wire.pack

    def interrupted(lines, limit):
        wire.pack = pack
        found = list(lines)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        return pack(found, limit)

    wire.pack = interrupted
catalogue.SESSIONS_STARTED.inc(5)
if sys.argv[3] == "in a flush":
    metrics.flush()
elif sys.argv[3] == "at exit":
    sys.exit(0)
else:
    os.kill(os.getpid(), signal.SIGTERM)
time.sleep(30)
"""


@pytest.mark.parametrize(
    ("moment", "code"), [("idle", -signal.SIGTERM), ("in a flush", -signal.SIGTERM), ("at exit", 0)]
)
def test_a_process_that_ends_sends_the_rest(
    exporter: Exporter, own_totals: Path, moment: str, code: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _ENDING, exporter.url, str(own_totals), moment], timeout=20, check=False
    )
    assert ended.returncode == code
    wait_until(lambda: exporter.total(catalogue.SESSIONS_STARTED.name) == 5, what="the last samples")
    assert booked(own_totals, Figure.OPEN) == 0, "it ended with all settled"


def test_eight_threads_lose_no_count(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    requests = catalogue.HTTP_REQUESTS.bind("GET", "/", "200")
    sizes = catalogue.HTTP_RESPONSE_BYTES.bind("/")
    durations = catalogue.RQ_JOB_WAIT.bind("scans", "scan_sources")

    def work() -> None:
        for number in range(20_000):
            requests.inc()
            sizes.inc(3)
            if number % 100 == 0:
                durations.observe(0.01)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        metrics.flush()
    for thread in threads:
        thread.join()
    metrics.stop()
    wait_until(lambda: exporter.total("http_requests_total") == 160_000, what="160,000 requests")
    wait_until(lambda: exporter.total("http_response_bytes_total") == 480_000, what="480,000 bytes")
    wait_until(lambda: exporter.total("rq_job_wait_seconds_count") == 1_600, what="1,600 durations")


def rules_for_old_names() -> str:
    """Our mapping file with the rule above its last one that metrics/README.md shows for old names."""
    readme = (Path(metrics.__file__).parent / "README.md").read_text(encoding="utf-8")
    (rule,) = documents.blocks(readme, "yaml")
    return mapping.render().replace("  # Whatever is left.", f"{rule.text}\n  # Whatever is left.")


def test_the_statsd_packages_methods_work_on_it(exporter: Exporter) -> None:
    assert mapping_lint.lint(rules_for_old_names()) == []
    exporter.stop()
    exporter.rules.write_text(rules_for_old_names(), encoding="utf-8")
    exporter.start()
    client = Client(exporter.url, prefix="old")
    for _ in range(10):
        client.incr("things_total")
    client.incr("things_total", 7)
    client.decr("things_total", 2)
    client.timing("took", 250)
    client.gauge("level", 5)
    client.gauge("level", 3, delta=True)
    client.gauge("below", -4)
    with client.timer("block"):
        pass

    @client.timer("function")  # type: ignore[untyped-decorator]  # statsd ships no types
    def function() -> int:
        return 7

    assert function() == 7
    with client.pipeline() as pipe:
        pipe.incr("piped_total", 2)
        pipe.timing("piped_took", 100)
    for _ in range(400):
        client.incr("sampled_total", rate=0.5)
    client.close()
    wait_until(lambda: exporter.total("old_things_total") == 15, what="the counter")
    assert exporter.total("old_took_sum") == pytest.approx(0.25)
    assert exporter.total("old_level") == 8
    assert exporter.total("old_below") == -4
    assert exporter.total("old_block_count") == exporter.total("old_function_count") == 1
    assert exporter.total("old_piped_total") == 2
    assert exporter.total("old_piped_took_count") == 1
    assert 200 < exporter.total("old_sampled_total") < 600
    assert exporter.faults() == {}


def test_a_name_that_no_rule_knows_is_dropped_and_counted(exporter: Exporter) -> None:
    client = Client(exporter.url)
    for number in range(1_000):
        client.incr(f"stranger.{number}", 3)
        client.timing(f"stranger.{number}", 3)
    client.close()
    wait_until(lambda: exporter.faults() == {"dropped": 2_000}, what="2,000 drops, and nothing else")
    assert "stranger" not in exporter.page()


def test_an_exporter_that_runs_an_old_file_shows_in_the_two_versions(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    loaded, built = catalogue.LOADED_MAPPING_VERSION.name, catalogue.CLIENT_MAPPING_VERSION.name

    def shown() -> dict[str, float]:
        mapping.tell("web", "0")
        metrics.flush()
        return {name: exporter.total(name) for name in (loaded, built)}

    ours = mapping.version()
    wait_until(lambda: shown() == {loaded: ours, built: ours}, what="the same version twice")
    exporter.stop()
    old = mapping.render(catalogue.ALL[1:])
    exporter.rules.write_text(old, encoding="utf-8")
    exporter.start()
    theirs = mapping.checksum(catalogue.ALL[1:])
    wait_until(lambda: shown() == {loaded: theirs, built: ours}, timeout=15, what="two versions")
    # A hangup has it read the file again, and it forgets what it had cached.
    exporter.rules.write_text(mapping.render(), encoding="utf-8")
    assert exporter.process is not None
    exporter.process.send_signal(signal.SIGHUP)
    wait_until(lambda: shown() == {loaded: ours, built: ours}, timeout=15, what="the same version again")


def test_a_full_series_is_flushed_early(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="web")
    many = series.SOFT_LIMIT + 500
    handle = catalogue.RQ_JOB_WAIT.bind("scans", "scan_sources")
    for _ in range(many):
        handle.observe(0.01)
    metrics.stop()
    wait_until(lambda: exporter.total("rq_job_wait_seconds_count") == many, what="all durations")


def test_a_process_tells_about_itself_under_a_small_number(exporter: Exporter) -> None:
    metrics.start(exporter.url, role="worker")
    wait_until(
        lambda: exporter.total("scout_process_resident_memory_bytes", role="worker") > 1e6, what="memory"
    )
    assert exporter.total("scout_process_threads") >= 2
    assert exporter.total("scout_process_open_files") > 3
    slots = {dict(labels)["slot"] for labels in exporter.samples("scout_process_threads")}
    assert all(slot.isdigit() and int(slot) < 64 for slot in slots)
    assert time.process_time() > 0
    wait_until(lambda: exporter.total("scout_process_cpu_seconds_total") > 0, what="processor time")
