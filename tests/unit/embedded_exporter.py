"""The exporter's parts put together without sockets, with a clock that the test moves."""

from __future__ import annotations

from metrics.embedded.exporter import rules
from metrics.embedded.exporter.counts import Counts
from metrics.embedded.exporter.line import Parser
from metrics.embedded.exporter.mapper import Mapper
from metrics.embedded.exporter.page import RESERVED, page
from metrics.embedded.exporter.registry import Registry
from metrics.embedded.exporter.translator import Translator


class Bench:
    """Takes datagrams and shows what became of them."""

    def __init__(self, mapping: str = "", cache_size: int = 1000) -> None:
        self.now = 1000.0
        self.counts = Counts()
        self.mapper = Mapper(rules.parse(mapping), cache_size)
        self.registry = Registry(self.counts, RESERVED, lambda: self.now)
        self.translator = Translator(self.mapper, self.registry, self.counts)
        self.parser = Parser(self.counts)

    def take(self, *datagrams: str | bytes) -> None:
        for datagram in datagrams:
            data = datagram.encode() if isinstance(datagram, str) else datagram
            self.translator.take(self.parser.datagram(data))

    def page(self) -> str:
        return b"".join(page(self.registry, self.counts, self.mapper)).decode()

    def series(self) -> dict[str, float]:
        """The samples that came out of datagrams, by name and labels as written."""
        return {
            name: float(value)
            for name, _, value in (
                line.rpartition(" ") for line in self.page().split("\n") if line[:1] not in ("", "#")
            )
            if not name.startswith(("process_", "statsd_"))
        }

    def own(self) -> dict[str, float]:
        """What the exporter counted about itself, without zeros and without counts of what came in."""
        usual = (
            "lines",
            "samples",
            "events_total",
            "events_unmapped",
            "metrics_total",
            "build_info",
            "loaded",
        )
        return {
            name.removeprefix("statsd_exporter_"): float(value)
            for name, _, value in (
                line.rpartition(" ") for line in self.page().split("\n") if line[:1] not in ("", "#")
            )
            if name.startswith("statsd_exporter_")
            and float(value)
            and not name.removeprefix("statsd_exporter_").startswith(usual)
        }
