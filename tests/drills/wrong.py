"""A process of ours that does something wrong while it lives: `-m tests.drills.wrong KIND STATSD_URL`."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time

import metrics
from metrics import catalogue

#: Past what any of our processes should ever hold (`ScoutMemoryHigh`).
_BYTES = 1_050_000_000
_FILES = 100


def emit() -> None:
    """Emit what is no number, and values that a label may not have."""
    while True:
        for _ in range(10):
            catalogue.JOBS.set(float("nan"))
            catalogue.SCAN_STREAMS.inc(outcome="a value that there is not")
        time.sleep(0.5)


def hold_memory() -> None:
    """Hold a gigabyte, written to, so that it is there."""
    held = bytearray(_BYTES)
    page = os.sysconf("SC_PAGE_SIZE")
    held[::page] = b"\1" * len(held[::page])
    time.sleep(3600)


def hold_files() -> None:
    """Open as many files as there may be, nearly."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    with contextlib.ExitStack() as held:
        for _ in range(_FILES - 15):
            held.enter_context(open(os.devnull, "rb"))  # noqa: PTH123 - a device
        time.sleep(3600)


_KINDS = {each.__name__: each for each in (emit, hold_memory, hold_files)}


def main() -> None:
    """Begin to emit, as any command of ours, and then do it."""
    kind, statsd = sys.argv[1:]
    metrics.start(statsd, role="command")
    _KINDS[kind]()


if __name__ == "__main__":
    main()
