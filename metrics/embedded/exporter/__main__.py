"""`python -m metrics.embedded.exporter`: runs the exporter, with the real program's flags."""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from metrics.embedded import text, web
from metrics.embedded.errors import StartError
from metrics.embedded.exporter import listeners, rules
from metrics.embedded.exporter.counts import Counts
from metrics.embedded.exporter.line import Parser
from metrics.embedded.exporter.mapper import Mapper
from metrics.embedded.exporter.page import RESERVED, page
from metrics.embedded.exporter.registry import Registry
from metrics.embedded.exporter.translator import Translator
from metrics.embedded.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Sequence


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m metrics.embedded.exporter",
        description="A small StatsD exporter with the flags of prometheus/statsd_exporter.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--web.listen-address", dest="web", default="127.0.0.1:9102", help="where the page is served")
    add("--web.telemetry-path", dest="path", default="/metrics", help="the page's path")
    add("--statsd.listen-udp", dest="udp", default="127.0.0.1:9125", help='StatsD by UDP; "" for none')
    add(
        "--statsd.listen-tcp",
        dest="tcp",
        default="",
        help='StatsD by TCP; "" for none, unlike the real program',
    )
    add(
        "--statsd.listen-unixgram",
        dest="unixgram",
        default="",
        help="StatsD by a Unix datagram socket's path",
    )
    add("--statsd.unixsocket-mode", dest="mode", default="755", help="the Unix socket's mode")
    add("--statsd.mapping-config", dest="mapping", default="", help="the mapping file")
    add("--statsd.read-buffer", dest="read_buffer", type=int, default=0, help="the sockets' buffers in bytes")
    add("--statsd.cache-size", dest="cache_size", type=int, default=1000, help="names remembered; 0 for none")
    add(
        "--statsd.cache-type",
        dest="cache_type",
        choices=("lru", "random"),
        default="lru",
        help="always lru here",
    )
    add(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="reload at PUT /-/reload, end at PUT /-/quit",
    )
    add("--check-config", dest="check", action="store_true", help="check the mapping file and end")
    for dialect in ("dogstatsd", "influxdb", "librato", "signalfx"):
        add(
            f"--statsd.parse-{dialect}-tags",
            dest=dialect,
            action=argparse.BooleanOptionalAction,
            default=True,
            help=f"read tags in the style of {dialect}",
        )
    for ignored in (
        "statsd.event-queue-size",
        "statsd.event-flush-threshold",
        "statsd.event-flush-interval",
        "statsd.udp-packet-queue-size",
        "log.level",
        "log.format",
    ):
        add(f"--{ignored}", help="taken and not used: there is no such queue or log here")
    return parser


