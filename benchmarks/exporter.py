"""What the embedded exporter takes, beside the real statsd_exporter.

- `packed`: samples per second of the exporter's own processor time, of its program and of the kernel for it,
  for the datagrams that our client sends: counters summed, durations packed, 1,432 bytes.
- `single`: the same for lines with one sample each, as other clients send them.
- `memory`: resident memory when started, and with 10,000 series more.
- `page`: time for the page with these series, over an open connection, and its size.

Processor time and not time on the clock: the real program uses as many cores as there are, and the sender
uses one too. The sender never puts more into the exporter's receive buffer than it holds (it asks the
kernel), and the samples that the exporter says it took must be those sent, else the round is repeated.
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks import programs
from benchmarks.measure import median, table, write
from metrics import catalogue, wire

ROUNDS = 5
SERIES = 10_000
SHORT = {"rounds": 1, "samples": 8_000, "series": 500}
#: Samples in one round.
_SAMPLES = 400_000
_TRIES = 5
_MIB = 1024 * 1024


def _names(count: int) -> list[str]:
    return [f"scout.{catalogue.HTTP_REQUESTS.name}.GET./page-{number}.200" for number in range(count)]


def packed(samples: int) -> tuple[list[bytes], int]:
    """Datagrams as our client sends them in a busy second, and how many samples are in them."""
    chance = random.Random(7)
    lines: list[tuple[str, int]] = []
    held = 0
    while held < samples:
        for number in range(20):
            labels = f"GET./route-{number}.200"
            durations = [chance.lognormvariate(-4, 1) for _ in range(200)]
            timer = f"scout.{catalogue.HTTP_REQUEST_DURATION.name}.{labels}"
            more = list(wire.timers(timer, durations, wire.UDP_LIMIT))
            more.append((wire.counter(f"scout.{catalogue.HTTP_REQUESTS.name}.{labels}", 200), 1))
            more.append(
                (wire.counter(f"scout.{catalogue.HTTP_RESPONSE_BYTES.name}.route-{number}", 81_920), 1)
            )
            lines += more
            held += sum(count for _, count in more)
    return [datagram for datagram, _ in wire.pack(lines, wire.UDP_LIMIT)], held


def single(samples: int) -> tuple[list[bytes], int]:
    """Datagrams with one sample a line, half of them counters, and how many samples are in them."""
    chance = random.Random(7)
    lines = []
    for number in range(samples // 2):
        labels = f"GET./route-{number % 20}.200"
        lines.append((wire.counter(f"scout.{catalogue.HTTP_REQUESTS.name}.{labels}", 1), 1))
        timer = f"scout.{catalogue.HTTP_REQUEST_DURATION.name}.{labels}"
        lines += wire.timers(timer, [chance.lognormvariate(-4, 1)], wire.UDP_LIMIT)
    return [datagram for datagram, _ in wire.pack(lines, wire.UDP_LIMIT)], len(lines)


def _rate(exporter: programs.Exporter, datagrams: list[bytes], samples: int) -> float:
    """Samples per second of the exporter's processor time."""
    for _ in range(_TRIES):
        expected = exporter.samples() + samples
        cpu = exporter.processor_time()
        exporter.feed(datagrams)
        if exporter.drained():
            cpu = exporter.processor_time() - cpu
            if exporter.samples() == expected:
                return samples / max(cpu, 0.01)  # the kernel counts in hundredths
    raise programs.Lost(f"{exporter.name} lost samples in {_TRIES} tries")


def _one(kind: str, loads: dict[str, tuple[list[bytes], int]], series: int, rounds: int) -> dict[str, float]:
    with programs.running(kind) as exporter:
        figures = {}
        for name, (datagrams, samples) in loads.items():
            figures[name] = _rate(exporter, datagrams, samples)
    with programs.running(kind) as exporter:
        empty = exporter.memory()
        lines = [(wire.counter(name, 1), 1) for name in _names(series)]
        exporter.feed([datagram for datagram, _ in wire.pack(lines, wire.UDP_LIMIT)])
        if not programs.until(lambda: exporter.total(catalogue.HTTP_REQUESTS.name) == series):
            raise programs.Lost(f"{kind} lost some of {series:,} series")
        filled = exporter.memory()
        scrapes = [exporter.scrape() for _ in range(rounds)]
        figures |= {
            "memory empty": empty / _MIB,
            "memory filled": filled / _MIB,
            "memory after pages": exporter.memory() / _MIB,
            "page ms": median([took * 1000 for took, _ in scrapes]),
            "page bytes": scrapes[-1][1],
        }
    return figures


def run(rounds: int = ROUNDS, samples: int = _SAMPLES, series: int = SERIES) -> dict[str, Any]:
    """Measure, print the table, and write `results/exporter.json`."""
    loads = {"packed": packed(samples), "single": single(samples)}
    measured: dict[str, list[dict[str, float]]] = {kind: [] for kind in programs.kinds()}
    for _ in range(rounds):
        for kind, figures in measured.items():
            figures.append(_one(kind, loads, series, rounds))
    medians = {
        kind: {key: round(median([each[key] for each in figures]), 2) for key in figures[0]}
        for kind, figures in measured.items()
    }
    ours = medians["embedded"]
    head = [
        "an exporter",
        "packed/s",
        "ratio",
        "single/s",
        "ratio",
        "MB empty",
        f"MB, {series:,} series",
        "page ms",
    ]
    rows = [
        [
            kind,
            *(cell for key in loads for cell in (f"{at[key]:,.0f}", f"{at[key] / ours[key]:.1f}x")),
            f"{at['memory empty']:.1f}",
            f"{at['memory filled']:.1f}",
            f"{at['page ms']:.1f}",
        ]
        for kind, at in medians.items()
    ]
    print(table(head, rows))
    kept: dict[str, Any] = {
        "unit": "samples per second of the exporter's processor time; MiB; ms",
        "rounds": rounds,
        "samples": {name: count for name, (_, count) in loads.items()},
        "series": series,
        "medians": medians,
    }
    write("exporter", kept)
    return kept
