"""The whole way of every metric: emitted, sent, translated by the committed mapping file, as declared again.

For every metric of the catalogue and every value that its labels may take, the very bytes that the client
sends go through our own exporter and through the real one. Both must show what the catalogue says.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import metrics
from metrics import catalogue, mapping
from metrics.labels import LONGEST
from metrics.model import Counter, Gauge, Label, Metric, Timer
from scout.cli.metrics import FILE
from tests.components import need
from tests.integration.embedded_programs import ROOT, exporter_flags, free_port, running, samples
from tests.integration.test_embedded_exporter_against_the_real_one import explanations, send, unexplained
from tests.unit.embedded_exporter import Bench
from tests.waiting import wait_until

#: Values for labels that take any: every kind of character that travels, and the longest.
OPEN = ("a", "/jobs/{job_id}", "__unmatched__", "A-b_9", "404", "x" * LONGEST)
#: What a counter counts, a gauge is set to, a timer observes; none of them is a value of the client's own.
COUNT, LEVEL, TIMES = 3, 7.5, (0.0004, 0.03, 700.0)
#: Beyond so many combinations of values, each value is sent at least once and not each with every other.
MOST = 300

#: What the client says of itself while this test runs: the figures are more than what is emitted here.
OWN = tuple(name for name in catalogue.BY_NAME if name.startswith("statsd_client_"))


def values(label: Label) -> tuple[str, ...]:
    return label.values or OPEN[: label.bound]


def combinations(metric: Metric) -> Iterator[dict[str, str]]:
    names = [label.name for label in metric.labels]
    columns = [values(label) for label in metric.labels]
    every = list(itertools.islice(itertools.product(*columns), MOST + 1))
    if len(every) > MOST:
        longest = max(map(len, columns))
        every = [tuple(column[row % len(column)] for column in columns) for row in range(longest)]
    for each in every:
        yield dict(zip(names, each, strict=True))


def emit(metric: Metric) -> None:
    for labels in combinations(metric):
        match metric:
            case Counter():
                metric.inc(COUNT, **labels)
            case Gauge():
                metric.set(LEVEL, **labels)
            case Timer():
                for seconds in TIMES:
                    metric.observe(seconds, **labels)


@contextlib.contextmanager
def listening(path: Path) -> Iterator[list[bytes]]:
    """What arrives at a Unix socket while the block runs."""
    taken: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))

        def read() -> None:
            while datagram := bound.recv(65536):
                taken.append(datagram)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield taken
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", str(path))
            reader.join()


def emit_everything(path: str) -> None:
    """Emit every metric with every value, in a process whose labels have taken no other value before."""
    metrics.start(f"unixgram://{path}", role="")
    for metric in catalogue.ALL:
        emit(metric)
    metrics.stop()


@pytest.fixture(scope="module")
def datagrams(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """What the client sends when every metric is emitted with every value."""
    path = tmp_path_factory.mktemp("sent") / "s"
    code = f"from {__name__} import emit_everything; emit_everything({str(path)!r})"
    with listening(path) as taken:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    return taken


class Translated:
    """The page that our exporter makes of those bytes with the committed file, taken apart once."""

    def __init__(self, datagrams: list[bytes]) -> None:
        self.bench = Bench(FILE.read_text(encoding="utf-8"))
        self.bench.take(*datagrams)
        # There is no socket and no start here, which count these.
        self.bench.counts.unixgram_packets = len(datagrams)
        self.bench.counts.loaded_mappings = len(self.bench.mapper.rules)
        self.page = self.bench.page()
        self.families = {each.name: each for each in text_string_to_metric_families(self.page)}
        self.samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for (name, labels), value in samples(self.page).items():
            self.samples.setdefault(name, {})[labels] = float(value)


@pytest.fixture(scope="module")
def translated(datagrams: list[bytes]) -> Translated:
    return Translated(datagrams)


def scaled(metric: Metric, value: float) -> float:
    return value * mapping.version() if metric is catalogue.LOADED_MAPPING_VERSION else value


@pytest.mark.parametrize(
    "metric", [metric for metric in catalogue.ALL if metric.statsd_type], ids=lambda metric: metric.name
)
def test_a_metric_comes_out_as_it_is_declared(translated: Translated, metric: Metric) -> None:
    family = translated.families[
        metric.name.removesuffix("_total") if isinstance(metric, Counter) else metric.name
    ]
    assert (family.type, family.documentation) == (mapping.kind(metric), metric.help)
    expected = {tuple(sorted(labels.items())) for labels in combinations(metric)}
    for label in metric.labels:
        sent = {value for labels in expected for key, value in labels if key == label.name}
        assert sent == set(values(label))
    figures = translated.samples[f"{metric.name}_count" if isinstance(metric, Timer) else metric.name]
    # Counters are born at zero, so that there are more of them than were emitted.
    there = {labels for labels, value in figures.items() if value}
    assert there == expected or metric.name in OWN
    assert there >= expected
    for labels in expected:
        if isinstance(metric, Timer):
            assert_distribution(translated, metric, labels)
        elif metric.name not in OWN:
            value = COUNT if isinstance(metric, Counter) else scaled(metric, LEVEL)
            assert figures[labels] == value


def assert_distribution(translated: Translated, metric: Timer, labels: tuple[tuple[str, str], ...]) -> None:
    bounds = [*map(float, metric.buckets), math.inf]
    for bound in bounds:
        le = f"{bound:g}" if bound < math.inf else "+Inf"
        bucket = translated.samples[f"{metric.name}_bucket"][tuple(sorted([*labels, ("le", le)]))]
        assert bucket == sum(time <= bound for time in TIMES)
    assert translated.samples[f"{metric.name}_sum"][labels] == pytest.approx(sum(TIMES))
    every = {dict(own)["le"] for own in translated.samples[f"{metric.name}_bucket"]}
    assert len(every) == len(bounds)


def test_nothing_on_the_way_was_wrong(translated: Translated) -> None:
    bench = translated.bench
    assert bench.own().keys() == {'events_actions_total{action="map"}', "unixgram_packets_total"}
    assert bench.counts.events_unmapped == 0
    assert bench.counts.events_actions["map"] == bench.counts.samples


def test_pushed_metrics_do_not_travel_this_way(translated: Translated) -> None:
    pushed = {metric.name for metric in catalogue.ALL if not metric.statsd_type}
    assert pushed
    assert not pushed & set(translated.samples)


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_the_real_exporter_makes_the_same_page_of_the_same_bytes_in_either_order_of_rules(
    translated: Translated, datagrams: list[bytes], tmp_path: Path, disabled: str
) -> None:
    port, where, rules = free_port(), tmp_path / "s", tmp_path / "mapping.yml"
    ordering = "glob_disable_ordering: true"
    text = FILE.read_text(encoding="utf-8")
    assert ordering in text
    rules.write_text(text.replace(ordering, f"glob_disable_ordering: {disabled}"), encoding="utf-8")
    command: list[str | Path] = [need("statsd_exporter"), *exporter_flags(rules, port, where)]
    with running(command, port) as real:
        send(where, datagrams)

        def worked_off() -> bool:
            return all(
                real.figure("statsd_exporter_events_total", type=kind) == count
                for kind, count in translated.bench.counts.events.items()
            )

        wait_until(worked_off, what="all events")
        assert unexplained(real.page(), translated.page, explanations()) == []