class Exporter:
    """The running program: sockets in, page out.

    Raises:
        StartError: The mapping file is wrong, or an address cannot be had.
    """

    def __init__(self, flags: argparse.Namespace) -> None:
        self._flags = flags
        self._mapping = Path(flags.mapping) if flags.mapping else None
        self.counts = Counts()
        loaded = rules.load(self._mapping)
        self.counts.loaded_mappings = len(loaded)
        self.mapper = Mapper(loaded, flags.cache_size)
        self.registry = Registry(self.counts, RESERVED)
        self.translator = Translator(self.mapper, self.registry, self.counts)
        self.parser = Parser(
            self.counts,
            dogstatsd=flags.dogstatsd,
            influxdb=flags.influxdb,
            librato=flags.librato,
            signalfx=flags.signalfx,
        )
        self.loop = Loop()
        self._udp: socket.socket | None = None
        self._unix: Path | None = None

    def listen(self) -> list[str]:
        """Open all sockets; answers where."""
        flags, selector = self._flags, self.loop.selector
        where = []
        if flags.udp:
            self._udp = web.bind(socket.SOCK_DGRAM, flags.udp)
            listeners.Datagrams(selector, self._udp, self._take_udp, flags.read_buffer)
            where.append(f"udp {web.shown(self._udp)}")
        if flags.tcp:
            lines = listeners.Lines(selector, flags.tcp, self.counts, self._take_line)
            where.append(f"tcp {lines.address}")
        if flags.unixgram:
            bound = listeners.unix_socket(Path(flags.unixgram), flags.mode)
            self._unix = Path(flags.unixgram)
            listeners.Datagrams(selector, bound, self._take_unixgram, flags.read_buffer)
            where.append(f"unixgram {flags.unixgram}")
        if not where:
            raise StartError("There is nothing to listen at: give --statsd.listen-udp, -tcp or -unixgram.")
        self._web = web.Server(selector, flags.web, self._answer)
        where.append(f"http {self._web.address}")
        return where

    def run(self) -> None:
        """Work until a signal ends it."""
        self.loop.catch_signals(self._reload)
        self.loop.run(self._sweep)

    def close(self) -> None:
        """Remove what the program leaves on disk."""
        if self._unix is not None:
            self._unix.unlink(missing_ok=True)

    def _take_udp(self, packets: list[bytes]) -> None:
        self.counts.udp_packets += len(packets)
        self._take(packets)

    def _take_unixgram(self, packets: list[bytes]) -> None:
        self.counts.unixgram_packets += len(packets)
        self._take(packets)

    def _take(self, packets: list[bytes]) -> None:
        self.counts.event_queue_flushed += 1
        for packet in packets:
            self.translator.take(self.parser.datagram(packet))

    def _take_line(self, line: bytes) -> None:
        self.translator.take(self.parser.raw(line))

    def _sweep(self) -> None:
        self.registry.expire()
        self._web.sweep()

    def _reload(self) -> None:
        if self._mapping is None:
            return
        try:
            loaded = rules.load(self._mapping)
        except StartError as error:
            self.counts.config_reloads["failure"] += 1
            _say(f"The mapping stays as it was. {error}")
            return
        self.counts.config_reloads["success"] += 1
        self.counts.loaded_mappings = len(loaded)
        self.mapper.use(loaded)
        _say(f"The mapping was read again: {len(loaded)} rules.")

    def _answer(self, request: web.Request) -> web.Response:
        orders = (
            {
                "/-/reload": (self._reload, "Requesting reload"),
                "/-/quit": (self.loop.stop, "Requesting termination... Goodbye!"),
            }
            if self._flags.lifecycle
            else {}
        )
        pages = (self._flags.path, "/-/healthy", "/-/ready", "/")
        if request.path not in (*pages, *orders):
            return web.Response(404, "There is nothing here.\n")
        allowed = ("PUT", "POST") if request.path in orders else ("GET", "HEAD")
        if request.method not in allowed:
            listed = ", ".join(allowed)
            return web.Response(405, f"Only {listed} are answered here.\n", headers={"Allow": listed})
        if request.path in orders:
            order, answer = orders[request.path]
            order()
            return web.Response(200, answer)
        if request.path == self._flags.path:
            if self._udp is not None:
                self.counts.udp_packet_drops = listeners.kernel_drops(self._udp)
            return web.Response(200, page(self.registry, self.counts, self.mapper), text.CONTENT_TYPE)
        if request.path == "/":
            return web.Response(200, f"The embedded StatsD exporter. Its page is at {self._flags.path}\n")
        state = "Healthy" if request.path == "/-/healthy" else "Ready"
        return web.Response(200, f"Statsd Exporter is {state}.\n")


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(f"exporter: {line}", file=sys.stderr, flush=True)  # noqa: T201  # a program's own log


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the exporter; the exit code is 0 after a signal and 1 where it cannot start."""
    flags = _flags().parse_args(arguments)
    try:
        exporter = Exporter(flags)
        if flags.check:
            _say(f"The mapping is fine: {exporter.counts.loaded_mappings} rules.")
            return 0
        try:
            _say(f"Listening at {', '.join(exporter.listen())}.")
            exporter.run()
        finally:
            exporter.close()
    except StartError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
