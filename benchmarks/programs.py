"""Exporters to measure against: the real statsd_exporter and the embedded one, each in a process of its own.

Both are started with the committed mapping, so that what is measured is what runs.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.components import find

ROOT = Path(__file__).resolve().parent.parent
MAPPING = ROOT / "statsd-exporter-mapping.yml"
#: Seconds that a program may take to answer, and that sent samples may take to be counted.
_PATIENCE = 20.0
#: What may wait in the exporter's receive buffer, in bytes, before a sender pauses: a quarter of Linux's
#: default (net.core.rmem_default).
_ROOM = 53_248


class Lost(Exception):  # noqa: N818 - reads as the sentence that it is
    """Datagrams did not arrive, so that a figure would be wrong."""


class Exporter:
    """A running exporter.

    Attributes:
        name: Which one it is, for a table.
        udp: Its StatsD port at 127.0.0.1.
        process: Its process.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], udp: int, web: int) -> None:
        self.name = name
        self.process = process
        self.udp = udp
        self._web = web

    @property
    def statsd(self) -> str:
        """Where its samples are sent."""
        return f"udp://127.0.0.1:{self.udp}"

    @property
    def origin(self) -> str:
        """Its web address."""
        return f"http://127.0.0.1:{self._web}"

    def page(self) -> str:
        """Its page."""
        url = f"{self.origin}/metrics"
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - our own page
            text: str = answer.read().decode()
        return text

    def scrape(self) -> tuple[float, int]:
        """How long its page takes over a connection that is open, in seconds, and the page's bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self._web, timeout=_PATIENCE)
        connection.connect()
        with contextlib.closing(connection):
            begun = time.perf_counter()
            connection.request("GET", "/metrics")
            size = len(connection.getresponse().read())
            return time.perf_counter() - begun, size

    def total(self, name: str, **labels: str) -> float:
        """The sum over all series of a sample's name that have these labels."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.page())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def samples(self) -> int:
        """How many samples it has taken so far."""
        return int(self.total("statsd_exporter_samples_total"))

    def processor_time(self) -> float:
        """Seconds of processor time that it has used, of its own and of the kernel's."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def memory(self) -> int:
        """Its resident memory, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def drained(self) -> bool:
        """Wait until its receive buffer is empty; False when it still is not after some time.

        The real program takes datagrams in before it works on them; a moment more lets it finish.
        """
        empty = until(lambda: not self._waiting())
        settled = self.processor_time()
        while empty:
            time.sleep(0.1)
            used = self.processor_time()
            if used - settled < 0.02:  # noqa: PLR2004 - what an idle program uses
                break
            settled = used
        return empty

    def feed(self, datagrams: list[bytes]) -> None:
        """Send datagrams as fast as it takes them, but never more than its receive buffer holds."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", self.udp))
            for place, datagram in enumerate(datagrams):
                if place % 8 == 0:
                    while self._waiting() > _ROOM:
                        time.sleep(0.0005)
                sender.send(datagram)

    def drops(self) -> int:
        """Datagrams that the kernel threw away because its receive buffer was full."""
        return int(self._row()[12])

    def _waiting(self) -> int:
        """Bytes in its receive buffer: asking the kernel costs the exporter nothing, as its page would."""
        return int(self._row()[4].partition(":")[2], 16)

    def _row(self) -> list[str]:
        """What the kernel says of its StatsD socket: a row of proc_net_udp(5)."""
        place = f"0100007F:{self.udp:04X}"
        for row in Path("/proc/net/udp").read_text(encoding="ascii").splitlines():
            columns = row.split()
            if columns[1] == place:
                return columns
        raise ChildProcessError(f"{self.name} does not listen any more")


def real() -> Path | None:
    """Where the real statsd_exporter is; None where it is not."""
    return find("statsd_exporter")


def kinds() -> list[str]:
    """The exporters that are here: `statsd_exporter` if it is, and `embedded`."""
    return ["statsd_exporter", "embedded"] if real() else ["embedded"]


@contextlib.contextmanager
def running(kind: str, *flags: str) -> Iterator[Exporter]:
    """An exporter of a kind that is here, with further flags, until the block ends."""
    program = real() if kind == "statsd_exporter" else None
    command = [str(program)] if program else [sys.executable, "-m", "metrics.embedded.exporter"]
    udp, web = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    command += [
        f"--statsd.mapping-config={MAPPING}",
        f"--statsd.listen-udp=127.0.0.1:{udp}",
        "--statsd.listen-tcp=",
        f"--web.listen-address=127.0.0.1:{web}",
        *flags,
    ]
    with started(command) as process:
        exporter = Exporter(kind, process, udp, web)
        await_answer(process, f"{exporter.origin}/metrics")
        yield exporter


@contextlib.contextmanager
def gateway() -> Iterator[str]:
    """A Pushgateway, the real one where it is; its address."""
    program = find("prometheus-pushgateway")
    command = [str(program)] if program else [sys.executable, "-m", "metrics.embedded.gateway"]
    web = free_port(socket.SOCK_STREAM)
    with started([*command, f"--web.listen-address=127.0.0.1:{web}"]) as process:
        await_answer(process, f"http://127.0.0.1:{web}/metrics")
        yield f"http://127.0.0.1:{web}"


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs, and says nothing, until the block ends."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until a program answers.

    Raises:
        ChildProcessError: It ended, or does not answer.
    """

    def answers() -> bool:
        if process.poll() is not None:
            raise ChildProcessError(f"{process.args!r} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own page
                return True
        except OSError:
            return False

    if not until(answers):
        raise ChildProcessError(f"{process.args!r} does not answer")


def until(condition: Callable[[], bool], patience: float = _PATIENCE) -> bool:
    """Ask again until it is true; False when it still is not after so many seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def free_port(kind: socket.SocketKind) -> int:
    """A port of 127.0.0.1 that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])
